"""Figure of how long a written state lasts against temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...structures.units import SECONDS_PER_DAY, SECONDS_PER_YEAR, BOLTZMANN_eV_PER_K
from ..kinetics.rates import LEAST_kT
from ..kinetics.retention import Retention
from ..results.figures import figure
from .base import BLUE, GREEN, PURPLE, VERMILION, canvas, sign

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(Retention, "retention")
def plot_retention(retention: Retention, ax: Axes | None = None, *, uncertainty_eV: float = 0.1) -> Figure:
    """Decay of a written difference and both dwell times against temperature.

    Parameters
    ----------
    retention
        Both barriers and prefactors; of older studies the way back alone.
    ax
        Axis to draw on; a new figure by default.
    uncertainty_eV
        Half width of the band drawn for both barriers.
    """
    with canvas(ax) as (figure, axis):
        temperature = np.linspace(150, 600, 200)
        # Where there is no rate law, there is no line.
        temperature = temperature[[not retention.why_no_rate(float(t)) for t in temperature]]
        decay = np.array([retention.decay(t) for t in temperature])
        what = "ion after the hop" if retention.forward_barrier_eV is None else "a written difference decays"
        shift = np.exp(uncertainty_eV / (BOLTZMANN_eV_PER_K * temperature))
        axis.semilogy(temperature, decay, color=BLUE, label=what)
        axis.fill_between(
            temperature, decay / shift, decay * shift, color=BLUE, alpha=0.18, lw=0,
            label=f"both barriers ± {uncertainty_eV} eV",
        )  # fmt: skip
        if retention.forward_barrier_eV is not None:
            axis.semilogy(temperature, [retention.at(t) for t in temperature], color=GREEN, ls="--", label="ion after")
            before = [retention.before(t) or np.nan for t in temperature]
            axis.semilogy(temperature, before, color=PURPLE, ls=":", label="ion before")
        if not retention.why_no_rate(300):
            axis.plot(300, retention.decay(300), "o", color=VERMILION, label="300 K")
        if retention.why_no_rate(600):
            end = retention.lowest_barrier_eV / (LEAST_kT * BOLTZMANN_eV_PER_K)
            axis.axvspan(end, 600, color="0.92", zorder=0)
            axis.annotate("no rate law", (600, 1e-8), ha="right", va="bottom", fontsize=7, color="0.4")
        axis.set_xlim(150, 600)
        for seconds, name in ((1.0, "1 s"), (SECONDS_PER_DAY, "1 day"), (10 * SECONDS_PER_YEAR, "10 years")):
            axis.axhline(seconds, color="0.6", lw=0.8)
            axis.annotate(name, (600, seconds), ha="right", va="bottom", fontsize=7, color="0.4")
        axis.set_ylim(1e-9, 1e12)
        axis.set_xlabel("temperature (K)")
        axis.set_ylabel("time (s)")
        way = "" if retention.forward_barrier_eV is None else f"{retention.forward_barrier_eV:.2f} eV forward, "
        axis.set_title(f"barriers: {way}{retention.barrier_eV:.2f} eV back")
        axis.legend()
        sign(
            axis,
            f"engine {retention.provenance.engine}; {retention.attempt_frequency_Hz:.0e} Hz, "
            f"{retention.attempt_frequency_source}; no field",
        )
        return figure
