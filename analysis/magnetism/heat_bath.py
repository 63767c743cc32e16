"""Heat-bath sweeps over classical spins, compiled: some million spin updates a second on one core."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@njit(cache=True)
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
) -> tuple[FloatArray, FloatArray]:
    """Sweeps at one temperature; the spins are changed in place.

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
        n updates each, of spins drawn at random.
    senses, sizes
        +1 or -1 of the order, and moments in muB, shape (n,).

    Returns
    -------
    order, moments
        After each sweep the length of the mean of sense times spin, and of the total moment, shape (sweeps,).
    """
    n = len(spins)
    order, moments = np.empty(sweeps), np.empty(sweeps)
    for sweep in range(sweeps):
        for _ in range(n):
            i = int(rng.random() * n)
            hx = hy = hz = 0.0
            for k in range(starts[i], starts[i + 1]):
                j, strength = neighbours[k], strengths[k]
                hx += strength * spins[j, 0]
                hy += strength * spins[j, 1]
                hz += strength * spins[j, 2]
            size = np.sqrt(hx * hx + hy * hy + hz * hz)
            x, draw, turn = beta * size, rng.random(), 2 * np.pi * rng.random()
            cosine = 2 * draw - 1 if x < 1e-9 else 1 + np.log(draw + (1 - draw) * np.exp(-2 * x)) / x
            cosine = min(max(cosine, -1.0), 1.0)
            sine = np.sqrt(1 - cosine * cosine)
            ax, ay, az = (hx / size, hy / size, hz / size) if size > 0 else (0.0, 0.0, 1.0)
            # A unit vector across the axis, from the Cartesian direction that lies farthest from it.
            if abs(ax) <= abs(ay) and abs(ax) <= abs(az):
                bx, by, bz = 0.0, az, -ay
            elif abs(ay) <= abs(az):
                bx, by, bz = -az, 0.0, ax
            else:
                bx, by, bz = ay, -ax, 0.0
            length = np.sqrt(bx * bx + by * by + bz * bz)
            bx, by, bz = bx / length, by / length, bz / length
            cx, cy, cz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
            one, two = sine * np.cos(turn), sine * np.sin(turn)
            spins[i, 0] = cosine * ax + one * bx + two * cx
            spins[i, 1] = cosine * ay + one * by + two * cy
            spins[i, 2] = cosine * az + one * bz + two * cz
        ox = oy = oz = mx = my = mz = 0.0
        for i in range(n):
            ox += senses[i] * spins[i, 0]
            oy += senses[i] * spins[i, 1]
            oz += senses[i] * spins[i, 2]
            mx += sizes[i] * spins[i, 0]
            my += sizes[i] * spins[i, 1]
            mz += sizes[i] * spins[i, 2]
        order[sweep] = np.sqrt(ox * ox + oy * oy + oz * oz) / n
        moments[sweep] = np.sqrt(mx * mx + my * my + mz * mz)
    return order, moments
