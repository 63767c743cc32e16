"""Stray field of evenly magnetised blocks, and the phase of a magnetic force microscope above them.

A block magnetised along z carries +-M on its two faces; each is a sheet whose field has a closed form. The tip is a
dipole along z: its resonance shifts by the force gradient, delta phi = (Q/k) m d^2 B_z/dz^2.
R. Engel-Herbert and T. Hesjedal, 10.1063/1.1883308; tip as a dipole: U. Hartmann, 10.1146/annurev.matsci.29.1.53.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import constants as _c

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """A block with edges along x, y, z, magnetised along z.

    Attributes
    ----------
    low_m, high_m
        Opposite corners, shape (3,).
    magnetisation_A_per_m
        Signed, along z.
    """

    low_m: tuple[float, float, float]
    high_m: tuple[float, float, float]
    magnetisation_A_per_m: float


@dataclass(frozen=True)
class Tip:
    """Of the microscope.

    Attributes
    ----------
    moment_A_m2
        Along z.
    stiffness_N_per_m, quality
        Of the cantilever.
    """

    moment_A_m2: float = 1e-16
    stiffness_N_per_m: float = 2.8
    quality: float = 200.0

    def __post_init__(self) -> None:
        """Refuse what no cantilever has."""
        if not (self.stiffness_N_per_m > 0 and self.quality > 0 and np.isfinite(self.moment_A_m2)):
            raise ValueError(f"a tip needs stiffness and quality above 0 and a finite moment, not {self}")


def _sheet_slope(x: FloatArray, y: FloatArray, z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """d/dz of arctan(x y / (z r))."""
    r = np.sqrt(x**2 + y**2 + z**2)
    return np.asarray(-x * y * (r**2 + z**2) / (r * (x**2 + z**2) * (y**2 + z**2)))


def _corners(block: Block, points_m: FloatArray) -> list[tuple[float, FloatArray]]:
    """Signs of the eight corners, and the vectors from each to the points, shape (n, 3)."""
    ends = np.array([block.low_m, block.high_m])
    return [
        ((-1.0) ** (i + j + k + 1), points_m - np.array([ends[i, 0], ends[j, 1], ends[k, 2]]))
        for i in (0, 1)
        for j in (0, 1)
        for k in (0, 1)
    ]


def stray_field_T(blocks: Sequence[Block], points_m: ArrayLike) -> FloatArray:
    """B_z of blocks at points outside them, T.

    Parameters
    ----------
    blocks
        Magnets.
    points_m
        Shape (n, 3).
    """
    points = np.atleast_2d(np.asarray(points_m, dtype=float))
    out = np.zeros(len(points))
    for block in blocks:
        for sign, (x, y, z) in ((s, v.T) for s, v in _corners(block, points)):
            r = np.sqrt(x**2 + y**2 + z**2)
            out += sign * _c.mu_0 * block.magnetisation_A_per_m / (4 * np.pi) * np.arctan2(x * y, z * r)
    return out


def stray_curvature_T_per_m2(blocks: Sequence[Block], points_m: ArrayLike) -> FloatArray:
    """d^2 B_z/dz^2 of blocks at points above or below them, T/m2, shape (n,); arguments as `stray_field_T`."""
    points = np.atleast_2d(np.asarray(points_m, dtype=float))
    out = np.zeros(len(points))
    for block in blocks:
        scale = _c.mu_0 * block.magnetisation_A_per_m / (4 * np.pi)
        # A step along the imaginary axis is a derivative without rounding.
        step = 1e-20
        for sign, (x, y, z) in ((s, v.T) for s, v in _corners(block, points)):
            out += sign * scale * np.imag(_sheet_slope(x, y, z + 1j * step)) / step
    return out


def phase_deg(blocks: Sequence[Block], points_m: ArrayLike, tip: Tip) -> FloatArray:
    """Phase of the microscope above blocks, degrees, shape (n,); positive where the force falls off upwards.

    Parameters
    ----------
    blocks
        Magnets.
    points_m
        Of the tip's dipole, shape (n, 3), above all blocks.
    tip
        See there.

    Raises
    ------
    ValueError
        If a point is not above the blocks.
    """
    points = np.atleast_2d(np.asarray(points_m, dtype=float))
    top = max(block.high_m[2] for block in blocks)
    if not (points[:, 2] > top).all():
        raise ValueError(f"the tip must be above the blocks, which reach up to {top:g} m")
    gradient = tip.moment_A_m2 * stray_curvature_T_per_m2(blocks, points)
    return np.asarray(np.degrees(tip.quality / tip.stiffness_N_per_m * gradient))
