"""Figure of the stability region in the chemical potentials, with what bounds it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..results.figures import figure
from ..thermodynamics.gases import gas_of
from ..thermodynamics.stability_window import ChemicalPotentials, coupled_points
from .base import BLUE, GREEN, ORANGE, PURPLE, VERMILION, canvas, sign
from .text import formatted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]
_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, "#56B4E9", "#000000")


@figure(ChemicalPotentials, "window")
def plot_window(
    window: ChemicalPotentials,
    ax: Axes | None = None,
    *,
    element: str | None = None,
    beside: ChemicalPotentials | None = None,
    point: Mapping[str, float] | None = None,
) -> Figure:
    """Allowed potentials of one cation against the anion's, mostly oxygen's; edges name the phases that form.

    Parameters
    ----------
    window
        A stability region.
    ax
        Axis to draw on; a new figure by default.
    element
        Cation on the vertical axis; that with the widest range by default. For hosts of more than three elements the
        region is the range over all other potentials.
    beside
        Another region of the same host to compare, drawn as a dashed outline: e.g. the experimental one.
    point
        Potentials by element (eV) to mark, e.g. those of a formation diagram.

    Raises
    ------
    ValueError
        If the element is not a cation of the host.
    """
    chosen = shown_element(window, element)
    with canvas(ax, size=(5.6, 4.2)) as (figure, axis):
        low, high = window.delta_mu_O_min_eV, window.delta_mu_O_max_eV
        grid, bottom, top = outline(window, chosen)
        axis.fill_between(grid, bottom, top, color=BLUE, alpha=0.15, lw=0)
        if len(window.elements) == 3:
            _named_edges(axis, window, chosen)
        else:
            axis.plot(grid, bottom, color="0.3", lw=1)
            axis.plot(grid, top, color="0.3", lw=1)
        if beside is not None:
            across, below, above = outline(beside, chosen)
            ring = np.concatenate([below, above[::-1], below[:1]])
            around = np.concatenate([across, across[::-1], across[:1]])
            axis.plot(around, ring, color="0.45", lw=1, ls="--", label=f"region from {beside.origin}")
            axis.legend()
        axis.axvline(low, color="0.5", lw=0.8, ls=":")
        axis.axvline(high, color="0.5", lw=0.8, ls=":")
        if point is not None:
            axis.plot([point[window.anion]], [point[chosen]], "o", color="black", ms=6, zorder=5, clip_on=False)
        axis.margins(x=0.06, y=0.12)
        axis.set_xlabel(f"{gas_of(window.anion).word} potential Δμ$_{window.anion}$ (eV)")
        axis.set_ylabel(f"{chosen} potential Δμ$_{{\\mathrm{{{chosen}}}}}$ (eV)")
        axis.set_title(
            formatted(f"{low:z.2f} eV: {window.oxygen_poor.reaction}\n{high:z.2f} eV: {window.oxygen_rich.reaction}"),
            fontsize=7.5,
            loc="left",
        )
        sign(axis, f"{window.host_formula} is stable inside; {solids_words(window)}")
        return figure


def solids_words(window: ChemicalPotentials) -> str:
    """Where the region comes from, and at which temperature its solids are."""
    when = "298 K" if window.provenance.level_of_theory == "experiment" else "0 K"
    return f"{window.origin}, {when} values for the solids"


def shown_element(window: ChemicalPotentials, element: str | None) -> str:
    """The cation on the vertical axis: as asked for, else that of the widest range.

    Raises
    ------
    ValueError
        If it is not a cation of the host.
    """
    cations = [el for el in window.elements if el != window.anion]
    chosen = max(cations, key=lambda el: _widest(window, el)) if element is None else element
    if chosen not in cations:
        raise ValueError(f"no potential of {chosen!r} in {window.host_formula}; choose from {', '.join(cations)}")
    return chosen


def outline(window: ChemicalPotentials, element: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Potentials of the anion, and the lowest and highest potential of a cation at each."""
    low, high = window.delta_mu_O_min_eV, window.delta_mu_O_max_eV
    # The corners of the region belong to the grid, so that every edge is drawn straight.
    corners = [v[window.anion] for v in window.vertices]
    grid = np.unique(np.clip([*np.linspace(low, high, 121), *corners], low, high))
    points = [coupled_points(window, float(x)) for x in grid]
    bottom = np.array([min(p[element] for p in here) for here in points])
    top = np.array([max(p[element] for p in here) for here in points])
    return grid, bottom, top


def _widest(window: ChemicalPotentials, element: str) -> float:
    _, bottom, top = outline(window, element)
    return float(np.max(top - bottom))


def region_edges(
    window: ChemicalPotentials, element: str
) -> list[tuple[str, tuple[float, float], tuple[float, float]]]:
    """Sides of the polygon of a host of three elements: the phase common to both ends, and x and y of the ends."""
    ends = list(zip(window.vertices, window.vertex_phases, strict=True))
    return [
        (name, (one[window.anion], other[window.anion]), (one[element], other[element]))
        for (one, here), (other, there) in pairwise([*ends, ends[0]])
        for name in sorted(set(here) & set(there))
    ]


def _named_edges(axis: Axes, window: ChemicalPotentials, element: str) -> None:
    """Each side of the polygon in the colour of the phase that forms there."""
    colours: dict[str, str] = {}
    for name, x, y in region_edges(window, element):
        first = name not in colours
        colour = colours.setdefault(name, _COLOURS[len(colours) % len(_COLOURS)])
        axis.plot(x, y, color=colour, lw=2, label=f"{formatted(name)} forms" if first else None)
    axis.legend()
