"""Barriers on the sphere of directions: the lowest pass between two directions, and between all easy axes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..results.document import Document
from .harmonics import HarmonicFit

FloatArray = NDArray[np.float64]


def sphere_grid(count: int = 2000) -> FloatArray:
    """Nearly even directions on the sphere (golden spiral), shape (count, 3)."""
    i = np.arange(count) + 0.5
    z = 1 - 2 * i / count
    phi = np.pi * (1 + np.sqrt(5)) * i
    r = np.sqrt(1 - z**2)
    return np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=1)


def pass_energy_meV(fit: HarmonicFit, start: ArrayLike, end: ArrayLike, grid: int = 4000) -> float:
    """Energy of the lowest pass on the sphere between two directions, meV.

    Directions of a fine grid are joined in the order of their energies until start and end are connected.

    Parameters
    ----------
    fit
        E(n).
    start, end
        Directions, shape (3,).
    grid
        Grid points; 4000 give a saddle within about 0.2 % of the anisotropy.
    """
    from scipy.spatial import ConvexHull

    ends = [np.asarray(v, dtype=float) / np.linalg.norm(np.asarray(v, dtype=float)) for v in (start, end)]
    free = sphere_grid(grid)
    # A grid point on top of an end would not be a corner of the hull.
    free = free[np.all(free @ np.array(ends).T < 1 - 1e-7, axis=1)]
    points, last = np.concatenate([free, ends]), len(free)
    energies = fit(points)
    triangles = ConvexHull(points).simplices
    sides = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]]), axis=1)
    # Each side once, as one number: of rows numpy's search takes ten times as long.
    edges = np.stack(
        np.divmod(np.unique(sides[:, 0].astype(np.int64) * len(points) + sides[:, 1]), len(points)), axis=1
    )
    heights = energies[edges].max(axis=1)
    parent = list(range(len(points)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    order = np.argsort(heights, kind="stable")
    for k, (a, b) in zip(order.tolist(), edges[order].tolist(), strict=True):
        parent[root(a)] = root(b)
        if root(last) == root(last + 1):
            return float(heights[k])
    raise AssertionError("unreachable: the hull of a sphere is connected")


# Of central differences of E(n), which have no structure finer than l = 6.
_STEPS = 1e-5 * np.concatenate([np.eye(3), -np.eye(3)])


def lowest_near(fit: HarmonicFit, start: FloatArray, sense: int = 1) -> tuple[float, FloatArray]:
    """Energy (meV) and direction of the local minimum of E(n) near a direction; with sense -1 of the maximum."""
    from scipy.optimize import minimize

    def height(x: FloatArray) -> tuple[float, FloatArray]:
        points = np.concatenate([x[None], x + _STEPS])
        e = sense * fit(points / np.linalg.norm(points, axis=1, keepdims=True))
        return float(e[0]), (e[1:4] - e[4:]) / (2 * _STEPS[0, 0])

    minimum = minimize(height, start, method="BFGS", jac=True)
    direction = np.asarray(minimum.x, dtype=float)
    return sense * float(minimum.fun), np.asarray(direction / np.linalg.norm(direction))


class EasyAxisBarriers(Document):
    """Local minima of E(n) as axes, and the barriers between them.

    Attributes
    ----------
    axes
        Unit vectors, lowest first; n and -n are one axis.
    energies_meV
        Above the lowest.
    barriers_meV
        Entry i, j: lowest pass from axis i to axis j in either sense, above axis i; the diagonal is the
        reversal of an axis. Shape (n, n).
    """

    axes: list[list[float]]
    energies_meV: list[float]
    barriers_meV: list[list[float]]


def easy_axis_barriers(fit: HarmonicFit, *, grid: int = 2000, within_meV: float | None = None) -> EasyAxisBarriers:
    """All local minima of an even map and the passes between them.

    Parameters
    ----------
    fit
        Even fit of E(n).
    grid
        Grid points on the sphere.
    within_meV
        Only minima this close to the lowest; all by default.
    """
    points = sphere_grid(grid)
    energies = fit(points)
    near = points @ points.T > np.cos(4.5 * np.sqrt(4 / grid))
    lowest = [i for i in range(grid) if energies[i] <= energies[near[i]].min()]
    axes: list[FloatArray] = []
    for i in sorted(lowest, key=lambda i: float(energies[i])):
        if within_meV is not None and energies[i] - energies[lowest].min() > within_meV:
            continue
        _, axis = lowest_near(fit, points[i])
        if all(abs(float(axis @ a)) < 0.985 for a in axes):
            axes.append(axis)
    base = fit(np.array(axes))
    table = np.zeros((len(axes), len(axes)))
    for i, a in enumerate(axes):
        for j, b in enumerate(axes[: i + 1]):
            ways = [pass_energy_meV(fit, a, -b, grid)] + ([] if i == j else [pass_energy_meV(fit, a, b, grid)])
            table[i, j], table[j, i] = min(ways) - base[i], min(ways) - base[j]
    return EasyAxisBarriers(
        axes=[[float(x) for x in a] for a in axes],
        energies_meV=[float(x - base.min()) for x in base],
        barriers_meV=table.tolist(),
    )
