"""Where the images of a band begin: on a straight line whose ions are kept apart, or on a path that is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.mep.neb import idpp_interpolate, interpolate
from numpy.typing import NDArray

from .elastic import full_cell
from .ends import Mover, movers_of
from .path import resampled

FloatArray = NDArray[np.float64]


def first_images(first: Atoms, last: Atoms, moving: int, path: Sequence[Atoms] | None = None) -> list[Atoms]:
    """Both ends and so many images between them.

    Parameters
    ----------
    first, last
        Ends.
    moving
        Images between them.
    path
        A way between the ends, at equal distances along which they begin; a straight line without it.
    """
    images = [first.copy(), *(first.copy() for _ in range(moving)), last.copy()]
    if path is None:
        interpolate(images, mic=False)
        part_close_pairs(images)
        return images
    along = resampled(np.array([a.positions.ravel() for a in path]), len(images))
    for image, place in zip(images[1:-1], along[1:-1], strict=True):
        image.positions = place.reshape(-1, 3)
    return images


def blended(first: Atoms, last: Atoms, trial: Atoms, mover: Mover) -> Atoms:
    """A trial place of the mover in surroundings halfway between both ends."""
    out: Atoms = trial.copy()
    out.positions = (first.positions + last.positions) / 2
    movers = movers_of(mover)
    out.positions[movers] = trial.positions[movers]
    return out


def part_close_pairs(images: list[Atoms]) -> None:
    """Keep the linear start unless two ions come close, then use the image-dependent pair potential."""
    closest = min(float(np.min(_close_pairs(a))) for a in images[1:-1])
    if closest < 1.2:
        idpp_interpolate(images, traj=None, log=None, mic=False)


def _close_pairs(atoms: Atoms) -> FloatArray:
    from vesin import NeighborList

    (d,) = NeighborList(cutoff=2.5, full_list=False).compute(
        atoms.positions, full_cell(atoms), periodic=atoms.pbc.tolist(), quantities="d"
    )
    return d if len(d) else np.array([np.inf])
