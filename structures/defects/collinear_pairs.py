"""Right and left: two equal ions in line with a vacancy, and how the host relates them.

Either ion may hop into the vacancy. Whether the two outcomes are the same state in another
orientation is a question of the host's symmetry: it is answered here from the structure, never assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import PeriodicNeighbor, Structure

from ...stored.base import Stored
from ..checks.geometry import check_site_index
from ..symmetry import Operation, stabiliser

FloatArray = NDArray[np.float64]
# Lines of the B sublattice meet at 60 and 90 degrees; relaxed oxides bend them by less than this.
MAX_BEND_DEG = 15.0
_SAME_PLACE_A = 0.05
# Of spinels' B sites, B lies at a sqrt(2)/4 and A beyond 1.17 times that; a coherent strain splits B by up to 1.08.
_SHELL = 1.15


@dataclass
class CollinearPair(Stored):
    """Two ions in line with a site, one pair per orbit of the site's symmetry.

    Attributes
    ----------
    ion
        Element of both ions.
    right, left
        Their indices in the structure searched; `axis` points from left to right.
    axis
        Unit vector, Cartesian, shape (3,).
    distances_A
        Distance of the right and of the left ion from the site.
    bend_deg
        Deviation of the line from 180 degrees.
    multiplicity
        Number of equivalent pairs at the site.
    relations
        Kinds of the host's operations that exchange right and left and keep the site; empty if none.
    relation_matrices
        Cartesian rotation parts of these operations, each 3x3, in the order of `relations`.
    moment_signs
        Per relation: +1 if it keeps a magnetisation (axial) along `axis`, -1 if it reverses it, 0 if it
        turns it elsewhere.
    """

    ion: str
    right: int
    left: int
    axis: list[float]
    distances_A: list[float]
    bend_deg: float
    multiplicity: int
    relations: list[str]
    relation_matrices: list[list[list[float]]]
    moment_signs: list[int]

    @property
    def relation(self) -> str:
        """All relations in words, ``"none"`` if the host does not relate the two."""
        return ", ".join(self.relations) or "none"


def collinear_pairs(
    structure: Structure, index: int, ion: str, cutoff_A: float = 3.3, max_bend_deg: float = MAX_BEND_DEG
) -> list[CollinearPair]:
    """Distinct pairs of one element in line with a site.

    Parameters
    ----------
    structure
        Perfect host cell; element, valence and spin count as colour.
    index
        Site that becomes the vacancy.
    ion
        Element of both ions.
    cutoff_A
        Largest distance of an ion from the site, in Angstrom (3.3 A: nearest B-B shell of spinels).
    max_bend_deg
        Largest deviation from a straight line, in degrees.

    Returns
    -------
    list of CollinearPair
        One per orbit, most symmetric first; multiplicities sum to the number of pairs in line.

    Raises
    ------
    ValueError
        If the index is out of range.
    """
    check_site_index(structure, index)
    pairs = _pairs_in_line(structure, index, ion, cutoff_A, max_bend_deg)
    if not pairs:
        return []
    centre = structure[index].coords
    # Operations that keep the site modulo the lattice keep it exactly after a lattice translation, so their
    # rotation parts act on positions relative to it; site indices would confuse periodic images in small cells.
    turns = {tuple(np.round(op.cartesian, 6).ravel()): op for op in stabiliser(structure, structure[index].frac_coords)}
    out = []
    while pairs:
        ends = (pairs[0][0].coords - centre, pairs[0][1].coords - centre)
        images = [(op.cartesian @ ends[0], op.cartesian @ ends[1]) for op in turns.values()]
        group = [p for p in pairs if any(_same_pair(p, image, centre) for image in images)]
        swaps = [op for op, image in zip(turns.values(), images, strict=True) if _swaps(op, image, ends)]
        out.append(_describe(pairs[0], centre, len(group), swaps))
        pairs = [p for p in pairs if not any(p is g for g in group)]
    return sorted(out, key=lambda p: (-len(p.relations), p.right))


def count_in_line(
    structure: Structure, index: int, ion: str, cutoff_A: float = 3.3, max_bend_deg: float = MAX_BEND_DEG
) -> int:
    """Number of pairs of one element in line with a site, arguments as in `collinear_pairs`."""
    return len(_pairs_in_line(structure, index, ion, cutoff_A, max_bend_deg))


def nearest_shell(structure: Structure, index: int, cutoff_A: float) -> list[PeriodicNeighbor]:
    """Nearest neighbours of a site with a charge of its sign: a spinel's B around B, also where a strain brings A near.

    Parameters
    ----------
    structure, index
        Cell and site; without the site property ``valence`` all neighbours within the cutoff are returned.
    cutoff_A
        Largest distance, in Angstrom.

    Returns
    -------
    list of PeriodicNeighbor
        Within 1.15 times the nearest one's distance.
    """
    own = np.sign(structure[index].properties.get("valence") or 0.0)
    near = [n for n in structure.get_neighbors(structure[index], cutoff_A) if n.nn_distance > _SAME_PLACE_A]
    if not own:
        return near
    alike = [n for n in near if np.sign(n.properties.get("valence") or 0.0) == own]
    shortest = min((float(n.nn_distance) for n in alike), default=0.0)
    return [n for n in alike if n.nn_distance <= _SHELL * shortest]


def _pairs_in_line(
    structure: Structure, index: int, ion: str, cutoff_A: float, max_bend_deg: float
) -> list[tuple[PeriodicNeighbor, PeriodicNeighbor]]:
    centre = structure[index]
    near = [n for n in nearest_shell(structure, index, cutoff_A) if n.specie.symbol == ion]
    near.sort(key=lambda n: (n.index, tuple(np.round(n.coords, 6))))
    return [
        (a, b)
        for a, b in combinations(near, 2)
        if _bend(a.coords - centre.coords, b.coords - centre.coords) < max_bend_deg
    ]


def _bend(first: FloatArray, second: FloatArray) -> float:
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    return 180.0 - float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _close(first: tuple[FloatArray, FloatArray], second: tuple[FloatArray, FloatArray]) -> bool:
    return all(float(np.linalg.norm(a - b)) < _SAME_PLACE_A for a, b in zip(first, second, strict=True))


def _swaps(op: Operation, image: tuple[FloatArray, FloatArray], ends: tuple[FloatArray, FloatArray]) -> bool:
    return not op.reverses_spins and _close(image, (ends[1], ends[0]))


def _same_pair(
    pair: tuple[PeriodicNeighbor, PeriodicNeighbor], image: tuple[FloatArray, FloatArray], centre: FloatArray
) -> bool:
    right, left = (n.coords - centre for n in pair)
    return _close(image, (right, left)) or _close(image, (left, right))


def _describe(
    pair: tuple[PeriodicNeighbor, PeriodicNeighbor], centre: FloatArray, multiplicity: int, swaps: list[Operation]
) -> CollinearPair:
    right, left = pair
    axis = (right.coords - left.coords) / np.linalg.norm(right.coords - left.coords)
    ops = sorted(swaps, key=lambda op: op.kind)
    along = [round(float(np.linalg.det(op.cartesian) * axis @ op.cartesian @ axis), 6) for op in ops]
    return CollinearPair(
        ion=right.specie.symbol,
        right=int(right.index),
        left=int(left.index),
        axis=[float(x) for x in axis],
        distances_A=[float(np.linalg.norm(n.coords - centre)) for n in (right, left)],
        bend_deg=_bend(right.coords - centre, left.coords - centre),
        multiplicity=multiplicity,
        relations=[op.kind for op in ops],
        relation_matrices=[op.cartesian.round(9).tolist() for op in ops],
        moment_signs=[int(x) if abs(x) == 1 else 0 for x in along],
    )
