"""Compiled loops of the particle mesh: charges onto it, the product with the Coulomb weights, potentials back.

Import this module inside functions, as :mod:`.kernels`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .kernels import FloatArray, compiled
from .reciprocal import SPLINE_ORDER

ComplexArray = NDArray[np.complex128]


@compiled
def _splines(offset: float, value: FloatArray, slope: FloatArray) -> None:
    """Cardinal B-spline of the points around an ion and its slopes, written into two arrays."""
    value[0], value[1] = 1.0 - offset, offset
    for k in range(3, SPLINE_ORDER + 1):
        if k == SPLINE_ORDER:
            slope[0] = -value[0]
            for j in range(1, SPLINE_ORDER - 1):
                slope[j] = value[j - 1] - value[j]
            slope[SPLINE_ORDER - 1] = value[SPLINE_ORDER - 2]
        share = 1.0 / (k - 1)
        value[k - 1] = share * offset * value[k - 2]
        for j in range(k - 2, 0, -1):
            value[j] = share * ((offset + k - 1 - j) * value[j - 1] + (j + 1 - offset) * value[j])
        value[0] *= share * (1.0 - offset)


@compiled
def _place(
    position: FloatArray, inverse_cell: FloatArray, shape: tuple[int, int, int], value: FloatArray, slope: FloatArray
) -> tuple[int, int, int]:
    """First mesh point of an ion's splines along each axis, wrapped; fills the splines, shape (3, SPLINE_ORDER)."""
    first = np.empty(3, np.int64)
    for axis in range(3):
        scaled = 0.0
        for x in range(3):
            scaled += position[x] * inverse_cell[x, axis]
        scaled *= shape[axis]
        below = np.floor(scaled)
        _splines(scaled - below, value[axis], slope[axis])
        first[axis] = (np.int64(below) + 1 - SPLINE_ORDER) % shape[axis]
    return first[0], first[1], first[2]


@compiled
def spread(positions: FloatArray, charges: FloatArray, inverse_cell: FloatArray, mesh: FloatArray) -> None:
    """Add the charges of ions to a mesh.

    Parameters
    ----------
    positions, charges
        Angstrom and elementary charges, shapes (n, 3) and (n,).
    inverse_cell
        Cartesian to fractional coordinates, shape (3, 3).
    mesh
        Added to, e.
    """
    x_points, y_points, z_points = mesh.shape
    value, slope = np.empty((3, SPLINE_ORDER)), np.empty((3, SPLINE_ORDER))
    for i in range(len(charges)):
        x0, y0, z0 = _place(positions[i], inverse_cell, mesh.shape, value, slope)
        for a in range(SPLINE_ORDER):
            x = x0 + a if x0 + a < x_points else x0 + a - x_points
            for b in range(SPLINE_ORDER):
                y = y0 + b if y0 + b < y_points else y0 + b - y_points
                share = charges[i] * value[0, a] * value[1, b]
                if z0 + SPLINE_ORDER <= z_points:
                    for c in range(SPLINE_ORDER):
                        mesh[x, y, z0 + c] += share * value[2, c]
                else:
                    for c in range(SPLINE_ORDER):
                        mesh[x, y, (z0 + c) % z_points] += share * value[2, c]


@compiled
def felt(positions: FloatArray, inverse_cell: FloatArray, mesh: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Potential and field of a mesh at ions.

    Parameters
    ----------
    positions, inverse_cell
        As for :func:`spread`.
    mesh
        Potential, V.

    Returns
    -------
    potential, field
        V, shape (n,), and V/Angstrom, shape (n, 3).
    """
    n = len(positions)
    x_points, y_points, z_points = mesh.shape
    value, slope = np.empty((3, SPLINE_ORDER)), np.empty((3, SPLINE_ORDER))
    potential, field = np.empty(n), np.empty((n, 3))
    for i in range(n):
        x0, y0, z0 = _place(positions[i], inverse_cell, mesh.shape, value, slope)
        total = along_x = along_y = along_z = 0.0
        for a in range(SPLINE_ORDER):
            x = x0 + a if x0 + a < x_points else x0 + a - x_points
            for b in range(SPLINE_ORDER):
                y = y0 + b if y0 + b < y_points else y0 + b - y_points
                plain = steep = 0.0
                if z0 + SPLINE_ORDER <= z_points:
                    for c in range(SPLINE_ORDER):
                        plain += mesh[x, y, z0 + c] * value[2, c]
                        steep += mesh[x, y, z0 + c] * slope[2, c]
                else:
                    for c in range(SPLINE_ORDER):
                        plain += mesh[x, y, (z0 + c) % z_points] * value[2, c]
                        steep += mesh[x, y, (z0 + c) % z_points] * slope[2, c]
                total += value[0, a] * value[1, b] * plain
                along_x += slope[0, a] * value[1, b] * plain
                along_y += value[0, a] * slope[1, b] * plain
                along_z += value[0, a] * value[1, b] * steep
        potential[i] = total
        for x in range(3):
            field[i, x] = -(
                along_x * x_points * inverse_cell[x, 0]
                + along_y * y_points * inverse_cell[x, 1]
                + along_z * z_points * inverse_cell[x, 2]
            )
    return potential, field


@compiled
def weigh(
    waves: ComplexArray, weights: FloatArray, inverse_cell: FloatArray, x_points: int, z_points: int, alpha: float
) -> FloatArray:
    """Multiply the transform of the charges by the Coulomb weights, in place.

    Parameters
    ----------
    waves
        Half mesh of a real transform, e.
    weights
        Of each wave vector, V/e; zero of the one without length.
    inverse_cell
        Cartesian to fractional coordinates, shape (3, 3).
    x_points, z_points
        Mesh points along the first and the last axis.
    alpha
        Screening, 1/Angstrom.

    Returns
    -------
    virial
        dE/d(strain), eV, shape (3, 3).
    """
    y_points, last = waves.shape[1], waves.shape[2] - 1
    count = 1.0 / (x_points * y_points * z_points)
    virial, turn = np.zeros((3, 3)), 2.0 * np.pi
    quarter = 0.25 / (alpha * alpha)
    total = 0.0
    xx = yy = zz = yz = xz = xy = 0.0
    for i in range(x_points):
        h = i if 2 * i <= x_points else i - x_points
        for j in range(y_points):
            k = j if 2 * j <= y_points else j - y_points
            bx = turn * (h * inverse_cell[0, 0] + k * inverse_cell[0, 1])
            by = turn * (h * inverse_cell[1, 0] + k * inverse_cell[1, 1])
            bz = turn * (h * inverse_cell[2, 0] + k * inverse_cell[2, 1])
            for m in range(last + 1):
                weight = weights[i, j, m]
                wave = waves[i, j, m]
                # Wave vectors between the first and the last plane stand for their opposites too.
                share = 0.5 if m == 0 or m == last else 1.0
                energy = share * count * weight * (wave.real * wave.real + wave.imag * wave.imag)
                waves[i, j, m] = weight * wave
                if energy == 0.0:
                    continue
                kx = bx + turn * m * inverse_cell[0, 2]
                ky = by + turn * m * inverse_cell[1, 2]
                kz = bz + turn * m * inverse_cell[2, 2]
                stretch = 2.0 * energy * (1.0 / (kx * kx + ky * ky + kz * kz) + quarter)
                total += energy
                xx += stretch * kx * kx
                yy += stretch * ky * ky
                zz += stretch * kz * kz
                yz += stretch * ky * kz
                xz += stretch * kx * kz
                xy += stretch * kx * ky
    virial[0, 0], virial[1, 1], virial[2, 2] = xx - total, yy - total, zz - total
    virial[1, 2] = virial[2, 1] = yz
    virial[0, 2] = virial[2, 0] = xz
    virial[0, 1] = virial[1, 0] = xy
    return virial
