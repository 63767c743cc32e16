"""Hops of an ion into a vacancy: both ends in one atom order, and the interstitial sites between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import PeriodicNeighbor, Structure

from ...stored.base import Stored
from ..checks.geometry import StructureError
from ..symmetry import operations_swapping, stabiliser
from .intermediate_sites import resting_places
from .vacancies import remove_site

FloatArray = NDArray[np.float64]

# No ion squeezes past the centre of another at less than this.
CLEARANCE_A = 0.8
_SAME_PLACE_A = 0.05


@dataclass
class Hop(Stored):
    """One hop with everything a band needs.

    Attributes
    ----------
    ion, from_sublattice, vacancy
        Mover's element and sublattice, and the label of the vacancy (or empty place) that it enters.
    initial, final
        Structures of the two ends with identical atom order; only the mover differs.
    intermediates
        Trial structures with the mover in an empty polyhedron between the ends (see `intermediates`).
    intermediate_labels
        What each trial is, e.g. ``"tetrahedron, nearest cation 1.82 A"``.
    mover
        Index of the moving ion in every structure.
    displacement_A
        Mover's displacement, final minus initial, minimum image, Cartesian, shape (3,); with an ion that is pushed on,
        the sum of both: from the place that was taken to the one that is.
    vacancy_position
        Fractional coordinates of that place.
    multiplicity
        Number of equivalent hops into the same place.
    relations
        Point operations (kind names) of the surrounding host that exchange the two states.
    relation_matrices
        Their Cartesian matrices, each 3x3.
    pushed
        Index of the ion of the host whose site the mover takes and which goes on to the empty place; None for a hop
        of one ion.
    """

    as_before: ClassVar[Mapping[str, Any]] = {"pushed": None}

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
    pushed: int | None = None

    @property
    def distance_A(self) -> float:
        """Length of the hop in Angstrom."""
        return float(np.linalg.norm(self.displacement_A))

    @property
    def pushes(self) -> str:
        """The ion that is pushed on and its sublattice, e.g. ``"Li(A)"``; empty for a hop of one ion."""
        if self.pushed is None:
            return ""
        site = self.initial[self.pushed]
        return f"{site.specie.symbol}({site.properties['sublattice']})"

    @property
    def label(self) -> str:
        """In words, e.g. ``"Co(B) -> V_Fe(B)"``."""
        return f"{self.ion}({self.from_sublattice}) -> {self.vacancy}" + (f" pushing {self.pushes}" * bool(self.pushes))


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
    groups = distinct_ways(structure, vacancy.coords, vacancy_label, ion, from_sublattice, cutoff_A)
    empty = remove_site(structure, vacancy_index)
    return [
        make_hop(empty, _shift(way.index, vacancy_index), way.coords, vacancy.coords, len(ways), vacancy_label)
        for way, ways in ((ways[0], ways) for ways in groups)
    ]


def hop_along(
    structure: Structure,
    vacancy_index: int,
    vacancy_label: str,
    ion: str,
    from_sublattice: str,
    displacement_A: FloatArray,
    tolerance_A: float = 0.3,
) -> Hop:
    """The hop into a vacancy along a given displacement: the same hop in a cell of another size.

    Parameters
    ----------
    structure, vacancy_index, vacancy_label, ion, from_sublattice
        As in `distinct_hops`.
    displacement_A
        Mover's displacement, Cartesian, shape (3,).
    tolerance_A
        To which it is met; the nearest is taken.

    Raises
    ------
    ValueError
        If no such ion stands there.
    """
    vacancy, along = structure[vacancy_index], np.asarray(displacement_A, dtype=float)
    length = float(np.linalg.norm(along))
    groups = distinct_ways(structure, vacancy.coords, vacancy_label, ion, from_sublattice, length + tolerance_A)
    ways = [
        (float(np.linalg.norm(vacancy.coords - w.coords - along)), w, len(group)) for group in groups for w in group
    ]
    off, way, count = min(ways, key=lambda found: found[0])
    if off >= tolerance_A:
        raise ValueError(f"no {ion}({from_sublattice}) hops into {vacancy_label} by {np.round(along, 2).tolist()} A")
    empty, mover = remove_site(structure, vacancy_index), _shift(way.index, vacancy_index)
    return make_hop(empty, mover, way.coords, vacancy.coords, count, vacancy_label)


def distinct_ways(
    structure: Structure, target: FloatArray, label: str, ion: str, from_sublattice: str, cutoff_A: float
) -> list[list[PeriodicNeighbor]]:
    """Ions that can go straight to a place, grouped by the place's site symmetry, the nearest first.

    Parameters
    ----------
    structure
        Cell with site properties; an ion on the target itself is about to leave and no obstacle.
    target
        Cartesian position in Angstrom, shape (3,).
    label
        The place in words, for messages.
    ion, from_sublattice, cutoff_A
        As in `distinct_hops`; errors as there.
    """
    near = [
        n
        for n in structure.get_sites_in_sphere(target, cutoff_A)
        if n.nn_distance > CLEARANCE_A / 2 and (n.specie.symbol, n.properties["sublattice"]) == (ion, from_sublattice)
    ]
    if not near:
        raise ValueError(f"no {ion}({from_sublattice}) within {cutoff_A} A of {label}; raise the cutoff")
    if len({n.index for n in near}) < len(near):
        raise StructureError(
            f"the cell is too small for hops up to {cutoff_A} A: an ion and its image both reach {label}; "
            "use a supercell"
        )
    near.sort(key=lambda n: (round(n.nn_distance, 4), n.index))
    blocking = [atom_in_the_way(structure, n.coords, target) for n in near]
    if None not in blocking:
        raise StructureError(
            f"every hop of {ion}({from_sublattice}) into {label} would pass through another atom "
            f"(the first through site {blocking[0]}); make it a chain of shorter hops"
        )
    return grouped(structure, target, [n for n, atom in zip(near, blocking, strict=True) if atom is None])


def grouped(structure: Structure, centre: FloatArray, near: list[PeriodicNeighbor]) -> list[list[PeriodicNeighbor]]:
    """Neighbours of a Cartesian position grouped into orbits of its site symmetry, order kept."""
    turns = [op.cartesian for op in stabiliser(structure, structure.lattice.get_fractional_coords(centre))]
    vectors = np.array([n.coords - centre for n in near])
    left, groups = list(range(len(near))), []
    while left:
        # An operation that keeps the centre turns the vectors from it; no index can mix up two images.
        images = np.array([turn @ vectors[left[0]] for turn in turns])
        group = [k for k in left if np.linalg.norm(images - vectors[k], axis=1).min() < _SAME_PLACE_A]
        groups.append([near[k] for k in group])
        left = [k for k in left if k not in group]
    return groups


def atom_in_the_way(
    structure: Structure, start: FloatArray, end: FloatArray, clearance_A: float = CLEARANCE_A
) -> int | None:
    """Index of an atom that a straight hop would run into, or None.

    Parameters
    ----------
    structure
        Cell; atoms on the two ends are no obstacles.
    start, end
        Cartesian ends in Angstrom, shape (3,).
    clearance_A
        Smallest distance of an atom from the line, in Angstrom.
    """
    length = float(np.linalg.norm(end - start))
    unit = (end - start) / length
    for other in structure.get_sites_in_sphere((start + end) / 2, length / 2 + clearance_A):
        along = float((other.coords - start) @ unit)
        aside = float(np.linalg.norm(other.coords - start - along * unit))
        if clearance_A / 2 < along < length - clearance_A / 2 and aside < clearance_A:
            return int(other.index)
    return None


def _shift(index: int, removed: int) -> int:
    return index - 1 if index > removed else index


def make_hop(state: Structure, mover: int, start: FloatArray, end: FloatArray, multiplicity: int, label: str) -> Hop:
    """One hop with its intermediates and the relations of its ends.

    Parameters
    ----------
    state
        Initial state.
    mover
        Index of the moving ion.
    start, end
        Cartesian ends in Angstrom, shape (3,); `start` may be a periodic image of the mover.
    multiplicity, label
        Kept in the hop.
    """
    site = state[mover]
    # The image of the mover in the cell makes the hop, so that interpolation never wraps.
    end = end + site.coords - start
    sites = resting_places(state, mover, site.coords, end)
    target = state.lattice.get_fractional_coords(end)
    relations = operations_swapping(state, site.frac_coords, target, without=mover)
    unique = {tuple(np.round(op.cartesian, 6).ravel()): op for op in relations}
    return Hop(
        ion=site.specie.symbol,
        from_sublattice=site.properties["sublattice"],
        vacancy=label,
        initial=state.copy(),
        final=with_ion_at(state, mover, end),
        intermediates=[with_ion_at(state, mover, place.position_A) for place in sites],
        intermediate_labels=[place.label for place in sites],
        mover=mover,
        displacement_A=[float(x) for x in end - site.coords],
        vacancy_position=[float(x) for x in np.mod(np.round(target, 12), 1.0)],
        multiplicity=multiplicity,
        relations=sorted({op.kind for op in unique.values()}),
        relation_matrices=[op.cartesian.round(9).tolist() for op in unique.values()],
    )


def with_ion_at(structure: Structure, index: int, coords: FloatArray) -> Structure:
    """Copy with one ion at other Cartesian coordinates, shape (3,)."""
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
