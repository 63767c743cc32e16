"""Ions of a film hop one after the other, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@njit(cache=True)
def hop_until(
    taken: IntArray,
    ions: IntArray,
    counts: IntArray,
    side: int,
    duration_s: float,
    applied: float,
    jump: float,
    neutral: float,
    gaps: FloatArray,
    more_A: float,
    charge_length: float,
    barrier_eV: float,
    attempt_Hz: float,
    thermal_eV: float,
    electrodes: FloatArray,
    renew: int,
    most_attempts: int,
    rng: np.random.Generator,
) -> tuple[int, int]:
    """Hop until the time is over; (hops, attempts). Places, ions and counts are changed.

    Rates of the electrodes per place: filling and emptying at the left one, filling and emptying at the right one.
    """
    planes, area = taken.shape
    far = planes - 1
    up, down = np.zeros(planes), np.zeros(planes)
    rise = np.zeros(planes + 1)
    aside = 4 * attempt_Hz * np.exp(-barrier_eV / thermal_eV)
    width = gaps.sum() + more_A
    time, hops, attempts, since = 0.0, 0, 0, renew
    weight = np.zeros(planes)
    total = 0.0
    while attempts < most_attempts:
        if since >= renew:
            since = 0
            mean = 0.0
            for j in range(planes):
                rise[j + 1] = rise[j] + jump * (counts[j] / area - neutral)
                mean += rise[j] * gaps[j]
            mean = (mean + rise[planes] * gaps[planes] + rise[planes] * more_A) / width
            for j in range(planes):
                up[j] = down[j] = 0.0
            for j in range(planes - 1):
                work = charge_length * (applied + rise[j + 1] - mean)
                top = max(barrier_eV - work / 2, -work, 0.0)
                up[j] = attempt_Hz * np.exp(-top / thermal_eV)
                down[j + 1] = attempt_Hz * np.exp(-(top + work) / thermal_eV)
            total = 0.0
            for j in range(planes):
                weight[j] = counts[j] * (up[j] + down[j] + aside)
                total += weight[j]
        left = electrodes[0] * area + electrodes[1] * counts[0]
        right = electrodes[2] * area + electrodes[3] * counts[far]
        if total + left + right <= 0:
            break
        time += -np.log(1.0 - rng.random()) / (total + left + right)
        if time > duration_s:
            break
        attempts += 1
        draw = rng.random() * (total + left + right) - left - right
        if draw < 0:
            # At an electrode: a place is filled, or an ion leaves.
            at_left = draw < -right
            plane = 0 if at_left else far
            filling = electrodes[0] if at_left else electrodes[2]
            if rng.random() * (left if at_left else right) < filling * area:
                place = int(rng.random() * area)
                if taken[plane, place] >= 0:
                    continue
                ions[plane, counts[plane]] = place
                taken[plane, place] = counts[plane]
                counts[plane] += 1
            else:
                ion, last = int(rng.random() * counts[plane]), counts[plane] - 1
                taken[plane, ions[plane, ion]] = -1
                if ion != last:
                    ions[plane, ion] = ions[plane, last]
                    taken[plane, ions[plane, ion]] = ion
                counts[plane] = last
            hops += 1
            new = counts[plane] * (up[plane] + down[plane] + aside)
            total += new - weight[plane]
            weight[plane] = new
            since += 1
            continue
        plane = 0
        while plane < planes - 1 and draw >= weight[plane]:
            draw -= weight[plane]
            plane += 1
        if counts[plane] == 0:
            continue
        ion = int(rng.random() * counts[plane])
        site = ions[plane, ion]
        kind = rng.random() * (up[plane] + down[plane] + aside)
        target, place = plane, site
        if kind < up[plane]:
            target = plane + 1
        elif kind < up[plane] + down[plane]:
            target = plane - 1
        else:
            way = int(4 * rng.random())
            row, column = site // side, site % side
            if way == 0:
                row = (row + 1) % side
            elif way == 1:
                row = (row - 1) % side
            elif way == 2:
                column = (column + 1) % side
            else:
                column = (column - 1) % side
            place = row * side + column
        if target < 0 or target >= planes or taken[target, place] >= 0:
            continue
        hops += 1
        taken[plane, site] = -1
        if target == plane:
            ions[plane, ion] = place
            taken[plane, place] = ion
            continue
        last = counts[plane] - 1
        moved = ions[plane, last]
        ions[plane, ion] = moved
        if last != ion:
            taken[plane, moved] = ion
        counts[plane] = last
        ions[target, counts[target]] = place
        taken[target, place] = counts[target]
        counts[target] += 1
        for j in (plane, target):
            new = counts[j] * (up[j] + down[j] + aside)
            total += new - weight[j]
            weight[j] = new
        since += 1
    return hops, attempts
