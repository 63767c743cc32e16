"""Calculations of small cells: chains, metals beside a gap of ZnO, two Co of SrCoO3, and maghemite with lithium."""

from __future__ import annotations

import gap_cells
import maghemite_cells
import perovskite_cells
import wire_cells
from evidence_task import BOUNDS_OF_DIFFERENCES, U_SETS, Task
from magnetoionics.analysis.study.reference_calculations import load_start
from magnetoionics.structures.elements import pbe_hubbard_U_eV
from magnetoionics.workflows.gpaw.settings import GpawSettings


def small_cell_names() -> list[str]:
    """All of them, the cheapest of each group first."""
    wires = [wire(element, spacing) for element, both in wire_cells.SPACINGS_A.items() for spacing in both]
    gaps = [metal_states(element, mesh) for element in gap_cells.METALS for mesh in gap_cells.MESHES]
    gaps += [zinc_oxide_decay(u) for u in gap_cells.ZINC_OXIDE_U_eV]
    cobaltates = [
        cobaltate(start, spins, u, moment)
        for moment in perovskite_cells.MOMENTS_muB
        for u in ("", *U_SETS)
        for start in perovskite_cells.CELLS
        for spins in perovskite_cells.SPINS
    ]
    return [*wires, *gaps, *cobaltates, *_maghemite_names()]


def small_cell_task(name: str) -> Task:
    """One of `small_cell_names`."""
    if name.startswith("wire"):
        return _wire_task(name)
    if name.startswith("states"):
        return _states_task(name)
    if name.startswith(("magh", maghemite_cells.METAL)):
        return _metal_task(name) if name.startswith(maghemite_cells.METAL) else _maghemite_task(name)
    return _cobaltate_task(name) if name.startswith("srcoo3") else _decay_task(name)


def _maghemite_names() -> list[str]:
    """Lithium itself, every cell with every U, moved iron in its other sense, and a pair on a denser mesh."""
    cells = [lithiated_maghemite(start, u) for u in ("", *U_SETS) for start in maghemite_cells.STARTS]
    turned = [
        lithiated_maghemite(start, "", maghemite_cells.ALONG) for start in maghemite_cells.STARTS if "moved" in start
    ]
    denser = [lithiated_maghemite(start, mesh=maghemite_cells.DENSER) for start in maghemite_cells.REPEATED]
    return [f"{maghemite_cells.METAL}-dzp-k12", *cells, *turned, *denser]


def _maghemite_task(name: str) -> Task:
    """Maghemite with lithium in atomic orbitals, cell and ions by the engine of the start."""
    start, basis, mesh, *special = name.split("-")
    kept = load_start(start)
    along, across, up = (int(n) for n in (mesh[1:] * 3 if len(mesh) == 2 else mesh[1:]))
    cell, what = kept.structure, f"eight Fe2O3 with {maghemite_cells.STARTS[start][0]} Li, {start}"
    if maghemite_cells.ALONG in special:
        cell, what = maghemite_cells.with_moved_along(cell), f"{what}, moved iron parallel to that of B"
    settings = GpawSettings(
        k_mesh=(along, across, up),
        # Rock salt comes near its bounds in 110 iterations; another mixer would begin anew.
        max_iterations=250,
        hubbard_U_eV=next((U_SETS[s] for s in special if s in U_SETS), pbe_hubbard_U_eV()),
        energy_eV=BOUNDS_OF_DIFFERENCES["energy_eV"],
        density_e=BOUNDS_OF_DIFFERENCES["density_e"],
        eigenstates_eV2=BOUNDS_OF_DIFFERENCES["eigenstates_eV2"],
    )
    return Task(name, what, cell, settings, "static", "full", relaxed_by=kept.provenance.engine, basis=basis)


def _metal_task(name: str) -> Task:
    """Bcc lithium as measured, the reference of a voltage."""
    _, basis, mesh = name.split("-")
    points = int(mesh[1:])
    settings = GpawSettings(
        hubbard_U_eV={},
        k_mesh=(points, points, points),
        energy_eV=BOUNDS_OF_DIFFERENCES["energy_eV"],
        density_e=BOUNDS_OF_DIFFERENCES["density_e"],
        eigenstates_eV2=BOUNDS_OF_DIFFERENCES["eigenstates_eV2"],
    )
    return Task(
        name, "bcc Li, the reference of a voltage", maghemite_cells.lithium(), settings, "static", "full", basis=basis
    )


def _wire_task(name: str) -> Task:
    """A chain of one atom, its spacing in hundredths of an Angstrom."""
    head, cutoff, mesh, spacing = name.split("-")
    element, spacing_A = head.removeprefix("wire").capitalize(), int(spacing[1:]) / 100
    settings = GpawSettings(
        hubbard_U_eV={},
        cutoff_eV=float(cutoff[2:]),
        k_mesh=(1, 1, int(mesh[1:])),
        bands=wire_cells.BANDS,
        empty_eV=wire_cells.EMPTY_eV,
        smearing_eV=0.02,
        energy_eV=BOUNDS_OF_DIFFERENCES["energy_eV"],
        density_e=BOUNDS_OF_DIFFERENCES["density_e"],
        eigenstates_eV2=BOUNDS_OF_DIFFERENCES["eigenstates_eV2"],
    )
    what = f"chain of {element}, {spacing_A:g} A from atom to atom: open channels"
    return Task(name, what, wire_cells.chain(element, spacing_A), settings, "channels")


def _states_task(name: str) -> Task:
    """A metal's densities of states at the Fermi level, the hexagonal one with fewer points along its longer axis."""
    head, cutoff, mesh = name.split("-")
    element, points = head.removeprefix("states").capitalize(), int(mesh[1:])
    cell = gap_cells.metal(element)
    along = points if len(cell) == 1 else round(points * cell.lattice.a / cell.lattice.c)
    settings = GpawSettings(
        hubbard_U_eV={},
        cutoff_eV=float(cutoff[2:]),
        k_mesh=(points, points, along),
        bands="150%",
        energy_eV=BOUNDS_OF_DIFFERENCES["energy_eV"],
        density_e=BOUNDS_OF_DIFFERENCES["density_e"],
        eigenstates_eV2=BOUNDS_OF_DIFFERENCES["eigenstates_eV2"],
    )
    return Task(name, f"{element}: densities of states at the Fermi level", cell, settings, "states", "full")


def _cobaltate_task(name: str) -> Task:
    """Two Co of SrCoO3, parallel or antiparallel; ions without an oxygen by the engine of the start."""
    start, cutoff, _, spins, *special = name.split("-")
    settings = GpawSettings(
        cutoff_eV=float(cutoff[2:]),
        k_mesh=(4, 4, 4),
        hubbard_U_eV=next((U_SETS[s] for s in special if s in U_SETS), pbe_hubbard_U_eV()),
        energy_eV=BOUNDS_OF_DIFFERENCES["energy_eV"],
        density_e=BOUNDS_OF_DIFFERENCES["density_e"],
        eigenstates_eV2=BOUNDS_OF_DIFFERENCES["eigenstates_eV2"],
    )
    relaxed_by = None
    cell = perovskite_cells.cobaltate(start)
    if start == perovskite_cells.VACANCY:
        kept = load_start(start)
        cell, relaxed_by = kept.structure, kept.provenance.engine
    what = f"two {'parallel' if spins == 'fm' else 'antiparallel'} Co of SrCoO3, {start}"
    cell = perovskite_cells.with_spins(cell, spins, next((s for s in special if s in perovskite_cells.MOMENTS_muB), ""))
    return Task(name, what, cell, settings, "static", "full", relaxed_by=relaxed_by)


def _decay_task(name: str) -> Task:
    """Evanescent states along c of ZnO, in atomic orbitals."""
    _, basis, _, *special = name.split("-")
    settings = GpawSettings(
        cutoff_eV=500.0,
        k_mesh=(4, 4, 3),
        hubbard_U_eV=gap_cells.ZINC_OXIDE_U_eV[special[0] if special else ""],
        energy_eV=BOUNDS_OF_DIFFERENCES["energy_eV"],
        density_e=BOUNDS_OF_DIFFERENCES["density_e"],
        eigenstates_eV2=BOUNDS_OF_DIFFERENCES["eigenstates_eV2"],
    )
    what = "ZnO: how fast a current along c decays in its gap"
    return Task(name, what, gap_cells.zinc_oxide(), settings, "decay", "full", basis=basis)


def wire(element: str, spacing_A: float) -> str:
    """Name of the channels of a chain of one element with one of `wire_cells.SPACINGS_A`."""
    return f"wire{element.lower()}-pw400-n{wire_cells.POINTS}-d{round(100 * spacing_A)}"


def cobaltate(start: str, spins: str, u_set: str = "", moment: str = "") -> str:
    """Name of one of `perovskite_cells.CELLS` with one of its `SPINS` and `MOMENTS_muB` and one of `U_SETS`."""
    return "-".join([start, "pw500", "k444", spins, *filter(None, (u_set, moment))])


def lithiated_maghemite(start: str, u_set: str = "", sense: str = "", mesh: str = "k1") -> str:
    """Name of one of `maghemite_cells.STARTS` with one of `U_SETS`, a sense of moved iron and a mesh."""
    return "-".join([start, "dzp", mesh, *filter(None, (sense, u_set))])


def metal_states(element: str, points: int) -> str:
    """Name of the densities of states of one of `gap_cells.METALS` with so many k-points along an edge."""
    return f"states{element.lower()}-pw400-k{points}"


def zinc_oxide_decay(u_set: str = "") -> str:
    """Name of the evanescent states of ZnO with one of `gap_cells.ZINC_OXIDE_U_eV`."""
    return "-".join(["gapzno", "dzp", "k443", *([u_set] if u_set else [])])
