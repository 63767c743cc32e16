"""Directions of magnetisation: Lebedev sets and plane scans, always with n and -n."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
LEBEDEV_ORDERS = (3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)


@dataclass(frozen=True)
class Directions:
    """Unit vectors, shape (n, 3), and quadrature weights that sum to 1, shape (n,)."""

    vectors: FloatArray
    weights: FloatArray


def lebedev_directions(order: int) -> Directions:
    """Lebedev's octahedral set, exact for spherical harmonics up to `order`.

    Parameters
    ----------
    order
        Odd order from 3 to 31.

    Returns
    -------
    Directions
        Closed under inversion.

    Raises
    ------
    ValueError
        If there is no such set.

    References
    ----------
    V. I. Lebedev, 10.1016/0041-5553(75)90133-0.
    """
    from scipy.integrate import lebedev_rule

    if order not in LEBEDEV_ORDERS:
        raise ValueError(f"Lebedev order {order} is not available; choose one of {LEBEDEV_ORDERS}")
    points, weights = lebedev_rule(order)
    return Directions(np.ascontiguousarray(points.T), weights / weights.sum())


def lebedev_weights(vectors: ArrayLike, tol: float = 1e-6) -> tuple[int, FloatArray] | None:
    """Order and weights (sum 1, shape (n,)) if the directions are a Lebedev set in any sequence, else None."""
    v = np.asarray(vectors, dtype=float)
    for order in LEBEDEV_ORDERS:
        known = lebedev_directions(order)
        if len(known.vectors) != len(v):
            continue
        overlap = v @ known.vectors.T
        place = np.argmax(overlap, axis=1)
        if overlap[np.arange(len(v)), place].min() > 1 - tol and len(set(place.tolist())) == len(v):
            return order, known.weights[place]
    return None


def images_under(vectors: ArrayLike, operations: ArrayLike, tol: float = 1e-6) -> NDArray[np.int_]:
    """Index of R n for every operation R and direction n, shape (n_operations, n).

    Raises
    ------
    ValueError
        If the set is not closed under the operations.
    """
    v, ops = np.asarray(vectors, dtype=float), np.asarray(operations, dtype=float)
    places = []
    for op in ops:
        overlap = (v @ op.T) @ v.T
        place = np.argmax(overlap, axis=1)
        if overlap[np.arange(len(v)), place].min() < 1 - tol:
            raise ValueError("an operation takes a direction out of the set; use a Lebedev set for cubic operations")
        places.append(place)
    return np.array(places, dtype=np.int_)


def plane_scan(normal: ArrayLike, count: int = 72) -> FloatArray:
    """Unit vectors around a plane at equal angles, shape (count, 3); `count` even keeps n and -n.

    Raises
    ------
    ValueError
        If the normal has no length or the count is odd or small.
    """
    axis = np.asarray(normal, dtype=float)
    if np.linalg.norm(axis) < 1e-12:
        raise ValueError("the plane's normal has no length")
    if count < 4 or count % 2:
        raise ValueError(f"count {count} must be even and at least 4, so that every n has its -n")
    axis = axis / np.linalg.norm(axis)
    first = np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))])
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    # Both in-plane axes point to their positive side, so that [001] is drawn upwards.
    first, second = (v * (1 if v[np.argmax(np.abs(v) > 1e-9)] > 0 else -1) for v in (first, second))
    angle = 2 * np.pi * np.arange(count) / count
    return np.asarray(np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * second)


def antipodes(vectors: ArrayLike, tol: float = 1e-6) -> NDArray[np.int_]:
    """Index of -n for every n, shape (n,).

    Raises
    ------
    ValueError
        If a direction has no opposite: then even and odd parts cannot be told apart.
    """
    v = np.asarray(vectors, dtype=float)
    overlap = v @ v.T
    opposite = np.argmin(overlap, axis=1)
    missing = overlap[np.arange(len(v)), opposite] > -1 + tol
    if missing.any():
        worst = np.round(v[np.argmax(missing)], 4).tolist()
        raise ValueError(f"direction {worst} has no opposite in the set; add -n for every n")
    return np.asarray(opposite, dtype=np.int_)


_LARGEST_INDEX = 2
_SAME_deg, _NEAR_deg = 0.1, 10.0


def axis_in_words(vector: ArrayLike, *, cubic: bool = True) -> str:
    """An axis by the crystal direction of small indices that it is, or lies beside: ``[1-10]``, ``2 deg from [110]``.

    Parameters
    ----------
    vector
        Along the axis in Cartesian coordinates, shape (3,); its sense and its length do not matter.
    cubic
        Whether those coordinates are the cubic axes of the crystal; else only components name an axis.

    Returns
    -------
    str
        Components of the unit vector where no direction with indices up to 2 is within 10 degrees, or not cubic.

    Raises
    ------
    ValueError
        If the vector has no length.
    """
    v = np.asarray(vector, dtype=float)
    length = float(np.linalg.norm(v))
    if not (np.isfinite(length) and length > 0):
        raise ValueError(f"{v.tolist()} is no axis: it needs a finite length above 0")
    v = v / length
    indices = np.array(list(np.ndindex(*(2 * _LARGEST_INDEX + 1,) * 3))) - _LARGEST_INDEX
    indices = indices[np.gcd.reduce(indices, axis=1) == 1]
    # One of the two senses: the first index that is not zero is positive.
    indices = np.array([i for i in indices if next(n for n in i if n) > 0])
    across = np.linalg.norm(np.cross(indices, v), axis=1) / np.linalg.norm(indices, axis=1)
    # Among directions that lie equally near, the one of small indices.
    apart = np.degrees(np.arcsin(np.minimum(across, 1.0)))
    nearest = int(np.lexsort((np.abs(indices).sum(axis=1), np.round(apart, 3)))[0])
    name = "[" + "".join(str(n) for n in indices[nearest]) + "]"
    if cubic and apart[nearest] < _SAME_deg:
        return name
    if cubic and apart[nearest] < _NEAR_deg:
        return f"{apart[nearest]:.1f} deg from {name}"
    return "(" + ", ".join(f"{round(x, 2) + 0.0:.2f}" for x in v) + ")"
