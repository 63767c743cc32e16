"""A band by two engines: a cheap one finds the path, the expensive one decides about every number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from ase import Atoms

from .checks import BandResult
from .driver import BandSettings, CalculatorFactory
from .ends import Mover, movers_of
from .record import EvaluationRecord
from .states import SurrogateSettings
from .surrogate import SurrogateBandDriver


def band_from_cheap_path(
    calculator: CalculatorFactory,
    cheap: CalculatorFactory,
    initial: Atoms,
    final: Atoms,
    intermediates: Sequence[Atoms],
    mover: Mover,
    settings: BandSettings | None = None,
    surrogate: SurrogateSettings | None = None,
    record: Path | EvaluationRecord | None = None,
    label: str = "",
) -> BandResult:
    """Converge a band with a cheap engine, then start the expensive one from its path.

    Parameters
    ----------
    calculator, cheap
        Make the expensive and the cheap engine's calculators.
    initial, final, intermediates, mover
        As in `SurrogateBandDriver.run`.
    settings, surrogate, record, label
        As in `SurrogateBandDriver`; the record holds the expensive evaluations only.

    Returns
    -------
    BandResult
        Energies of the expensive engine only; `cheap_calls` counts the other's.

    Notes
    -----
    Besides the path, the expensive search takes over the cheap one's surrogate: it learns the difference of the two
    engines in place of the whole surface, as long as that makes its own evaluations more likely.
    The cheap path moves as its ends do when the expensive engine relaxes them. It is not used if one of its checks
    failed or an end fell into another state, and it is dropped after one expensive call if that finds large forces at
    its highest saddle. The search then starts as if there
    were no cheap engine; the notes say so.
    """
    settings = settings or BandSettings()
    plain = replace(settings, check_saddles=False, check_reverse=False)
    scout = SurrogateBandDriver(cheap, plain, surrogate)
    first = scout.run(initial, final, intermediates, mover)
    driver = SurrogateBandDriver(calculator, settings, surrogate, record, label)
    reason = _useless(first, initial, final, mover, settings.same_state_A)
    if reason:
        result = driver.run(initial, final, intermediates, mover)
        result.notes.append(f"cheaper engine's path not used: {reason}")
    else:
        path = [p.atoms for p in first.points]
        known = scout.surface(path[first.controlling])
        result = driver.run(path[0], path[-1], intermediates, mover, start=path, cheap=known)
    result.cheap_calls = first.force_calls
    result.notes.append(
        f"cheaper engine: {first.forward_eV:.3f} eV forward, {first.backward_eV:.3f} eV backward, "
        f"{first.force_calls} force calls; this engine: {result.forward_eV:.3f} and {result.backward_eV:.3f} eV, "
        f"{result.force_calls} force calls"
    )
    return result


def _useless(first: BandResult, initial: Atoms, final: Atoms, mover: Mover, same_state_A: float) -> str:
    failed = [c.name for c in first.checks if c.passed is False]
    if failed:
        return f"check failed: {failed[0]}"
    for point, atoms, which in ((first.points[0], initial, "initial"), (first.points[-1], final, "final")):
        lead = movers_of(mover)[0]
        gone = float(np.linalg.norm(point.atoms.positions[lead] - atoms.positions[lead]))
        if gone > 2 * same_state_A:
            return f"its {which} state has the mover {gone:.2f} A from where it was given"
    if not 0 < first.controlling < len(first.points) - 1:
        return "it has no saddle"
    return ""
