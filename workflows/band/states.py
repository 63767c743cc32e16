"""What the surrogate's search is told and what it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...stored.base import Stored
from ..settings.bounds import require_at_least, require_positive
from .gaussian_process import RELATIVE_NOISE, SurrogateChoice

FloatArray = NDArray[np.float64]


class SearchRule:
    """Bounds inside the search; nobody has to set them."""

    JUDGE_REACH = 0.1
    """An image this near to the finished path still judges it, in elastic coordinates."""
    MOST_TURNS = 3
    """So often a path whose judges turn back is judged anew."""
    SETTLED, MOST_ROUNDS = 0.03, 12
    """A path is judged once the surrogate moves none of its images farther than this, or after so many relaxations."""
    TOO_HIGH_eV = 1.0
    """An image this far above what is bent runs through another ion."""
    SAME_AGAIN, MOST_STALLS = 0.01, 8
    """A search that asks for points it knows, so often, goes in a circle."""


@dataclass(frozen=True)
class SurrogateSettings(Stored):
    """How the surrogate searches.

    Attributes
    ----------
    images
        Images on the surrogate; they cost no force calls.
    max_calls
        Force calls after which the ordinary driver takes over.
    doubt_eV
        Standard deviation above which a high image is evaluated before anything is refined.
    agreement_eV
        Largest difference between surrogate and engine on the images that judge the finished path.
    across
        Largest slope across the finished path at these images, eV per elastic coordinate.
    depth_eV
        Minima and saddles smaller than this are not told apart.
    gap
        Largest distance of an image of the finished path from an evaluation, in elastic coordinates.
    trust
        How far an image goes between two force calls, in elastic coordinates (about Angstrom of the mover).
    reach
        How far from every evaluation an image may go, in elastic coordinates: the surrogate's length, if between these.
    most_points
        Evaluations that the surrogate is fitted to; farther ones are left out.
    bend_eV
        Energies higher than twice this above the ends and every saddle found enter the fit as logarithms of this scale.
    own_time_s
        Seconds that the search may think beside the engine's own; it always has as many as the engine took. Then the
        ordinary driver takes over: where force calls cost nothing, so do more of them.
    drop_eV_per_A
        A cheaper engine's saddle with a larger true force than this is dropped with its path.
    lengths, stiffnesses
        Kernel lengths and environment stiffnesses to choose from by likelihood.
    noises
        Noise of the forces, over the scale of the surface, to choose from likewise where the bound on them is as loose
        as `noisy_from_eV_per_A` and so says that they have some (atomic orbitals on a grid); the least otherwise.
    """

    images: int = 15
    max_calls: int = 150
    doubt_eV: float = 0.05
    agreement_eV: float = 0.05
    across: float = 0.3
    depth_eV: float = 0.007
    gap: float = 0.7
    trust: float = 0.4
    reach: tuple[float, float] = (0.5, 0.7)
    most_points: int = 60
    bend_eV: float = 0.5
    own_time_s: float = 600.0
    drop_eV_per_A: float = 3.0
    lengths: tuple[float, ...] = (0.35, 0.5, 0.7, 1.0, 1.4)
    stiffnesses: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    noises: tuple[float, ...] = (RELATIVE_NOISE, 1e-2, 3e-2, 1e-1)
    noisy_from_eV_per_A: float = 0.05

    as_before: ClassVar[Mapping[str, Any]] = {"noises": (RELATIVE_NOISE,), "noisy_from_eV_per_A": 0.05}

    def __post_init__(self) -> None:
        names = ("doubt_eV", "agreement_eV", "across", "depth_eV", "gap", "trust", "bend_eV", "own_time_s")
        require_positive(self, (*names, "drop_eV_per_A"))
        require_at_least(self, 1, ("images", "max_calls", "most_points"))

    def too_long(self, search_s: float, engine_s: float) -> str:
        """Why a search of so many seconds, the engine's included, hands over; empty if it goes on."""
        own = search_s - engine_s
        if own <= max(self.own_time_s, engine_s):
            return ""
        return f"the search thought for {own:.0f} s, the engine computed for {engine_s:.0f} s"

    def choices(self, evaluations: int, last: SurrogateChoice, fmax_eV_per_A: float) -> list[SurrogateChoice]:
        """What to try at this number of evaluations: all at first, now and then later."""
        if evaluations < 4 or (evaluations >= 14 and evaluations % 10):
            return [last]
        noises = self.noises if fmax_eV_per_A >= self.noisy_from_eV_per_A else self.noises[:1]
        every = [SurrogateChoice(*c) for c in product(self.lengths, self.stiffnesses, noises)]
        if evaluations <= 20:
            return every
        return [c for c in every if all(0.4 < a / b < 2.5 for a, b in zip(c[:2], last[:2], strict=True))]


@dataclass
class Evaluated:
    """A point that the engine computed, in elastic coordinates; its forces in eV/A."""

    point: FloatArray
    energy: float
    gradient: FloatArray
    forces: FloatArray


@dataclass
class Anchor:
    """A stationary point that the engine confirmed.

    Attributes
    ----------
    mode
        Direction of the path there.
    negative
        Negative curvatures that the surrogate knows.
    beside
        Way along the path, point and direction on either side, `WIDE_PROBE_A` away; empty before the path is settled.
    """

    data: Evaluated
    kind: str
    mode: FloatArray
    negative: int
    beside: tuple[tuple[float, FloatArray, FloatArray], ...] = ()


def largest(forces: FloatArray) -> float:
    """Largest force on an atom, eV/A."""
    return float(np.linalg.norm(forces, axis=1).max())
