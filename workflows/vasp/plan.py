"""Every VASP input of a study that can be written before anything has run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...structures.competing import competing_phase
from ...structures.host import Host
from ...structures.supercell import supercell
from ...structures.vacancies import distinct_vacancies, remove_site, same_site_in
from ..building import Repeats, shortest_hop
from ..plan import present_vacancies
from .order import block_order, in_order
from .settings import SpinOrbitSettings, VaspBandSettings, VaspSettings

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ...structures.hops import Hop

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
    """

    folder: str
    purpose: str
    structure: Structure
    maker: Any
    exact: bool = False
    images: Sequence[Structure] = field(default_factory=list)

    def mesh(self, settings: VaspSettings) -> str:
        """The k-point mesh in words."""
        return " x ".join(map(str, settings.mesh(self.structure)))

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
    """
    from .jobs import MagneticRelaxMaker, MagneticStaticMaker

    chosen = host.orders[0] if order is None else order
    relax = MagneticRelaxMaker(settings=settings)
    relax_cell = MagneticRelaxMaker(settings=settings, cell=True)
    jobs = [
        PlannedJob(f"bulk_{o}", f"relax cell and ions of order {o}", host.structure(o), relax_cell, exact=True)
        for o in host.orders
    ]
    for formula in host.references:
        oxide = competing_phase(formula).build()
        what = f"relax reference oxide {formula} in its magnetic order"
        jobs.append(PlannedJob(f"reference_{formula}", what, oxide, relax_cell, exact=True))
    cell = host.structure(chosen)
    big = supercell(cell, repeats)
    still = MagneticStaticMaker(settings=settings)
    jobs.append(PlannedJob("host_supercell", "energy of the perfect supercell", big, still))
    for element, sublattice in present_vacancies(host, cell):
        for site in distinct_vacancies(cell, element, sublattice):
            empty = remove_site(big, same_site_in(big, cell, site.index))
            jobs.append(PlannedJob(_name(f"vacancy_{site.label}"), f"relax {site.label}", empty, relax))
    for number, kind in enumerate(host.hops, start=1):
        hop = shortest_hop(cell, repeats, kind)
        jobs += hop_jobs(hop, number, settings, band or VaspBandSettings())
    return jobs + spin_orbit_jobs(cell, settings, how or SpinOrbitSettings())


def hop_jobs(hop: Hop, number: int, settings: VaspSettings, band: VaspBandSettings) -> list[PlannedJob]:
    """Ends, trial intermediates, the band of each hump, and the polarisation of an image."""
    from .field import PolarisationMaker
    from .jobs import MagneticRelaxMaker
    from .segment import SegmentMaker, start_images

    what = f"hop {number}: {hop.ion}({hop.from_sublattice}) -> {hop.vacancy}"
    relax = MagneticRelaxMaker(settings=settings)
    jobs = [PlannedJob(f"hop{number}_initial", f"{what}, relax the initial end", hop.initial, relax)]
    for k, (trial, label) in enumerate(zip(hop.intermediates, hop.intermediate_labels, strict=True), start=1):
        purpose = f"{what}, relax trial intermediate ({label})"
        jobs.append(PlannedJob(f"hop{number}_middle{k}", purpose, trial, relax))
    jobs.append(PlannedJob(f"hop{number}_final", f"{what}, relax the final end", hop.final, relax))
    segment = SegmentMaker(settings=settings, band=band)
    for k, (left, right) in enumerate(pairwise([hop.initial, *hop.intermediates[:1], hop.final]), start=1):
        images = start_images(left, right, band.images_per_hump)
        purpose = f"{what}, climbing band of hump {k}"
        jobs.append(PlannedJob(f"hop{number}_hump{k}", purpose, images[0], segment, images=images))
    for born, tag in ((False, "Berry-phase dipole"), (True, "Born charges")):
        maker = PolarisationMaker(settings=settings, born=born)
        folder = f"hop{number}_{'born' if born else 'berry'}"
        jobs.append(PlannedJob(folder, f"{what}, {tag} of an image (on request, all images)", hop.initial, maker))
    return jobs


def spin_orbit_jobs(cell: Structure, settings: VaspSettings, how: SpinOrbitSettings) -> list[PlannedJob]:
    """The collinear density and a few of the directions of a map."""
    from .spin_orbit import CollinearDensityMaker, DirectionMaker

    density = CollinearDensityMaker(settings=settings)
    jobs = [PlannedJob("anisotropy_density", "collinear density that the directions start from", cell, density)]
    for label, direction in SHOWN_DIRECTIONS.items():
        maker = DirectionMaker(settings=settings, how=how, direction=list(direction), start=how.starts[0])
        purpose = f"E(n) along [{label}], {how.method}; the flow has one such job for every direction and state"
        jobs.append(PlannedJob(f"anisotropy_{label}", purpose, cell, maker))
    return jobs


def _name(label: str) -> str:
    return "".join(c if c.isalnum() or c in "_-" else "_" for c in label).strip("_")


def write_plan(jobs: list[PlannedJob], settings: VaspSettings, host: Host, folder: Path) -> Path:
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

    Returns
    -------
    Path
        The README.

    Raises
    ------
    VaspSettingsError
        Before anything is written, if a structure's description would be left to defaults.
    """
    for made in jobs:
        settings.check(made.structure)
    sets = [(made, made.files()) for made in jobs]
    folder.mkdir(parents=True, exist_ok=True)
    for made, files in sets:
        made.write(files, folder)
    readme = folder / "README.md"
    readme.write_text(readme_text(jobs, settings, host), encoding="utf-8")
    return readme


def readme_text(jobs: list[PlannedJob], settings: VaspSettings, host: Host) -> str:
    """The table of jobs in Markdown."""
    present = {site.specie.symbol for made in jobs for site in made.structure}
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
    for made in jobs:
        moment = sum(made.structure.site_properties["magmom"])
        kind = "exact" if made.exact else "preview"
        lines.append(
            f"| {made.folder} | {made.purpose} | {len(made.structure)} | {made.mesh(settings)} | {moment:g} | {kind} |"
        )
    return "\n".join(lines) + "\n"
