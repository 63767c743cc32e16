"""Vacancies of cobalt ferrite by first principles that the package ships, for each set of U."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from ..defects.defect_energies import VacancyFormation
from ..defects.formation import formation_bounds
from ..defects.host_window import CompetingPhasesResult, competing_phases_result
from ..results.calculation import Calculation
from ..results.document import Document
from ..study.reference_calculations import ReferenceCalculation, reference_calculations_folder
from ..thermodynamics.computed_phases import ComputedPhases
from ..thermodynamics.energy_corrections import ComputedEnergy
from ..thermodynamics.missing_phases import missing_phases

HOST, ORDER, FORMULA = "cofe2o4", "Imma", "CoFe2O4"
# Names of the calculations: of the whole cell and of it without one ion (label and element), of the other oxides.
VACANCY_KEYS = {
    "vfea28": ("V_Fe(A)", "Fe"),
    "vfeb28": ("V_Fe(B)", "Fe"),
    "vcob28": ("V_Co(B)", "Co"),
    "vo28": ("V_O", "O"),
}
WHOLE = "host28"
PHASE_FORMULAS = {"coo": "CoO", "fe2o3": "Fe2O3", "co3o4": "Co3O4", "fe3o4": "Fe3O4"}
# Two of them say nothing about the energy of oxygen.
_FEWEST_PHASES = 3
_NAME = re.compile(r"(?P<key>\w+)-pw500-k\d+(-u\d+)?(-relaxed)?")


class VacanciesOfU(Document):
    """Formation energies of neutral vacancies with one set of U.

    Attributes
    ----------
    engine, level_of_theory, hubbard_U_eV
        Who said so, with which U by element.
    cell_atoms
        Of the whole cell.
    poor, rich
        Lowest formation energy by label at the oxygen-poor and the oxygen-rich edge of the window of the host, eV.
    moment_changes_muB
        Of the cell by label: where its electrons went.
    largest_forces_eV_per_A
        By label: how far the ions are from those of this U.
    missing_phases
        Known phases that were not computed, without which the window may be too wide.
    source
        Pattern of names of the calculations.
    """

    engine: str
    level_of_theory: str
    hubbard_U_eV: dict[str, float]
    cell_atoms: int
    poor: dict[str, float]
    rich: dict[str, float]
    moment_changes_muB: dict[str, float]
    largest_forces_eV_per_A: dict[str, float | None]
    missing_phases: list[str]
    source: str

    def above(self, label: str, other: str) -> tuple[float, float]:
        """Formation energy of one vacancy minus that of another at the oxygen-poor and the oxygen-rich edge, eV."""
        return self.poor[label] - self.poor[other], self.rich[label] - self.rich[other]


@cache
def known_vacancies(host_key: str) -> tuple[VacanciesOfU, ...]:
    """All sets of U with a host, a window and V_Fe(B); from small U to large."""
    if host_key.partition(":")[0] != HOST:
        return ()
    kept: dict[tuple[tuple[str, float], ...], dict[str, list[Calculation]]] = {}
    for path in sorted(reference_calculations_folder().glob("*.json")):
        named = _NAME.fullmatch(path.stem)
        if named is None or named["key"] not in (WHOLE, *VACANCY_KEYS, *PHASE_FORMULAS):
            continue
        made = ReferenceCalculation.model_validate_json(path.read_text()).sound
        if made is not None:
            kept.setdefault(_set_of_U(made), {}).setdefault(named["key"], []).append(made)
    sets = [
        _of_set(dict(u), {key: lowest_bound(found) for key, found in of_set.items()})
        for u, of_set in sorted(kept.items())
    ]
    return tuple(s for s in sets if s is not None)


def lowest_bound(found: Iterable[Calculation]) -> Calculation:
    """A single point and a relaxation with the same settings are both bounds from above: the lower one counts."""
    return min(found, key=lambda c: c.energy_eV)


def energy_per_formula(made: Calculation, formula: str) -> ComputedEnergy:
    """Energy of one formula unit.

    Raises
    ------
    ValueError
        If the cell is not of this formula.
    """
    units = made.structure.composition.get_reduced_formula_and_factor()[1]
    energy = ComputedEnergy(formula=formula, energy_eV=made.energy_eV / units, provenance=made.provenance)
    reduced = {e: n / units for e, n in made.structure.composition.get_el_amt_dict().items()}
    if reduced != energy.composition:
        raise ValueError(f"a cell of {made.structure.composition} is no {formula}; the evidence is mixed up")
    return energy


def vacancy_formation(key: str, host: Calculation, made: Calculation) -> VacancyFormation:
    """Energy difference of one of `VACANCY_KEYS` and the whole cell."""
    label, element = VACANCY_KEYS[key]
    return VacancyFormation(
        label=label,
        removed={element: 1},
        energy_difference_eV=made.energy_eV - host.energy_eV,
        provenance=made.provenance,
    )


def window_among(host: Calculation, phases: Mapping[str, Calculation]) -> CompetingPhasesResult | None:
    """Where the host is stable among those of `PHASE_FORMULAS` that are there; None with too few for oxygen's energy.

    Oxygen's energy is that of the redox ladder of these oxides, so that no O2 and no metal enters.
    """
    if len(phases) < _FEWEST_PHASES:
        return None
    energies = [energy_per_formula(made, PHASE_FORMULAS[key]) for key, made in phases.items()]
    return competing_phases_result(energy_per_formula(host, FORMULA), ComputedPhases(energies=energies))


def _set_of_U(made: Calculation) -> tuple[tuple[str, float], ...]:
    """U of cobalt and iron, whichever of the two an oxide has."""
    u = made.provenance.hubbard_U_eV
    return tuple((element, u[element]) for element in ("Co", "Fe"))


def _of_set(u: dict[str, float], kept: Mapping[str, Calculation]) -> VacanciesOfU | None:
    host = kept.get(WHOLE)
    defects = {VACANCY_KEYS[key][0]: (key, kept[key]) for key in VACANCY_KEYS if key in kept}
    if host is None or "V_Fe(B)" not in defects:
        return None
    found = window_among(host, {key: kept[key] for key in PHASE_FORMULAS if key in kept})
    if found is None or found.window is None or found.references is None:
        return None
    window, references = found.window, found.references.references
    edges = [
        {
            label: formation_bounds(vacancy_formation(key, host, made), window, references, delta_mu_O)[0]
            for label, (key, made) in defects.items()
        }
        for delta_mu_O in (window.delta_mu_O_min_eV, window.delta_mu_O_max_eV)
    ]
    return VacanciesOfU(
        engine=host.provenance.engine,
        level_of_theory=host.provenance.level_of_theory,
        hubbard_U_eV=u,
        cell_atoms=len(host.structure),
        poor=edges[0],
        rich=edges[1],
        moment_changes_muB={
            label: made.total_moment_muB - host.total_moment_muB for label, (_, made) in defects.items()
        },
        largest_forces_eV_per_A={label: made.max_force_eV_per_A for label, (_, made) in defects.items()},
        missing_phases=missing_phases(window),
        source="data/gpaw/*28-pw500-k221*.json",
    )
