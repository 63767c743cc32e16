"""Figure of retention against temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...structures.units import SECONDS_PER_DAY, SECONDS_PER_YEAR
from ..kinetics.rates import Retention, retention_s
from ..results.figures import figure
from .base import BLUE, VERMILION, canvas, sign

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(Retention, "retention")
def plot_retention(retention: Retention, ax: Axes | None = None, *, uncertainty_eV: float = 0.1) -> Figure:
    """How long the state is kept against temperature.

    Parameters
    ----------
    retention
        Back barrier and prefactor.
    ax
        Axis to draw on; a new figure by default.
    uncertainty_eV
        Half width of the band drawn for the barrier.

    Returns
    -------
    Figure
    """
    with canvas(ax) as (figure, axis):
        temperature = np.linspace(150, 600, 200)

        def times(barrier: float) -> np.ndarray:
            return np.array([retention_s(barrier, t, retention.attempt_frequency_Hz) for t in temperature])

        axis.semilogy(temperature, times(retention.barrier_eV), color=BLUE)
        axis.fill_between(
            temperature,
            times(max(retention.barrier_eV - uncertainty_eV, 0)),
            times(retention.barrier_eV + uncertainty_eV),
            color=BLUE,
            alpha=0.18,
            lw=0,
            label=f"barrier ± {uncertainty_eV} eV",
        )
        axis.plot(300, retention.at(300), "o", color=VERMILION, label="300 K")
        for seconds, name in ((1.0, "1 s"), (SECONDS_PER_DAY, "1 day"), (10 * SECONDS_PER_YEAR, "10 years")):
            axis.axhline(seconds, color="0.6", lw=0.8)
            axis.annotate(name, (600, seconds), ha="right", va="bottom", fontsize=7, color="0.4")
        axis.set_ylim(1e-9, 1e12)
        axis.set_xlabel("temperature (K)")
        axis.set_ylabel("retention (s)")
        axis.set_title(f"back barrier {retention.barrier_eV:.2f} eV")
        axis.legend()
        sign(
            axis,
            f"engine {retention.provenance.engine}; {retention.attempt_frequency_Hz:.0e} Hz, "
            f"{retention.attempt_frequency_source}; no field",
        )
        return figure
