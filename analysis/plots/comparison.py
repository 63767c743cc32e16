"""Figures of several studies on one axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..kinetics.migration import Migration
from .base import BLUE, GREEN, ORANGE, PURPLE, VERMILION, canvas, sign
from .text import formatted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE)
_LINES = ("-", "--", "-.", ":")


def plot_bands(hops: Mapping[str, Migration], ax: Axes | None = None) -> Figure:
    """Bands of one hop from several studies; the path is scaled to one, because its length differs.

    Parameters
    ----------
    hops
        Migrations by the name of their study.
    ax
        Axis to draw on; a new figure by default.

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    from scipy.interpolate import PchipInterpolator

    if not hops:
        raise ValueError("no migration to draw; compare studies that computed one")
    with canvas(ax) as (figure, axis):
        for k, (name, hop) in enumerate(hops.items()):
            arc = np.array([p.arc_A for p in hop.images])
            energy = [p.energy_eV for p in hop.images]
            fine = np.linspace(0, 1, 300)
            colour, line = _COLOURS[k % len(_COLOURS)], _LINES[k // len(_COLOURS) % len(_LINES)]
            mark = "; no result: checks failed" if hop.why_no_result else ""
            label = f"{name} ({hop.provenance.engine}, {hop.cell_atoms} atoms{mark})"
            axis.plot(fine, PchipInterpolator(arc / arc[-1], energy)(fine), line, color=colour, label=label)
            axis.plot(arc / arc[-1], energy, ".", color=colour)
        axis.set_xlabel("path (share of its length)")
        axis.set_ylabel("energy (eV)")
        axis.set_title(formatted(", ".join(sorted({h.label for h in hops.values()}))))
        axis.legend()
        sign(axis, "no field; every band from its own engine and cell")
        return figure
