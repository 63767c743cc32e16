"""Stage of the magnetic ordering temperature, from couplings that the user states or that are shipped with a source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobflow import Job, job

from ...analysis.magnetism.known_couplings import KNOWN, known_couplings
from ...analysis.magnetism.ordering import OrderingTemperature, ordering_temperature
from ...analysis.results.calculation import Calculation, require_valid
from ...stored.caching import cache_version
from ..stage import Stage, StageOption, StudyInMaking

_EXAMPLE = "'Fe(A)-Fe(B): -5.0, Fe(A)-Co(B): -4.0, source: where from'"

# Of no insulator more than some tens; of unit vectors, each pair once.
_LARGEST_meV = 1000.0


def couplings_from(said: str | Mapping[str, Any]) -> dict[str, Any]:
    """Couplings in meV by pair, with their source, from YAML on one line, a YAML file or a mapping.

    Raises
    ------
    ValueError
        If there is no pair, no source, or a value is no number.
    """
    from pathlib import Path

    from ...structures.io.untrusted_input import plain_yaml, read_yaml

    if isinstance(said, str):
        text = said.strip()
        plain = text if text.startswith("{") else "{" + text + "}"
        is_file = text.endswith((".yaml", ".yml"))
        made = read_yaml(Path(text)) if is_file else plain_yaml(plain, "the table of couplings")
    else:
        made = dict(said)
    if not isinstance(made, dict) or "source" not in made or len(made) < 2:
        raise ValueError(f"couplings need pairs in meV and a source, e.g. {_EXAMPLE}")
    source = str(made.pop("source"))
    if any("-" not in str(pair) for pair in made):
        raise ValueError(f"a pair reads like Fe(A)-Co(B); e.g. {_EXAMPLE}")
    couplings = {str(pair): float(value) for pair, value in made.items()}
    if absurd := {pair: value for pair, value in couplings.items() if not abs(value) <= _LARGEST_meV}:
        raise ValueError(f"couplings {absurd} must be numbers from -{_LARGEST_meV:g} to {_LARGEST_meV:g} meV")
    return {"source": source, **couplings}


@job(name="ordering temperature")
@cache_version(2)
def ordering_of_host(
    bulk: Calculation, couplings: dict[str, Any], spins: dict[str, float] | None = None
) -> OrderingTemperature:
    """Mean field and Monte Carlo on the relaxed cell; outputs an `OrderingTemperature`."""
    require_valid(bulk.checks, bulk.name)
    table = {}
    for name, value in couplings.items():
        if name != "source":
            first, _, second = name.partition("-")
            table[first.strip(), second.strip()] = float(value)
    return ordering_temperature(bulk.structure, table, bulk.provenance, source=str(couplings["source"]), spins=spins)


class OrderingStage(Stage):
    """T_C and M(T) of the host's own order."""

    name = "exchange"
    place = 96.0
    document = OrderingTemperature
    options = (
        StageOption(
            "exchange_meV",
            f"Couplings of pairs of ions for the stage exchange, as YAML or a .yaml file, e.g. {_EXAMPLE} "
            "[default: published ones of the host].",
            couplings_from,
        ),
    )

    def build(self, study: StudyInMaking) -> Job:
        """One job on the relaxed cell, with the couplings that are stated, or shipped for the host.

        Raises
        ------
        ValueError
            If there are neither.
        """
        couplings = study.option("exchange_meV")
        if couplings is not None:
            return ordering_of_host(study.bulk, couplings)
        known = known_couplings(study.host.key)
        if known is None:
            raise ValueError(
                f"the stage exchange needs couplings, and none are shipped for {study.host.key} (only for "
                f"{', '.join(KNOWN)}): state them with --exchange-meV, or compute them pair by pair with "
                "FourStateMaker and an engine with electrons (gpaw, vasp)"
            )
        return ordering_of_host(study.bulk, {"source": known.source, **known.J_meV}, known.spins)


STAGE = OrderingStage()
