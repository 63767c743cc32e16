"""Figures of E(n): polar plots in crystal planes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..magnetism.anisotropy import AnisotropyMap, difference_meV
from ..magnetism.directions import FloatArray, plane_scan
from ..results.figures import figure
from .base import canvas, sign
from .text import formatted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_IN_THE_MIDDLE: Any = {
    "ha": "center",
    "va": "center",
    "fontsize": 8,
    "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1},
}


def plot_plane(
    maps: Sequence[AnisotropyMap],
    normal: Sequence[int] = (0, 0, 1),
    ax: Axes | None = None,
    *,
    cubic: bool = True,
) -> Figure:
    """E(n) of several states around one crystal plane, as fitted, above the lowest of each state.

    Parameters
    ----------
    maps
        States to compare.
    normal
        Normal of the plane in Cartesian axes, which are the cubic ones of a spinel.
    ax
        Polar axis to draw on; a new figure by default.
    cubic
        Whether those axes are crystal directions, to be named on the rim; else x, y and z are.

    Returns
    -------
    Figure
        The angle is measured from the first in-plane direction named on the rim.
    """
    from matplotlib.ticker import MaxNLocator

    with canvas(ax, size=(4.6, 4.2), projection="polar") as (figure, axis):
        circle = plane_scan(normal, 360)
        angle = np.linspace(0, 2 * np.pi, 361)
        for map_ in maps:
            energy = map_.fit()(circle)
            energy = energy - energy.min()
            axis.plot(angle, np.r_[energy, energy[0]], label=map_.state)
        ticks = np.arange(0, 360, 45)
        axis.set_xticks(np.radians(ticks), [_rim_name(circle[t], cubic) for t in ticks])
        # Rings are named between two of the directions, where no curve of an axis lies.
        polar: Any = axis
        polar.set_rlabel_position(22.5)
        axis.yaxis.set_major_locator(MaxNLocator(4))
        axis.tick_params(axis="y", labelsize=7, labelcolor="0.35")
        axis.set_title(f"E(n) in the ({' '.join(str(i) for i in normal)}) plane, meV per cell")
        axis.legend(loc="lower left", bbox_to_anchor=(-0.12, -0.14), ncols=len(maps))
        states = {ions: [m.state for m in maps if m.ions == ions] for ions in dict.fromkeys(m.ions for m in maps)}
        of_states = (f"{ions} ({', '.join(names)})" for ions, names in states.items())
        ions = maps[0].ions if len(states) == 1 else "; ".join(of_states)
        sign(axis, f"engine {maps[0].provenance.engine}; {ions}")
        return figure


@figure(AnisotropyMap, "plane", first=True)
def plot_plane_of_one(
    map_: AnisotropyMap, normal: Sequence[int] = (0, 0, 1), ax: Axes | None = None, *, cubic: bool = True
) -> Figure:
    """E(n) of one state in the plane with this normal, as `plot_plane`."""
    return plot_plane([map_], normal, ax, cubic=cubic)


# Colours between points are interpolated, and E(n) has no structure finer than l = 6.
_HEMISPHERE_POINTS = 61


def plot_difference(
    before: AnisotropyMap, after: AnisotropyMap, ax: Axes | None = None, *, cubic: bool = True
) -> Figure:
    """What a hop changes in E(n): after minus before over the upper half of the sphere, areas true.

    Parameters
    ----------
    before, after
        Maps of one cell.
    ax
        Polar axis to draw on; a new figure by default.
    cubic
        Whether the Cartesian axes are crystal directions.

    Returns
    -------
    Figure
        z in the middle, the x y plane on the rim; the lower half is the same, for only the even part is drawn.

    Raises
    ------
    ValueError
        As `difference_meV`.
    """
    with canvas(ax, size=(4.8, 4.2), projection="polar") as (figure, axis):
        # Lambert's azimuthal projection: the radius is sin(theta/2), scaled to 1 at the rim.
        radius = np.linspace(0, 1, _HEMISPHERE_POINTS)
        azimuth = np.linspace(0, 2 * np.pi, 2 * _HEMISPHERE_POINTS)
        theta = 2 * np.arcsin(radius / np.sqrt(2))
        t, phi = np.meshgrid(theta, azimuth, indexing="ij")
        n = np.stack([np.sin(t) * np.cos(phi), np.sin(t) * np.sin(phi), np.cos(t)], axis=-1)
        change = difference_meV(before, after, n.reshape(-1, 3)).reshape(t.shape)
        size = float(np.abs(change).max()) or 1.0
        drawn = axis.pcolormesh(azimuth, radius, change, cmap="RdBu_r", vmin=-size, vmax=size, shading="gouraud")
        drawn.set_rasterized(True)
        axis.contour(azimuth, radius, change, levels=[0.0], colors="0.25", linewidths=0.8)
        figure.colorbar(
            drawn, ax=axis, shrink=0.7, pad=0.12, label=f"E({after.state}) − E({before.state}) (meV per cell)"
        )
        ticks = np.arange(0, 360, 45)
        rim = [np.array([np.cos(a), np.sin(a), 0.0]) for a in np.radians(ticks)]
        axis.set_xticks(np.radians(ticks), [_rim_name(v, cubic) for v in rim])
        axis.set_yticks([])
        axis.grid(visible=False)
        axis.annotate(_rim_name(np.array([0.0, 0.0, 1.0]), cubic), (0, 0), **_IN_THE_MIDDLE)
        axis.set_title("change of E(n), each from its mean")
        sign(axis, f"engine {before.provenance.engine}; {after.ions}")
        return figure


def _rim_name(vector: FloatArray, cubic: bool) -> str:
    """Miller indices of a direction on the rim, or its Cartesian axis; empty if it has no small ones."""
    for scale in (1, np.sqrt(2), np.sqrt(3)) if cubic else (1,):
        trial = np.rint(vector * scale)
        if np.allclose(vector * scale, trial, atol=1e-2):
            if cubic:
                return formatted("[" + "".join(str(int(i)) for i in trial) + "]")
            along = int(np.flatnonzero(trial)[0])
            return ("−" if trial[along] < 0 else "") + "xyz"[along]
    return ""
