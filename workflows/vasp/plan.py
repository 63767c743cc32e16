"""Every VASP input of a study that can be written before anything has run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...analysis.magnetism.directions import lebedev_directions
from ...analysis.magnetism.reduced_directions import reduce_directions
from ...structures.cells.supercell import supercell
from ...structures.competing_phases import competing_phase, rival_oxides
from ...structures.defects.vacancies import distinct_vacancies, remove_site, representatives, same_site_in
from ...structures.host import Host
from ..flows.anisotropy import map_repeats
from ..flows.building import Repeats, present_vacancies, shortest_hop
from ..flows.competing_phases import phases_reason
from .expected import cost_lines, expected_costs
from .inputs import OCCUPATION_FILE
from .order import block_order, in_order
from .settings import SpinOrbitSettings, VaspBandSettings, VaspSettings, VaspSettingsError, map_settings

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ...structures.defects.hops import Hop

# Order of a study's directions where the engine sets none.
STUDY_ORDER = 15
# Directions shown of a map, whose flow has many more.
SHOWN_DIRECTIONS = {"001": (0.0, 0.0, 1.0), "110": (0.5**0.5, 0.5**0.5, 0.0), "111": (3**-0.5, 3**-0.5, 3**-0.5)}


@dataclass
class PlannedJob:
    """One folder of inputs.

    Attributes
    ----------
    folder
        Where, below the output folder.
    purpose
        What the job is for.
    structure
        With site properties; the first image of a band.
    maker
        Maker of this package with ``planned``.
    exact
        Whether these are the very inputs of the flow, or a preview on unrelaxed positions.
    images
        All images of a band.
    name
        Of the job in the flow, where there is one for these inputs.
    count
        How many such jobs the study has; 0 for a preview of what it leaves out unless asked.
    """

    folder: str
    purpose: str
    structure: Structure
    maker: Any
    exact: bool = False
    images: Sequence[Structure] = field(default_factory=list)
    name: str = ""
    count: int = 1

    @property
    def matrices(self) -> str | None:
        """Text of the OCCMATRIX file that belongs to the inputs, if any."""
        how = getattr(self.maker, "how", self.maker)
        return getattr(how, "occupation_matrices", None)

    def mesh(self, settings: VaspSettings) -> str:
        """The k-point mesh in words; a maker's own settings before those of the study."""
        own = getattr(self.maker, "settings", settings)
        return " x ".join(map(str, own.mesh(self.structure)))

    def files(self) -> Any:
        """The input files as a pymatgen ``VaspInput``."""
        from .inputs import input_set

        ordered = in_order(self.structure, block_order(self.structure))
        vectors = getattr(self.maker, "vectors", None)
        return input_set(self.maker.planned(ordered), ordered if vectors is None else vectors(ordered))

    def write(self, files: Any, root: Path) -> None:
        """Write the files, and a folder per image for a band."""
        place = root / self.folder
        files.write_input(str(place))
        if self.matrices is not None:
            (place / OCCUPATION_FILE).write_text(self.matrices, encoding="utf-8")
        if not self.images:
            return
        (place / "POSCAR").unlink()
        order = block_order(self.structure)
        for number, image in enumerate(self.images):
            (place / f"{number:02d}").mkdir()
            in_order(image, order).to(str(place / f"{number:02d}" / "POSCAR"))


def plan(
    host: Host,
    order: str | None,
    repeats: Repeats,
    settings: VaspSettings,
    band: VaspBandSettings | None = None,
    how: SpinOrbitSettings | None = None,
    *,
    dipoles: str = "formal",
    starts: Sequence[str] = ("nominal",),
    matrices: Mapping[str, str] | None = None,
    most_vacancies: int | None = None,
) -> list[PlannedJob]:
    """The jobs of a study in the order in which they run.

    Parameters
    ----------
    host, order
        Material and its cation order (the first by default).
    repeats
        Supercell repeats of the ordered cell.
    settings, band, how
        Shared by all jobs.
    dipoles, starts, matrices, most_vacancies
        As the fields of `VaspEngine`.

    Raises
    ------
    VaspSettingsError
        If occupation matrices are given for a job that does not exist.
    """
    from .jobs import MagneticRelaxMaker, MagneticStaticMaker

    chosen = host.orders[0] if order is None else order
    relax_cell = MagneticRelaxMaker(settings=settings, cell=not host.layers)
    jobs = [
        PlannedJob(
            folder_name(f"bulk_{o}"),
            f"relax {'ions' if host.layers else 'cell and ions'} of order {o}",
            host.structure(o),
            relax_cell,
            True,
            name=f"bulk {o}",
        )
        for o in host.orders
    ]
    cell = host.structure(chosen)
    # The competing phases of a study hold its references; a host without such phases has references alone.
    oxides: Sequence[str] = host.references
    if not phases_reason(host, cell):
        oxides = rival_oxides(host.formula, {str(e) for e in cell.composition.elements})
    for formula in oxides:
        oxide = competing_phase(formula).build()
        what = f"relax competing oxide {formula} in its magnetic order"
        name = f"reference energies: {formula}"
        jobs.append(PlannedJob(f"reference_{formula}", what, oxide, relax_cell, exact=True, name=name))
    big = supercell(cell, repeats)
    still = MagneticStaticMaker(settings=settings)
    what = "energy of the perfect supercell"
    jobs.append(PlannedJob("host_supercell", what, big, still, name="host supercell"))
    sites = [s for e, sub in present_vacancies(host, cell) for s in distinct_vacancies(cell, e, sub)]
    for site in representatives(sites, most_vacancies):
        empty = remove_site(big, same_site_in(big, cell, site.index))
        jobs += vacancy_jobs(site.label, empty, settings, starts)
    for number, kind in enumerate(host.hops, start=1):
        hop = shortest_hop(cell, repeats, kind)
        made = hop_jobs(hop, number, settings, band or VaspBandSettings(), dipoles)
        # The study computes the first hop alone.
        jobs += made if number == 1 else [replace(one, count=0) for one in made]
    jobs += spin_orbit_jobs(cell, settings, how or SpinOrbitSettings())
    jobs += hole_jobs(cell, settings)
    if host.hops:
        jobs += hop_map_jobs(host, cell, repeats, settings, how or SpinOrbitSettings())
    return with_matrices(jobs, matrices or {})


def with_matrices(jobs: list[PlannedJob], matrices: Mapping[str, str]) -> list[PlannedJob]:
    """Give each job the occupation matrices of its name.

    Raises
    ------
    VaspSettingsError
        If a name belongs to no job.
    """
    known = [job.name for job in jobs if job.name]
    if unknown := sorted(set(matrices) - set(known)):
        raise VaspSettingsError(
            f"occupation_matrices are given for {', '.join(unknown)}; jobs that can take them: {', '.join(known)}"
        )
    for job in jobs:
        if job.name in matrices:
            job.maker = replace(job.maker, occupation_matrices=matrices[job.name])
    return jobs


def vacancy_jobs(label: str, cell: Structure, settings: VaspSettings, starts: Sequence[str]) -> list[PlannedJob]:
    """One relaxation for each electronic start that the cell's missing charge allows."""
    from .jobs import MagneticRelaxMaker
    from .starts import electronic_starts

    relax, folder, name = MagneticRelaxMaker(settings=settings), folder_name(f"vacancy_{label}"), f"{label} relax"
    if tuple(starts) == ("nominal",):
        return [PlannedJob(folder, f"relax {label}", cell, relax, name=name)]
    what = f"relax {label} from"
    return [
        PlannedJob(folder_name(f"{folder}_{start}"), f"{what} {start}", structure, relax, name=f"{name}, {start}")
        for start, structure in electronic_starts(cell, starts).items()
    ]


def hop_jobs(
    hop: Hop, number: int, settings: VaspSettings, band: VaspBandSettings, dipoles: str = "formal"
) -> list[PlannedJob]:
    """Ends and trial intermediates (in the band's field if it has one), the band of each saddle, the polarisation.

    Raises
    ------
    ValueError
        If the field breaks the insulator down, or the mesh cannot resolve it.
    """
    from .field import PolarisationMaker, VaspFieldMaker, refuse_breakdown, refuse_thin_mesh
    from .jobs import MagneticRelaxMaker
    from .segment import SegmentMaker, start_images

    what = f"hop {number}: {hop.label}"
    relax: Any = MagneticRelaxMaker(settings=settings)
    also = ""
    if band.field_V_per_A is not None:
        mesh = settings.mesh(hop.initial)
        refuse_breakdown(band.field_V_per_A, float(band.gap_eV or 0.0), hop.initial, mesh)
        refuse_thin_mesh(mesh)
        also = "; the flow adds a single point without the field"
        relax = VaspFieldMaker(settings=settings, field_V_per_A=list(band.field_V_per_A))
        what += f" in a field of {list(band.field_V_per_A)} V/A"
    # The study computes the first hop, in a job named "band".
    own = "band" if number == 1 else ""
    jobs = [
        _end(f"hop{number}_initial", f"{what}, relax the initial end{also}", hop.initial, relax, own, "initial end")
    ]
    for k, (trial, label) in enumerate(zip(hop.intermediates, hop.intermediate_labels, strict=True), start=1):
        purpose = f"{what}, relax trial intermediate ({label}){also}"
        jobs.append(_end(f"hop{number}_middle{k}", purpose, trial, relax, own, f"intermediate {k}"))
    jobs.append(_end(f"hop{number}_final", f"{what}, relax the final end{also}", hop.final, relax, own, "final end"))
    segment = SegmentMaker(settings=settings, band=band)
    for k, (left, right) in enumerate(pairwise([hop.initial, *hop.intermediates[:1], hop.final]), start=1):
        images = start_images(left, right, band.images_per_segment)
        purpose = f"{what}, climbing band of segment {k}"
        jobs.append(PlannedJob(f"hop{number}_segment{k}", purpose, images[0], segment, images=images))
    for kind, tag in (("Berry", "Berry-phase dipole"), ("Born", "Born charges")):
        maker = PolarisationMaker(settings=settings, born=kind == "Born")
        which = "one such job for every image" if dipoles == kind else f"not in the flow unless dipoles: {kind} is set"
        purpose = f"hop {number}, {tag} of an image; {which}"
        count = 2 + 2 * band.images_per_segment if dipoles == kind else 0
        jobs.append(PlannedJob(f"hop{number}_{kind.lower()}", purpose, hop.initial, maker, count=count))
    return jobs


def _end(folder: str, purpose: str, structure: Structure, maker: Any, band: str, what: str) -> PlannedJob:
    return PlannedJob(folder, purpose, structure, maker, name=f"{band}: {what}" if band else "")


def spin_orbit_jobs(
    cell: Structure, settings: VaspSettings, how: SpinOrbitSettings, state: str = ""
) -> list[PlannedJob]:
    """The collinear density and a few of the directions of a map; `count` says how many there are of them."""
    from .spin_orbit import CollinearDensityMaker, DirectionMaker

    settings = map_settings(settings, how)
    density = CollinearDensityMaker(settings=settings)
    of, tail = (f" of {state}", f"_{state}") if state else ("", "")
    jobs = [
        PlannedJob(f"anisotropy_density{tail}", f"collinear density{of} that the directions start from", cell, density)
    ]
    left = len(reduce_directions(cell, lebedev_directions(how.lebedev_order or STUDY_ORDER).vectors).vectors)
    shown = SHOWN_DIRECTIONS if not state else {"001": SHOWN_DIRECTIONS["001"]}
    for k, (label, direction) in enumerate(shown.items(), start=1):
        own = left if k == len(shown) else 1
        left -= own
        other = how.other_start if k == 1 else None
        for start in [*how.starts, *([other] if other else [])]:
            maker = DirectionMaker(settings=settings, how=how, direction=list(direction), start=start)
            more = "" if len(how.starts) == 1 and start != other else f"_{start}"
            if start == other:
                what = f"E(n){of} along [{label}] once more from {start}, for the error of the map"
                jobs.append(PlannedJob(f"anisotropy_{label}{tail}{more}", what, cell, maker))
                continue
            purpose = f"E(n){of} along [{label}] from {start}, {how.method}; {own} such jobs, by symmetry"
            jobs.append(PlannedJob(f"anisotropy_{label}{tail}{more}", purpose, cell, maker, count=own))
    return jobs


def hole_jobs(cell: Structure, settings: VaspSettings) -> list[PlannedJob]:
    """Three collinear starts with the t2g holes of all ions in three orbitals, for the crystal field of the hole."""
    from .jobs import MagneticStaticMaker
    from .occupations import matrices_of, three_starts

    purpose = (
        "t2g holes in orbital {} of three (occupation-matrix control); run again without OCCEXT from its WAVECAR; not "
        "in the flow"
    )
    return [
        PlannedJob(
            f"hole_{n}",
            purpose.format(n),
            cell,
            MagneticStaticMaker(settings=settings, occupation_matrices=matrices_of(cell, start)),
            count=0,
        )
        for n, start in enumerate(three_starts(cell), start=1)
    ]


def hop_map_jobs(
    host: Host, cell: Structure, repeats: Repeats, settings: VaspSettings, how: SpinOrbitSettings
) -> list[PlannedJob]:
    """The states of the first hop, relaxed and mapped in the cell that the flow takes for it."""
    from .jobs import MagneticRelaxMaker

    small = map_repeats(host, cell, repeats)
    hop = shortest_hop(cell, small, host.hops[0])
    jobs = []
    for state, structure in (("before", hop.initial), ("after", hop.final)):
        relax = MagneticRelaxMaker(settings=settings)
        if small != repeats:
            what = f"relax the state {state} the hop in the small cell of its map"
            jobs.append(PlannedJob(f"map_{state}", what, structure, relax, name=f"map {state} relax"))
        jobs += spin_orbit_jobs(structure, settings, how, state)
    return jobs


def folder_name(label: str) -> str:
    """A label as the name of a folder."""
    return "".join(c if c.isalnum() or c in "_-" else "_" for c in label).strip("_")


def write_plan(
    jobs: list[PlannedJob], settings: VaspSettings, host: Host, folder: Path, *, gamma_build: bool = False
) -> Path:
    """Write INCAR, KPOINTS, POSCAR and POTCAR.spec of every job, and the table of what each is for.

    Parameters
    ----------
    jobs
        See `plan`.
    settings
        Shared by all jobs.
    host
        Named in the table.
    folder
        Must not exist or be empty.
    gamma_build
        Whether jobs with the Gamma point alone run on ``vasp_gam``.

    Returns
    -------
    Path
        The README.

    Raises
    ------
    VaspSettingsError
        Before anything is written, if a structure's description would be left to defaults.
    """
    for job in jobs:
        settings.check(job.structure)
    sets = [(job, job.files()) for job in jobs]
    folder.mkdir(parents=True, exist_ok=True)
    for job, files in sets:
        job.write(files, folder)
    readme = folder / "README.md"
    readme.write_text(readme_text(jobs, settings, host, gamma_build=gamma_build), encoding="utf-8")
    return readme


def readme_text(jobs: list[PlannedJob], settings: VaspSettings, host: Host, *, gamma_build: bool = False) -> str:
    """The table of jobs in Markdown."""
    present = {site.specie.symbol for job in jobs for site in job.structure}
    u = ", ".join(f"{k} {v:g} eV" for k, v in settings.hubbard_U_eV.items() if k in present)
    lines = [
        f"# VASP inputs for {host.formula}",
        "",
        f"{settings.functional}+U (Dudarev; {u}), cut-off {settings.encut_eV:g} eV, Gamma-centred meshes, one set of",
        "tags for every energy that is compared. POTCAR.spec names the PAW data sets; POTCARs are VASP's, not ours.",
        "Exact inputs are those that the flow writes itself; previews stand on unrelaxed positions and are",
        "written again with the relaxed ones when their turn comes.",
        "",
        "| folder | what it is for | atoms | k mesh | start moment (muB) | inputs |",
        "|---|---|---|---|---|---|",
    ]
    for job in jobs:
        moment = sum(job.structure.site_properties["magmom"])
        kind = "exact" if job.exact else "preview"
        lines.append(
            f"| {job.folder} | {job.purpose} | {len(job.structure)} | {job.mesh(settings)} | {moment:g} | {kind} |"
        )
    if bands := [job for job in jobs if job.images]:
        shared = len(bands[0].images) - 2
        lines += ["", f"Bands need a build with VTST and a multiple of {shared} MPI ranks, shared by the images."]
    if settings.ncore is None and settings.kpar is None:
        lines += ["", "NCORE and KPAR are added where a job starts, by the ranks that the scheduler gave it."]
    lines += ["", *cost_lines(expected_costs(jobs, gamma_build=gamma_build))]
    return "\n".join(lines) + "\n"
