"""Curvature along the path at a saddle that a surrogate search has found, by the engine's forces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .checks import PROBE_A, WIDE_PROBE_A, Probe, curvature_at_top
from .states import Anchor, Evaluated

FloatArray = NDArray[np.float64]


def curvature_of_saddle(saddle: Anchor, evaluate: Callable[[FloatArray], Evaluated]) -> tuple[float, str]:
    """Curvature along the path in elastic coordinates, eV/A^2, and how it was found.

    Parameters
    ----------
    saddle
        With the points of its path on either side: a top that bends little has a path that bends, too, and a straight
        line leaves its valley (Li in LiFePO4 by CHGNet: 0.01 eV higher after 0.3 A).
    evaluate
        The engine at one point.
    """
    place, mode = saddle.data.point, saddle.mode
    top = Probe(0.0, saddle.data.energy, float(saddle.data.gradient @ mode))

    def probed(offset_A: float, point: FloatArray, direction: FloatArray) -> Probe:
        data = evaluate(point)
        return Probe(offset_A, data.energy, float(data.gradient @ direction))

    def farther() -> tuple[Probe, Probe]:
        straight = [(side, place + side * mode, mode) for side in (-WIDE_PROBE_A, WIDE_PROBE_A)]
        behind, ahead = saddle.beside or straight
        return probed(*behind), probed(*ahead)

    near = (top, probed(PROBE_A, place + PROBE_A * mode, mode))
    return curvature_at_top(top, near, farther, "forward difference of the engine's forces, elastic coordinates")
