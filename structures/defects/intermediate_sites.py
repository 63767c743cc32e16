"""Where an ion may rest between the ends of a hop: empty polyhedra of the ions around it, by Voronoi's construction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from scipy.spatial import QhullError, Voronoi, cKDTree

from .interstitials import NAMES, OCCUPIED_A, settled_centre

FloatArray = NDArray[np.float64]
# Corners this far beyond the places that count close every polyhedron around them: wider than any of an oxide.
_MARGIN_A = 4.0
# Nearer to an end is the end itself; two sites never come so close either.
_SAME_PLACE_A = 0.6
# Farther from the line is another path.
_ASIDE_A = 1.6


@dataclass(frozen=True)
class RestingPlace:
    """An empty polyhedron between the ends of a hop.

    Attributes
    ----------
    kind
        ``"tetrahedron"`` or ``"octahedron"``.
    position_A
        Cartesian centre, shape (3,).
    gap_A
        Distance to the nearest other ion of the mover's sign, in Angstrom.
    against
        ``"cation"`` or ``"anion"``: what the gap is measured to.
    """

    kind: str
    position_A: FloatArray
    gap_A: float
    against: str

    @property
    def label(self) -> str:
        """In words, e.g. ``"tetrahedron, nearest cation 1.82 A"``."""
        return f"{self.kind}, nearest {self.against} {self.gap_A:.2f} A"


def resting_places(structure: Structure, mover: int, start: FloatArray, end: FloatArray) -> list[RestingPlace]:
    """Empty tetrahedra and octahedra between the ends of a hop, in any host.

    A cation rests between anions, an anion between cations: the corners are the ions of the other sign. In a
    spinel's B-B hop these are the two tetrahedra 8b and 48f beside the shared edge, which
    Muhich et al., 10.1021/acs.chemmater.5b03911, discuss.

    Parameters
    ----------
    structure
        Cell with the site property ``valence``; the mover is no obstacle.
    mover
        Index of the moving ion.
    start, end
        Cartesian ends of the hop in Angstrom, shape (3,).

    Returns
    -------
    list of RestingPlace
        At most 1.6 A off the line and nearer to each end than the ends are to each other, the widest gap first;
        empty if there is none.
    """
    sign = float(np.sign(structure[mover].properties["valence"]))
    if sign == 0:
        # An atom of a metal rests between any others.
        return _resting(structure, mover, start, end, lambda valence: True, "atom")
    return _resting(structure, mover, start, end, lambda valence: valence * sign < 0, "cation" if sign > 0 else "anion")


def _resting(
    structure: Structure,
    mover: int,
    start: FloatArray,
    end: FloatArray,
    is_corner: Callable[[float], bool],
    against: str,
) -> list[RestingPlace]:
    middle, length = (start + end) / 2, float(np.linalg.norm(end - start))
    reach = length / 2 + _ASIDE_A
    near = [n for n in structure.get_sites_in_sphere(middle, reach + _MARGIN_A) if n.index != mover]
    corners = np.array([n.coords for n in near if is_corner(n.properties["valence"])])
    others = np.array([n.coords for n in near if not is_corner(n.properties["valence"])])
    if len(corners) < 4:
        return []
    tree = cKDTree(corners)
    places: list[RestingPlace] = []
    try:
        vertices = Voronoi(corners).vertices
    except QhullError:
        # Corners in one plane, as on a film, close no polyhedron.
        return []
    for vertex in vertices[np.linalg.norm(vertices - middle, axis=1) < reach]:
        settled = settled_centre(vertex, corners, tree)
        if settled is None or not _is_between(settled[0], start, end):
            continue
        if any(np.linalg.norm(settled[0] - other.position_A) < _SAME_PLACE_A for other in places):
            continue
        gap = float(np.linalg.norm(others - settled[0], axis=1).min()) if len(others) else reach + _MARGIN_A
        if gap > OCCUPIED_A:
            places.append(RestingPlace(NAMES[settled[2]], settled[0], gap, against))
    return sorted(places, key=lambda place: (-round(place.gap_A, 6), tuple(np.round(place.position_A, 6))))


def _is_between(point: FloatArray, start: FloatArray, end: FloatArray) -> bool:
    length = float(np.linalg.norm(end - start))
    to_ends = [float(np.linalg.norm(point - x)) for x in (start, end)]
    along = float((point - start) @ (end - start)) / length
    aside = float(np.sqrt(max(to_ends[0] ** 2 - along**2, 0.0)))
    return min(to_ends) > _SAME_PLACE_A and max(to_ends) < length and aside < _ASIDE_A
