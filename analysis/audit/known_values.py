"""What is known of a host beside a study: shipped calculations of better levels of theory, and measured values."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from pydantic import Field

from ..kinetics.hop_spread import SpreadHop
from ..results.document import Document, LevelOfTheory

# From the least to the most that a level knows of electrons.
_RANK: dict[str, int] = {"local": 0, "ML": 1, "ASE": 1, "GPAW": 2, "Quantum ESPRESSO": 2, "VASP": 2}
# Stored results of whole studies by ML potentials, and the day on which they were computed.
_STORED_ON = "2026-11-23"
_PACKAGE = __package__.removesuffix(".analysis.audit")


class KnownCalculation(Document):
    """One answer of another engine for the same host.

    Attributes
    ----------
    host, order
        Which crystal.
    question
        ``vacancies`` (formation energies at both edges of the window) or ``barrier`` (forward and back).
    engine, level_of_theory, cell_atoms, date, source
        Who said so in which cell, on which day, and where it is kept.
    rich, poor
        Formation energies by label at the oxygen-rich and oxygen-poor edge.
    values
        Other numbers by name.
    hubbard_U_eV
        The one set of U by element that all of them have; empty without U, or where a potential answers.
    """

    host: str
    order: str
    question: str
    engine: str
    level_of_theory: LevelOfTheory
    cell_atoms: int
    unit: str
    date: str
    source: str
    rich: dict[str, float] = Field(default_factory=dict)
    poor: dict[str, float] = Field(default_factory=dict)
    values: dict[str, float] = Field(default_factory=dict)
    hubbard_U_eV: dict[str, float] = Field(default_factory=dict)

    @property
    def in_words(self) -> str:
        """One clause: engine, cell, day and numbers, lowest first."""
        numbers = self.rich or self.values
        listed = sorted(numbers.items(), key=lambda item: item[1]) if self.rich else numbers.items()
        text = ", ".join(f"{name} {value:.2f}" for name, value in listed)
        where = " at the oxygen-rich edge" if self.rich else ""
        return f"{self.engine} ({self.cell_atoms} atoms, {self.date}): {text} {self.unit}{where}"


class MeasuredValue(Document):
    """One measured property of a host, as a range or in words.

    Attributes
    ----------
    quantity
        ``moment``, ``magnetisation``, ``T_C``, ``K1``, ``a``, ``order`` or ``barrier``.
    low, high, unit, at
        Range of what is measured, and under which conditions.
    """

    host: str
    quantity: str
    low: float | None = None
    high: float | None = None
    unit: str = ""
    at: str = ""
    text: str = ""
    source: str

    @property
    def in_words(self) -> str:
        """Value, unit and conditions."""
        if self.low is None or self.high is None:
            return self.text
        value = f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"
        return " ".join(filter(None, [value, self.unit, f"({self.at})" if self.at else ""]))


class KnownSpread(Document):
    """Shipped barriers of all distinct hops of a host's kind over its cation orders.

    Attributes
    ----------
    host, engine, cell_atoms, date, source
        Who said so of what in which cell, on which day, and by which command.
    hops
        Barriers by order and hop; without decay times, which depend on the prefactors.
    left_out
        Which distinct hops are not among them, in words; empty if all are.
    """

    host: str
    engine: str
    cell_atoms: int
    date: str
    source: str
    hops: list[SpreadHop]
    left_out: str = ""


def rank(level_of_theory: str) -> int:
    """Place of a level of theory among the others: what is not listed knows least."""
    return _RANK.get(level_of_theory, 0)


def knows_most(level_of_theory: str) -> bool:
    """Whether no level of theory here knows more."""
    return rank(level_of_theory) >= max(_RANK.values())


def spins_in_words(level_of_theory: str) -> str:
    """That moments are those which were put in, of an engine without electrons; empty for the others."""
    return "" if knows_most(level_of_theory) else ", of the spins that were put in"


def better_calculations(host_key: str, order: str, level_of_theory: str, question: str) -> list[KnownCalculation]:
    """Shipped answers of better levels of theory to one question, the best first; empty if there are none.

    Parameters
    ----------
    host_key, order
        The study's; another cell of the same host counts, another cation order does not.
    level_of_theory
        Level of theory of the study's engine.
    question
        ``vacancies`` or ``barrier``.
    """
    host = host_key.partition(":")[0]
    calculations = [
        k
        for k in _computed()
        if (k.host, k.order, k.question) == (host, order, question) and rank(k.level_of_theory) > rank(level_of_theory)
    ]
    return sorted(calculations, key=lambda k: -rank(k.level_of_theory))


def known_spread(host_key: str) -> KnownSpread | None:
    """Shipped hops over the cation orders of a host; None if there are none."""
    host = host_key.partition(":")[0]
    spreads = [KnownSpread.model_validate(entry) for entry in _table()["spread"] if entry["host"] == host]
    return spreads[0] if spreads else None


def measured_values(host_key: str) -> list[MeasuredValue]:
    """Measured values of a host."""
    host = host_key.partition(":")[0]
    return [m for m in _measured() if m.host == host]


def measured_ordering(host_key: str) -> tuple[float | None, str]:
    """T_C in the middle of what was measured, and its source; None if nothing was."""
    for known in measured_values(host_key):
        if known.quantity == "T_C" and known.low is not None and known.high is not None:
            return (known.low + known.high) / 2, f"measured, {known.in_words}: {known.source}"
    return None, ""


@cache
def _table() -> dict[str, list[dict[str, object]]]:
    text = files(__package__).joinpath("known_values.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@cache
def _measured() -> tuple[MeasuredValue, ...]:
    return tuple(MeasuredValue.model_validate(entry) for entry in _table()["measured"])


@cache
def _computed() -> tuple[KnownCalculation, ...]:
    calculations = [KnownCalculation.model_validate(entry) for entry in _table()["computed"]]
    for engine in ("sevennet", "chgnet"):
        calculations += _of_study(engine)
    return tuple(calculations)


def _of_study(engine: str) -> list[KnownCalculation]:
    """Answers of a stored study of an ML potential."""
    values = json.loads(files(_PACKAGE).joinpath("data", "engines", f"{engine}.json").read_text(encoding="utf-8"))
    common = {
        "host": values["host"],
        "order": values["order"],
        "engine": engine,
        "level_of_theory": values["level_of_theory"],
        "unit": "eV",
        "date": _STORED_ON,
        "source": f"data/engines/{engine}.json: {values['command']}",
    }
    forward, back = values["barriers_eV"]
    return [
        KnownCalculation.model_validate(
            common
            | {"question": "vacancies", "cell_atoms": values["vacancy_cell_atoms"], "rich": values["vacancies_eV"]}
        ),
        KnownCalculation.model_validate(
            common
            | {
                "question": "barrier",
                "cell_atoms": values["band_cell_atoms"],
                "values": {"forward": forward, "back": back},
            }
        ),
    ]
