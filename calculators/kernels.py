"""Compiled loops of the rigid-ion model: the pairs within reach, the sum over them, and that over wave vectors.

Compiled by numba at the first call of a machine and kept beside the source, or in the user's cache where the package is
read-only. Import this module inside functions: numba takes a third of a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int32]
_F = TypeVar("_F", bound=Callable[..., Any])
# Sums may be reordered, so that they run in vector registers; infinities and NaN keep their meaning.
_REORDER = {"reassoc", "contract", "nsz", "arcp"}


def compiled(function: _F) -> _F:
    """Function as numba compiles it: kept for later processes where a folder can be written."""
    try:
        kernel: Any = njit(cache=True, fastmath=_REORDER, error_model="numpy")(function)
    except RuntimeError:
        # No folder for the cache can be written: every process compiles for itself.
        kernel = njit(fastmath=_REORDER, error_model="numpy")(function)
    return cast(_F, kernel)


@compiled
def _spline(table: FloatArray, steps: float) -> tuple[float, float]:
    """Value and slope per step of a spline of the fifth degree at a place counted in steps."""
    n = int(steps)
    x = steps - n
    c = table[n]
    value = ((((c[0] * x + c[1]) * x + c[2]) * x + c[3]) * x + c[4]) * x + c[5]
    slope = (((5.0 * c[0] * x + 4.0 * c[1]) * x + 3.0 * c[2]) * x + 2.0 * c[3]) * x + c[4]
    return value, slope


@compiled
def pair_sums(
    positions: FloatArray,
    charges: FloatArray,
    rows: IndexArray,
    second: IndexArray,
    image: IndexArray,
    translations: FloatArray,
    kind: NDArray[np.int8],
    coulomb: float,
    alpha: float,
    real_cutoff: float,
    erfc_table: FloatArray,
    erfc_steps: float,
    term_tables: FloatArray,
    term_start: float,
    term_steps: float,
    term_cutoff: float,
    energies: FloatArray,
    forces: FloatArray,
    virial: FloatArray,
) -> tuple[float, int]:
    """Screened Coulomb and short-range terms of all pairs, added to `energies`, `forces` and `virial`.

    Parameters
    ----------
    positions, charges
        Angstrom and elementary charges, shapes (n, 3) and (n,).
    rows, second, image, translations
        Half list: pairs ``rows[i]`` to ``rows[i + 1]`` of ion i, their second ions, and the lattice translation (index
        into `translations`, Angstrom) added to each of these.
    kind
        Short-range term of each pair, -1 for none.
    coulomb, alpha, real_cutoff
        Constant in eV Angstrom, screening in 1/Angstrom, cutoff in Angstrom.
    erfc_table, erfc_steps
        Spline of the complementary error function from 0 on, and its steps per unit.
    term_tables, term_start, term_steps, term_cutoff
        Splines of the terms (eV), shape (n_terms, n_steps, 6), from `term_start` on, steps per Angstrom, end.
    energies, forces, virial
        Added to: half of each pair's energy, eV; eV/Angstrom; dE/d(strain), eV, shape (3, 3).

    Returns
    -------
    shortest, pair
        Square of the shortest distance, Angstrom^2, and its pair. Terms below `term_start` are taken there.
    """
    screened_2, term_2 = real_cutoff * real_cutoff, term_cutoff * term_cutoff
    shortest, worst = np.inf, -1
    sxx = sxy = sxz = syy = syz = szz = 0.0
    for i in range(len(charges)):
        px, py, pz = positions[i, 0], positions[i, 1], positions[i, 2]
        strength = coulomb * charges[i]
        fx = fy = fz = own = 0.0
        for p in range(rows[i], rows[i + 1]):
            j, t = second[p], image[p]
            dx = positions[j, 0] + translations[t, 0] - px
            dy = positions[j, 1] + translations[t, 1] - py
            dz = positions[j, 2] + translations[t, 2] - pz
            square = dx * dx + dy * dy + dz * dz
            if square >= screened_2 and (kind[p] < 0 or square >= term_2):
                continue
            if square < shortest:
                shortest, worst = square, p
            r = np.sqrt(square)
            inverse = 1.0 / r
            energy = pull = 0.0
            if square < screened_2:
                value, slope = _spline(erfc_table, alpha * r * erfc_steps)
                bare = strength * charges[j] * inverse
                energy = bare * value
                pull = (bare * alpha * erfc_steps * slope - energy * inverse) * inverse
            if kind[p] >= 0 and square < term_2:
                value, slope = _spline(term_tables[kind[p]], max(0.0, (r - term_start) * term_steps))
                energy += value
                pull += slope * term_steps * inverse
            own += energy
            energies[j] += 0.5 * energy
            gx, gy, gz = pull * dx, pull * dy, pull * dz
            fx += gx
            fy += gy
            fz += gz
            forces[j, 0] -= gx
            forces[j, 1] -= gy
            forces[j, 2] -= gz
            sxx += gx * dx
            sxy += gx * dy
            sxz += gx * dz
            syy += gy * dy
            syz += gy * dz
            szz += gz * dz
        energies[i] += 0.5 * own
        forces[i, 0] += fx
        forces[i, 1] += fy
        forces[i, 2] += fz
    for a, b, s in ((0, 0, sxx), (0, 1, sxy), (0, 2, sxz), (1, 1, syy), (1, 2, syz), (2, 2, szz)):
        virial[a, b] += s
        if a != b:
            virial[b, a] += s
    return shortest, worst


@compiled
def image_pairs(
    places: FloatArray, cell: FloatArray, reach: FloatArray, cutoff: float
) -> tuple[IndexArray, IndexArray, IndexArray]:
    """Each pair of ions closer than a cutoff once, images of one ion included, by all images that can be so close.

    Parameters
    ----------
    places
        Fractional coordinates, shape (n, 3).
    cell
        Vectors as rows, Angstrom, shape (3, 3).
    reach
        Cutoff over the distance of opposite faces of the cell, shape (3,).
    cutoff
        Angstrom.

    Returns
    -------
    first, second, shifts
        Shapes (n_pairs,), (n_pairs,) and (n_pairs, 3): the ions, and the cell of the second one; sorted by the first.
    """
    n, found, square = len(places), 0, cutoff * cutoff
    first, second = np.empty(64 * n, np.int32), np.empty(64 * n, np.int32)
    shifts = np.empty((64 * n, 3), np.int32)
    low, high = np.empty(3, np.int32), np.empty(3, np.int32)
    for i in range(n):
        for j in range(i, n):
            da, db, dc = places[j, 0] - places[i, 0], places[j, 1] - places[i, 1], places[j, 2] - places[i, 2]
            for axis, apart in ((0, da), (1, db), (2, dc)):
                low[axis], high[axis] = np.ceil(-apart - reach[axis]), np.floor(-apart + reach[axis])
            for a in range(low[0], high[0] + 1):
                for b in range(low[1], high[1] + 1):
                    for c in range(low[2], high[2] + 1):
                        if i == j and (a, b, c) <= (0, 0, 0):
                            continue
                        fa, fb, fc = da + a, db + b, dc + c
                        x = fa * cell[0, 0] + fb * cell[1, 0] + fc * cell[2, 0]
                        y = fa * cell[0, 1] + fb * cell[1, 1] + fc * cell[2, 1]
                        z = fa * cell[0, 2] + fb * cell[1, 2] + fc * cell[2, 2]
                        if x * x + y * y + z * z >= square:
                            continue
                        if found == len(first):
                            first, second = np.append(first, first), np.append(second, second)
                            shifts = np.concatenate((shifts, shifts))
                        first[found], second[found] = i, j
                        shifts[found, 0], shifts[found, 1], shifts[found, 2] = a, b, c
                        found += 1
    return first[:found], second[:found], shifts[:found]


@compiled
def wave_sums(
    positions: FloatArray,
    charges: FloatArray,
    inverse_cell: FloatArray,
    columns: IndexArray,
    spans: IndexArray,
    weights: FloatArray,
    alpha: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Potential, field and virial of smeared charges from wave vectors.

    Parameters
    ----------
    positions, charges
        Angstrom and elementary charges, shapes (n, 3) and (n,).
    inverse_cell
        Cartesian to fractional coordinates, shape (3, 3).
    columns, spans
        Two first Miller indices of each column of wave vectors, and the largest third one with a weight (-1 for none),
        shapes (n_columns, 2) and (n_columns,).
    weights
        V/e, shape (n_columns, 2 m + 1), of the third indices -m to m.
    alpha
        Screening, 1/Angstrom.

    Returns
    -------
    potential, field, virial
        V, V/Angstrom, shapes (n,) and (n, 3), own smeared charge included, and dE/d(strain), eV, shape (3, 3).
    """
    n, middle = len(charges), weights.shape[1] // 2
    most = np.array([np.abs(columns[:, 0]).max(), np.abs(columns[:, 1]).max(), middle])
    cos = np.empty((3, most.max() + 1, n))
    sin = np.empty((3, most.max() + 1, n))
    for axis in range(3):
        for i in range(n):
            angle = 0.0
            for x in range(3):
                angle += positions[i, x] * inverse_cell[x, axis]
            # Without whole turns the angle keeps its digits.
            angle = 2.0 * np.pi * (angle - np.floor(angle))
            cos[axis, 0, i], sin[axis, 0, i] = 1.0, 0.0
            cos[axis, 1, i], sin[axis, 1, i] = np.cos(angle), np.sin(angle)
        for order in range(2, most[axis] + 1):
            for i in range(n):
                a, b = cos[axis, order - 1, i], sin[axis, order - 1, i]
                cos[axis, order, i] = a * cos[axis, 1, i] - b * sin[axis, 1, i]
                sin[axis, order, i] = a * sin[axis, 1, i] + b * cos[axis, 1, i]
    potential = np.zeros(n)
    miller = np.zeros((3, n))
    along = np.empty(n)
    column_re, column_im = np.empty(n), np.empty(n)
    virial = np.zeros((3, 3))
    wave = np.empty(3)
    for c in range(len(columns)):
        h, k = columns[c, 0], columns[c, 1]
        sign = 1.0 if k >= 0 else -1.0
        for i in range(n):
            a, b = cos[0, h, i], sin[0, h, i]
            d, e = cos[1, abs(k), i], sign * sin[1, abs(k), i]
            column_re[i] = a * d - b * e
            column_im[i] = a * e + b * d
            along[i] = 0.0
        for m in range(spans[c] + 1):
            # Both signs of the third index share their products.
            rr = ri = ir = ii = 0.0
            for i in range(n):
                qc, qs = charges[i] * cos[2, m, i], charges[i] * sin[2, m, i]
                rr += column_re[i] * qc
                ii += column_im[i] * qs
                ri += column_re[i] * qs
                ir += column_im[i] * qc
            up, down = weights[c, middle + m], 0.0 if m == 0 else weights[c, middle - m]
            up_re, up_im, down_re, down_im = rr - ii, ri + ir, rr + ii, ir - ri
            for side in range(2):
                if side == 0:
                    energy = 0.5 * up * (up_re * up_re + up_im * up_im)
                else:
                    energy = 0.5 * down * (down_re * down_re + down_im * down_im)
                if energy == 0.0:
                    continue
                third = m if side == 0 else -m
                square = 0.0
                for x in range(3):
                    wave[x] = h * inverse_cell[x, 0] + k * inverse_cell[x, 1] + third * inverse_cell[x, 2]
                    wave[x] *= 2.0 * np.pi
                    square += wave[x] * wave[x]
                stretch = 2.0 * energy * (1.0 / square + 0.25 / (alpha * alpha))
                for x in range(3):
                    virial[x, x] -= energy
                    for y in range(3):
                        virial[x, y] += stretch * wave[x] * wave[y]
            up_re, up_im, down_re, down_im = up * up_re, up * up_im, down * down_re, down * down_im
            for i in range(n):
                zc, zs = cos[2, m, i], sin[2, m, i]
                a, b = column_re[i] * zc, column_im[i] * zs
                d, e = column_re[i] * zs, column_im[i] * zc
                # exp(i k.r) of both wave vectors: (a - b) + i (d + e) and (a + b) + i (e - d).
                first = up_re * (d + e) - up_im * (a - b)
                other = down_re * (e - d) - down_im * (a + b)
                potential[i] += up_re * (a - b) + up_im * (d + e) + down_re * (a + b) + down_im * (e - d)
                along[i] += first + other
                miller[2, i] += m * (first - other)
        for i in range(n):
            miller[0, i] += h * along[i]
            miller[1, i] += k * along[i]
    field = np.empty((n, 3))
    for i in range(n):
        for x in range(3):
            along_x = 0.0
            for axis in range(3):
                along_x += miller[axis, i] * inverse_cell[x, axis]
            field[i, x] = 2.0 * np.pi * along_x
    return potential, field, virial
