"""Coordinates in which the surroundings of a hop are about equally stiff in every direction."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from vesin import NeighborList

from .ends import Mover, movers_of

FloatArray = NDArray[np.float64]


def full_cell(atoms: Atoms) -> FloatArray:
    """Cell of three vectors, shape (3, 3): a slab may have none in the direction in which it does not repeat.

    Raises
    ------
    ValueError
        If a direction is periodic and has no vector.
    """
    empty = ~atoms.cell.any(1)
    if (empty & atoms.pbc).any():
        axis = int(np.flatnonzero(empty & atoms.pbc)[0])
        raise ValueError(
            f"cell vector {axis + 1} is zero, but the atoms repeat along it: give the vector, or set pbc to False there"
        )
    return np.asarray(atoms.cell.complete().array)


class ElasticCoordinates:
    """Positions of the free atoms, stretched by the square root of a model of the bonds.

    Parameters
    ----------
    initial, final : ase.Atoms
        Relaxed ends.
    mover : int or sequence of int
        Index of the moving ion, or of all that move together.
    """

    def __init__(self, initial: Atoms, final: Atoms, mover: Mover) -> None:
        self._origin = initial.positions.ravel().copy()
        free = np.ones(len(initial), dtype=bool)
        for constraint in initial.constraints:
            free[constraint.get_indices()] = False
        self._free = np.repeat(free, 3)
        model = bond_model([initial, final], mover)[np.ix_(self._free, self._free)]
        self._root: FloatArray = cholesky(model / np.mean(np.diag(model)), lower=True)
        line = self.to_internal(final.positions)
        directions = [line]
        for ion, axis in product(movers_of(mover), range(3)):
            moved = initial.positions.copy()
            moved[ion, axis] += 1
            directions.append(self.to_internal(moved))
        self.loose: FloatArray = np.linalg.qr(np.array(directions).T)[0]

    def to_internal(self, positions: FloatArray) -> FloatArray:
        """Coordinates of positions of shape (n, 3)."""
        return np.asarray(self._root.T @ (positions.ravel() - self._origin)[self._free])

    def to_positions(self, point: FloatArray) -> FloatArray:
        """Positions, shape (n, 3); fixed atoms where they were."""
        out = self._origin.copy()
        out[self._free] += solve_triangular(self._root.T, point, lower=False)
        return np.asarray(out.reshape(-1, 3))

    def gradient(self, forces: FloatArray) -> FloatArray:
        """Energy gradient in these coordinates from forces of shape (n, 3)."""
        return np.asarray(solve_triangular(self._root, -forces.ravel()[self._free], lower=True))


def bond_model(ends: list[Atoms], mover: Mover, sideways: float = 0.3, ground: float = 0.1) -> FloatArray:
    """Force constants of springs between neighbours, without the mover's bonds, in arbitrary units.

    Parameters
    ----------
    ends : list of ase.Atoms
        Structures to average over.
    mover : int or sequence of int
        Bonds of these ions change along the hop; each gets an isotropic block instead.
    sideways : float
        Stiffness across a bond over that along it.
    ground : float
        Stiffness of every atom against the frame.
    """
    n, movers = len(ends[0]), movers_of(mover)
    model = np.zeros((n, 3, n, 3))
    for atoms in ends:
        first, second, vectors, distances = NeighborList(cutoff=4.0, full_list=True).compute(
            atoms.positions, full_cell(atoms), periodic=atoms.pbc.tolist(), quantities="ijDd"
        )
        nearest = np.full(n, np.inf)
        np.minimum.at(nearest, first, distances)
        reach = np.maximum(nearest[first], nearest[second])
        near = (distances < 1.7 * reach) & ~np.isin(first, movers) & ~np.isin(second, movers)
        i, j = first[near], second[near]
        unit = vectors[near] / distances[near][:, None]
        strength = np.exp(-2 * ((distances[near] / reach[near]) ** 2 - 1)) / (2 * len(ends))
        block = (1 - sideways) * unit[:, :, None] * unit[:, None, :] + sideways * np.eye(3)
        block *= strength[:, None, None]
        for first_ion, second_ion, sign in ((i, i, 1.0), (j, j, 1.0), (i, j, -1.0), (j, i, -1.0)):
            where: Any = (first_ion, slice(None), second_ion)
            np.add.at(model, where, sign * block)
    out = model.reshape(3 * n, 3 * n)
    # A shift of all atoms costs no energy: without this it would cost no length either, and paths would drift.
    shift = np.tile(np.eye(3), (n, 1)) / np.sqrt(n)
    out += float(np.mean(np.diag(out))) * shift @ shift.T
    out[np.diag_indices(3 * n)] += ground
    for ion in movers:
        own = slice(3 * ion, 3 * ion + 3)
        out[own, own] += np.eye(3)
    return out
