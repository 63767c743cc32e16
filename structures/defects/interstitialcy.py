"""Hops by interstitialcy: an inserted ion takes the site of an ion of its kind and pushes that on to the next place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import PeriodicNeighbor, Structure

from ..checks.geometry import StructureError
from ..symmetry import operations, operations_swapping, operations_taking
from .hops import Hop, atom_in_the_way, with_ion_at
from .interstitial_hops import all_places, interstitial_labels
from .interstitials import InterstitialSite, with_interstitial

FloatArray = NDArray[np.float64]
PUSH_A = 2.7
"""Longest step of either ion: an empty cube of a fluorite is 2.4 A from its anions, 16c of a spinel 1.8 A from A."""


@dataclass(frozen=True)
class _Push:
    """The lattice ion and the place that it goes to, as neighbours of the representative start."""

    ion: PeriodicNeighbor
    place: PeriodicNeighbor
    kind: int


def interstitialcy_hops(
    structure: Structure, sites: Sequence[InterstitialSite], ion: str, valence: float, cutoff_A: float = PUSH_A
) -> list[Hop]:
    """Symmetry-distinct concerted hops of an inserted ion and an ion of the host.

    Parameters
    ----------
    structure
        Cell without the inserted ion.
    sites
        Kinds of places that the ion may take, some of `interstitials.distinct_interstitial_sites`.
    ion, valence
        What is inserted; ions of the host of this element and valence are pushed, forward only: by less than a right
        angle off the way on which the inserted one comes. In rock salt these are the collinear and the non-collinear
        jump of silver halides (Friauf, 10.1103/PhysRev.105.843), in fluorite one kind of jump.
    cutoff_A
        Longest step of either ion, in Angstrom.

    Returns
    -------
    list of Hop
        Sorted by length; `Hop.displacement_A` goes from the place that was taken to the one that is, and
        multiplicities count a hop and its reverse once per cell. Empty if nothing can be pushed.

    Raises
    ------
    StructureError
        If the cell is so small that an ion or a place and its image are both in reach.
    """
    alike = [
        i for i, s in enumerate(structure) if s.specie.symbol == ion and abs(s.properties["valence"] - valence) < 1e-6
    ]
    if not alike:
        return []
    labels = interstitial_labels(structure, sites)
    places, kinds = all_places(structure, sites, operations(structure))
    marked = Structure(structure.lattice, ["X"] * len(places), places)
    out: list[tuple[tuple[float, int, int], Hop]] = []
    for first in range(len(sites)):
        start = marked[int(np.flatnonzero(kinds == first)[0])]
        pushes = [
            _Push(pushed, place, int(kinds[place.index]))
            for pushed in _reached(structure, start.coords, cutoff_A, labels[first])
            if pushed.index in alike
            for place in _reached(marked, pushed.coords, cutoff_A, labels[first])
            if kinds[place.index] >= first and _is_forward(start.coords, pushed.coords, place.coords)
        ]
        free = [p for p in pushes if _is_free(structure, start.coords, p)]
        for group in _orbits(structure, start.coords, free):
            second = group[0].kind
            pairs = int(np.sum(kinds == first)) * len(group) // (1 if second != first else 2)
            push = group[0]
            way = np.array([start.coords, push.ion.coords, push.place.coords])
            hop = pushing_hop(structure, push.ion.index, way, (ion, valence), (labels[first], labels[second]), pairs)
            out.append(((round(hop.distance_A, 4), first, second), hop))
    return [hop for _, hop in sorted(out, key=lambda item: item[0])]


def _reached(structure: Structure, centre: FloatArray, cutoff_A: float, label: str) -> list[PeriodicNeighbor]:
    near = structure.get_sites_in_sphere(centre, cutoff_A)
    if len({n.index for n in near}) < len(near):
        raise StructureError(
            f"the cell is too small for an ion that is pushed on from {label}: a site and its image are both within "
            f"{cutoff_A} A; use a supercell"
        )
    return near


def _is_forward(start: FloatArray, middle: FloatArray, end: FloatArray) -> bool:
    return bool((middle - start) @ (end - middle) > 1e-3)


def _is_free(structure: Structure, start: FloatArray, push: _Push) -> bool:
    """Whether neither step runs into an atom; the pushed ion is on its way itself."""
    steps = ((start, push.ion.coords), (push.ion.coords, push.place.coords))
    return all(atom_in_the_way(structure, *step) in (None, push.ion.index) for step in steps)


def _orbits(structure: Structure, start: FloatArray, pushes: Sequence[_Push]) -> list[list[_Push]]:
    """Pushes from one place grouped by the crystal's symmetry, each with those whose reverse it is."""
    out: list[list[_Push]] = []
    for push in sorted(pushes, key=lambda p: float(np.linalg.norm(p.place.coords - start))):
        way = _way(structure, start, push)
        for group in out:
            known = _way(structure, start, group[0])
            if any(_is_taken(structure, known, other) for other in (way, way[::-1])):
                group.append(push)
                break
        else:
            out.append([push])
    return out


def _way(structure: Structure, start: FloatArray, push: _Push) -> FloatArray:
    return np.asarray(structure.lattice.get_fractional_coords([start, push.ion.coords, push.place.coords]))


def _is_taken(structure: Structure, way: FloatArray, other: FloatArray) -> bool:
    """Whether an operation takes one way to the other; steps are compared too, as images of one site are alike."""
    matrix = structure.lattice.matrix
    steps, others = (np.diff(w, axis=0) @ matrix for w in (way, other))
    return any(
        np.allclose(steps @ op.cartesian.T, others, atol=0.05) for op in operations_taking(structure, way, other)
    )


def pushing_hop(
    structure: Structure,
    pushed: int,
    way_A: FloatArray,
    inserted: tuple[str, float],
    labels: tuple[str, str],
    multiplicity: int,
) -> Hop:
    """One hop in which an inserted ion pushes an ion of the host, both ends in one atom order, the inserted ion last.

    Parameters
    ----------
    structure
        Cell without the inserted ion.
    pushed
        Index of the ion of the host.
    way_A
        Place that is taken, site of the pushed ion or an image of it, and place that it goes to, Cartesian, shape
        (3, 3).
    inserted
        Element and valence; it gets the spin of the ion whose site it takes.
    labels
        Of both places, e.g. ``"i(16c)"``.
    multiplicity
        Kept in the hop.
    """
    lattice = structure.lattice
    state = with_interstitial(structure, lattice.get_fractional_coords(way_A[0]), *inserted, labels[0][2:-1])
    site = state[pushed]
    if "magmom" in site.properties:
        state[-1].properties["magmom"] = site.properties["magmom"]
    mover, begin = len(state) - 1, np.asarray(state[-1].coords)
    # Steps and not places: interpolation must never wrap.
    first, second = np.diff(way_A, axis=0)
    final = with_ion_at(with_ion_at(state, mover, begin + first), pushed, site.coords + second)
    target = lattice.get_fractional_coords(begin + first + second)
    relations = operations_swapping(state, lattice.get_fractional_coords(begin), target, without=mover)
    unique = {tuple(np.round(op.cartesian, 6).ravel()): op for op in relations}
    return Hop(
        ion=inserted[0],
        from_sublattice=labels[0][2:-1],
        vacancy=labels[1],
        initial=state,
        final=final,
        intermediates=[],
        intermediate_labels=[],
        mover=mover,
        displacement_A=[float(x) for x in first + second],
        vacancy_position=[float(x) for x in np.mod(np.round(target, 12), 1.0)],
        multiplicity=multiplicity,
        relations=sorted({op.kind for op in unique.values()}),
        relation_matrices=[op.cartesian.round(9).tolist() for op in unique.values()],
        pushed=int(pushed),
    )
