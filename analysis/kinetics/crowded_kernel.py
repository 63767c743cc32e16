"""Carriers that block each other's places hop one after the other, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@njit(cache=True)
def hop_crowd(
    label: IntArray,
    movers: IntArray,
    place_of: IntArray,
    counts: IntArray,
    cells: int,
    targets: IntArray,
    images: IntArray,
    steps: FloatArray,
    cumulative: FloatArray,
    travelled: FloatArray,
    visits: FloatArray,
    squares: FloatArray,
    hops: int,
    rng: np.random.Generator,
) -> tuple[float, int]:
    """Hop so many times; (time in s, attempts). Places, lists, travelled ways, visits and squares of steps are changed.

    A place is basis x cells^3 + cell. `movers[b]` lists the places of basis b that hold a mover, `place_of` where in
    it a place stands, or -1; `label` says who stands on a place. `visits` adds up movers of each basis times time.
    """
    basis, ways = targets.shape
    volume = cells**3
    leaving = cumulative[:, ways - 1]
    time, made, tried = 0.0, 0, 0
    while made < hops:
        total = 0.0
        for b in range(basis):
            total += counts[b] * leaving[b]
        if total <= 0:
            break
        wait = -np.log(1.0 - rng.random()) / total
        time += wait
        tried += 1
        draw = rng.random() * total
        kind = 0
        for b in range(basis):
            visits[b] += counts[b] * wait
        while kind < basis - 1 and draw >= counts[kind] * leaving[kind]:
            draw -= counts[kind] * leaving[kind]
            kind += 1
        if counts[kind] == 0:
            continue
        who = int(rng.random() * counts[kind])
        start = movers[kind, who]
        part = rng.random() * leaving[kind]
        way = 0
        while way < ways - 1 and part >= cumulative[kind, way]:
            way += 1
        cell = start - kind * volume
        x, y, z = cell // (cells * cells), (cell // cells) % cells, cell % cells
        x = (x + images[kind, way, 0]) % cells
        y = (y + images[kind, way, 1]) % cells
        z = (z + images[kind, way, 2]) % cells
        goal = targets[kind, way]
        end = goal * volume + (x * cells + y) * cells + z
        if place_of[end] >= 0:
            continue
        made += 1
        mover, other = label[start], label[end]
        label[start], label[end] = other, mover
        for k in range(3):
            step = steps[kind, way, k]
            travelled[mover, k] += step
            travelled[other, k] -= step
            squares[mover] += step * step
            squares[other] += step * step
        last = counts[kind] - 1
        moved = movers[kind, last]
        movers[kind, who] = moved
        place_of[moved] = who
        place_of[start] = -1
        counts[kind] = last
        movers[goal, counts[goal]] = end
        place_of[end] = counts[goal]
        counts[goal] += 1
    return time, tried
