"""Imported bands as hops of the study: which ion moves, into which place, over what barriers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Structure

from ...analysis.kinetics.migration import Migration, migration_from_band
from ...analysis.results.calculation import Band, BandImage, ImageKind
from ...calculators.rigid_ion import spread_charge
from ...structures.defects.difference import CellDifference, UnlikeCellsError, cell_difference, same_lattice
from ...structures.host import Host
from ...structures.symmetry import DEFAULT_SYMPREC, operations_swapping, stabiliser
from ..vasp.finished.document import VaspBand, VaspRun
from .choosing import Chosen
from .consistency import differences_to_say, unlike
from .documents import INTERSTITIAL, provenance_of
from .host import for_symmetry, formal_valences, with_host_roles
from .run_folder import RunFolder
from .sorting import Sorted, near_composition

# A second ion that goes more than this part of the mover's way takes part in the hop.
_ALSO_MOVES = 0.5
# No neighbouring images of a band are further apart: their atoms are numbered differently.
LARGEST_STEP_A = 4.0
UNNAMED_PLACE = "empty place"
NO_PERFECT = "no perfect cell with the band's lattice: the place that the ion enters is not named, nor its equivalents"
NOT_CHECKED = ("number of imaginary modes at each saddle (no phonons)", "reverse band from scratch")


@dataclass
class ImportedHop:
    """A band as a hop of the study.

    Attributes
    ----------
    folder
        Its folder.
    band
        Images with energies and point-charge dipoles.
    migration
        As the study shows it.
    relation_matrices
        Cartesian operations of the host that exchange the two states, each 3x3.
    """

    folder: RunFolder
    band: Band
    migration: Migration
    relation_matrices: list[list[list[float]]]

    def output(self) -> dict[str, Any]:
        """What a migration stage gives; without the two ends, as nobody computed what a field does to them."""
        return {"read": {"migration": self.migration, "relation_matrices": self.relation_matrices}, "fields": []}


@dataclass(frozen=True)
class _Place:
    """Where the mover comes from and goes to, in the perfect cell."""

    host_site: str
    vacancy: str
    multiplicity: int
    relations: list[str]
    matrices: list[list[list[float]]]
    notes: list[str]


def hops_of(
    bands: Sequence[RunFolder],
    arranged: Sorted,
    chosen: Chosen,
    host: Host | None,
    hubbard_U_eV: Mapping[str, float],
    accepted: Collection[str] = (),
) -> list[ImportedHop]:
    """Every sound band of the host as a hop, the lowest forward barrier first; the others say why they are none.

    Parameters
    ----------
    bands
        Folders that were read as bands; their reasons and remarks are added to.
    arranged
        Where perfect cells are looked for.
    chosen
        Whose host the bands must share functional, U and PAW data sets with.
    host
        Whose sublattices name ions and places; None for one that is not built in.
    hubbard_U_eV
        Of the set.
    accepted
        Differences that the user answers for.
    """
    hops = []
    for run in bands:
        if run.band is None or run.refused:
            continue
        runs = [p.run for p in run.band.points[1:-1] if p.run is not None]
        anchor = chosen.supercell or chosen.bulk
        if not runs:
            run.refused.append("no image says how it was computed")
            continue
        cell = run.band.points[0].structure
        if cell is None or not near_composition(cell.composition, anchor.structure.composition):
            inside = "an unknown cell" if cell is None else cell.composition.reduced_formula
            run.refused.append(f"a hop in {inside}, not in {arranged.formula}")
            continue
        run.judge(unlike(anchor.done, runs[0]), anchor, accepted)
        run.notes += differences_to_say(anchor.done, runs[0])
        if run.refused:
            continue
        try:
            hops.append(_hop(run, run.band, runs, arranged, host, hubbard_U_eV))
        except ValueError as error:
            run.refused.append(str(error))
    for end, run in arranged.ends:
        if run.refused:
            end.refused.append(f"the band {run.place.name} is not used")
    return sorted(hops, key=lambda hop: hop.migration.forward_eV)


def _hop(
    run_folder: RunFolder,
    band: VaspBand,
    runs: Sequence[VaspRun],
    arranged: Sorted,
    host: Host | None,
    hubbard_U_eV: Mapping[str, float],
) -> ImportedHop:
    path = continuous_path([p.structure for p in band.points])
    ways = np.linalg.norm(path[-1].cart_coords - path[0].cart_coords, axis=1)
    mover = int(np.argmax(ways))
    perfect, differences = _perfect_of(path, arranged)
    cell = None if perfect is None else with_host_roles(perfect.structure, host, perfect.done.site_moments_muB)
    path = [_with_roles(s, cell, differences[0] if differences else None, run) for s, run in _with_runs(path, band)]
    place = _place(path, mover, cell, differences)
    ion = path[0][mover].specie.symbol
    notes = [*band.notes, *place.notes]
    if others := [i for i, way in enumerate(ways) if i != mover and way > _ALSO_MOVES * ways[mover]]:
        moving = ", ".join(f"{path[0][i].specie.symbol} by {ways[i]:.2f} A" for i in others)
        notes.append(f"not the hop of one ion: {moving} beside {ion} by {ways[mover]:.2f} A")
    climbed = any(run.incar.get("LCLIMB") or run.parameters.get("LCLIMB") for run in runs)
    if not climbed:
        notes.append("no image climbed (LCLIMB): the saddle may lie higher than the highest image")
    charge = next((run.charge_e for run in runs if run.charge_e is not None), None)
    if charge is not None and round(charge):
        notes.append(f"the cell carries {round(charge):+d} e; dipoles are those of the neutral cell")
    document = _band_document(
        replace(run_folder, run=runs[0]), band, path, mover, climbed=climbed, notes=notes, hubbard_U_eV=hubbard_U_eV
    )
    # From relaxed end to relaxed end: the host's own sites are not always known.
    migration = migration_from_band(
        document,
        label=f"{ion}{'' if place.host_site == ion else f'({place.host_site})'} -> {place.vacancy}",
        ion=ion,
        host_site=place.host_site,
        vacancy=place.vacancy,
        displacement_A=[float(x) for x in path[-1][mover].coords - path[0][mover].coords],
        multiplicity=place.multiplicity,
        relation=place.relations,
        fields_V_per_A=[0.0],
    )
    run_folder.what = f"{migration.label}, {len(path)} images, barriers {migration.forward_eV:.3f} and "
    run_folder.what += f"{migration.backward_eV:.3f} eV"
    return ImportedHop(run_folder, document, migration, place.matrices)


def continuous_path(structures: Sequence[Structure | None]) -> list[Structure]:
    """Images whose ions follow one another without jumps across the cell's faces.

    Parameters
    ----------
    structures
        Images in order, with the same atoms in the same order.

    Raises
    ------
    ValueError
        If an image has no structure, other atoms or another lattice, or an ion jumps further than `LARGEST_STEP_A`:
        then the images number their atoms differently.
    """
    out: list[Structure] = []
    for number, structure in enumerate(structures):
        if structure is None:
            raise ValueError(f"image {number:02d} has no structure")
        symbols = [s.specie.symbol for s in structure]
        if not out:
            out.append(Structure(structure.lattice, symbols, structure.frac_coords, to_unit_cell=False))
            continue
        last = out[-1]
        if symbols != [s.specie.symbol for s in last] or not same_lattice(last, structure):
            raise ValueError(f"image {number:02d} has other atoms or another lattice than the one before it")
        step = structure.frac_coords - last.frac_coords
        step -= np.rint(step)
        furthest = float(np.linalg.norm(step @ last.lattice.matrix, axis=1).max())
        if furthest > LARGEST_STEP_A:
            raise ValueError(
                f"an ion is {furthest:.1f} A from where it was one image before {number:02d}: the atoms are numbered "
                "differently"
            )
        out.append(Structure(last.lattice, symbols, last.frac_coords + step, to_unit_cell=False))
    return out


def _perfect_of(path: Sequence[Structure], arranged: Sorted) -> tuple[RunFolder | None, list[CellDifference]]:
    """A perfect cell of the band's lattice, and what either end removes from it; None and nothing without one."""
    for perfect in arranged.perfect:
        if not perfect.usable or len(perfect.structure) == len(path[0]) or not same_lattice(perfect.structure, path[0]):
            continue
        try:
            return perfect, [cell_difference(perfect.structure, end) for end in (path[0], path[-1])]
        except UnlikeCellsError:
            continue
    return None, []


def _with_runs(path: Sequence[Structure], band: VaspBand) -> list[tuple[Structure, VaspRun | None]]:
    """Images with their runs; that of an end which was found elsewhere may number its atoms otherwise."""
    inner = range(1, len(path) - 1)
    return [(s, band.points[i].run if i in inner else None) for i, s in enumerate(path)]


def _with_roles(
    structure: Structure, cell: Structure | None, difference: CellDifference | None, run: VaspRun | None
) -> Structure:
    """An image with sublattices, formal valences and moments of its ions."""
    out = structure.copy()
    symbols = [s.specie.symbol for s in out]
    by_formula = formal_valences(out.composition)
    roles: list[tuple[str, float]] = [(s, by_formula[s]) for s in symbols]
    if cell is not None and difference is not None:
        known = {s.specie.symbol: float(s.properties["valence"]) for s in cell}
        roles = [
            (INTERSTITIAL, known.get(symbol, float((Element(symbol).common_oxidation_states or (0,))[0])))
            if site is None
            else (str(cell[site].properties["sublattice"]), float(cell[site].properties["valence"]))
            for symbol, site in zip(symbols, difference.same_site, strict=True)
        ]
    moments = None if run is None else run.site_moments_muB
    out.add_site_property("sublattice", [name for name, _ in roles])
    out.add_site_property("valence", [value for _, value in roles])
    out.add_site_property("magmom", [float(m) for m in moments or [0.0] * len(out)])
    return out


def _place(
    path: Sequence[Structure], mover: int, cell: Structure | None, differences: Sequence[CellDifference]
) -> _Place:
    own = str(path[0][mover].properties["sublattice"])
    if cell is None:
        return _Place(own, UNNAMED_PLACE, 1, [], [], [NO_PERFECT])
    here, there = (d.same_site[mover] for d in differences)
    if there is None or here is None:
        note = "an end of the hop is no site of the host: its equivalents are not counted"
        return _Place(own, UNNAMED_PLACE if there is None else _vacancy(cell, there), 1, [], [], [note])
    if here == there:
        raise ValueError(f"no ion changes its site: {path[0][mover].specie.symbol} stays on its own in both ends")
    if [(c.site, c.added) for c in differences[0].changes] != [(there, None)]:
        note = "more than the vacancy differs from the perfect cell: equivalent hops are not counted"
        return _Place(own, _vacancy(cell, there), 1, [], [], [note])
    count, relations, matrices = equivalents(cell, here, there)
    return _Place(own, _vacancy(cell, there), count, relations, matrices, [])


def _vacancy(cell: Structure, site: int) -> str:
    element, sublattice = cell[site].specie.symbol, str(cell[site].properties["sublattice"])
    return f"V_{element}" + ("" if sublattice == element else f"({sublattice})")


def equivalents(cell: Structure, start: int, end: int) -> tuple[int, list[str], list[list[list[float]]]]:
    """Equivalent hops into one site of a perfect cell, and the operations that exchange start and end.

    Parameters
    ----------
    cell
        Perfect cell with roles.
    start, end
        Sites of the mover before and after the hop.

    Returns
    -------
    tuple
        Number of equivalent hops into `end`, kinds of the operations, and their Cartesian matrices.
    """
    plain = for_symmetry(cell)
    fixed = [op for op in stabiliser(plain, plain[end].frac_coords) if not op.reverses_spins]
    images: list[NDArray[np.float64]] = []
    for op in fixed:
        image = op.rotation @ plain[start].frac_coords + op.translation
        apart = [image - other for other in images]
        if not any(np.linalg.norm((d - np.rint(d)) @ plain.lattice.matrix) < DEFAULT_SYMPREC * 10 for d in apart):
            images.append(image)
    state = plain.copy()
    state.remove_sites([end])
    without = start - 1 if start > end else start
    swapping = operations_swapping(state, plain[start].frac_coords, plain[end].frac_coords, without=without)
    unique = {tuple(np.round(op.cartesian, 6).ravel()): op for op in swapping}
    kinds = sorted({op.kind for op in unique.values()})
    return max(1, len(images)), kinds, [op.cartesian.round(9).tolist() for op in unique.values()]


def _band_document(
    run_folder: RunFolder,
    band: VaspBand,
    path: Sequence[Structure],
    mover: int,
    *,
    climbed: bool,
    notes: list[str],
    hubbard_U_eV: Mapping[str, float],
) -> Band:
    energies = [float(p.energy_eV) for p in band.points if p.energy_eV is not None]
    if len(energies) != len(path):
        raise ValueError("not every image has an energy")
    charges = _charges(path[0], mover)
    top = int(np.argmax(energies))
    images, arc = [], 0.0
    for k, (structure, energy) in enumerate(zip(path, energies, strict=True)):
        arc += float(np.linalg.norm(structure.cart_coords - path[max(0, k - 1)].cart_coords))
        moved = structure.cart_coords - path[0].cart_coords
        kind: ImageKind = "end" if k in (0, len(path) - 1) else "saddle" if climbed and k == top else "image"
        images.append(
            BandImage(
                energy_eV=energy - energies[0],
                arc_A=arc,
                mover_A=float(np.linalg.norm(moved[mover])),
                dipole_e_A=[float(x) for x in charges @ moved],
                kind=kind,
                structure=structure,
                site_moments_muB=None if (run := band.points[k].run) is None else run.site_moments_muB,
            )
        )
    return Band(
        mover=mover,
        images=images,
        dipole_source="point charges",
        dipole_note="formal charges; the missing charge is spread over the ions of positive valence but the mover",
        force_calls=sum(p.run.ionic_steps for p in band.points if p.run is not None),
        checks=band.checks,
        not_checked=list(NOT_CHECKED),
        notes=notes,
        provenance=provenance_of(run_folder, hubbard_U_eV),
    )


def _charges(structure: Structure, mover: int) -> NDArray[np.float64]:
    """Formal charges of a neutral cell, e, shape (n,); zeros where the elements have none."""
    valence = np.array(structure.site_properties["valence"], dtype=float)
    keep = valence < 0
    keep[mover] = True
    if not valence.any() or keep.all():
        return np.zeros(len(valence))
    return np.asarray(spread_charge(valence, keep), dtype=float)
