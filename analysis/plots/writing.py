"""Figure of what a voltage writes into grains in a bias field, and how a magnetic force microscope sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..device.writing import GrainWriting
from ..results.figures import figure
from .base import BLUE, VERMILION, canvas, sign
from .ensemble import list_beside

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(GrainWriting, "moment", first=True)
def plot_writing(found: GrainWriting, ax: Axes | None = None, *, engine: str = "") -> Figure:
    """Moment of grains after a pulse of each voltage and a wait, from either sense; what is assumed in the margin."""
    with canvas(ax, size=(6.8, 3.8)) as (figure, axis):
        volts = found.voltages_V
        axis.plot(
            volts, [2 * x - 1 for x in found.up_from_up], "s-", ms=3.5, color=VERMILION, label="from along the bias"
        )
        axis.plot(volts, found.remanence, "o-", ms=3.5, color=BLUE, label="from against the bias")
        axis.axhline(0, color="0.6", lw=0.8)
        axis.set_ylim(-1.1, 1.1)
        axis.set_xlabel("voltage (V)")
        axis.set_ylabel("moment over saturation")
        axis.legend()
        span = f"{min(found.phase_deg):+.2g} to {max(found.phase_deg):+.2g} degrees"
        list_beside(
            axis,
            [
                f"bias {found.bias_T:g} T, pulse {found.pulse_s:g} s, wait {found.wait_s:g} s, "
                f"{found.temperature_K:g} K",
                f"field of reversal within the pulse {min(found.write_field_T):.3g} to "
                f"{max(found.write_field_T):.3g} T, {found.keep_field_T:.3g} T without one",
                f"phase over a written stripe {span}",
                *found.assumptions,
            ],
        )
        if engine:
            sign(axis, f"engine {engine}")
        return figure


@figure(GrainWriting, "phase")
def plot_phase(found: GrainWriting, ax: Axes | None = None) -> Figure:
    """Phase of a magnetic force microscope across a written stripe of a film."""
    with canvas(ax, size=(4.6, 3.4)) as (figure, axis):
        axis.plot(1e9 * np.array(found.phase_x_m), found.phase_deg, color=BLUE)
        axis.axhline(0, color="0.6", lw=0.8)
        axis.set_xlabel("place (nm)")
        axis.set_ylabel("phase (°)")
        return figure
