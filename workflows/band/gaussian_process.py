"""Gaussian process on energies and gradients, the stand-in for the engine between force calls.

The squared-exponential kernel in many dimensions splits exactly: gradients inside the span of the known
points couple with each other, gradients across it do not. The dense part therefore grows with the number
of points only, not with the number of atoms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from .elastic import ElasticCoordinates

FloatArray = NDArray[np.float64]

RELATIVE_NOISE = 1e-3
"""Noise of gradients over the scale of the surface, of an engine whose forces are exact."""
MOVER_SHARE = 0.5
"""Stiffness that holds the mover across the line, over that of its surroundings."""


class Kernel:
    """What a Gaussian process knows of its points before any energy is there.

    Processes of one length at the same points share it: its factors are what they cost.

    Parameters
    ----------
    points : numpy.ndarray
        Known points, shape (n, d).
    length : float
        Length of the squared-exponential kernel.
    noise : float
        Of gradients, over the scale of the surface; energies get a tenth of it.
    """

    def __init__(self, points: FloatArray, length: float, noise: float = RELATIVE_NOISE) -> None:
        self.length = length
        self.z = z = points / length
        n = len(z)
        _, sizes, right = np.linalg.svd(z - z[0], full_matrices=False)
        p = int(np.sum(sizes > 1e-6 * max(float(sizes[0]), 1e-9)))
        self.basis: FloatArray = right[:p].T
        self.inside: FloatArray = (z - z[0]) @ self.basis
        kernel, dense = _gram(self.inside)
        slope_noise, energy_noise = (noise * length) ** 2, (0.1 * noise) ** 2
        dense[np.diag_indices_from(dense)] += np.tile(np.r_[energy_noise, np.full(p, slope_noise)], n)
        self.dense = cho_factor(dense, lower=True)
        self.thin = cho_factor(kernel + slope_noise * np.eye(n), lower=True)


class GaussianProcess:
    """Posterior of an energy surface from energies and gradients.

    Parameters
    ----------
    kernel : Kernel
        Of the known points, shape (n, d).
    energies : numpy.ndarray
        Energies there, shape (n,).
    gradients : numpy.ndarray
        Gradients there, shape (n, d).
    mean : float
        Energy far from every known point.
    """

    def __init__(self, kernel: Kernel, energies: FloatArray, gradients: FloatArray, mean: float) -> None:
        self.length, self.mean = kernel.length, mean
        self._z, self._z0 = kernel.z, kernel.z[0]
        self.basis, self._inside = kernel.basis, kernel.inside
        self._dense, self._thin = kernel.dense, kernel.thin
        n, d = self._z.shape
        p = self.basis.shape[1]
        scaled = gradients * self.length
        g_in = scaled @ self.basis
        g_out = scaled - g_in @ self.basis.T
        residual = np.concatenate([(energies - mean)[:, None], g_in], axis=1).ravel()
        weights = cho_solve(self._dense, residual)
        across = cho_solve(self._thin, g_out)
        self._a = weights.reshape(n, p + 1)[:, 0]
        self.pulls: FloatArray = weights.reshape(n, p + 1)[:, 1:] @ self.basis.T + across
        self._zw, self._zz = np.sum(self._z * self.pulls, axis=1), np.sum(self._z * self._z, axis=1)
        count = n * (d + 1)
        self.variance = max(float(residual @ weights + np.sum(g_out * across)) / count, 1e-300)
        self.log_likelihood = float(
            -0.5 * count * np.log(self.variance)
            - np.log(np.diag(self._dense[0])).sum()
            - (d - p) * np.log(np.diag(self._thin[0])).sum()
            + n * d * np.log(self.length)
        )

    def predict(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Energies, shape (b,), and gradients, shape (b, d), at points of shape (b, d)."""
        z = points / self.length
        squares = np.sum(z * z, axis=1)[:, None] + self._zz - 2 * z @ self._z.T
        kernel = np.exp(-0.5 * np.maximum(squares, 0))
        weight = kernel * (self._a + z @ self.pulls.T - self._zw)
        gradient = kernel @ self.pulls - (weight.sum(axis=1)[:, None] * z - weight @ self._z)
        return self.mean + weight.sum(axis=1), gradient / self.length

    def deviation(self, points: FloatArray) -> FloatArray:
        """Standard deviation of the energy at points of shape (b, d)."""
        x = points / self.length - self._z0
        inside = x @ self.basis
        out = np.maximum(np.sum(x * x, axis=1) - np.sum(inside * inside, axis=1), 0)
        gap = inside[:, None] - self._inside[None]
        kernel = np.exp(-0.5 * (np.sum(gap * gap, axis=-1) + out[:, None]))
        rows = np.concatenate([kernel[:, :, None], kernel[:, :, None] * gap], axis=2).reshape(len(x), -1)
        known = np.sum(rows * cho_solve(self._dense, rows.T).T, axis=1)
        known += out * np.sum(kernel * cho_solve(self._thin, kernel.T).T, axis=1)
        return np.asarray(np.sqrt(np.maximum(1 - known, 0) * self.variance))


def _gram(inside: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Energy kernel (n, n) and joint matrix of energies and in-span gradients."""
    n, p = inside.shape
    gap = inside[:, None] - inside[None]
    kernel = np.exp(-0.5 * np.sum(gap * gap, axis=-1))
    slope = kernel[:, :, None] * gap
    joint = np.empty((n, p + 1, n, p + 1))
    joint[:, 0, :, 0] = kernel
    joint[:, 0, :, 1:] = slope
    joint[:, 1:, :, 0] = -slope.transpose(0, 2, 1)
    for a in range(p):
        joint[:, 1 + a, :, 1:] = -slope[:, :, a, None] * gap
        joint[:, 1 + a, :, 1 + a] += kernel
    return kernel, joint.reshape(n * (p + 1), -1)


class Surrogate:
    """A Gaussian process on what a harmonic environment, or the surface of a cheaper engine, leaves over.

    Parameters
    ----------
    points, energies, gradients
        See `GaussianProcess`.
    length, stiffness
        Kernel length, and stiffness of everything across `free`.
    free : numpy.ndarray
        Orthonormal directions, shape (d, m): the straight line, without harmonic term, then the mover's others.
    below : Surrogate, optional
        Of a cheaper engine, in the same coordinates; stands in place of the harmonic environment.
    kernel : Kernel, optional
        Of these points and this length, if it is there already.
    """

    def __init__(
        self,
        points: FloatArray,
        energies: FloatArray,
        gradients: FloatArray,
        length: float,
        stiffness: float,
        free: FloatArray,
        below: Surrogate | None = None,
        kernel: Kernel | None = None,
    ) -> None:
        self.length, self.stiffness, self._free, self._origin = length, stiffness, free, points[0]
        self.below = below
        h, dh = self._base(points)
        mean = float(energies.max()) if below is None else float(np.mean(energies - h))
        self._gp = GaussianProcess(kernel or Kernel(points, length), energies - h, gradients - dh, mean)
        self.log_likelihood = self._gp.log_likelihood

    def _base(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self._harmonic(points) if self.below is None else self.below.predict(points)

    def _harmonic(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        u = points - self._origin
        along = u @ self._free
        u = u - along @ self._free.T
        # Across the line the mover is held weakly (the first direction is the line itself).
        held = MOVER_SHARE * along[:, 1:]
        side = held @ self._free[:, 1:].T
        weak = 0.5 * self.stiffness * np.sum(held * along[:, 1:], axis=1)
        return weak + 0.5 * self.stiffness * np.sum(u * u, axis=1), self.stiffness * (u + side)

    def predict(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Energies and gradients at points of shape (b, d)."""
        h, dh = self._base(points)
        e, g = self._gp.predict(points)
        return h + e, dh + g

    def deviation(self, points: FloatArray) -> FloatArray:
        """Standard deviation of the energy at points of shape (b, d)."""
        return self._gp.deviation(points)

    def subspace(self, point: FloatArray) -> FloatArray:
        """Orthonormal directions, shape (d, m), outside which the gradient at a point is harmonic."""
        rows = np.vstack([self._gp.basis.T, self._gp.pulls, self._free.T, (point - self._origin)[None]])
        if self.below is not None:
            rows = np.vstack([rows, self.below.subspace(point).T])
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        _, sizes, right = np.linalg.svd(rows, full_matrices=False)
        return np.asarray(right[sizes > 1e-5].T)


@dataclass(frozen=True)
class CheapSurface:
    """What a cheaper engine's search leaves to an expensive one.

    Attributes
    ----------
    top
        Its highest saddle.
    space, model
        Its coordinates and its last surrogate in them; None if only its path is of use.
    """

    top: Atoms
    space: ElasticCoordinates | None = None
    model: Surrogate | None = None


def bent(energies: FloatArray, level: float, scale: float) -> tuple[FloatArray, FloatArray]:
    """Energies bent to a logarithm above a level, and the slope of that map.

    A rising map of the energy moves no path, saddle or minimum, and keeps one image
    that ran into another ion from shortening the kernel everywhere.
    """
    above = np.maximum(energies - level, 0.0) / scale
    return np.minimum(energies, level) + scale * np.log1p(above), 1 / (1 + above)


class SurrogateChoice(NamedTuple):
    """What the data choose of a surrogate, by likelihood: see `Surrogate` and `Kernel`."""

    length: float
    stiffness: float
    noise: float = RELATIVE_NOISE


def best_surrogate(
    points: FloatArray,
    energies: FloatArray,
    gradients: FloatArray,
    free: FloatArray,
    choices: Sequence[SurrogateChoice],
    below: Surrogate | None = None,
) -> tuple[Surrogate, SurrogateChoice]:
    """The surrogate that makes the data most likely, and its choice; a cheaper engine's surface, if that helps."""
    by_kernel = {(c.length, c.noise): c for c in choices}
    kernels = {key: Kernel(points, *key) for key in by_kernel}
    wanted: list[tuple[SurrogateChoice, Surrogate | None]] = [(c, None) for c in choices]
    if below is not None:
        wanted += [(c, below) for c in by_kernel.values()]
    fits = [
        (Surrogate(points, energies, gradients, c.length, c.stiffness, free, base, kernels[c.length, c.noise]), c)
        for c, base in wanted
    ]
    return max(fits, key=lambda fit: fit[0].log_likelihood)


def stationary_point(
    surrogate: Surrogate, start: FloatArray, tangent: FloatArray | None, trust: float, steps: int = 40
) -> tuple[FloatArray, FloatArray]:
    """Saddle along a tangent, or minimum without one, by eigenvector following on the surrogate.

    Returns
    -------
    tuple
        Point, and curvatures in the surrogate's subspace.
    """
    basis = surrogate.subspace(start)
    y, h = start.copy(), 1e-3
    mode = np.zeros_like(start)
    values = np.zeros(basis.shape[1])
    for step_number in range(steps):
        gradient = basis.T @ surrogate.predict(y[None])[1][0]
        if step_number % 3 == 0:
            ahead = surrogate.predict(y + h * basis.T)[1]
            behind = surrogate.predict(y - h * basis.T)[1]
            hessian = (ahead - behind) @ basis / (2 * h)
            values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
        pace = np.maximum(np.abs(values), 0.3)
        if tangent is not None:
            along = basis.T @ (tangent if not mode.any() else mode)
            chosen = int(np.argmax((vectors.T @ along) ** 2 * np.where(values < 0, 4.0, 1.0)))
            pace[chosen] *= -1
            mode = basis @ vectors[:, chosen]
        q = -vectors @ ((vectors.T @ gradient) / pace)
        size = float(np.linalg.norm(q))
        y = y + basis @ (q * min(1.0, 0.1 / max(size, 1e-12)))
        away = y - start
        if float(np.linalg.norm(away)) > trust:
            y = start + away * trust / float(np.linalg.norm(away))
        if size < 1e-3:
            break
    return y, values
