"""What kept first-principles evidence says together: formation energies of vacancies, and energies along the hop."""

from __future__ import annotations

from collections.abc import Mapping

from magnetoionics.analysis.defects.defect_energies import VacancyFormation
from magnetoionics.analysis.defects.formation import formation_bounds
from magnetoionics.analysis.defects.host_window import CompetingPhasesResult, competing_phases_result, oxygen_errors
from magnetoionics.analysis.results.calculation import Calculation, invalid_because
from magnetoionics.analysis.results.document import Document
from magnetoionics.analysis.study.reference_calculations import ReferenceCalculation
from magnetoionics.analysis.thermodynamics.computed_phases import ComputedPhases
from magnetoionics.analysis.thermodynamics.energy_corrections import ComputedEnergy
from pydantic import Field
from reference_tasks import (
    HOP_STATES,
    PHASES,
    VACANCIES,
    hop_point,
    quotable,
    single_point,
    task_names,
)

HOST_FORMULA = "CoFe2O4"


class EvidenceVacancy(Document):
    """One vacancy.

    Attributes
    ----------
    label
        E.g. ``V_Fe(B)``.
    oxygen_rich_eV, oxygen_poor_eV
        Lowest and highest formation energy at the edges of the computed window.
    error_eV
        From the spread of the redox ladder; None if one step says nothing.
    moment_muB, moment_change_muB
        Of the cell, and against the whole host.
    largest_force_eV_per_A
        At these settings: how far the relaxed ions are from theirs.
    ions
        What relaxed the ions.
    notes
        What to know.
    """

    label: str
    oxygen_rich_eV: list[float]
    oxygen_poor_eV: list[float]
    error_eV: float | None
    moment_muB: float
    moment_change_muB: float
    largest_force_eV_per_A: float | None
    ions: str
    notes: list[str] = Field(default_factory=list)


class EvidenceVacancies(Document):
    """All vacancies that are computed, lowest first, and the window they stand in.

    Attributes
    ----------
    vacancies
        Neutral, one ion missing in 28.
    window
        Stability among the computed oxides.
    missing
        Tasks without which the list is not complete.
    """

    vacancies: list[EvidenceVacancy]
    window: CompetingPhasesResult
    missing: list[str]


def evidence_vacancies(kept: Mapping[str, ReferenceCalculation]) -> EvidenceVacancies | None:
    """Formation energies at 500 eV, or None without host, oxides or a window.

    Parameters
    ----------
    kept
        ReferenceCalculation by name.

    Notes
    -----
    The energy of oxygen is that of the redox ladder of the computed oxides, so no O2 and no metal enters.
    Of a single point and a relaxation at the same settings the lower one counts: both are bounds from above.
    """
    found = _usable(kept)
    host = _lowest("host", found)
    phases = {key: found[name] for key in PHASES if (name := phase_name(key)) in found}
    if host is None or len(phases) < 3:
        return None
    window = competing_phases_result(_per_formula(host, HOST_FORMULA), ComputedPhases(energies=_energies(phases)))
    if window.window is None:
        return None
    done = {key: lowest for key in VACANCIES if (lowest := _lowest(key, found)) is not None}
    defects = {key: _defect(key, host, calculation) for key, calculation in done.items()}
    errors = oxygen_errors(window, list(defects.values())) if defects else {}
    missing = [name for key in PHASES if (name := phase_name(key)) not in found]
    return EvidenceVacancies(
        vacancies=sorted(
            (_row(d, window, host, done[key], errors) for key, d in defects.items()),
            key=lambda v: v.oxygen_rich_eV[0],
        ),
        window=window,
        missing=[*missing, *(single_point(key) for key in VACANCIES if key not in done)],
    )


def _usable(kept: Mapping[str, ReferenceCalculation]) -> dict[str, Calculation]:
    """Calculations by task; one that failed a guard is none."""
    return {
        n: e.calculation
        for n, e in kept.items()
        if e.calculation is not None and not invalid_because(e.calculation.checks)
    }


def _lowest(key: str, found: Mapping[str, Calculation]) -> Calculation | None:
    return min((found[n] for n in quotable(key) if n in found), key=lambda c: c.energy_eV, default=None)


def phase_name(key: str) -> str:
    """Task of a reference oxide."""
    return next(name for name in task_names() if name.split("-")[0] == key)


def _energies(phases: Mapping[str, Calculation]) -> list[ComputedEnergy]:
    return [_per_formula(done, PHASES[key][0]) for key, done in phases.items()]


def _per_formula(done: Calculation, formula: str) -> ComputedEnergy:
    units = done.structure.composition.get_reduced_formula_and_factor()[1]
    energy = ComputedEnergy(formula=formula, energy_eV=done.energy_eV / units, provenance=done.provenance)
    reduced = {e: n / units for e, n in done.structure.composition.get_el_amt_dict().items()}
    if reduced != energy.composition:
        raise ValueError(f"a cell of {done.structure.composition} is no {formula}; the evidence is mixed up")
    return energy


def _label(key: str) -> str:
    element, sublattice = VACANCIES[key]
    return f"V_{element}" if element == sublattice else f"V_{element}({sublattice})"


def _defect(key: str, host: Calculation, done: Calculation) -> VacancyFormation:
    return VacancyFormation(
        label=_label(key),
        removed={VACANCIES[key][0]: 1},
        energy_difference_eV=done.energy_eV - host.energy_eV,
        provenance=done.provenance,
    )


def _row(
    defect: VacancyFormation,
    made: CompetingPhasesResult,
    host: Calculation,
    done: Calculation,
    errors: Mapping[str, float | None],
) -> EvidenceVacancy:
    window, references = made.window, made.references
    assert window is not None
    assert references is not None
    rich, poor = (
        list(formation_bounds(defect, window, references.references, x))
        for x in (window.delta_mu_O_max_eV, window.delta_mu_O_min_eV)
    )
    return EvidenceVacancy(
        label=defect.label,
        oxygen_rich_eV=rich,
        oxygen_poor_eV=poor,
        error_eV=errors.get(defect.label),
        moment_muB=done.total_moment_muB,
        moment_change_muB=done.total_moment_muB - host.total_moment_muB,
        largest_force_eV_per_A=done.max_force_eV_per_A,
        ions=_ions(done),
        notes=[f"{c.name}: {c.note}" for c in done.checks if c.passed is False],
    )


def _ions(done: Calculation) -> str:
    """Relaxations leave nothing out about ions, single points say whose they took."""
    said = [text for text in done.provenance.left_out if text.startswith("ions relaxed by ")]
    return (
        said[0].removeprefix("ions ").removesuffix(", not at these settings") if said else "relaxed at these settings"
    )


def hop_energies_eV(kept: Mapping[str, ReferenceCalculation]) -> dict[str, float]:
    """Energies of the hop's states above the one before it, eV; empty without that one.

    Single points on the path of a cheaper engine: not the engine's own stationary points.
    """
    usable = _usable(kept)
    found = {state: usable[name].energy_eV for state in HOP_STATES if (name := hop_point(state)) in usable}
    return {s: energy - found["before"] for s, energy in found.items()} if "before" in found else {}
