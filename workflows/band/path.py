"""A path of images on a surrogate: relaxed for nothing, with its saddles, minima and doubts."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from .gaussian_process import Surrogate

FloatArray = NDArray[np.float64]

LONGEST_PACE = 0.1
"""Time step of the relaxation on the surrogate."""
KNOWN = 0.1
"""An image of a plateau this near to a known point is known."""
REFUSED_REACH, NEW = 0.5, 0.03
"""A judge this near to a refused one takes its place, if it is this far from every known point."""


def relax_path(
    surrogate: Surrogate,
    path: FloatArray,
    ends: tuple[float, float],
    pinned: set[int],
    trust: float,
    steps: int = 400,
    spring: float = 2.0,
    tolerance: float = 0.01,
) -> tuple[FloatArray, FloatArray]:
    """Nudged elastic band on the surrogate, ends and pinned images fixed.

    Parameters
    ----------
    surrogate : Surrogate
        Energies and gradients.
    path : numpy.ndarray
        Images with both ends, shape (m, d).
    ends : tuple of float
        Energies of the ends.
    pinned : set of int
        Images that stay: converged saddles and minima.
    trust : float
        How far an image may go.
    steps, spring, tolerance
        Steps of the fast inertial engine, spring constant, and largest force left. Its time step stays
        short: beyond the stability limit of the stiffest direction rounding decided which way a symmetric path fell.

    Returns
    -------
    tuple of numpy.ndarray
        New path and its energies, shape (m,).
    """
    out = path.copy()
    start = path[1:-1].copy()
    velocity = np.zeros_like(start)
    still = [i - 1 for i in pinned]
    pace, mixing, downhill = LONGEST_PACE, 0.1, 0
    for _ in range(steps):
        energies, gradients = surrogate.predict(out[1:-1])
        tangent = tangents(out, np.r_[ends[0], energies, ends[1]])
        gaps = np.linalg.norm(np.diff(out, axis=0), axis=1)
        force = np.sum(gradients * tangent, axis=1)[:, None] * tangent - gradients
        force += spring * (gaps[1:] - gaps[:-1])[:, None] * tangent
        force[still] = 0.0
        size = float(np.linalg.norm(force))
        if size < tolerance:
            break
        if float(np.sum(velocity * force)) > 0:
            velocity = (1 - mixing) * velocity + mixing * force / size * np.linalg.norm(velocity)
            downhill += 1
            if downhill > 5:
                pace, mixing = min(pace * 1.1, LONGEST_PACE), mixing * 0.99
        else:
            velocity[:] = 0
            pace, mixing, downhill = pace * 0.5, 0.1, 0
        velocity[still] = 0.0
        velocity += pace * force
        out[1:-1] += _clipped(pace * velocity, 0.08)
        out[1:-1] = start + _clipped(out[1:-1] - start, trust)
    return out, np.r_[ends[0], surrogate.predict(out[1:-1])[0], ends[1]]


def tangents(path: FloatArray, energies: FloatArray) -> FloatArray:
    """Improved tangents (10.1063/1.1323224) of the inner images, shape (m - 2, d), of unit length."""
    step, rise = np.diff(path, axis=0), np.diff(energies)
    up, down = rise[1:], rise[:-1]
    high = np.maximum(np.abs(up), np.abs(down))
    low = np.minimum(np.abs(up), np.abs(down))
    forward = np.where(energies[2:] > energies[:-2], high, low)
    backward = np.where(energies[2:] > energies[:-2], low, high)
    forward = np.where((up > 0) & (down > 0), 1.0, np.where((up < 0) & (down < 0), 0.0, forward))
    backward = np.where((up > 0) & (down > 0), 0.0, np.where((up < 0) & (down < 0), 1.0, backward))
    out = forward[:, None] * step[1:] + backward[:, None] * step[:-1]
    return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12))


def extrema(energies: FloatArray, depth_eV: float) -> list[tuple[int, str]]:
    """Saddles and minima between the ends that rise or fall by more than a depth, in order of the path.

    Notes
    -----
    Minima shallower than `depth_eV` merge the saddles on their two sides.
    """
    points: list[tuple[int, str]] = []
    best, worst, rising = 0, 0, True
    for i in range(1, len(energies)):
        if rising:
            if energies[i] > energies[best]:
                best = i
            elif energies[best] - energies[i] > depth_eV:
                if best > 0:
                    points.append((best, "saddle"))
                rising, worst = False, i
        elif energies[i] < energies[worst]:
            worst = i
        elif energies[i] - energies[worst] > depth_eV:
            points.append((worst, "minimum"))
            rising, best = True, i
    if rising and 0 < best < len(energies) - 1:
        points.append((best, "saddle"))
    # A descent from the very first image makes a minimum before any saddle: the end was not the lowest state.
    return points


def finer_extrema(surrogate: Surrogate, path: FloatArray, depth_eV: float, parts: int = 4) -> list[tuple[int, str]]:
    """`extrema` of the curve through the images, as the images beside them: between images a minimum is deeper."""
    numbers = np.arange(len(path))
    curve = CubicSpline(numbers, path)(np.linspace(0, len(path) - 1, parts * (len(path) - 1) + 1))
    points = extrema(surrogate.predict(curve)[0], depth_eV)
    return [(min(max(round(n / parts), 1), len(path) - 2), kind) for n, kind in points]


def _clipped(rows: FloatArray, longest: float) -> FloatArray:
    size = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows * np.minimum(1.0, longest / np.maximum(size, 1e-12)))


def evened(path: FloatArray, pinned: set[int]) -> FloatArray:
    """Images at equal distances between pinned ones."""
    out = path.copy()
    for left, right in pairwise([0, *sorted(pinned), len(path) - 1]):
        out[left : right + 1] = resampled(path[left : right + 1], right - left + 1)
    return out


def straightened(surrogate: Surrogate, path: FloatArray, pinned: set[int], bad: FloatArray) -> FloatArray:
    """A path that ran into another ion at a point, straight again in that stretch if this looks lower."""
    where = int(np.argmin(np.linalg.norm(path[1:-1] - bad, axis=1))) + 1
    stops = [0, *sorted(pinned), len(path) - 1]
    left, right = max(i for i in stops if i <= where), min(i for i in stops if i > where)
    line = np.linspace(path[left], path[right], right - left + 1)
    out = path.copy()
    if surrogate.predict(line)[0].max() < surrogate.predict(path[left : right + 1])[0].max():
        out[left : right + 1] = line
    return out


def held_back(before: FloatArray, after: FloatArray, known: FloatArray, reach: float) -> FloatArray:
    """What a relaxation may move: no image beyond a reach from the known points, nor farther where it was beyond.

    A trust radius from one relaxation to the next does not bound an image that is never evaluated: it drifts on.
    """
    out = after.copy()
    for n in range(1, len(out) - 1):
        steps = before[n] + np.linspace(1, 0, 9)[:, None] * (after[n] - before[n])
        gaps = np.linalg.norm(steps[:, None] - known[None], axis=2).min(axis=1)
        # The last step is the image where it was.
        out[n] = steps[int(np.argmax(gaps <= max(reach, float(gaps[-1]))))]
    return out


def plateaus(
    path: FloatArray, energies: FloatArray, anchors: set[int], known: FloatArray, change_eV: float
) -> list[int]:
    """Images on a plateau, the least known first: where the energy hardly changes it may hide a minimum.

    Images beside the ends and anchors, where the path is flat by itself, and known ones are left out.
    """
    beside = {n + side for n in (0, len(path) - 1, *anchors) for side in (-1, 0, 1)}
    gaps = np.linalg.norm(path[:, None] - known[None], axis=2).min(axis=1)
    flat = [n for n in range(1, len(path) - 1) if abs(energies[n + 1] - energies[n - 1]) < change_eV]
    return sorted((n for n in flat if n not in beside and gaps[n] > KNOWN), key=lambda n: -gaps[n])


def place_of_judge(stretch: FloatArray, known: FloatArray, refused: list[FloatArray]) -> int:
    """Number of the inner image that judges a stretch between two stationary points.

    The one beside the last judge refused here, so that the path is mended at one place; else the farthest from the
    known points in the middle half: beside the stationary points a small energy and slope say nothing.
    """
    arc = np.cumsum(np.linalg.norm(np.diff(stretch, axis=0), axis=1))
    part = arc[:-1] / arc[-1]
    middle = np.flatnonzero(np.abs(part - 0.5) < 0.26)
    if not len(middle):
        return int(np.argmin(np.abs(part - 0.5)))
    inner = stretch[1:-1][middle]
    away = np.linalg.norm(inner[:, None] - known[None], axis=2).min(axis=1)
    if refused:
        gaps = np.linalg.norm(inner - refused[-1], axis=1)
        if gaps.min() < REFUSED_REACH and away[np.argmin(gaps)] > NEW:
            return int(middle[np.argmin(gaps)])
    return int(middle[np.argmax(away)])


def lies_between(path: FloatArray, left: int, right: int, point: FloatArray, reach: float) -> bool:
    """Whether a point is near an image between two others."""
    gaps = np.linalg.norm(path - point, axis=1)
    return bool(left < int(np.argmin(gaps)) < right and gaps.min() < reach)


def across_slope(gradient: FloatArray, along: FloatArray) -> float:
    """Length of what a gradient has across a direction."""
    unit = along / np.linalg.norm(along)
    return float(np.linalg.norm(gradient - (gradient @ unit) * unit))


def beside(path: FloatArray, index: int, distance: float) -> tuple[tuple[float, FloatArray, FloatArray], ...]:
    """Way along the path, point and unit direction so far behind an image and so far ahead of it, or at its end."""
    out = []
    for step in (-1, 1):
        left, here = distance, index
        length = float(np.linalg.norm(path[here + step] - path[here]))
        while left > length and 0 < here + step < len(path) - 1:
            left, here = left - length, here + step
            length = float(np.linalg.norm(path[here + step] - path[here]))
        along, last = (path[here + step] - path[here]) / length, min(left, length)
        out.append((step * (distance - left + last), path[here] + last * along, step * along))
    return tuple(out)


def smoothed(path: FloatArray, loose: FloatArray) -> FloatArray:
    """Straight line plus the long-waved part of what the path does in the loose directions."""
    t = np.linspace(0, 1, len(path))[:, None]
    line = path[0] + t * (path[-1] - path[0])
    waves = np.sin(np.pi * t * np.arange(1, 4))
    bend = np.linalg.lstsq(waves, (path - line) @ loose, rcond=None)[0]
    return np.asarray(line + waves @ bend @ loose.T)


def resampled(path: FloatArray, images: int) -> FloatArray:
    """Images at equal distances along a broken line."""
    arc = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))]
    where = np.linspace(0, arc[-1], images)
    right = np.clip(np.searchsorted(arc, where, side="right"), 1, len(arc) - 1)
    part = (where - arc[right - 1]) / (arc[right] - arc[right - 1])
    return np.asarray(path[right - 1] + part[:, None] * (path[right] - path[right - 1]))
