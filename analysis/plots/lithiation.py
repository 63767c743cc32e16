"""Figure of the magnetisation against Li content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..defects.uptake import MomentCurve
from ..results.figures import figure
from .base import BLUE, canvas, sign

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(MomentCurve, "content")
def plot_moment(curve: MomentCurve, ax: Axes | None = None) -> Figure:
    """Specific magnetisation against inserted Li, and the moment per formula unit on the right."""
    with canvas(ax) as (figure, axis):
        axis.plot(curve.content, curve.specific_Am2_per_kg, "o-", color=BLUE)
        axis.set_xlabel(f"{curve.ion} per {curve.formula}")
        axis.set_ylabel("magnetisation (A m² kg⁻¹)")
        for x, y, m in zip(curve.content[::2], curve.specific_Am2_per_kg[::2], curve.moment_muB[::2], strict=True):
            axis.annotate(f"{m:.2f} μB", (x, y), xytext=(4, 4), textcoords="offset points", fontsize=7)
        sign(axis, "; ".join(curve.assumptions[1:]))
        return figure
