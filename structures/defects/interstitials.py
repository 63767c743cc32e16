"""Empty tetrahedra and octahedra of the anions, by Voronoi's construction, and ions put into them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import spglib
from numpy.typing import NDArray
from pymatgen.core import Structure
from scipy.spatial import Voronoi, cKDTree

from ...stored.base import Stored
from ..spins import high_spin_moment, moment_like
from ..symmetry import DEFAULT_SYMPREC, Operation, operations

FloatArray = NDArray[np.float64]
# Corners of a polyhedron lie within this ratio of the nearest one.
_SHELL = 1.2
# Vertices of one distorted octahedron fall apart by less than this; two sites never come so close.
_MERGE_A = 0.7
OCCUPIED_A = 0.7
# Thinnest padding of periodic images that still holds every neighbour of an interstitial site in an oxide.
_PADDING_A = 6.0
_SMALLEST_A = 1.5
# Atomic number that stands for an empty place.
_VOID = 200
# In spinels 16c and 48f lie a sqrt(3)/8 and a/4 from the nearest A site, 8b and 16d more than 0.41 a.
_BESIDE_A = 2.6
NAMES = {4: "tetrahedron", 6: "octahedron"}


@dataclass(frozen=True)
class InterstitialSite(Stored):
    """A symmetry-distinct empty place between anions.

    Attributes
    ----------
    kind
        ``"tetrahedron"`` or ``"octahedron"``; of hydrogen ``"hydrogen"``, at an anion (see `hydrogen`).
    position
        Fractional coordinates of a representative, shape (3,).
    multiplicity
        Number of equivalent ones in the cell.
    anion_A, cation_A
        Distance to the nearest anion and to the nearest cation, in Angstrom.
    """

    kind: str
    position: list[float]
    multiplicity: int
    anion_A: float
    cation_A: float


def distinct_interstitial_sites(structure: Structure, anion: str | Collection[str] = "O") -> list[InterstitialSite]:
    """Empty tetrahedra and octahedra of the anions, one per orbit, the largest cation distance first.

    Parameters
    ----------
    structure
        Cell with any colours; sites other than `anion` count as cations.
    anion
        Element or elements at the corners: for an anion that is inserted the cations.

    Returns
    -------
    list of InterstitialSite
        In spinel these are 16c, 48f and 8b; occupied polyhedra are left out.

    Raises
    ------
    ValueError
        If the structure has no such anions.
    """
    centres, anion_A, corners = interstitial_centres(structure, anion)
    if not len(centres):
        return []
    gaps, _ = _Places(structure, _cations(structure, anion)).nearest(centres)
    places, ops = _Places(structure, centres), operations(structure)
    rotations, translations = np.array([op.rotation for op in ops]), np.array([op.translation for op in ops])
    left, out = np.ones(len(centres), dtype=bool), []
    for seed in range(len(centres)):
        if not left[seed]:
            continue
        distance, index = places.nearest(rotations @ centres[seed] + translations)
        group = np.unique(index[distance < _MERGE_A / 2])
        group = group[left[group]]
        left[group] = False
        position = [float(x) for x in centres[seed]]
        kind = NAMES[int(corners[seed])]
        out.append(InterstitialSite(kind, position, len(group), float(anion_A[seed]), float(gaps[seed])))
    return sorted(out, key=lambda v: (-round(v.cation_A, 4), v.multiplicity, v.position))


def interstitial_centres(
    structure: Structure, anion: str | Collection[str] = "O"
) -> tuple[FloatArray, FloatArray, NDArray[np.int_]]:
    """Centres of all empty tetrahedra and octahedra of a cell.

    Parameters
    ----------
    structure, anion
        As in `distinct_interstitial_sites`.

    Returns
    -------
    centres, anion_A, corners
        Fractional, shape (n, 3); distance to the nearest anion in Angstrom, shape (n,); 4 or 6, shape (n,).

    Raises
    ------
    ValueError
        If the structure has no such anions.
    """
    corner = _elements(anion)
    anions = np.array([s.frac_coords for s in structure if s.specie.symbol in corner])
    if not len(anions):
        raise ValueError(f"the structure holds no {' or '.join(sorted(corner))} around empty polyhedra")
    matrix = structure.lattice.matrix
    points = _padded(np.mod(anions, 1.0), structure)[0] @ matrix
    vertices = Voronoi(points).vertices
    fractional = vertices @ np.linalg.inv(matrix)
    inside = np.all((fractional > -1e-6) & (fractional < 1 - 1e-6), axis=1)
    tree = cKDTree(points)
    found = [settled for vertex in vertices[inside] if (settled := settled_centre(vertex, points, tree)) is not None]
    if not found:
        return np.empty((0, 3)), np.empty(0), np.empty(0, dtype=int)
    centres = np.mod(np.round(np.array([f[0] for f in found]) @ np.linalg.inv(matrix), 9), 1.0) % 1.0
    occupied, _ = _Places(structure, _cations(structure, anion)).nearest(centres)
    close = _Places(structure, centres).within(centres, _MERGE_A)
    lone: list[int] = []
    dropped = occupied < OCCUPIED_A
    for n, others in enumerate(close):
        if not dropped[n]:
            lone.append(n)
            dropped[others] = True
    return centres[lone], np.array([f[1] for f in found])[lone], np.array([f[2] for f in found])[lone]


def interstitial_name(structure: Structure, position: list[float] | FloatArray, kind: str) -> str:
    """Wyckoff name in the parent spinel (``16c``, ``16d``, ``48f``, ``8b``), else in the crystal's own space group.

    Without any symmetry the kind is all that can be said. In a spinel an empty octahedron that shares faces with A
    tetrahedra is 16c, otherwise an empty B site; an empty tetrahedron with an A neighbour at a/4 is 48f, otherwise 8b.
    """
    if kind not in NAMES.values() or not {"A", "B"} <= set(structure.site_properties.get("sublattice", [])):
        return void_wyckoff(structure, position) or kind
    centre = structure.lattice.get_cartesian_coords(np.asarray(position, dtype=float))
    beside_A = any(n.properties["sublattice"] == "A" for n in structure.get_sites_in_sphere(centre, _BESIDE_A))
    names = {("octahedron", True): "16c", ("octahedron", False): "16d", ("tetrahedron", True): "48f"}
    return names.get((kind, beside_A), "8b")


def void_wyckoff(structure: Structure, position: list[float] | FloatArray) -> str:
    """Wyckoff position of an empty place in the space group of the atoms, spins left aside, such as ``4b``.

    Parameters
    ----------
    structure
        Cell; a supercell has the group of its crystal.
    position
        Fractional coordinates.

    Returns
    -------
    str
        Multiplicity in the conventional cell and letter; empty in P1, where every place is ``1a``.
    """
    plain = Structure(structure.lattice, [s.specie for s in structure], structure.frac_coords)
    point = np.asarray(position, dtype=float)
    kept = equivalent_places(plain, point, operations(plain))
    numbers = [int(s.specie.Z) for s in plain] + [_VOID] * len(kept)
    places = np.vstack([plain.frac_coords, *kept])
    cell = (structure.lattice.matrix.tolist(), places.tolist(), numbers)
    dataset = spglib.get_symmetry_dataset(cell, symprec=DEFAULT_SYMPREC)
    if dataset is None or dataset.number == 1:
        return ""
    share = abs(np.linalg.det(dataset.std_lattice)) / structure.volume
    return f"{round(len(kept) * share)}{dataset.wyckoffs[len(plain)]}"


def equivalent_places(
    structure: Structure, position: FloatArray, ops: Sequence[Operation], apart_A: float = _MERGE_A / 2
) -> list[FloatArray]:
    """Places in a cell that operations take one to, fractional, each once."""
    places: list[FloatArray] = []
    for image in np.array([op.rotation @ position + op.translation for op in ops]) % 1.0 % 1.0:
        if not places or structure.lattice.get_all_distances(image, places).min() > apart_A:
            places.append(image)
    return places


def with_interstitial(
    structure: Structure, position: list[float] | FloatArray, ion: str, valence: float, sublattice: str, sense: int = 1
) -> Structure:
    """Copy of a structure with one more ion at its end.

    Parameters
    ----------
    structure
        Cell with site properties.
    position
        Fractional coordinates, e.g. `InterstitialSite.position`.
    ion, valence, sublattice
        What is put there; the moment follows from the valence (high spin).
    sense
        +1 or -1: direction of its moment (along z among vectors).

    Raises
    ------
    ValueError
        If an atom is closer than 0.7 A.
    """
    coords = np.asarray(position, dtype=float)
    nearest = float(structure.lattice.get_all_distances(coords, structure.frac_coords).min())
    if nearest < OCCUPIED_A:
        raise ValueError(f"the place for {ion} is taken: an atom is {nearest:.2f} A away")
    out = structure.copy()
    moment = moment_like(structure, sense * high_spin_moment(ion, valence))
    properties = {"valence": valence, "sublattice": sublattice, "magmom": moment}
    out.append(ion, coords, properties={k: v for k, v in properties.items() if k in structure.site_properties})
    return out


class _Places:
    """Periodic places, searched with a tree; distances beyond the padding count as that."""

    def __init__(self, structure: Structure, places: FloatArray) -> None:
        self._matrix = structure.lattice.matrix
        inside = np.mod(places, 1.0)
        padded, self._index = _padded(inside, structure)
        self._tree = cKDTree(padded @ self._matrix) if len(places) else None

    def nearest(self, positions: FloatArray) -> tuple[FloatArray, NDArray[np.int_]]:
        """Distance in Angstrom and index of the place nearest to each fractional position."""
        if self._tree is None:
            return np.full(len(positions), _PADDING_A), np.zeros(len(positions), dtype=int)
        distance, index = self._tree.query(np.mod(positions, 1.0) @ self._matrix)
        return np.minimum(np.asarray(distance), _PADDING_A), self._index[np.asarray(index)]

    def within(self, positions: FloatArray, radius_A: float) -> list[NDArray[np.int_]]:
        """Indices of the places nearer than a radius to each fractional position."""
        if self._tree is None:
            return [np.zeros(0, dtype=int) for _ in positions]
        balls = self._tree.query_ball_point(np.mod(positions, 1.0) @ self._matrix, radius_A)
        return [self._index[np.asarray(ball, dtype=int)] for ball in balls]


def _elements(anion: str | Collection[str]) -> set[str]:
    return {anion} if isinstance(anion, str) else set(anion)


def _cations(structure: Structure, anion: str | Collection[str]) -> FloatArray:
    corner = _elements(anion)
    return np.array([s.frac_coords for s in structure if s.specie.symbol not in corner]).reshape(-1, 3)


def _padded(fractional: FloatArray, structure: Structure) -> tuple[FloatArray, NDArray[np.int_]]:
    """Positions in [0, 1) with their images up to the padding, and which position each is an image of."""
    lattice = structure.lattice
    margins = np.array([_PADDING_A / lattice.d_hkl(tuple(row)) for row in np.eye(3, dtype=int).tolist()])
    reach = np.ceil(margins).astype(int)
    shifts = np.array(list(product(*(range(-n, n + 1) for n in reach))))
    images = (fractional[None] + shifts[:, None]).reshape(-1, 3)
    near = np.all((images > -margins) & (images < 1 + margins), axis=1)
    return images[near], np.tile(np.arange(len(fractional)), len(shifts))[near]


def settled_centre(vertex: FloatArray, points: FloatArray, tree: cKDTree) -> tuple[FloatArray, float, int] | None:
    """Centre of the polyhedron around a Voronoi vertex.

    Parameters
    ----------
    vertex
        Cartesian, Angstrom, shape (3,).
    points, tree
        Corners, Cartesian, shape (n, 3), and their search tree.

    Returns
    -------
    tuple or None
        Mean of the corners, their least distance from it (Angstrom) and their number, 4 or 6; None for other shapes.
    """
    distance, index = (np.asarray(distances) for distances in tree.query(vertex, k=min(8, len(points))))
    corners = int(np.sum(distance < _SHELL * distance[0]))
    if corners not in NAMES or distance[0] < _SMALLEST_A:
        return None
    centre = points[index[:corners]].mean(axis=0)
    return centre, float(np.linalg.norm(points[index[:corners]] - centre, axis=1).min()), corners
