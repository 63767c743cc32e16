"""Half neighbour lists that are built once and evaluated at many positions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from vesin import NeighborList

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int32]
# Below, a compiled loop over all pairs is quicker than a list by cells.
_BY_CELLS_FROM = 2000


@dataclass(frozen=True)
class HalfPairs:
    """Topology of a half neighbour list, usable while atoms move little.

    Parameters
    ----------
    first, second : numpy.ndarray
        Atom indices of each pair, shape (n_pairs,), sorted by `first`; images of one atom count too.
    image : numpy.ndarray
        Which of `translations` is added to the second atom, shape (n_pairs,).
    translations : numpy.ndarray
        Lattice translations, Angstrom, shape (n_translations, 3).
    n_atoms : int
        Number of atoms.
    cutoff : float
        Distance up to which pairs were collected, Angstrom.
    """

    first: IndexArray
    second: IndexArray
    image: IndexArray
    translations: FloatArray
    n_atoms: int
    cutoff: float

    @cached_property
    def rows(self) -> IndexArray:
        """Where the pairs of each atom begin, and the number of pairs; shape (n_atoms + 1,)."""
        return np.searchsorted(self.first, np.arange(self.n_atoms + 1)).astype(np.int32)

    def weighted_sum(self, values: FloatArray, weights: FloatArray) -> FloatArray:
        """Return, for each atom, the sum over its neighbours of pair value times neighbour's weight.

        Parameters
        ----------
        values : numpy.ndarray
            One value per pair, shape (n_pairs,).
        weights : numpy.ndarray
            One weight per atom, shape (n_atoms,).

        Returns
        -------
        numpy.ndarray
            Shape (n_atoms,).
        """
        n_atoms = len(weights)
        out: FloatArray = np.bincount(self.first, values * weights.take(self.second), n_atoms).astype(float)
        out += np.bincount(self.second, values * weights.take(self.first), n_atoms)
        return out


@dataclass(frozen=True)
class PairGeometry:
    """Vectors and distances of the pairs for one set of positions.

    Parameters
    ----------
    pairs : HalfPairs
        The pairs.
    vectors : numpy.ndarray
        From the first to the second atom, Angstrom, shape (3, n_pairs).
    distances : numpy.ndarray
        Angstrom, shape (n_pairs,).
    """

    pairs: HalfPairs
    vectors: FloatArray
    distances: FloatArray

    def forces_and_virial(self, slope_over_distance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Turn dE/dr / r of each pair into forces and the strain derivative of the energy.

        Parameters
        ----------
        slope_over_distance : numpy.ndarray
            (dE/dr)/r of each pair, eV/Angstrom^2, shape (n_pairs,).

        Returns
        -------
        tuple of numpy.ndarray
            Forces (n_atoms, 3) in eV/Angstrom and dE/d(strain) (3, 3) in eV.
        """
        pull = self.vectors * slope_over_distance
        pairs, n_atoms = self.pairs, self.pairs.n_atoms
        forces = np.empty((n_atoms, 3))
        for axis, component in enumerate(pull):
            forces[:, axis] = np.bincount(pairs.first, component, n_atoms)
            forces[:, axis] -= np.bincount(pairs.second, component, n_atoms)
        return forces, pull @ self.vectors.T


def neighbour_vectors(
    cell: ArrayLike, positions: ArrayLike, cutoff: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], FloatArray]:
    """Each pair of atoms (images included) closer than a cutoff from both sides.

    Parameters
    ----------
    cell, positions : array_like
        Angstrom, shapes (3, 3) and (n, 3), periodic along all three vectors.
    cutoff : float
        Angstrom.

    Returns
    -------
    first, second, vectors
        Atoms, shape (n_pairs,), sorted by the first, and the vector from it to the second, Angstrom, (n_pairs, 3).
    """
    finder = NeighborList(cutoff=cutoff, full_list=True, sorted=True)
    box, points = np.ascontiguousarray(cell, dtype=float), np.ascontiguousarray(positions, dtype=float)
    i, j, vectors = finder.compute(points=points, box=box, periodic=True, quantities="ijD")
    return i.astype(np.intp), j.astype(np.intp), np.asarray(vectors)


def half_pairs(cell: ArrayLike, positions: ArrayLike, cutoff: float, *, compiled: bool = False) -> HalfPairs:
    """Collect each pair of atoms (images included) closer than a cutoff once.

    Parameters
    ----------
    cell, positions : array_like
        Angstrom, shapes (3, 3) and (n, 3); positions may lie outside the cell.
    cutoff : float
        Angstrom.
    compiled : bool
        Use our own loop for fewer than 2000 atoms: four times as quick, for callers that load numba anyway.

    Returns
    -------
    HalfPairs
        The pairs sorted by their first atom.

    Raises
    ------
    ValueError
        If a position is not finite.
    numpy.linalg.LinAlgError
        If the cell has no volume.
    """
    box = np.ascontiguousarray(cell, dtype=float)
    points = np.ascontiguousarray(positions, dtype=float)
    if not np.isfinite(points).all():
        raise ValueError("a position is not a finite number; check the structure, or the step that moved it")
    if compiled and len(points) < _BY_CELLS_FROM:
        from .kernels import image_pairs

        inverse = np.linalg.inv(box)
        # A column of the inverse is a reciprocal vector: one over the distance of two opposite faces.
        reach = cutoff * np.linalg.norm(inverse, axis=0)
        i, j, shifts = image_pairs(points @ inverse, box, reach, float(cutoff))
    else:
        finder = NeighborList(cutoff=cutoff, full_list=False, sorted=True)
        i, j, shifts = finder.compute(points=points, box=box, periodic=True, quantities="ijS")
    most = np.abs(shifts).max(axis=0, initial=0)
    grid = [np.arange(-m, m + 1) for m in most]
    translations = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1).reshape(-1, 3) @ box
    image = np.ravel_multi_index(tuple((shifts + most).T), tuple(2 * most + 1))
    first, second = i.astype(np.int32), j.astype(np.int32)
    return HalfPairs(first, second, image.astype(np.int32), translations, len(points), float(cutoff))


def pair_geometry(pairs: HalfPairs, positions: FloatArray) -> PairGeometry:
    """Evaluate vectors and distances of known pairs at given positions.

    Parameters
    ----------
    pairs : HalfPairs
        From :func:`half_pairs`.
    positions : numpy.ndarray
        Angstrom, shape (n, 3), continuous with those that made `pairs`.

    Returns
    -------
    PairGeometry
        Vectors and distances.

    Raises
    ------
    ValueError
        If two atoms coincide.
    """
    vectors = np.ascontiguousarray(pairs.translations.take(pairs.image, axis=0).T)
    for axis, component in enumerate(np.ascontiguousarray(positions.T)):
        vectors[axis] += component.take(pairs.second)
        vectors[axis] -= component.take(pairs.first)
    distances = np.sqrt(np.einsum("ap,ap->p", vectors, vectors))
    if len(distances) and distances.min() < 1e-6:
        worst = int(distances.argmin())
        raise ValueError(f"atoms {pairs.first[worst]} and {pairs.second[worst]} coincide; remove one of the duplicates")
    return PairGeometry(pairs, vectors, distances)
