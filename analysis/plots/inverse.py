"""Figures of inverse fits: measured times against voltage, and moments over a cycle of intercalation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..device.intercalation import IsothermFit
from ..device.inverse_events import InverseFit
from ..results.figures import figure
from .base import BLUE, VERMILION, canvas, sign

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(InverseFit, "times")
def plot_times(found: InverseFit, ax: Axes | None = None) -> Figure:
    """Measured times with their errors, and what the film that remains makes of each.

    Parameters
    ----------
    found
        Of `analysis.device.inverse_events`.
    ax
        Axis to draw on; a new figure by default.
    """
    with canvas(ax, size=(5.6, 3.8)) as (figure, axis):
        volts = np.array([e.voltage_V for e in found.events])
        times = np.log10([e.time_s for e in found.events])
        spread = [e.error_decades for e in found.events]
        axis.errorbar(volts, times, spread, fmt="s", color="black", label="measured", zorder=3)
        low, middle, high = np.array(found.log10_times).T
        axis.errorbar(
            volts, middle, [middle - low, high - middle], fmt="o", color=BLUE, mfc="white", label="fit, 16 to 84 %"
        )
        axis.set_xlabel("voltage (V)")
        axis.set_ylabel(r"$\log_{10}$ time / s")
        axis.margins(0.1)
        axis.legend()
        low_eV, barrier, high_eV = found.barrier_eV
        sign(
            axis, f"barrier {barrier:.2f} eV ({low_eV:.2f} to {high_eV:.2f}); misfit {found.misfit_decades:.2g} decades"
        )
        return figure


def plot_cycle(
    found: IsothermFit, voltage_V: Sequence[float], moment: Sequence[float], branch: Sequence[float]
) -> Figure:
    """Measured moments of both branches with the isotherm through them.

    Parameters
    ----------
    found
        The fit.
    voltage_V, moment, branch
        As they were fitted.
    """
    with canvas(None, size=(5.6, 3.8)) as (figure, axis):
        volts, data, ways = np.array(voltage_V), np.array(moment), np.array(branch)
        fine = np.linspace(volts.min(), volts.max(), 200)
        for way, name, colour in ((1.0, "in", BLUE), (-1.0, "out", VERMILION), (0.0, "at rest", "black")):
            if (own := ways == way).any():
                axis.plot(volts[own], data[own], "o", color=colour, label=name)
                axis.plot(fine, found.isotherm.moment_at(fine, way), "-", color=colour)
        axis.set_xlabel("voltage (V)")
        axis.set_ylabel("moment (unit of the data)")
        axis.legend()
        sign(axis, "; ".join(f"{n} = {v:.3g} ± {found.errors[n]:.2g}" for n, v in list(found.values.items())[:3]))
        return figure
