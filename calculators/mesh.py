"""Reciprocal half of an Ewald sum on a mesh: smooth particle mesh with B-splines and one FFT each way.

U. Essmann et al., J. Chem. Phys. 103, 8577 (1995), DOI 10.1063/1.470117.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import irfftn, next_fast_len, rfftn
from scipy.interpolate import BSpline

from ..structures.units import COULOMB_eV_A
from .reciprocal import SPLINE_ORDER, EwaldParameters, cell_volume

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

# Step of the mesh times alpha at an accuracy of 1e-6, and how it shrinks: the interpolation error falls with the
# power SPLINE_ORDER of the step, and alpha grows a little with the accuracy. Measured.
_STEP_AT_1E6 = 0.25
_POWER = 7.5


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
    volume : float
        Cell volume, Angstrom^3.
    parameters : EwaldParameters
        Split; its reciprocal cutoff is not used.
    """

    inverse_cell: FloatArray
    shape: tuple[int, int, int]
    weights: FloatArray
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
        from .mesh_kernels import felt, spread, weigh

        mesh = np.zeros(self.shape)
        spread(positions, charges, self.inverse_cell, mesh)
        waves = rfftn(mesh)
        virial: FloatArray = weigh(
            waves, self.weights, self.inverse_cell, self.shape[0], self.shape[2], self.parameters.alpha
        )
        mesh = irfftn(waves, s=self.shape, overwrite_x=True)
        potential, field = felt(positions, self.inverse_cell, mesh)
        return potential, field, virial


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
    x, y, z = (_even_fast_length(max(2 * SPLINE_ORDER, int(np.ceil(h / step)))) for h in heights)
    miller = [np.fft.fftfreq(x, 1.0 / x), np.fft.fftfreq(y, 1.0 / y), np.arange(z // 2 + 1, dtype=float)]
    square = np.zeros((x, y, z // 2 + 1))
    for row in inverse:  # one Cartesian component after the other, so that no table of vectors is held
        square += (miller[0][:, None, None] * row[0] + miller[1][:, None] * row[1] + miller[2] * row[2]) ** 2
    square *= (2.0 * np.pi) ** 2
    square[0, 0, 0] = np.inf
    weights = np.exp(square / (-4.0 * alpha**2)) / square
    factors = [_moduli(n)[np.abs(f).astype(int) % n] for n, f in zip((x, y, z), miller, strict=True)]
    weights *= factors[0][:, None, None] * factors[1][:, None] * factors[2]
    weights *= 4.0 * np.pi * COULOMB_eV_A / volume * float(x * y * z)
    return MeshLattice(inverse, (x, y, z), weights, volume, parameters)


def _even_fast_length(least: int) -> int:
    """Twice a length that FFTs like."""
    return 2 * int(next_fast_len(-(-least // 2), real=True))


def _moduli(n: int) -> FloatArray:
    """Squares of the splines' interpolation factors at each wave number, shape (n,)."""
    points = np.arange(1, SPLINE_ORDER)
    at_points = BSpline.basis_element(np.arange(SPLINE_ORDER + 1))(points)
    sums = np.exp(2j * np.pi / n * np.outer(np.arange(n), points)) @ at_points
    return np.asarray(1.0 / np.abs(sums) ** 2)
