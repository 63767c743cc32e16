"""From folders of finished runs to a study: read, sort, choose, judge, put together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pymatgen.core import Structure

from ...analysis.builder.build import build_study
from ...analysis.builder.inputs import StudyInputs
from ...analysis.defects.charge_corrections import dielectric_tensor
from ...analysis.defects.vacancies import StartEnergy, VacancySet, VacancyState
from ...analysis.magnetism.oxidation_states import as_found, changed_ions, compensation_text
from ...analysis.results.calculation import Band, Calculation
from ...analysis.study.documents import EngineResult, StageResult, Study
from ...analysis.study.imported import ImportedDirections, ImportRecord
from ...analysis.thermodynamics.computed_phases import ComputedPhases, ReferenceMode
from ...structures.defects.difference import same_lattice
from ...structures.defects.vacancies import near_cations
from ...structures.host import Host
from ...structures.spins import formula_units
from ..vasp.finished.band import read_band
from ..vasp.finished.document import VaspRun
from ..vasp.finished.files import file_kind
from ..vasp.finished.reader import read_files, read_run
from .charged import charged_states, places_per_cell
from .choosing import Chosen, choose
from .consistency import KINDS, level_of_theory, on_fixed_density
from .directions import directions_of
from .documents import calculation_of, common_hubbard, defect_structure, phases_of, provenance_of
from .entries import read_defect_entries
from .hop import ImportedHop, hops_of
from .host import derived_host, with_host_roles
from .run_folder import RunFolder
from .sorting import Sorted, sort_runs
from .tasks import run_of_task
from .tree import Place, find_places

NOT_IMPORTED = "an import computes nothing"
NO_BAND = "no band among the folders may be used"
# Name under which the record stands among the study's observables.
IMPORT_STAGE = "imported folders"
DIRECTIONS_STAGE = "imported directions"


def import_with_bands(
    paths: Sequence[str | Path],
    *,
    host: Host | None = None,
    formula: str | None = None,
    cell: Structure | None = None,
    dielectric: Sequence[Sequence[float]] | float | None = None,
    accepted: Collection[str] = (),
    tasks: Iterable[tuple[str, Mapping[str, Any]]] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Study, list[Band]]:
    """The study that finished VASP runs make, and the bands of its migrations.

    Parameters
    ----------
    paths
        Folders that are searched to the bottom, or files.
    host
        A built-in host, whose sublattices and claims are used.
    formula, cell
        Of a host that is not built in; by default it is found among the runs.
    dielectric
        Static relative permittivity: a number or shape (3, 3); by default that of a linear-response run.
    accepted
        Differences between runs that the user answers for, see `consistency.KINDS`; they are noted, not refused.
    tasks
        Documents of atomate2 with the names that they are called by.
    progress
        Called with the name of each folder before it is read.

    Returns
    -------
    Study
        Partial where parts are missing; the reasons are in the stages, and what each folder was taken for is in
        ``observables["imported folders"]``.

    Raises
    ------
    ValueError
        If there is nothing to read, nothing says which run is the host, no run of the host may be used, or an accepted
        difference is of no known kind.
    """
    if strange := sorted(set(accepted) - set(KINDS)):
        raise ValueError(f"no kind of difference {', '.join(strange)}; those that can be accepted: {', '.join(KINDS)}")
    tensor = None if dielectric is None else [[float(x) for x in row] for row in dielectric_tensor(dielectric)]
    runs = [*(read_places(find_places(paths), progress) if paths else []), *read_tasks(tasks, progress)]
    if host is not None:
        formula, cell = host.formula, cell or host.structure()
    tensor = tensor or next((f.dielectric for f in runs if f.dielectric is not None), None)
    arranged = sort_runs(runs, formula, cell)
    chosen = choose(arranged, host, accepted)

    def record() -> ImportRecord:
        return ImportRecord(
            host_from=arranged.host_from,
            level_of_theory=level_of_theory(chosen.bulk.done),
            folders=[f.document() for f in runs],
        )

    return study_of(chosen, arranged, host, record, tensor, accepted)


def read_places(places: Sequence[Place], progress: Callable[[str], None] = lambda _: None) -> list[RunFolder]:
    """Every place read; what cannot be is kept with the reason."""
    out = []
    for place in places:
        progress(place.name)
        run = RunFolder(place)
        out.append(run)
        if place.problem:
            run.refused.append(place.problem)
            continue
        try:
            if place.kind == "run":
                run.run = _read(place)
                run.refused += no_ground_state(run.run)
            elif place.kind == "band":
                run.band, run.role = read_band(place.path), "band"
                barrier = run.band.barrier_eV if run.band.usable else None
                height = "" if barrier is None else f", barrier {barrier:.3f} eV"
                run.what = f"band of {len(run.band.points)} images{height}"
                run.refused += run.band.reasons
            else:
                out += _from_entries(run)
                continue
        except Exception as error:  # files of any origin: one that breaks a reader must not lose the others
            run.refused.append(f"cannot be read: {_in_words(error)}")
            continue
        if run.run is not None:
            run.what = run.run.formula or "no composition"
            if run.run.usable and (run.run.structure is None or run.run.energy_eV is None):
                run.refused.append("holds no energy and structure")
    return out


def read_tasks(
    tasks: Iterable[tuple[str, Mapping[str, Any]]], progress: Callable[[str], None] = lambda _: None
) -> list[RunFolder]:
    """Task documents as runs, each with its name; what cannot be read is kept with the reason."""
    out = []
    for name, task in tasks:
        progress(name)
        run = RunFolder(Place(Path(name), name, "run"))
        out.append(run)
        try:
            run.run = run_of_task(task)
        except Exception as error:  # documents of any version
            run.refused.append(f"cannot be read: {_in_words(error)}")
            continue
        run.what = run.run.formula or "no composition"
        run.refused += no_ground_state(run.run)
    return out


def no_ground_state(run: VaspRun) -> list[str]:
    """Why a finished run has no energy of its own that could be subtracted from another one."""
    if run.kind == "band image":
        return ["an image of a band, whose forces are not its own: give the folder that holds 00, 01, ..."]
    if on_fixed_density(run):
        return ["on a fixed density (ICHARG of 10 or more): its energy is none of a ground state"]
    return []


def _in_words(error: Exception) -> str:
    """One line; a kind of error that says little by itself is named."""
    text = " ".join(str(error).split())
    return text if text and isinstance(error, OSError | ValueError) else f"{type(error).__name__}: {text}"


def _from_entries(run: RunFolder) -> list[RunFolder]:
    """Entries of a file, each as a run of its own; the file itself says how many."""
    held = read_defect_entries(run.place.path)
    run.role = "defect entries"
    run.what = f"{len(held.runs)} entries of another program"
    run.dielectric = held.dielectric
    if held.unfinished:
        run.notes.append(f"without energies, inputs only: {', '.join(held.unfinished)}")
    if not held.runs:
        run.refused.append("holds no energies: entries of inputs that were never run")
    runs = []
    for entry in held.runs:
        place = Place(run.place.path, f"{run.place.name}: {entry.name}", "defect entries")
        runs.append(RunFolder(place, run=entry.run, what=entry.run.formula, given_correction_eV=entry.correction_eV))
    return runs


def _read(place: Place) -> VaspRun:
    if place.output and file_kind(place.path.name) is None:
        return read_files(place.path, {place.output: place.path})
    return read_run(place.path)


def study_of(
    chosen: Chosen,
    arranged: Sorted,
    host: Host | None,
    record: Callable[[], ImportRecord],
    dielectric: list[list[float]] | None = None,
    accepted: Collection[str] = (),
) -> tuple[Study, list[Band]]:
    """Put together what was chosen, with its bands; `record` is asked once every folder has been judged."""
    used = [f for runs in chosen.states.values() for f in runs[:1]] + chosen.phases
    hubbard = common_hubbard([f.done for f in [chosen.bulk, *([chosen.supercell] if chosen.supercell else []), *used]])
    roles = with_host_roles(chosen.bulk.structure, host, chosen.bulk.done.site_moments_muB)
    # Dopants and phases may have a U on elements that the host lacks.
    of_host = {el: u for el, u in hubbard.items() if el in chosen.bulk.structure.composition}
    own = host or derived_host(chosen.bulk.structure, gap_eV=chosen.bulk.done.gap_eV or 0.0, hubbard_U_eV=of_host)
    bulk = calculation_of(chosen.bulk, roles, "bulk", hubbard)
    stages = [StageResult(stage="host", done=True), StageResult(stage=IMPORT_STAGE, done=True)]
    vacancies, charged = None, None
    if chosen.supercell is None:
        reasons = [f"{f.place.name}: {'; '.join([*f.done.reasons, *f.refused])}" for f in arranged.defects]
        reason = " | ".join(reasons) or "no cell with a defect among the runs"
        stages.append(StageResult(stage="vacancies", done=False, reason=reason))
        stages.append(StageResult(stage="charged defects", done=False, reason=reason))
    else:
        perfect = with_host_roles(chosen.supercell.structure, host, chosen.supercell.done.site_moments_muB)
        per_cell = len(chosen.supercell.structure) / len(chosen.bulk.structure)
        vacancies = defect_set(chosen, perfect, hubbard, per_cell)
        stages.append(StageResult(stage="vacancies", done=True))
        charged, reason = charged_states(chosen, perfect, hubbard, per_cell, dielectric)
        stages.append(StageResult(stage="charged defects", done=charged is not None, reason=reason))
    phases, mode, reason = _phases(chosen, arranged, hubbard)
    stages.append(StageResult(stage="competing phases", done=phases is not None, reason=reason))
    potentials = phases is not None and vacancies is not None
    stages.append(
        StageResult(
            stage="chemical potentials", done=potentials, reason="" if potentials else reason or "no defects to form"
        )
    )
    hops = hops_of(arranged.bands, arranged, chosen, host, hubbard, accepted)
    stages.append(StageResult(stage="migration", done=bool(hops), reason="" if hops else _no_hop(arranged)))
    stages.append(StageResult(stage="vibrations", done=False, reason=NOT_IMPORTED))
    directions, maps, reason = _anisotropy(chosen, own, hubbard)
    stages.append(StageResult(stage="anisotropy", done=maps is not None, reason=reason))
    outputs: dict[str, Any] = {"host": {own.orders[0]: bulk}, IMPORT_STAGE: record()}
    parts = {
        "vacancies": vacancies,
        "charged defects": charged,
        "competing phases": phases,
        "migration": hops[0].output() if hops else None,
        "anisotropy": maps,
        DIRECTIONS_STAGE: directions,
    }
    outputs |= {stage: part for stage, part in parts.items() if part is not None}
    study = build_study(
        StudyInputs(
            host_key=own,
            order=own.orders[0],
            engine=engine_result(chosen, hubbard),
            stages=stages,
            outputs=outputs,
            reference_mode=mode,
        )
    )
    return _with_hops(study, hops)


def _with_hops(study: Study, hops: Sequence[ImportedHop]) -> tuple[Study, list[Band]]:
    """The study with every hop beside the one with the lowest barrier, and their bands in this order."""
    others = [hop.migration for hop in hops[1:]]
    return study.model_copy(update={"migration": [*study.migration, *others]}), [hop.band for hop in hops]


def _anisotropy(
    chosen: Chosen, own: Host, hubbard: dict[str, float]
) -> tuple[ImportedDirections | None, dict[str, Any] | None, str]:
    """Energies by direction of the spin-orbit runs, and a map in the axes of the host."""
    anchor = chosen.supercell or chosen.bulk
    runs = [*([anchor] if anchor.done.spin_orbit and chosen.spin_orbit else []), *chosen.spin_orbit]
    if not runs:
        return None, None, NOT_IMPORTED
    units = formula_units(runs[0].structure, own.anion, own.anions_per_formula)
    table, map_, reason = directions_of(runs, units, hubbard)
    if map_ is None:
        return table, None, reason
    if not same_lattice(runs[0].structure, chosen.bulk.structure):
        return table, None, f"axes of the spin-orbit cell are not those of {chosen.bulk.place.name}: import them alone"
    return table, {"maps": {map_.state: map_}}, ""


def _no_hop(arranged: Sorted) -> str:
    """Why no band is a result."""
    if not arranged.bands:
        return NOT_IMPORTED
    return " | ".join([NO_BAND, *(f"{f.place.name}: {'; '.join(f.refused)}" for f in arranged.bands)])


def engine_result(chosen: Chosen, hubbard_U_eV: dict[str, float]) -> EngineResult:
    """Who computed the runs, as far as they say."""
    versions = sorted({str(f.done.version) for f in [chosen.bulk, *chosen.phases] if f.done.version})
    return EngineResult(
        name="vasp",
        level_of_theory="VASP",
        summary=f"imported VASP runs ({', '.join(versions) or 'version unknown'}): {level_of_theory(chosen.bulk.done)}",
        cannot={},
        supercell_repeats=[1, 1, 1],
        quick=False,
        provenance=provenance_of(chosen.bulk, hubbard_U_eV),
    )


def defect_set(chosen: Chosen, perfect: Structure, hubbard_U_eV: dict[str, float], per_cell: float) -> VacancySet:
    """Neutral defects with every configuration that was imported, the lowest first."""
    assert chosen.supercell is not None
    host = calculation_of(chosen.supercell, perfect, "perfect supercell", hubbard_U_eV)
    states = []
    for (label, charge), runs in chosen.states.items():
        if charge:
            continue
        done = [calculation_of(f, defect_structure(f, perfect), f"{label} relax", hubbard_U_eV) for f in runs]
        states.append(_defect_state(host, label, runs, done, per_cell))
    return VacancySet(host=host, vacancies=states)


def _defect_state(
    host: Calculation, label: str, runs: Sequence[RunFolder], done: Sequence[Calculation], per_cell: float
) -> VacancyState:
    first = runs[0]
    assert first.name is not None
    assert first.difference is not None
    starts: list[Any] = []
    changed: list[Any] = []
    for f, c in zip(runs, done, strict=True):
        if f is not first and f.refused:
            continue
        try:
            ions = changed_ions(as_found(host), as_found(c))
            text = compensation_text(ions)
        except ValueError as error:
            ions, text = [], f"not read: {error}"
        changed = ions if f is first else changed
        starts.append(
            StartEnergy(
                label=f.place.name,
                above_lowest_eV=c.energy_eV - done[0].energy_eV,
                total_moment_muB=c.total_moment_muB,
                compensation=text,
                converged=c.converged,
            )
        )
    site = first.difference.changes[0].site
    cation = site is not None and float(host.structure[site].properties["valence"]) > 0
    return VacancyState(
        label=label,
        element=first.name.element,
        sublattice=first.name.sublattice,
        multiplicity=places_per_cell(first, per_cell),
        near_cations=near_cations(host.structure, site) if cation and site is not None else None,
        removed=first.difference.removed,
        calculation=done[0],
        starts=starts,
        changed_ions=changed,
    )


def _phases(
    chosen: Chosen, arranged: Sorted, hubbard_U_eV: dict[str, float]
) -> tuple[ComputedPhases | None, ReferenceMode, str]:
    """Phases beside the host, and where the energies of the elements come from."""
    own = {el.symbol for el in chosen.bulk.structure.composition.elements}
    usable = []
    for f in chosen.phases:
        foreign = sorted({e.symbol for e in f.structure.composition.elements} - own)
        if foreign:
            f.refused.append(f"holds {', '.join(foreign)}, which the host does not: it bounds no potential of the host")
        else:
            usable.append(f)
    if not usable:
        refused = [f"{f.place.name}: {'; '.join([*f.done.reasons, *f.refused])}" for f in arranged.phases if f.run]
        return None, "elements", " | ".join(refused) or "no element and no competing phase among the runs"
    phases = phases_of(usable, [f for f in arranged.phases if f.run is not None and not f.usable], hubbard_U_eV)
    elements = {f.structure.composition.elements[0].symbol for f in usable if len(f.structure.composition) == 1}
    return phases, "elements" if own <= elements else "redox ladder", ""
