"""Hops of an ion into a vacancy: both ends in one atom order, and the void between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from monty.json import MSONable
from numpy.typing import NDArray
from pymatgen.core import PeriodicNeighbor, PeriodicSite, Structure

from .checks import StructureError
from .symmetry import image_of_site, operations_swapping, stabiliser
from .vacancies import remove_site

# No ion squeezes past the centre of another at less than this.
CLEARANCE_A = 0.8


@dataclass
class Hop(MSONable):
    """One hop with everything a band needs.

    Attributes
    ----------
    ion, from_sublattice, vacancy
        Mover's element and sublattice, and the vacancy's label.
    initial, final
        Structures of the two ends with identical atom order; only the mover differs.
    intermediates
        Trial structures with the mover in an empty tetrahedron between the ends.
    intermediate_labels
        What each trial is, e.g. ``"tetrahedron, nearest cation 1.82 A"``.
    mover
        Index of the moving ion in every structure.
    displacement_A
        Mover's displacement, final minus initial, minimum image, Cartesian, shape (3,).
    vacancy_position
        Fractional coordinates of the vacancy of the initial state.
    multiplicity
        Number of equivalent hops into the same vacancy.
    relations
        Point operations (kind names) of the surrounding host that exchange the two states.
    """

    ion: str
    from_sublattice: str
    vacancy: str
    initial: Structure
    final: Structure
    intermediates: list[Structure]
    intermediate_labels: list[str]
    mover: int
    displacement_A: list[float]
    vacancy_position: list[float]
    multiplicity: int
    relations: list[str]
    relation_matrices: list[list[list[float]]]

    @property
    def distance_A(self) -> float:
        """Length of the hop in Angstrom."""
        return float(np.linalg.norm(self.displacement_A))


def distinct_hops(
    structure: Structure,
    vacancy_index: int,
    vacancy_label: str,
    ion: str,
    from_sublattice: str,
    cutoff_A: float,
) -> list[Hop]:
    """Symmetry-distinct hops of an element into one vacancy.

    Parameters
    ----------
    structure
        Perfect supercell with site properties.
    vacancy_index
        Site that is taken out.
    vacancy_label
        Its name, kept in the hop.
    ion, from_sublattice
        The mover.
    cutoff_A
        Longest hop, in Angstrom.

    Returns
    -------
    list of Hop
        Sorted by length, one per orbit of the vacancy's site symmetry.

    Raises
    ------
    ValueError
        If no such ion is within the cutoff, every hop would pass through another atom, or the cell is so
        small that one ion reaches the vacancy on two ways.
    """
    vacancy = structure[vacancy_index]
    empty = remove_site(structure, vacancy_index)
    neighbours = [
        n
        for n in structure.get_neighbors(vacancy, cutoff_A)
        if n.specie.symbol == ion and n.properties["sublattice"] == from_sublattice
    ]
    if not neighbours:
        raise ValueError(f"no {ion}({from_sublattice}) within {cutoff_A} A of {vacancy_label}; raise the cutoff")
    if len({n.index for n in neighbours}) < len(neighbours):
        raise StructureError(
            f"the cell is too small for hops up to {cutoff_A} A: an ion and its image both reach {vacancy_label}; "
            "use a supercell"
        )
    open_ways = [n for n in neighbours if atom_in_the_way(structure, vacancy_index, n) is None]
    if not open_ways:
        blocking = atom_in_the_way(structure, vacancy_index, neighbours[0])
        raise StructureError(
            f"every hop of {ion}({from_sublattice}) into {vacancy_label} would pass through another atom "
            f"(the first through site {blocking}); make it a chain of shorter hops"
        )
    neighbours = open_ways
    groups = _orbits_of_neighbours(empty, vacancy.frac_coords, [_shift(n.index, vacancy_index) for n in neighbours])
    hops = [_make_hop(empty, vacancy, members[0], len(members), vacancy_label) for members in groups]
    return sorted(hops, key=lambda h: h.distance_A)


def atom_in_the_way(
    structure: Structure, vacancy_index: int, mover: PeriodicNeighbor, clearance_A: float = CLEARANCE_A
) -> int | None:
    """Index of an atom that a straight hop would run into, or None.

    Parameters
    ----------
    structure
        Perfect cell.
    vacancy_index
        Where the hop ends.
    mover
        Where it starts, as a neighbour of the vacancy.
    clearance_A
        Smallest distance of an atom from the line, in Angstrom.
    """
    end = structure[vacancy_index].coords
    line = end - mover.coords
    length = float(np.linalg.norm(line))
    unit = line / length
    for other in structure.get_sites_in_sphere((mover.coords + end) / 2, length / 2 + clearance_A):
        along = float((other.coords - mover.coords) @ unit)
        aside = float(np.linalg.norm(other.coords - mover.coords - along * unit))
        if clearance_A / 2 < along < length - clearance_A / 2 and aside < clearance_A:
            return int(other.index)
    return None


def _shift(index: int, removed: int) -> int:
    return index - 1 if index > removed else index


def _orbits_of_neighbours(empty: Structure, vacancy: NDArray[np.float64], movers: list[int]) -> list[list[int]]:
    ops = stabiliser(empty, vacancy)
    left, groups = sorted(set(movers)), []
    while left:
        seed = left[0]
        images = {image_of_site(empty, op, empty[seed].frac_coords) for op in ops} | {seed}
        group = [m for m in left if m in images]
        groups.append(group)
        left = [m for m in left if m not in group]
    return groups


def _make_hop(empty: Structure, vacancy: PeriodicSite, mover: int, multiplicity: int, label: str) -> Hop:
    start = empty[mover]
    delta = np.array(vacancy.frac_coords) - start.frac_coords
    delta -= np.rint(delta)
    displacement = empty.lattice.get_cartesian_coords(delta)
    # The final end keeps the mover's image next to its start, so that interpolation never wraps.
    final = _move(empty, mover, start.coords + displacement)
    voids = tetrahedral_voids_between(empty, mover, start.coords, start.coords + displacement)
    without_pair = remove_site(empty, mover)
    relations = operations_swapping(without_pair, start.frac_coords, np.array(vacancy.frac_coords))
    unique = {tuple(np.round(op.cartesian, 6).ravel()): op for op in relations}
    return Hop(
        ion=start.specie.symbol,
        from_sublattice=start.properties["sublattice"],
        vacancy=label,
        initial=empty.copy(),
        final=final,
        intermediates=[_move(empty, mover, position) for position, _ in voids],
        intermediate_labels=[f"tetrahedron, nearest cation {gap:.2f} A" for _, gap in voids],
        mover=mover,
        displacement_A=[float(x) for x in displacement],
        vacancy_position=[float(x) for x in vacancy.frac_coords],
        multiplicity=multiplicity,
        relations=sorted({op.kind for op in unique.values()}),
        relation_matrices=[op.cartesian.round(9).tolist() for op in unique.values()],
    )


def _move(structure: Structure, index: int, coords: NDArray[np.float64]) -> Structure:
    out = structure.copy()
    site = structure[index]
    out.replace(
        index,
        site.specie,
        coords=coords,
        coords_are_cartesian=True,
        properties=dict(site.properties),
    )
    return out


def tetrahedral_voids_between(
    structure: Structure,
    mover: int,
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    offsets_A: tuple[float, float] = (0.6, 1.6),
) -> list[tuple[NDArray[np.float64], float]]:
    """Centres of empty oxygen tetrahedra beside the middle of a hop.

    The mover of a B-B hop in spinel crosses a triangular face into a tetrahedron about halfway,
    off the line; Muhich et al., 10.1021/acs.chemmater.5b03911 discuss such paths.

    Parameters
    ----------
    structure
        Cell with the vacancy; `mover` is ignored as an obstacle.
    mover
        Index of the moving ion.
    start, end
        Cartesian ends of the hop, Angstrom, shape (3,).
    offsets_A
        Allowed distance of a void from the middle of the hop.

    Returns
    -------
    list of (position, gap)
        Cartesian centre and distance to the nearest other cation in Angstrom, widest gap first.
    """
    middle = (start + end) / 2
    near = [n for n in structure.get_sites_in_sphere(middle, 4.5) if n.index != mover]
    oxygens = np.array([n.coords for n in near if n.specie.symbol == "O"])
    cations = np.array([n.coords for n in near if n.specie.symbol != "O"])
    found: list[tuple[NDArray[np.float64], float]] = []
    for seed in _directions_around(end - start):
        centre = _settle(middle + 1.05 * seed, oxygens)
        if centre is None or not offsets_A[0] < np.linalg.norm(centre - middle) < offsets_A[1]:
            continue
        if any(np.linalg.norm(centre - other) < 0.3 for other, _ in found):
            continue
        found.append((centre, float(np.min(np.linalg.norm(cations - centre, axis=1)))))
    return sorted(found, key=lambda item: -item[1])


def _directions_around(axis: NDArray[np.float64], count: int = 8) -> NDArray[np.float64]:
    unit = axis / np.linalg.norm(axis)
    helper = np.eye(3)[int(np.argmin(np.abs(unit)))]
    first = np.cross(unit, helper)
    first /= np.linalg.norm(first)
    second = np.cross(unit, first)
    angles = 2 * np.pi * np.arange(count) / count
    return np.asarray(np.cos(angles)[:, None] * first + np.sin(angles)[:, None] * second)


def _settle(position: NDArray[np.float64], oxygens: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Move to the centre of the four nearest oxygens; None unless they form a tetrahedron around it."""
    for _ in range(20):
        nearest = oxygens[np.argsort(np.linalg.norm(oxygens - position, axis=1))[:4]]
        centre = nearest.mean(axis=0)
        if np.linalg.norm(centre - position) < 1e-6:
            break
        position = centre
    bonds = nearest - position
    bonds /= np.linalg.norm(bonds, axis=1)[:, None]
    cosines = (bonds @ bonds.T)[np.triu_indices(4, 1)]
    is_tetrahedron = bool(np.all(np.abs(cosines + 1 / 3) < 0.35))
    return position if is_tetrahedron else None
