"""Every VASP input of a study that can be written before anything has run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...structures.host import Host
from ...structures.supercell import supercell
from ...structures.vacancies import distinct_vacancies, remove_site, same_site_in
from ..building import Repeats, shortest_hop
from .order import block_order, in_order
from .settings import VaspSettings

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from .jobs import MagneticRelaxMaker, MagneticStaticMaker


@dataclass
class PlannedJob:
    """One folder of inputs.

    Attributes
    ----------
    folder
        Where, below the output folder.
    purpose
        What the job is for.
    exact
        Whether these are the very inputs of the flow, or a preview on unrelaxed positions.
    """

    folder: str
    purpose: str
    structure: Structure
    maker: MagneticRelaxMaker | MagneticStaticMaker
    exact: bool

    @property
    def ordered(self) -> Structure:
        """The structure in VASP's order."""
        return in_order(self.structure, block_order(self.structure))

    def mesh(self, settings: VaspSettings) -> str:
        """The k-point mesh in words."""
        return " x ".join(map(str, settings.mesh(self.structure)))


def plan(host: Host, order: str | None, repeats: Repeats, settings: VaspSettings) -> list[PlannedJob]:
    """The jobs of a study in the order in which they run.

    Parameters
    ----------
    host, order
        Material and its cation order (the first by default).
    repeats
        Supercell repeats of the ordered cell.
    settings
        Shared by all jobs.
    """
    from .jobs import MagneticRelaxMaker, MagneticStaticMaker

    chosen = host.orders[0] if order is None else order
    relax = MagneticRelaxMaker(settings=settings)
    jobs = [
        PlannedJob(
            f"bulk_{name}",
            f"relax cell and ions of {host.formula} in order {name}",
            host.structure(name),
            MagneticRelaxMaker(settings=settings, cell=True),
            True,
        )
        for name in host.orders
    ]
    cell = host.structure(chosen)
    big = supercell(cell, repeats)
    jobs.append(
        PlannedJob(
            "host_supercell", "energy of the perfect supercell", big, MagneticStaticMaker(settings=settings), False
        )
    )
    for element, sublattice in host.vacancies:
        for site in distinct_vacancies(cell, element, sublattice):
            empty = remove_site(big, same_site_in(big, cell, site.index))
            jobs.append(PlannedJob(_name(f"vacancy_{site.label}"), f"relax {site.label}", empty, relax, False))
    for number, kind in enumerate(host.hops, start=1):
        hop = shortest_hop(cell, repeats, kind)
        what = f"hop {number}: {hop.ion}({hop.from_sublattice}) -> {hop.vacancy}"
        jobs.append(PlannedJob(f"hop{number}_initial", f"{what}, relax the initial end", hop.initial, relax, False))
        for k, (trial, label) in enumerate(zip(hop.intermediates, hop.intermediate_labels, strict=True), start=1):
            jobs.append(
                PlannedJob(f"hop{number}_middle{k}", f"{what}, relax trial intermediate ({label})", trial, relax, False)
            )
        jobs.append(PlannedJob(f"hop{number}_final", f"{what}, relax the final end", hop.final, relax, False))
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
    from .inputs import input_set

    for made in jobs:
        settings.check(made.structure)
    sets = [(made, input_set(made.maker.planned(made.ordered), made.ordered)) for made in jobs]
    folder.mkdir(parents=True, exist_ok=True)
    for made, files in sets:
        files.write_input(str(folder / made.folder))
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
