"""Figure of all hops of a host: every band with its saddles and minima."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..kinetics.hop_set import HopSet
from ..results.figures import figure, style
from .base import BLUE, GREEN, STYLE, VERMILION, sign
from .text import formatted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..kinetics.migration import Migration

_COLUMNS = 3


@figure(HopSet, "hops")
def plot_hops(hops: HopSet) -> Figure:
    """One panel per hop on a common energy axis; saddles and minima are marked.

    Parameters
    ----------
    hops
        At least one hop.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    count = len(hops.migrations)
    columns = min(_COLUMNS, count)
    rows = -(-count // columns)
    rc: Any = style()
    with mpl.rc_context(fname=str(STYLE)), mpl.rc_context(rc):
        figure = Figure(figsize=(2.9 * columns + 0.4, 2.3 * rows + 0.7), layout="constrained")
        FigureCanvasAgg(figure)
        axes = np.atleast_1d(figure.subplots(rows, columns, sharey=True, squeeze=False)).ravel()
        for axis, hop in zip(axes, hops.migrations, strict=False):
            draw_hop(hop, axis)
        for axis in axes[count:]:
            axis.set_visible(False)
        for axis in axes[::columns]:
            axis.set_ylabel("energy (eV)")
        for axis in axes[max(0, count - columns) : count]:
            axis.set_xlabel("path length (Å)")
        cells = ", ".join(str(n) for n in sorted({m.cell_atoms for m in hops.migrations}))
        figure.suptitle(f"Hops of {hops.formula}, order {hops.order}", fontsize=10)
        sign(axes[count - 1], f"engine {hops.engine}, {cells} atoms")
        return figure


def draw_hop(hop: Migration, axis: Axes) -> None:
    """One band on a given axis: its images, saddles, minima and barriers."""
    from scipy.interpolate import PchipInterpolator

    arc = np.array([p.arc_A for p in hop.images])
    energy = np.array([p.energy_eV for p in hop.images])
    fine = np.linspace(arc[0], arc[-1], 300)
    axis.plot(fine, PchipInterpolator(arc, energy)(fine), color=BLUE, lw=1.2)
    axis.plot(arc, energy, "o", color=BLUE, ms=2.5)
    for kind, marker, colour in (("saddle", "^", VERMILION), ("minimum", "v", GREEN)):
        for p in (p for p in hop.images if p.kind == kind):
            axis.plot(p.arc_A, p.energy_eV, marker, color=colour, ms=5)
            axis.annotate(
                f"{p.energy_eV:.2f}",
                (p.arc_A, p.energy_eV),
                xytext=(0, 4 if kind == "saddle" else -11),
                textcoords="offset points",
                ha="center",
                fontsize=6.5,
            )
    axis.margins(y=0.15)
    axis.set_title(f"{formatted(hop.label)}, {hop.distance_A:.2f} Å (×{hop.multiplicity})", fontsize=7.5)
    mark = "; no result: checks failed" if hop.why_no_result else "" if hop.converged else "; a check failed"
    axis.annotate(
        f"{hop.forward_eV:.2f} / {hop.backward_eV:.2f} eV{mark}",
        (0.5, 0.03),
        xycoords="axes fraction",
        ha="center",
        fontsize=6.5,
        color="0.3",
    )
