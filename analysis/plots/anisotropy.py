"""Figures of E(n): polar plots in crystal planes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..magnetism.anisotropy import AnisotropyMap
from ..magnetism.directions import plane_scan
from ..results.figures import figure
from .base import canvas, sign

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_plane(maps: Sequence[AnisotropyMap], normal: Sequence[int] = (0, 0, 1), ax: Axes | None = None) -> Figure:
    """E(n) of several states around one crystal plane, as fitted, above the lowest of each state.

    Parameters
    ----------
    maps
        States to compare.
    normal
        Normal of the plane, cubic axes.
    ax
        Polar axis to draw on; a new figure by default.

    Returns
    -------
    Figure
        The angle is measured from the first in-plane cubic direction named on the rim.
    """
    with canvas(ax, size=(4.6, 4.2), projection="polar") as (figure, axis):
        circle = plane_scan(normal, 360)
        angle = np.linspace(0, 2 * np.pi, 361)
        for map_ in maps:
            energy = map_.fit()(circle)
            energy = energy - energy.min()
            axis.plot(angle, np.r_[energy, energy[0]], label=map_.state)
        ticks = np.arange(0, 360, 45)
        axis.set_xticks(np.radians(ticks), [_direction_name(circle[t]) for t in ticks])
        axis.set_title(f"E(n) in the ({' '.join(str(i) for i in normal)}) plane, meV per cell")
        axis.legend(loc="lower left", bbox_to_anchor=(-0.12, -0.14), ncols=len(maps))
        states = {ions: [m.state for m in maps if m.ions == ions] for ions in dict.fromkeys(m.ions for m in maps)}
        of_states = (f"{ions} ({', '.join(names)})" for ions, names in states.items())
        ions = maps[0].ions if len(states) == 1 else "; ".join(of_states)
        sign(axis, f"engine {maps[0].provenance.engine}; {ions}")
        return figure


@figure(AnisotropyMap, "plane", first=True)
def plot_plane_of_one(map_: AnisotropyMap, normal: Sequence[int] = (0, 0, 1), ax: Axes | None = None) -> Figure:
    """E(n) of one state in the crystal plane with this normal, as `plot_plane`."""
    return plot_plane([map_], normal, ax)


def _direction_name(vector: np.ndarray) -> str:
    """Miller indices of a direction, overbars as combining characters; empty if it has no small ones."""
    for scale in (1, np.sqrt(2), np.sqrt(3)):
        trial = vector * scale
        if np.allclose(trial, np.rint(trial), atol=1e-2):
            return "[" + "".join(f"{abs(int(i))}" + ("\u0305" if i < 0 else "") for i in np.rint(trial)) + "]"
    return ""
