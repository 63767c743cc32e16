"""Where the images of a band begin: on a straight line whose ions are kept apart, or on a path that is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.mep.neb import idpp_interpolate, interpolate
from numpy.typing import NDArray

from .elastic import ElasticCoordinates, full_cell
from .ends import Mover, movers_of
from .path import resampled

FloatArray = NDArray[np.float64]


def initial_images(first: Atoms, last: Atoms, moving: int, path: Sequence[Atoms] | None = None) -> list[Atoms]:
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
        _part_close_pairs(images)
        return images
    along = resampled(np.array([a.positions.ravel() for a in path]), len(images))
    for image, place in zip(images[1:-1], along[1:-1], strict=True):
        image.positions = place.reshape(-1, 3)
    return images


def initial_path(
    space: ElasticCoordinates,
    ends: Sequence[Atoms],
    points: Sequence[FloatArray],
    trials: Sequence[Atoms],
    mover: Mover,
    path: Sequence[Atoms] | None,
    images: int,
) -> FloatArray:
    """Images in elastic coordinates, ends included, shape (images, d).

    Parameters
    ----------
    space
        The coordinates.
    ends, points
        Both ends, and where they are in these coordinates.
    trials, mover
        The line bends through the mover's place in the first of these; a straight one if there is none.
    path
        A way between ends that need not be quite these, which is taken instead.
    images
        How many.
    """
    if path is not None:
        given = np.array([space.to_internal(a.positions) for a in path])
        part = np.linspace(0, 1, len(given))[:, None]
        given += (1 - part) * (points[0] - given[0]) + part * (points[1] - given[-1])
        return resampled(given, images)
    if trials:
        corner = space.to_internal(blended(ends[0], ends[1], trials[0], mover).positions)
        return resampled(np.array([points[0], corner, points[1]]), images)
    line = []
    for point in resampled(np.array(points), images):
        image = ends[0].copy()
        image.set_positions(space.to_positions(point), apply_constraint=False)
        line.append(image)
    _part_close_pairs(line)
    return np.array([space.to_internal(a.positions) for a in line])


def blended(first: Atoms, last: Atoms, trial: Atoms, mover: Mover) -> Atoms:
    """A trial place of the mover in surroundings halfway between both ends."""
    out: Atoms = trial.copy()
    out.positions = (first.positions + last.positions) / 2
    movers = movers_of(mover)
    out.positions[movers] = trial.positions[movers]
    return out


def _part_close_pairs(images: list[Atoms]) -> None:
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
