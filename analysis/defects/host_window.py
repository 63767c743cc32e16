"""Where a host is stable among phases that its own engine computed, beside what measured enthalpies say.

The energy of oxygen comes from the redox ladder of the computed oxides (`computed_phases`), so neither a metal nor
an O2 molecule enters. The host is the cell of the study in its own cation order, not a tabulated compound.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ..results.document import Document
from ..thermodynamics.computed_phases import ComputedPhases, ReferenceMode, ReferenceSet, reference_set
from ..thermodynamics.energy_corrections import ComputedEnergy
from ..thermodynamics.phases import (
    Phase,
    decomposition,
    formula_composition,
    load_experimental_phases,
    mixture_text,
    same_compound,
)
from ..thermodynamics.references import SpeciesFit
from ..thermodynamics.solid_solutions import solid_solution
from ..thermodynamics.stability_window import ChemicalPotentials, stability_window
from .defect_energies import VacancyFormation
from .formation import formation_bounds


class CompetingPhasesResult(Document):
    """Computed phases of a host's elements and the stability window that follows.

    Attributes
    ----------
    phases
        Energies per formula unit, the host's last, and what was left out.
    references
        Element references by the redox ladder; None if the oxides do not allow one.
    above_mixture_eV
        The host's energy above the lowest mixture of the other phases, eV per formula unit: negative if it is
        stable.
    mixture
        That mixture.
    window
        The computed stability window; None if there is none.
    experimental
        The window from measured enthalpies, to compare; None if they give none.
    reason
        Why there is no computed window; empty if there is one.
    experimental_reason
        The same for the experimental one.
    """

    phases: ComputedPhases
    references: ReferenceSet | None = None
    above_mixture_eV: float | None = None
    mixture: str = ""
    window: ChemicalPotentials | None = None
    experimental: ChemicalPotentials | None = Field(default=None, repr=False)
    reason: str = ""
    experimental_reason: str = ""


def competing_phases_result(
    host: ComputedEnergy,
    computed: ComputedPhases,
    stated: Sequence[Phase] = (),
    *,
    mode: ReferenceMode = "redox ladder",
) -> CompetingPhasesResult:
    """Stability window of a host among computed phases, and the experimental one beside it.

    Parameters
    ----------
    host
        The host's own energy per formula unit.
    computed
        Competing phases of the same engine; one with the host's composition is replaced by `host`.
    stated
        Enthalpies of the user's own for the experimental window.
    mode
        Of the element references, see `computed_phases`.

    Returns
    -------
    CompetingPhasesResult
        Without a window, and with the reason, if the host is unstable, the oxides fix no references, or the
        energies do not go together.
    """
    own = formula_composition(host.formula)
    rivals = [e for e in computed.energies if not _same(formula_composition(e.formula), own)]
    phases = ComputedPhases(energies=[*rivals, host], left_out=computed.left_out)
    experimental, experimental_reason = experimental_window(host.formula, stated)
    result = CompetingPhasesResult(phases=phases, experimental=experimental, experimental_reason=experimental_reason)
    try:
        result.references = reference_set(phases, mode)
    except ValueError as error:
        result.reason = str(error)
        return result
    formed = {p.formula: p for p in result.references.phases}
    lowest, amounts = decomposition(own, [p for f, p in formed.items() if f != host.formula])
    result.above_mixture_eV = formed[host.formula].formation_energy_eV - lowest
    result.mixture = mixture_text(amounts)
    try:
        result.window = stability_window(host.formula, result.references.phases)
    except ValueError as error:
        result.reason = str(error)
    return result


def oxygen_errors(result: CompetingPhasesResult, defects: Sequence[VacancyFormation]) -> dict[str, float | None]:
    """Error of each formation energy from the spread of the redox ladder, by label.

    The computed phases bound the potentials of the cations, so that errors of their references cancel; what is left is
    the energy of oxygen. It is shifted by plus and minus the spread, references and window follow, and the largest
    change of the formation energy inside the window is taken: the spread itself for an oxygen vacancy, 3/2 of it for
    iron in equilibrium with Fe2O3.

    Parameters
    ----------
    result
        With a window.
    defects
        Defects of the host.

    Returns
    -------
    dict
        eV; None where one step only says nothing about a spread, or the host is unstable at one end of it.

    Raises
    ------
    ValueError
        If the result has no window.
    """
    if result.window is None or result.references is None:
        raise ValueError(f"there is no computed window: {result.reason}")
    spread = result.references.oxygen_spread_eV
    if spread is None:
        return {d.label: None for d in defects}
    low, high = result.window.delta_mu_O_min_eV, result.window.delta_mu_O_max_eV
    places = [low + share * (high - low) for share in (0.25, 0.5, 0.75)]
    own = [_middles(d, result.window, result.references.references, places) for d in defects]
    worst = np.zeros(len(defects))
    for shift in (-spread, spread):
        moved = reference_set(result.phases, "redox ladder", oxygen_shift_eV=shift)
        try:
            window = stability_window(result.window.host_formula, moved.phases)
        except ValueError:
            # The spread is as wide as the window: with its other end there is no stable host and no formation energy.
            return {d.label: None for d in defects}
        for n, defect in enumerate(defects):
            change = np.subtract(_middles(defect, window, moved.references, places), own[n])
            worst[n] = max(worst[n], float(np.abs(change).max()))
    return {d.label: float(x) for d, x in zip(defects, worst, strict=True)}


def _middles(
    defect: VacancyFormation, window: ChemicalPotentials, references: SpeciesFit, places: Sequence[float]
) -> list[float]:
    bounds = [formation_bounds(defect, window, references, x, outside=True) for x in places]
    return [0.5 * (low + high) for low, high in bounds]


def experimental_window(formula: str, stated: Sequence[Phase] = ()) -> tuple[ChemicalPotentials | None, str]:
    """The window from measured enthalpies, the user's own before those of the table; or None and the reason.

    A host of which neither has one may be a solid solution of others, see `solid_solution`.
    """
    try:
        tabulated = load_experimental_phases(formula_composition(formula))
        phases = [p for p in tabulated if not any(same_compound(p.formula, d.formula) for d in stated)]
        known = [*phases, *stated]
        mixed = solid_solution(formula, known)
        return stability_window(formula, known if mixed is None else [*known, mixed]), ""
    except ValueError as error:
        return None, str(error)


def _same(one: dict[str, float], other: dict[str, float]) -> bool:
    ratio = sum(one.values()) / sum(other.values())
    return set(one) == set(other) and all(abs(one[el] - ratio * other[el]) < 1e-6 * one[el] for el in one)
