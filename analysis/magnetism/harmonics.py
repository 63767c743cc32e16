"""Real spherical harmonics and least-squares fits of E(n)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
_Recurrence = tuple[NDArray[np.int64], NDArray[np.int64], FloatArray, FloatArray, FloatArray, FloatArray]


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
    x, y, z = np.asarray(vectors, dtype=float).T
    degree, order, scale, up, down, first = _recurrence(tuple(degrees))
    # (x + iy)^m = sin(theta)^m exp(i m phi); the other factor is a polynomial in z, by its recurrence in l.
    turns = np.cumprod(np.vstack([np.ones_like(z), *len(up[0, 1:]) * [x + 1j * y]]), axis=0)
    heights = np.zeros((len(up), *turns.shape))
    heights[0, 0] = first[0]
    for n in range(1, len(up)):
        heights[n] = up[n, :, None] * (z * heights[n - 1] - down[n, :, None] * heights[n - 2])
        heights[n, n] = first[n]
    turned = turns[np.abs(order)]
    return np.asarray(
        (heights[degree, np.abs(order)] * np.where(order[:, None] < 0, turned.imag, turned.real)).T * scale
    )


@lru_cache(maxsize=16)
def _recurrence(degrees: tuple[int, ...]) -> _Recurrence:
    """Degree, order and factor of each function, and the recurrence of the factors in z.

    Normalised associated Legendre functions over sin(theta)^m, without the Condon-Shortley phase, are
    ``Q[l, m] = up[l, m] (z Q[l - 1, m] - down[l, m] Q[l - 2, m])`` for l > m and ``first[m]`` for l = m.
    """
    degree, order = np.array([(one, m) for one in degrees for m in range(-one, one + 1)]).T
    n, m = np.arange(max(degrees) + 1)[:, None], np.arange(max(degrees) + 1)[None, :]
    inside = m < n
    up, down = np.zeros(inside.shape), np.zeros(inside.shape)
    up[inside] = np.sqrt(np.maximum(4 * n**2 - 1, 0) / np.where(inside, n**2 - m**2, 1))[inside]
    down[inside] = np.sqrt(np.maximum((n - 1) ** 2 - m**2, 0) / (4 * (n - 1) ** 2 - 1.0).clip(3))[inside]
    first = np.sqrt((2 * m[0] + 1) / (4 * np.pi) * np.cumprod(np.append(1.0, 1 - 0.5 / m[0, 1:])))
    return degree, order, np.where(order == 0, 1.0, np.sqrt(2)), up, down, first


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
