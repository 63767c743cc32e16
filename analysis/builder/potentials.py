"""Chemical potentials of a study: window, references of one set with it, temperatures, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from ...structures.spins import formula_units
from ..defects.defect_energies import VacancyFormation
from ..defects.formation import formation_lines
from ..defects.host_window import CompetingPhasesResult, experimental_window, oxygen_errors
from ..defects.vacancies import VacancySet
from ..results.checks import Check, invalid_because, require_valid
from ..study.documents import ChemicalPotentialsResult, GasPoint, WarmWindow
from ..thermodynamics.computed_phases import reference_set
from ..thermodynamics.gases import gas_of
from ..thermodynamics.missing_phases import missing_phases
from ..thermodynamics.phases import formula_composition
from ..thermodynamics.references import SpeciesFit
from ..thermodynamics.stability_window import ChemicalPotentials
from ..thermodynamics.temperature import cell_shift_eV, window_at
from .inputs import StudyParts

_GAS = tuple((t, p) for t in (300.0, 600.0, 900.0, 1000.0, 1200.0) for p in (1.0, 1e-5, 1e-10))
WARM_K = (600.0, 800.0, 1000.0, 1200.0, 1400.0)
_SUM_LIMIT_eV = 1e-5


def host_sum_check(window: ChemicalPotentials, references: SpeciesFit, host_energy_eV: float) -> Check:
    """Whether the sum of n_i (e_i + dmu_i) over the host is its own energy, at every corner of the window.

    Parameters
    ----------
    window, references
        Of one set.
    host_energy_eV
        Per formula unit of the window's host.

    Returns
    -------
    Check
        Its value is the largest deviation, eV per formula unit of the window.
    """
    energies, atoms = references.reference_energies_eV, window.composition
    shift = cell_shift_eV(window, atoms).value_eV
    sums = [sum(n * (energies[el] + corner[el]) for el, n in atoms.items()) + shift for corner in window.vertices]
    worst = max(abs(total - host_energy_eV) for total in sums)
    return Check(
        name="references and potentials add up to the host",
        passed=worst <= _SUM_LIMIT_eV,
        value=worst,
        limit=_SUM_LIMIT_eV,
        unit="eV",
        must_be="below",
    )


def warm_windows(window: ChemicalPotentials) -> list[WarmWindow]:
    """The window with free energies of the solids at growth temperatures; none if it has a temperature already."""
    return [] if window.temperature_K is not None else [_warm(window, t) for t in WARM_K]


def _warm(window: ChemicalPotentials, temperature_K: float) -> WarmWindow:
    try:
        potentials = window_at(window, temperature_K)
    except ValueError as error:
        return WarmWindow(temperature_K=temperature_K, reason=str(error))
    poor, rich = potentials.oxygen_poor, potentials.oxygen_rich
    return WarmWindow(
        temperature_K=temperature_K,
        poor_eV=poor.delta_mu_O_eV,
        rich_eV=rich.delta_mu_O_eV,
        poor_error_eV=poor.uncertainty_eV,
        rich_error_eV=rich.uncertainty_eV,
        poor_atm=_pressure_atm(window.anion, poor.delta_mu_O_eV, temperature_K),
        rich_atm=_pressure_atm(window.anion, rich.delta_mu_O_eV, temperature_K),
        poor_reaction=poor.reaction,
        rich_reaction=rich.reaction,
    )


def _pressure_atm(anion: str, delta_mu_eV: float, temperature_K: float) -> float | None:
    try:
        return gas_of(anion).pressure_atm_for(delta_mu_eV, temperature_K)
    except ValueError:
        return None


def chemical_potentials_result(
    inputs: StudyParts, competing: CompetingPhasesResult | None
) -> ChemicalPotentialsResult | None:
    """Stability window, formation lines inside it and the gas of the anion; None without vacancies or references.

    Raises
    ------
    ValueError
        With the reason, if there is no window.
    """
    if inputs.vacancies is None or (inputs.references is None and competing is None):
        return None
    window, references = _window(inputs, competing)
    defects = native(defect_energies(inputs, inputs.vacancies), window)
    if not defects and inputs.charged is not None:
        defects = native(inputs.charged.formations(), window)
    if not defects:
        raise ValueError(
            f"every defect exchanges atoms that {window.host_formula} lacks, so that their potentials have no lower "
            "end, or failed its checks"
        )
    if window.provenance.level_of_theory == "experiment":
        # Fitted references beside measured potentials: the host itself must come out, or no Schottky set adds up.
        references = references.held_to(
            inputs.host.formula, _host_energy_eV(inputs), _per_formula_eV(window, inputs.host.formula)
        )
    lines = formation_lines(defects, window, references)
    if competing is not None and window is competing.window:
        errors = oxygen_errors(competing, defects)
        with_errors = [line.model_copy(update={"error_bar_eV": errors[line.label]}) for line in lines.lines]
        lines = lines.model_copy(update={"lines": with_errors})
        known = [bar for bar in errors.values() if bar is not None]
        references = references.model_copy(update={"error_bar_eV": max(known, default=None)})
    units = sum(window.composition.values()) / sum(formula_composition(inputs.host.formula).values())
    summed = host_sum_check(window, references, units * _host_energy_eV(inputs))
    require_valid([summed], "the set of references and potentials")
    gas = gas_of(window.anion)
    potentials = ChemicalPotentialsResult(
        window=window,
        references=references,
        lines=lines,
        oxygen_gas=[
            GasPoint(temperature_K=t, pressure_atm=p, delta_mu_O_eV=float(gas.delta_mu_eV(t, p))) for t, p in _GAS
        ],
        host_energy_eV=_host_energy_eV(inputs),
        warm=warm_windows(window),
        missing_phases=missing_phases(window),
        checks=[summed],
    )
    return potentials


def _host_energy_eV(inputs: StudyParts) -> float:
    """Per formula unit of the host."""
    bulk = inputs.bulks[inputs.order]
    return bulk.energy_eV / formula_units(bulk.structure, inputs.host.anion, inputs.host.anions_per_formula)


def _per_formula_eV(window: ChemicalPotentials, formula: str) -> float:
    """Formation energy of the host per formula unit of the study."""
    share = sum(formula_composition(formula).values()) / sum(window.composition.values())
    return window.host_formation_energy_eV * share


def _window(inputs: StudyParts, competing: CompetingPhasesResult | None) -> tuple[ChemicalPotentials, SpeciesFit]:
    """The computed window with its references, else the experimental one with references fitted to oxides.

    Raises
    ------
    ValueError
        With the reasons, if there is neither.
    """
    if competing is not None and competing.window is not None and competing.references is not None:
        return competing.window, competing.references.references
    if competing is None:
        assert inputs.references is not None
        measured, reason = experimental_window(inputs.host.formula, inputs.assumptions.enthalpies)
        if measured is None:
            raise ValueError(reason)
        return measured, inputs.references
    measured, reason = experimental_window(inputs.host.formula, inputs.assumptions.enthalpies)
    if measured is None:
        raise ValueError(f"computed phases: {competing.reason}; measured enthalpies: {reason}")
    return measured, inputs.references or reference_set(competing.phases, "fitted").references


def native(defects: Sequence[VacancyFormation], window: ChemicalPotentials) -> list[VacancyFormation]:
    """Defects made of the host's own elements; a foreign one's potential is bounded from above only."""
    return [d for d in defects if set(d.removed) <= set(window.elements)]


def defect_energies(inputs: StudyParts, vacancies: VacancySet) -> list[VacancyFormation]:
    """Energies of the vacancies that relaxed, corrected for a charge that the engine smears over the cell."""
    host_energy = vacancies.host.energy_eV
    indicative = inputs.engine.level_of_theory == "local"
    return [
        VacancyFormation(
            label=v.label,
            removed=dict(v.removed),
            energy_difference_eV=v.calculation.energy_eV - host_energy,
            correction_eV=None if v.size_correction is None else v.size_correction.energy_eV,
            size_error_eV=0.0 if v.size_correction is None else v.size_correction.error_eV,
            indicative=indicative,
            note=energy_note(indicative),
            provenance=v.calculation.provenance,
        )
        # An energy that is not relaxed is not ranked against others.
        for v in vacancies.vacancies
        if not invalid_because(v.calculation.checks)
    ]


def energy_note(indicative: bool) -> str:
    """What a formation energy of this engine means."""
    if indicative:
        return "indicative: only differences of vacancies of one element on one kind of site are meant"
    return "neutral cell"
