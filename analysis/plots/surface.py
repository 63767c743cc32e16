"""E(n) as a surface with its axes, and u against the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..magnetism.anisotropy import AnisotropyMap, summarise
from ..magnetism.directions import axis_in_words
from ..results.figures import figure
from .base import GREEN, VERMILION, canvas
from .text import formatted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(AnisotropyMap, "surface")
def plot_surface(map_: AnisotropyMap, ax: Axes | None = None, *, resolution: int = 60, cubic: bool = True) -> Figure:
    """E(n) above its minimum as the radius of a surface, with easy and hard axes.

    Parameters
    ----------
    map_
        Map whose even fit is drawn; the radius is 0.35 at the easy axis and 1 at the hard one.
    ax
        3D axis to draw on; a new figure by default.
    resolution
        Points per half turn.
    cubic
        Whether the Cartesian axes are crystal directions, to be named.
    """
    with canvas(ax, size=(4.8, 4.4), projection="3d") as (figure, axis):
        view: Any = axis
        theta, phi = np.meshgrid(np.linspace(0, np.pi, resolution), np.linspace(0, 2 * np.pi, 2 * resolution))
        n = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)
        energy = map_.fit()(n.reshape(-1, 3)).reshape(theta.shape)
        energy = energy - energy.min()
        span = float(energy.max()) or 1.0
        points = n * (0.35 + 0.65 * energy / span)[..., None]
        import matplotlib as mpl

        colours = mpl.colormaps["cividis"](energy / span)
        drawn = view.plot_surface(
            *np.moveaxis(points, -1, 0), facecolors=colours, rstride=1, cstride=1, lw=0, shade=False
        )
        # Thousands of polygons as one picture; axes and text stay vectors.
        drawn.set_rasterized(True)
        anisotropy_summary = summarise(map_)
        for direction, colour, name in (
            (anisotropy_summary.easy_axis, GREEN, "easy"),
            (anisotropy_summary.hard_axis, VERMILION, "hard"),
        ):
            ends = np.outer([-1.4, 1.4], direction)
            view.plot(*ends.T, color=colour, lw=2, label=f"{name}: {formatted(axis_in_words(direction, cubic=cubic))}")
        view.set_box_aspect((1, 1, 1))
        view.set(xlim=(-1, 1), ylim=(-1, 1), zlim=(-1, 1), xlabel="x", ylabel="y", zlabel="z")
        view.set_xticks([-1, 0, 1])
        view.set_yticks([-1, 0, 1])
        view.set_zticks([-1, 0, 1])
        figure.colorbar(
            mpl.cm.ScalarMappable(mpl.colors.Normalize(0, span), "cividis"),
            ax=view,
            shrink=0.6,
            label="E(n) (meV per cell)",
        )
        view.set_title(
            f"{map_.state}: {formatted(map_.ions)}, engine {map_.provenance.engine}", fontsize=8, loc="right"
        )
        view.legend(loc="upper left", bbox_to_anchor=(-0.08, 1.02))
        return figure
