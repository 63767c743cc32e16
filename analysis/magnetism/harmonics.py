"""Real spherical harmonics and least-squares fits of E(n)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import sph_harm_y

FloatArray = NDArray[np.float64]


def real_harmonics(vectors: ArrayLike, degrees: Sequence[int]) -> FloatArray:
    """Orthonormal real spherical harmonics.

    Parameters
    ----------
    vectors
        Unit vectors, shape (n, 3).
    degrees
        Degrees l; each gives 2l + 1 columns, m from -l to l.

    Returns
    -------
    ndarray
        Shape (n, number of functions).
    """
    v = np.asarray(vectors, dtype=float)
    theta = np.arccos(np.clip(v[:, 2], -1, 1))
    phi = np.arctan2(v[:, 1], v[:, 0])
    degree, order = _orders(tuple(degrees))
    # (-1)^m takes out the Condon-Shortley phase, so that l = 1 is proportional to (y, z, x).
    y = np.where(order % 2, -1.0, 1.0) * sph_harm_y(degree, np.abs(order), theta[:, None], phi[:, None])
    return np.asarray(np.where(order == 0, 1.0, np.sqrt(2)) * np.where(order < 0, y.imag, y.real))


@lru_cache(maxsize=16)
def _orders(degrees: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Degree and order of each function, shape (number of functions,)."""
    pairs = np.array([(degree, m) for degree in degrees for m in range(-degree, degree + 1)])
    return pairs[:, 0], pairs[:, 1]


@dataclass(frozen=True)
class HarmonicFit:
    """Least-squares fit of E(n), meV.

    Attributes
    ----------
    degrees
        Degrees fitted.
    coefficients
        In the order of `real_harmonics`, meV.
    covariance
        Of the coefficients, meV^2, from the residual variance; NaN where as many energies as coefficients
        leave no residual to judge by.
    residual_rms_meV
        Root mean square of what the fit leaves.
    """

    degrees: tuple[int, ...]
    coefficients: FloatArray
    covariance: FloatArray
    residual_rms_meV: float

    def __call__(self, vectors: ArrayLike) -> FloatArray:
        """Fitted energies in meV at unit vectors, shape (n,)."""
        return np.asarray(real_harmonics(vectors, self.degrees) @ self.coefficients)

    def power(self, degree: int) -> float:
        """Root of the sum of squared coefficients of one degree, meV."""
        start = 0
        for d in self.degrees:
            if d == degree:
                return float(np.linalg.norm(self.coefficients[start : start + 2 * d + 1]))
            start += 2 * d + 1
        raise ValueError(f"degree {degree} was not fitted; fitted: {self.degrees}")


def fit_harmonics(vectors: ArrayLike, energies_meV: ArrayLike, degrees: Sequence[int] = (0, 2, 4)) -> HarmonicFit:
    """Fit E(n) by real spherical harmonics.

    Parameters
    ----------
    vectors
        Unit vectors, shape (n, 3).
    energies_meV
        Energies, shape (n,).
    degrees
        Degrees to fit.

    Raises
    ------
    ValueError
        If the directions do not determine the coefficients.
    """
    design = real_harmonics(vectors, degrees)
    energies = np.asarray(energies_meV, dtype=float)
    rank = int(np.linalg.matrix_rank(design, tol=1e-8))
    if rank < design.shape[1]:
        raise ValueError(
            f"{len(energies)} directions determine {rank} of the {design.shape[1]} coefficients of degrees "
            f"{tuple(degrees)}: use a larger Lebedev order or fewer degrees"
        )
    coefficients, *_ = np.linalg.lstsq(design, energies, rcond=None)
    residual = energies - design @ coefficients
    freedom = len(energies) - design.shape[1]
    variance = float(residual @ residual) / freedom if freedom else float("nan")
    covariance = np.asarray(variance * np.linalg.inv(design.T @ design), dtype=np.float64)
    return HarmonicFit(tuple(degrees), coefficients, covariance, float(np.sqrt(np.mean(residual**2))))
