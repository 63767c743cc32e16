"""Hops into and between empty polyhedra: an ion of the host, or one that was inserted, enters an interstitial."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import PeriodicNeighbor, Structure

from ..checks.geometry import StructureError
from ..symmetry import Operation, operations
from .hops import CLEARANCE_A, Hop, atom_in_the_way, grouped, make_hop
from .interstitials import InterstitialSite, equivalent_places, interstitial_name, with_interstitial

FloatArray = NDArray[np.float64]
_SAME_PLACE_A = 0.05


def interstitial_labels(structure: Structure, sites: Sequence[InterstitialSite]) -> list[str]:
    """``i(8b)``, numbered ``i(16c,1)``, ``i(16c,2)`` where one kind splits; in the order of `sites`."""
    names = [interstitial_name(structure, v.position, v.kind) for v in sites]
    total, seen, out = Counter(names), Counter[str](), []
    for name in names:
        seen[name] += 1
        out.append(f"i({name},{seen[name]})" if total[name] > 1 else f"i({name})")
    return out


def interstitial_hops(
    structure: Structure,
    sites: Sequence[InterstitialSite],
    ion: str,
    valence: float,
    cutoff_A: float,
    sense: int = 1,
    clearance_A: float = CLEARANCE_A,
) -> list[Hop]:
    """Symmetry-distinct hops of an inserted ion from one empty place to another.

    Parameters
    ----------
    structure
        Cell without the inserted ion.
    sites
        Some of `interstitials.distinct_interstitial_sites`: the kinds of places that the ion may take.
    ion, valence, sense
        As in `with_interstitial`; the sublattice is the name of the place where the ion starts.
    cutoff_A
        Longest hop, in Angstrom.
    clearance_A
        Smallest distance of an atom from the line between two places, in Angstrom.

    Returns
    -------
    list of Hop
        Sorted by length. A hop and its reverse are one; multiplicities count them once per cell.

    Raises
    ------
    ValueError
        If no two places lie within the cutoff.
    StructureError
        If the cell is so small that a place and its image are both in reach, or every hop would pass through
        another atom.
    """
    labels = interstitial_labels(structure, sites)
    ops = operations(structure)
    places, kinds = all_places(structure, sites, ops)
    marked = Structure(structure.lattice, ["X"] * len(places), places)
    out: list[tuple[tuple[float, int, int], Hop]] = []
    blocked = False
    for first in range(len(sites)):
        start = int(np.flatnonzero(kinds == first)[0])
        near = [
            n
            for n in marked.get_sites_in_sphere(marked[start].coords, cutoff_A)
            if n.nn_distance > _SAME_PLACE_A and kinds[n.index] >= first
        ]
        if len({n.index for n in near}) < len(near) or any(n.index == start for n in near):
            raise StructureError(
                f"the cell is too small for hops up to {cutoff_A} A between {labels[first]} and its like: "
                "a place and its image are both in reach; use a supercell"
            )
        open_ways = [n for n in near if atom_in_the_way(structure, marked[start].coords, n.coords, clearance_A) is None]
        blocked = blocked or len(open_ways) < len(near)
        groups = grouped(structure, marked[start].coords, open_ways)
        for ways in _without_reverses(structure, marked[start].coords, groups, ops):
            second = int(kinds[ways[0].index])
            pairs = int(np.sum(kinds == first)) * len(ways) // (1 if second != first else 2)
            state = with_interstitial(structure, marked[start].frac_coords, ion, valence, labels[first][2:-1], sense)
            hop = make_hop(state, len(state) - 1, state[-1].coords, ways[0].coords, pairs, labels[second])
            out.append(((round(hop.distance_A, 4), first, second), hop))
    if not out:
        reason = "every hop would pass through another atom" if blocked else f"no two places within {cutoff_A} A"
        raise StructureError(f"{reason}: raise the cutoff or allow more kinds of places")
    return [hop for _, hop in sorted(out, key=lambda item: item[0])]


def all_places(
    structure: Structure, sites: Sequence[InterstitialSite], ops: Sequence[Operation]
) -> tuple[FloatArray, NDArray[np.int_]]:
    """Every place of the given kinds: fractional, shape (n, 3), and which kind, shape (n,)."""
    places, kinds = [], []
    for kind, site in enumerate(sites):
        kept = equivalent_places(structure, np.asarray(site.position), ops, _SAME_PLACE_A)
        if len(kept) != site.multiplicity:
            raise StructureError(
                f"the {site.kind} at {site.position} has {len(kept)} images in this cell, not {site.multiplicity}: "
                "take the interstitial sites of this very cell"
            )
        places += kept
        kinds += [kind] * len(kept)
    return np.array(places), np.array(kinds)


def _without_reverses(
    structure: Structure, start: FloatArray, groups: list[list[PeriodicNeighbor]], ops: Sequence[Operation]
) -> list[list[PeriodicNeighbor]]:
    """Groups of ways from a place with each pair of groups that are each other's reverse joined into one."""
    left, out = list(groups), []
    while left:
        seed = left.pop(0)
        end = structure.lattice.get_fractional_coords(seed[0].coords)
        begin = structure.lattice.get_fractional_coords(start)
        for op in ops:
            # An operation that takes the end to the start turns the way back into a way from the start.
            off = op.rotation @ end + op.translation - begin
            if np.linalg.norm((off - np.rint(off)) @ structure.lattice.matrix) > _SAME_PLACE_A:
                continue
            back = op.cartesian @ (start - seed[0].coords)
            for other in left:
                if any(np.linalg.norm(n.coords - start - back) < _SAME_PLACE_A for n in other):
                    seed = seed + other
                    left.remove(other)
                    break
        out.append(seed)
    return out
