"""From what an engine computed to a judged study: pure functions, numbers in, documents out."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
from pymatgen.core import Structure

from ...structures.layers import layer_places, vacuum_A
from ...structures.magnetic_symmetry import axial_operations
from ...structures.spins import formula_units, is_non_collinear
from ...structures.symmetry import space_group_symbol
from ..defects.equilibria import DefectEquilibria, defect_equilibria, defect_host
from ..defects.formation import FormationLine, FormationLines
from ..defects.host_window import CompetingPhasesResult, competing_phases_result
from ..defects.uptake import content_curves
from ..kinetics.attempt_frequency import AttemptFrequency
from ..kinetics.migration import Migration
from ..kinetics.retention import Retention, retention
from ..magnetism.anisotropy import AnisotropyMap, AnisotropySummary, cubic_constants, summarise
from ..magnetism.exchange import FIRST_SHELL
from ..magnetism.oxidation_states import site_moments
from ..magnetism.unidirectional import (
    UnidirectionalResult,
    axis_angle_deg,
    keffer_sum,
    relation_deviation_meV,
    state_of,
)
from ..results.checks import Check
from ..study.documents import (
    AnisotropyResult,
    ChemicalPotentialsResult,
    EnergyRange,
    HostLayer,
    HostResult,
    OrderEnergy,
    Study,
    VacancyResult,
)
from ..study.tracer import with_tracer
from ..study.transport import MEASURED_K, PRESSURES_atm, Transport
from ..thermodynamics.energy_corrections import ComputedEnergy
from ..thermodynamics.phases import formula_composition
from .attempts import Attempts
from .inputs import StudyInputs, StudyParts, parts_of, sound_maps
from .post_processing import with_assumptions
from .potentials import chemical_potentials_result, defect_energies, energy_note, native

_RELAXED_SYMPREC = 1e-2
# Cells of one calculation share their lattice; what is built otherwise is no whole number of bulk cells.
_SAME_VOLUME = 1e-3
# Reach of the neighbours that may stand round a moving ion, and its longest bond over its shortest.
_KEFFER_REACH_A = 5.5
_LONGEST_BOND = 1.35


def build_study(given: StudyInputs) -> Study:
    """Judge everything that was computed; a part that cannot be had is left out, and its stage says why.

    Raises
    ------
    InvalidResultError
        If the host's cell is not there or failed a check: everything rests on it.
    """
    attempts = Attempts()
    inputs = _in_formula_units_of_host(parts_of(given))
    inputs = replace(inputs, maps=sound_maps(inputs, attempts))
    host = host_result(inputs)
    competing = attempts.part("competing phases", lambda: competing_result(inputs), None)
    potentials = attempts.part(
        "chemical potentials", lambda: chemical_potentials_result(inputs, competing), None, finding=True
    )
    vacancies: list[VacancyResult] = attempts.part("vacancies", lambda: vacancy_results(inputs, potentials), [])
    anisotropy = attempts.part("anisotropy", lambda: anisotropy_result(inputs), None)
    unidirectional = attempts.part("anisotropy", lambda: unidirectional_result(inputs, anisotropy), None)
    hop = inputs.migration
    migrations = [] if hop is None else [_complete(hop, inputs)]
    retained = attempts.part("migration", lambda: retention_result(hop, inputs.vibrations), None)
    defects = attempts.part("vacancies", lambda: defect_result(inputs, potentials), None)
    gone = list(inputs.gone)
    if inputs.vacancies is not None and potentials is None:
        gone.append("chemical potentials")
    for label, reason in ({} if inputs.vacancies is None else inputs.vacancies.left_out).items():
        attempts.refuse("vacancies", f"{label} is left out: {reason}")
    study = Study(
        host=host,
        engine=inputs.engine,
        stages=attempts.stages(inputs.stages, gone),
        vacancies=vacancies,
        chemical_potentials=potentials,
        migration=migrations,
        anisotropy=anisotropy,
        unidirectional=unidirectional,
        retention=retained,
        defects=defects,
        vibrations=None if hop is None else _named(inputs.vibrations, hop),
        competing_phases=competing,
        contents=content_curves(host.structure, host.formula),
        claims=[],
        charged=inputs.charged,
        observables=inputs.observables,
        citations=given.citations,
    )
    moving = study.observables.get("transport")
    if isinstance(moving, Transport) and migrations:
        study.observables["transport"] = with_tracer(moving.model_copy(update={"hop": migrations[0].label}), study)
    try:
        return with_assumptions(study, inputs.ends, inputs.assumptions)
    except ValueError as error:
        if inputs.assumptions.reference is None:
            raise
        # What was computed is not lost with a reference that does not fit.
        attempts.refuse("anisotropy", f"no frozen reference: {error}")
        study.stages = attempts.stages(inputs.stages, gone)
        return with_assumptions(study, inputs.ends, inputs.assumptions.model_copy(update={"reference": None}))


def retention_result(hop: Migration | None, vibrations: AttemptFrequency | None) -> Retention | None:
    """How long the state after the hop is kept, with the computed prefactor where there is one; None without a band."""
    if hop is None or hop.why_no_result:
        return None
    if vibrations is None:
        why = "vibrations of the hop were not computed"
        return retention(hop.backward_eV, hop.provenance, forward_eV=hop.forward_eV, note=why)
    if vibrations.backward_Hz is None:
        why = f"no computed prefactor: {vibrations.failed_in_words}"
        return retention(hop.backward_eV, hop.provenance, forward_eV=hop.forward_eV, note=why)
    return vibrations.retention()


def _named(attempts: AttemptFrequency | None, hop: Migration) -> AttemptFrequency | None:
    """Vibrations under the hop's own name, which says which of several distinct vacancies it enters."""
    return None if attempts is None else attempts.model_copy(update={"label": hop.label})


def _complete(hop: Migration, inputs: StudyParts) -> Migration:
    """The hop as written: with its fields, and without the count of imaginary modes among what nobody looked at."""
    modes, fields = inputs.vibrations, list(inputs.fields)
    left = [n for n in hop.not_checked if modes is None or not n.startswith("number of imaginary modes")]
    if modes is not None and modes.forward_Hz is not None and modes.backward_Hz is not None:
        fields = [f.with_prefactors(*modes.attempts_Hz(f.temperature_K)) for f in fields]
    fields = [f.model_copy(update={"label": hop.label}) for f in fields]
    return hop.model_copy(update={"not_checked": left, "field_studies": fields})


def host_result(inputs: StudyParts) -> HostResult:
    """The relaxed host and the energies of its cation orders."""
    per_formula = {}
    for order, calculation in inputs.bulks.items():
        units = formula_units(calculation.structure, inputs.host.anion, inputs.host.anions_per_formula)
        per_formula[order] = (calculation.energy_eV / units, calculation.structure.volume / units)
    lowest = min(energy for energy, _ in per_formula.values())
    chosen = inputs.bulks[inputs.order].structure
    units_of_host = formula_units(chosen, inputs.host.anion, inputs.host.anions_per_formula)
    return HostResult(
        key=inputs.host.key,
        title=inputs.host.title,
        formula=inputs.host.formula,
        order=inputs.order,
        space_group=space_group_symbol(chosen, _RELAXED_SYMPREC),
        cell_atoms=len(chosen),
        lattice_A=[float(x) for x in chosen.lattice.abc],
        angles_deg=[float(x) for x in chosen.lattice.angles],
        volume_per_formula_A3=float(per_formula[inputs.order][1]),
        # The engine's own total: site moments in the structure may be the start of an electronic calculation.
        moment_per_formula_muB=inputs.bulks[inputs.order].total_moment_muB / units_of_host,
        orders=[
            OrderEnergy(
                order=order,
                space_group=space_group_symbol(inputs.bulks[order].structure, _RELAXED_SYMPREC),
                relative_eV_per_formula=float(energy - lowest),
                volume_per_formula_A3=float(volume),
            )
            for order, (energy, volume) in per_formula.items()
        ],
        structure=chosen,
        sources=dict(inputs.host.sources),
        claims=list(inputs.host.claims),
        layers=[
            HostLayer(**asdict(p.layer), composition=p.composition, low_A=p.low_A, high_A=p.high_A)
            for p in layer_places(chosen, inputs.host.layers)
        ],
        vacuum_A=vacuum_A(chosen) if inputs.host.layers else None,
    )


def competing_result(inputs: StudyParts) -> CompetingPhasesResult | None:
    """The host among the phases that its engine computed; None if it computed none."""
    if inputs.phases is None:
        return None
    bulk = inputs.bulks[inputs.order]
    units = formula_units(bulk.structure, inputs.host.anion, inputs.host.anions_per_formula)
    own = ComputedEnergy(
        formula=inputs.host.formula,
        energy_eV=bulk.energy_eV / units,
        total_moment_muB=bulk.total_moment_muB / units,
        provenance=bulk.provenance,
    )
    return competing_phases_result(own, inputs.phases, inputs.assumptions.enthalpies, mode=inputs.reference_mode)


def defect_result(inputs: StudyParts, potentials: ChemicalPotentialsResult | None) -> DefectEquilibria | None:
    """Concentrations and film compositions; None without formation energies."""
    if potentials is None or inputs.vacancies is None:
        return None
    bulk = inputs.bulks[inputs.order].structure
    units = formula_units(bulk, inputs.host.anion, inputs.host.anions_per_formula)
    host = defect_host(
        inputs.host.formula,
        formula_composition(inputs.host.formula),
        bulk.volume / units,
        [*inputs.vacancies.vacancies, *(inputs.charged.states if inputs.charged else [])],
        units,
    )
    window, references = potentials.window, potentials.references
    formations = defect_energies(inputs, inputs.vacancies)
    if inputs.charged is not None:
        own = inputs.charged.formations()
        formations = [*own, *(d for d in formations if d.label not in {one.label for one in own})]
    defects = native(formations, window)
    if not defects:
        return None
    labels = {d.label for d in defects}
    host.sites = [s for s in host.sites if s.label in labels]
    edges = None if inputs.charged is None else inputs.charged.edges
    hop = inputs.migration
    barriers = {} if hop is None or hop.why_no_result else {hop.vacancy: max(0.0, min(hop.forward_eV, hop.backward_eV))}
    return defect_equilibria(
        defects, host, window, references, edges=edges, barriers_eV=barriers, diffusion_at=(MEASURED_K, PRESSURES_atm)
    )


def vacancy_results(inputs: StudyParts, potentials: ChemicalPotentialsResult | None) -> list[VacancyResult]:
    """Each vacancy, with its formation energy at both edges of the window if there is one."""
    if inputs.vacancies is None:
        return []
    host = inputs.vacancies.host
    indicative = inputs.engine.level_of_theory == "local"
    lines = {line.label: line for line in potentials.lines.lines} if potentials else {}
    grid = potentials.lines.delta_mu_O_eV if potentials else []
    results = []
    for v in inputs.vacancies.vacancies:
        line = lines.get(v.label)
        edges = line and [
            EnergyRange(delta_mu_O_eV=grid[i], low_eV=line.low_eV[i], high_eV=line.high_eV[i]) for i in (0, -1)
        ]
        results.append(
            VacancyResult(
                label=v.label,
                element=v.element,
                sublattice=v.sublattice,
                multiplicity=v.multiplicity,
                removed=dict(v.removed),
                near_cations=v.near_cations,
                cell_atoms=len(v.calculation.structure),
                energy_minus_host_eV=v.calculation.energy_eV - host.energy_eV,
                oxygen_poor=edges[0] if edges else None,
                oxygen_rich=edges[1] if edges else None,
                total_moment_muB=v.calculation.total_moment_muB,
                moment_change_muB=v.calculation.total_moment_muB - host.total_moment_muB,
                converged=v.calculation.converged,
                checks=v.calculation.checks,
                indicative=indicative,
                error_bar_eV=line.error_bar_eV if line else None,
                note=line.note if line else energy_note(indicative),
                formation_checks=_formation_checks(potentials.lines, line) if potentials and line else [],
                size_correction_eV=None if v.size_correction is None else v.size_correction.energy_eV,
                size_error_eV=None if v.size_correction is None else v.size_correction.error_eV,
                starts=v.starts,
                changed_ions=v.changed_ions,
                sites=site_moments(host, v.calculation),
                moments_computed=v.calculation.site_moments_muB is not None,
            )
        )
    return results


def _formation_checks(lines: FormationLines, line: FormationLine) -> list[Check]:
    check = lines.zero_check(line)
    return [] if check is None else [check]


def _in_formula_units_of_host(inputs: StudyParts) -> StudyParts:
    """Maps of cells that hold whole bulk cells get the host's formula units, by volume: no vacancy changes that.

    Engines know no host: they count units of the reduced formula, of which a cell with a vacancy has one.
    """
    if inputs.maps is None:
        return inputs
    bulk = inputs.bulks[inputs.order].structure
    units = formula_units(bulk, inputs.host.anion, inputs.host.anions_per_formula)

    def counted(map_: AnisotropyMap) -> AnisotropyMap:
        cells = map_.cell_volume_A3 / bulk.volume
        # A primitive cell of a bulk that is none, or the other way round, is a whole number the one way or the other.
        whole = round(cells) if cells > 1 else 1 / round(1 / cells)
        if abs(cells / whole - 1) < _SAME_VOLUME:
            return map_.model_copy(update={"formula_units": units * whole})
        return map_

    return replace(
        inputs,
        maps={state: counted(m) for state, m in inputs.maps.items()},
        warm={state: counted(m) for state, m in inputs.warm.items()},
    )


def anisotropy_result(inputs: StudyParts) -> AnisotropyResult | None:
    """Summaries of all maps, and the cubic constants of a host with a cubic parent."""
    if inputs.maps is None:
        return None
    pristine = inputs.maps.get("pristine")
    cubic = cubic_constants(pristine, average=True) if inputs.host.cubic_parent and pristine is not None else None
    note = (
        f"the map of the {inputs.order} cell was averaged over the 48 cubic operations, "
        "as a crystal with all variants of the order would"
    )
    return AnisotropyResult(
        maps=list(inputs.maps.values()),
        summaries=[_summary(inputs, m) for m in inputs.maps.values()],
        warm=list(inputs.warm.values()),
        cubic=cubic,
        cubic_note=note
        if cubic
        else "the host's parent is not cubic: K1 has no meaning"
        if pristine is not None
        else "there is no map of the host",
    )


def _summary(inputs: StudyParts, map_: AnisotropyMap) -> AnisotropySummary:
    """Summary of a map; for the host with the spread over directions that its magnetic group makes equivalent."""
    cell = inputs.bulks[inputs.order].structure
    if map_.state != "pristine" or is_non_collinear(cell):
        return summarise(map_)
    return summarise(map_, operations=axial_operations(cell, _RELAXED_SYMPREC))


def unidirectional_result(inputs: StudyParts, anisotropy: AnisotropyResult | None) -> UnidirectionalResult | None:
    """Axes before and after the hop, and their relation; `post_processing.with_assumptions` says what it writes."""
    if anisotropy is None or inputs.maps is None or inputs.migration is None:
        return None
    if not {"before", "after"} <= set(inputs.maps):
        return None
    summaries = {s.state: s for s in anisotropy.summaries}
    noise = max(m.odd_limit_meV for m in inputs.maps.values())
    states = [
        state_of(m, noise, summary=summaries[name], keffer_A2=inputs.keffer.get(name))
        for name, m in inputs.maps.items()
    ]
    named = {s.state: s for s in states}
    before, after = named["before"], named["after"]
    easy = axis_angle_deg(before.easy_axis, after.easy_axis)
    hard = axis_angle_deg(before.hard_axis, after.hard_axis)
    relation = inputs.migration.relation
    deviation = None
    if inputs.relation_matrices:
        deviation = max(
            relation_deviation_meV(inputs.maps["before"], inputs.maps["after"], m) for m in inputs.relation_matrices
        )
    return UnidirectionalResult(
        states=states,
        relation=relation,
        relation_deviation_meV=deviation,
        easy_axis_tilt_deg=easy,
        hard_axis_tilt_deg=hard,
        reference=None,
        noise_meV=noise,
        verdict=after.verdict,
        reason=after.reason,
        relation_matrices=inputs.relation_matrices,
    )


def keffer_of_mover(structure: Structure, mover: int) -> list[float]:
    """Keffer sum at the moving ion over the first shell of its own sublattice and the anions, A^2, shape (3,)."""
    site = structure[mover]
    near, own = structure.get_neighbors(site, _KEFFER_REACH_A), site.properties["sublattice"]
    anions = [n for n in near if float(n.properties["valence"] or 0) < 0]
    metals = [n for n in near if float(n.properties["valence"] or 0) >= 0 and n.properties["sublattice"] == own]
    if not anions or not metals:
        return [0.0, 0.0, 0.0]
    shell = FIRST_SHELL * min(n.nn_distance for n in metals)
    bond = _LONGEST_BOND * min(n.nn_distance for n in anions)
    around = [n.coords for n in metals if n.nn_distance <= shell]
    return [float(x) for x in np.asarray(keffer_sum(site.coords, around, [n.coords for n in anions], bond))]
