"""Reciprocal half of an Ewald sum on a mesh: smooth particle mesh with cubes of B-splines and one FFT each way.

U. Essmann et al., J. Chem. Phys. 103, 8577 (1995), DOI 10.1063/1.470117.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import irfftn, next_fast_len, rfftn

from ..structures.units import COULOMB_eV_A
from .reciprocal import EwaldParameters, cell_volume

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

ORDER = 6
# Step of the mesh times alpha at an accuracy of 1e-6, and how it shrinks: the interpolation error falls with the
# power ORDER of the step, and alpha grows a little with the accuracy. Measured.
_STEP_AT_1E6 = 0.15
_POWER = 5.5


@dataclass(frozen=True)
class MeshLattice:
    """Mesh, Coulomb weights and splines' factors of one cell and split.

    Parameters
    ----------
    inverse_cell : numpy.ndarray
        Maps Cartesian to fractional coordinates, shape (3, 3).
    shape : tuple of int
        Mesh points along the three cell vectors.
    weights : numpy.ndarray
        Coulomb weight of each wave vector times the splines' factors, V/e, on the half mesh of a real FFT.
    stretch : numpy.ndarray
        What turns the energy of each wave vector into the strain derivative, shape (6, n_half_mesh).
    volume : float
        Cell volume, Angstrom^3.
    parameters : EwaldParameters
        Split; its reciprocal cutoff is not used.
    """

    inverse_cell: FloatArray
    shape: tuple[int, int, int]
    weights: FloatArray
    stretch: FloatArray
    volume: float
    parameters: EwaldParameters

    def field(self, positions: FloatArray, charges: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Potential, field and virial of the smeared charges.

        Parameters
        ----------
        positions, charges : numpy.ndarray
            Angstrom and elementary charges, shapes (n, 3) and (n,).

        Returns
        -------
        tuple of numpy.ndarray
            Potential (n,) in V and field (n, 3) in V/Angstrom, both with the own smeared charge, and
            dE/d(strain) (3, 3) in eV.
        """
        n, size = len(charges), np.array(self.shape)
        scaled = (positions @ self.inverse_cell) * size
        base = np.floor(scaled)
        value, slope = _splines((scaled - base).T)
        lines = (base.T.astype(np.intp)[:, :, None] + np.arange(1 - ORDER, 1)) % size[:, None, None]
        plane = (lines[0][:, :, None] * size[1] + lines[1][:, None, :]) * size[2]
        where = (plane.reshape(n, -1)[:, :, None] + lines[2][:, None, :]).ravel()
        sheet = (value[0][:, :, None] * value[1][:, None, :]).reshape(n, -1)
        cloud = ((charges[:, None] * sheet)[:, :, None] * value[2][:, None, :]).ravel()
        mesh = np.bincount(where, cloud, int(size.prod())).reshape(self.shape)
        waves = rfftn(mesh)
        energies = self._energies(waves)
        waves *= self.weights
        potential = irfftn(waves, s=self.shape, overwrite_x=True).ravel()
        felt = potential.take(where).reshape(n, ORDER * ORDER, ORDER)
        felt = np.matmul(felt, np.stack([value[2], slope[2]], axis=2))
        plain = felt[:, :, 0].reshape(n, ORDER, ORDER)
        along_y = np.einsum("nab,nb->na", plain, value[1])
        gradient = np.stack(
            [
                np.einsum("na,na->n", along_y, slope[0]),
                np.einsum("nab,na,nb->n", plain, value[0], slope[1]),
                np.einsum("nk,nk->n", felt[:, :, 1], sheet),
            ],
            axis=1,
        )
        field = -(gradient * size) @ self.inverse_cell.T
        return np.einsum("na,na->n", along_y, value[0]), field, self._virial(energies)

    def _energies(self, waves: NDArray[np.complex128]) -> FloatArray:
        """Energy of each wave vector of the half mesh, those that stand for their opposite counted twice."""
        count = float(np.prod(self.shape))
        energy = (waves.real**2 + waves.imag**2) * self.weights
        last = energy.shape[2]
        energy[:, :, 1 : last - 1] *= 2.0
        return np.asarray(0.5 / count * energy.ravel())

    def _virial(self, energies: FloatArray) -> FloatArray:
        xx, yy, zz, yz, xz, xy = self.stretch @ energies
        return np.asarray(np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) - energies.sum() * np.eye(3))


def mesh_lattice(cell: ArrayLike, parameters: EwaldParameters, accuracy: float = 1e-6) -> MeshLattice:
    """Choose a mesh for a cell and tabulate its weights.

    Parameters
    ----------
    cell : array_like
        Angstrom, shape (3, 3).
    parameters : EwaldParameters
        Split.
    accuracy : float
        Wanted error of energies (eV per ion) and forces (eV/Angstrom).

    Returns
    -------
    MeshLattice
        Table for :func:`.ewald.far_field`; valid while the cell stays the same.
    """
    box = np.asarray(cell, dtype=float)
    volume, inverse, alpha = cell_volume(box), np.linalg.inv(box), parameters.alpha
    # Coarser than at 1e-5 the power law of the error holds no longer, and little time is saved.
    step = _STEP_AT_1E6 * (min(accuracy, 1e-5) / 1e-6) ** (1.0 / _POWER) / alpha
    # Distances between lattice planes, not lengths of cell vectors, are what the mesh divides.
    heights = 1.0 / np.linalg.norm(inverse, axis=0)
    x, y, z = (_even_fast_length(max(2 * ORDER, int(np.ceil(h / step)))) for h in heights)
    miller = [np.fft.fftfreq(x, 1.0 / x), np.fft.fftfreq(y, 1.0 / y), np.arange(z // 2 + 1, dtype=float)]
    h, k, m = np.meshgrid(*miller, indexing="ij")
    waves = 2.0 * np.pi * np.stack([h.ravel(), k.ravel(), m.ravel()], axis=1) @ inverse.T
    square = np.einsum("mx,mx->m", waves, waves)
    square[0] = np.inf
    weights = 4.0 * np.pi * COULOMB_eV_A / volume * np.exp(-square / (4.0 * alpha**2)) / square
    b = [_moduli(n)[np.abs(f).astype(int) % n] for n, f in zip((x, y, z), miller, strict=True)]
    weights *= (b[0][:, None, None] * b[1][:, None] * b[2]).ravel() * float(x * y * z)
    factor = 2.0 * (1.0 / square + 0.25 / alpha**2)
    factor[0] = 0.0
    stretch = np.stack([factor * waves[:, i] * waves[:, j] for i, j in _VOIGT])
    return MeshLattice(inverse, (x, y, z), weights.reshape(x, y, z // 2 + 1), stretch, volume, parameters)


_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def _even_fast_length(least: int) -> int:
    """Twice a length that FFTs like."""
    return 2 * int(next_fast_len(-(-least // 2), real=True))


def _splines(offset: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Cardinal B-splines of the points around an ion and their slopes, shapes (3, n, ORDER).

    Parameters
    ----------
    offset
        Distance to the mesh point below, in steps, shape (3, n).
    """
    w = offset
    values = [1.0 - w, w]
    slopes = values
    for k in range(3, ORDER + 1):
        if k == ORDER:
            slopes = [-values[0], *(values[j - 1] - values[j] for j in range(1, k - 1)), values[-1]]
        padded = [0.0 * w, *values, 0.0 * w]
        values = [((w + k - 1 - j) * padded[j] + (j + 1 - w) * padded[j + 1]) / (k - 1) for j in range(k)]
    return np.stack(values, axis=2), np.stack(slopes, axis=2)


def _moduli(n: int) -> FloatArray:
    """Squares of the splines' interpolation factors at each wave number, shape (n,)."""
    at_points = _splines(np.zeros((3, 1)))[0][0, 0]
    sums = np.exp(2j * np.pi / n * np.outer(np.arange(n), np.arange(ORDER))) @ at_points
    return np.asarray(1.0 / np.abs(sums) ** 2)
