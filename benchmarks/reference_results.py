"""What kept first-principles evidence says together: formation energies of vacancies, and energies along the hop."""

from __future__ import annotations

from collections.abc import Mapping

from magnetoionics.analysis.audit.known_vacancies import lowest_bound, vacancy_formation, window_among
from magnetoionics.analysis.defects.defect_energies import VacancyFormation
from magnetoionics.analysis.defects.formation import formation_bounds
from magnetoionics.analysis.defects.host_window import CompetingPhasesResult, oxygen_errors
from magnetoionics.analysis.results.calculation import Calculation, invalid_because
from magnetoionics.analysis.results.document import Document
from magnetoionics.analysis.study.reference_calculations import ReferenceCalculation
from pydantic import Field
from reference_tasks import (
    HOP_STATES,
    PHASES,
    VACANCIES,
    hop_point,
    phase,
    quotable,
    single_point,
)


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
    """Formation energies in plane waves at 500 eV, or None without host, oxides or a window.

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
    phases = {key: found[name] for key in PHASES if (name := phase(key)) in found}
    window = None if host is None else window_among(host, phases)
    if host is None or window is None or window.window is None:
        return None
    done = {key: lowest for key in VACANCIES if (lowest := _lowest(key, found)) is not None}
    defects = {key: vacancy_formation(f"{key}28", host, calculation) for key, calculation in done.items()}
    errors = oxygen_errors(window, list(defects.values())) if defects else {}
    missing = [name for key in PHASES if (name := phase(key)) not in found]
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
    there = [found[n] for n in quotable(key) if n in found]
    return lowest_bound(there) if there else None


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
