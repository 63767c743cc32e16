"""A measured loop and loops of grains that have its coercive field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..magnetism.measured_loop import LoopComparison
from ..results.figures import figure
from .base import BLUE, GREEN, VERMILION, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(LoopComparison, "loop")
def plot_comparison(found: LoopComparison, ax: Axes | None = None) -> Figure:
    """Moments over those at the largest field, measured and of grains with the diameter that was found.

    Parameters
    ----------
    found
        See `measured_loop.compare_loop`.
    ax
        Axis to draw on; a new figure by default.
    """
    measured = found.measured
    field, moment = np.array(measured.fields_T), np.array(measured.moments)
    middle = (moment[field.argmax()] + moment[field.argmin()]) / 2
    whole = (moment[field.argmax()] - moment[field.argmin()]) / 2
    with canvas(ax, size=(5.4, 3.8)) as (figure, axis):
        axis.plot(field, (moment - middle) / whole, "o", ms=3, color=VERMILION, label="measured")
        for one, colour in zip(found.states, (BLUE, GREEN), strict=False):
            if one.loop is None or one.diameter_m is None:
                continue
            down, share = np.array(one.loop.fields_T), np.array(one.loop.moment_share)
            # Over what it is at the measurement's largest field, as the data are.
            top = float(np.interp(measured.largest_T, down[::-1], share[::-1]))
            inside = np.abs(down) <= measured.largest_T
            name = f"{one.state} the hop, {one.diameter_m * 1e9:.3g} nm"
            axis.plot(down[inside], share[inside] / top, color=colour, label=name)
            axis.plot(-down[inside], -share[inside] / top, color=colour)
        axis.set_xlim(-1.05 * measured.largest_T, 1.05 * measured.largest_T)
        axis.axhline(0, color="0.7", lw=0.6)
        axis.axvline(0, color="0.7", lw=0.6)
        axis.set_xlabel("field (T)")
        axis.set_ylabel("moment over that at the largest field")
        axis.legend(loc="lower right")
        return figure
