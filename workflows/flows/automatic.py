"""The engine ``auto``: the best installed one that can do what is asked of a material, with the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...structures.host import get_host
from ..engine import Engine, get_engine
from ..errors import CannotDoError, UnknownEngineError
from .plan import plan_stages

if TYPE_CHECKING:
    from ...structures.host import HostKey

AUTO = "auto"
RANKED = {
    "sevennet": "of those that take minutes it meets published barriers best (docs/ml_benchmarks.md)",
    "chgnet": "minutes and good energies of oxides, with barriers that come out low",
    "local": "rigid ions: seconds, indicative numbers",
    "softbv": "bond valences of ions that rigid ions lack: seconds, a quick look with barriers off by 0.3 eV and more",
}
"""Best first, each with why. First principles are never chosen unasked: they cost days here, or need a licence."""


def choose_engine(host: HostKey, order: str | None = None, stages: Sequence[str] | None = None) -> tuple[Engine, str]:
    """The best installed engine for a study.

    Parameters
    ----------
    host, order
        Material and its cation order; the first one by default.
    stages
        What is asked for; by default a whole study, of which an engine may leave parts out.

    Returns
    -------
    tuple of Engine and str
        The engine, and one sentence: which it is, why, what it leaves out, and why better ones were passed over.

    Raises
    ------
    CannotDoError
        If none can; with the reason of each.
    """
    material = get_host(host)
    passed_over: list[str] = []
    absent: list[str] = []
    for name, why in RANKED.items():
        try:
            engine = get_engine(name)
            planned = plan_stages(engine, material, order or material.orders[0], stages)
        except UnknownEngineError:
            passed_over.append(f"{name}: not installed")
            absent.append(name)
            continue
        except (CannotDoError, ValueError) as error:
            passed_over.append(f"{name}: {_reason(name, error)}")
            continue
        missing = [] if stages is not None else [stage.stage for stage in planned if not stage.done]
        said = [f"engine {name}: {why}"]
        if missing:
            said.append(f"it leaves out {', '.join(missing)}")
        if passed_over:
            said.append(f"passed over: {'; '.join(passed_over)}")
        return engine, "; ".join(said)
    refused = "; ".join(reason for reason in passed_over if reason.partition(":")[0] not in absent)
    ways = [f"pip install 'magnetoionics[{name}]'" for name in absent] + ["--engine gpaw", "--engine vasp"]
    raise CannotDoError(
        f"no installed engine can do {material.key}: {refused or 'none is installed'}; others may: {', '.join(ways)}, "
        "or --calculator package.module:Class with a potential of your own"
    )


def _reason(name: str, error: Exception) -> str:
    """The first clause of a refusal: what follows names other engines, which are tried here anyway."""
    return str(error).removeprefix(f"engine {name} cannot describe this material: ").partition("; ")[0]
