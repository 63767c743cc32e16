"""Geometry of stability regions: a plane cut by half-spaces, in any number of dimensions. Arrays only.

A region is the set of x with ``plane . x = level`` and ``rows x <= limits``. It is bounded whenever
every component of x is limited from above and the plane's normal is positive.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
TOLERANCE = 1e-7
# So many small systems are solved sooner than one linear programme for each half-space.
_SETS_AT_ONCE = 5000


def extreme(
    objective: FloatArray, plane: FloatArray, level: float, rows: FloatArray, limits: FloatArray
) -> tuple[float, float, FloatArray]:
    """Smallest ``objective . x`` in the region, with its derivatives.

    Parameters
    ----------
    objective, plane
        Shape (d,).
    level
        Right-hand side of the plane.
    rows, limits
        Half-spaces, shapes (m, d) and (m,).

    Returns
    -------
    value, by_level, by_limits
        The minimum and its derivatives with respect to `level` and `limits` (shape (m,)).

    Raises
    ------
    ValueError
        If the region is empty or unbounded in this direction.
    """
    from scipy.optimize import linprog

    optimum = linprog(
        objective,
        A_ub=rows,
        b_ub=limits,
        A_eq=plane[None, :],
        b_eq=[level],
        bounds=(None, None),
        method="highs",
    )
    if not optimum.success or optimum.fun is None:
        raise ValueError(f"the stability region has no extreme point: {optimum.message}")
    return float(optimum.fun), float(optimum.eqlin.marginals[0]), np.asarray(optimum.ineqlin.marginals, dtype=float)


def vertices(
    plane: FloatArray, level: float, rows: FloatArray, limits: FloatArray
) -> tuple[FloatArray, list[list[int]]]:
    """Corners of the region, by solving for every set of d - 1 half-spaces that could meet there.

    Where there are many sets, half-spaces that never touch the region are dropped first.

    Parameters
    ----------
    plane, level, rows, limits
        As in `extreme`.

    Returns
    -------
    corners, touching
        Shape (n, d), in order around the region when it is a polygon; indices of the half-spaces met
        at each.

    Raises
    ------
    ValueError
        If the region is empty.
    """
    dim = len(plane)
    norms = np.linalg.norm(rows, axis=1)
    unit_rows, unit_limits = rows / norms[:, None], limits / norms
    active = list(range(len(rows)))
    if math.comb(len(rows), dim - 1) > _SETS_AT_ONCE:
        active = [
            i for i in active if unit_limits[i] + extreme(-unit_rows[i], plane, level, rows, limits)[0] <= TOLERANCE
        ]
    sets = np.array(list(itertools.combinations(active, dim - 1)), dtype=int)
    normal = plane / np.linalg.norm(plane)
    systems = np.concatenate([np.broadcast_to(normal, (len(sets), 1, dim)), unit_rows[sets]], axis=1)
    right = np.concatenate([np.full((len(sets), 1), level / np.linalg.norm(plane)), unit_limits[sets]], axis=1)
    regular = np.abs(np.linalg.det(systems)) > 1e-9
    points = np.linalg.solve(systems[regular], right[regular][..., None])[..., 0]
    slack = unit_limits - points @ unit_rows.T
    feasible = np.all(slack >= -TOLERANCE, axis=1)
    if not feasible.any():
        raise ValueError("the stability region is empty: it has no corner")
    corners = _ordered(_distinct(points[feasible]))
    met = np.abs(unit_limits - corners @ unit_rows.T) <= 10 * TOLERANCE
    return corners, [[int(i) for i in np.flatnonzero(row)] for row in met]


def slice_points(corners: FloatArray, axis: int, value: float) -> FloatArray:
    """Points whose convex hull is the slice of the region where component `axis` has a value.

    Every corner of the slice lies on the segment between two corners of the region, so all pairs
    that straddle the value are interpolated.

    Parameters
    ----------
    corners
        Shape (n, d).
    axis
        The component that is fixed.
    value
        Between the smallest and the largest component of the corners.

    Returns
    -------
    FloatArray
        Shape (k, d).
    """
    along = corners[:, axis]
    clipped = float(np.clip(value, along.min(), along.max()))
    below, above = np.flatnonzero(along <= clipped + 1e-12), np.flatnonzero(along >= clipped - 1e-12)
    first, second = corners[np.repeat(below, len(above))], corners[np.tile(above, len(below))]
    span = second[:, axis] - first[:, axis]
    flat = span <= 1e-12
    weight = np.where(flat, 0.0, (clipped - first[:, axis]) / np.where(flat, 1.0, span))
    points: FloatArray = first + weight[:, None] * (second - first)
    points[:, axis] = value
    return points


def convex_corners(points: FloatArray) -> FloatArray:
    """Those of some points, shape (n, d), that are corners of their convex hull; in order around a polygon."""
    from scipy.spatial import ConvexHull

    corners = _distinct(points)
    centred = corners - corners.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    rank = int(np.sum(sizes > 10 * TOLERANCE))
    if rank == 0:
        return corners[:1]
    inner = centred @ axes[:rank].T
    if rank == 1:
        return corners[[int(inner.argmin()), int(inner.argmax())]]
    return _ordered(corners[ConvexHull(inner).vertices])


def _distinct(points: FloatArray) -> FloatArray:
    """Points that differ by more than the tolerance."""
    distinct: list[FloatArray] = []
    for point in points:
        if all(np.max(np.abs(point - other)) > 10 * TOLERANCE for other in distinct):
            distinct.append(point)
    return np.array(distinct)


def _ordered(points: FloatArray) -> FloatArray:
    """Corners in order around their centre if they lie in a plane, else by their last component."""
    centred = points - points.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    if int(np.sum(sizes > 10 * TOLERANCE)) != 2:
        return points[np.argsort(points[:, -1], kind="stable")]
    return points[np.argsort(np.arctan2(centred @ axes[1], centred @ axes[0]), kind="stable")]
