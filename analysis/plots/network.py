"""Figure of a network of hops: the ladder of its barriers, and the graph in the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..kinetics.network import HopNetwork
from ..results.figures import figure
from .base import BLUE, GREEN, ORANGE, PURPLE, VERMILION, canvas, sign
from .text import formatted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE)


@figure(HopNetwork, "network")
def plot_network(network: HopNetwork, ax: Axes | None = None) -> Figure:
    """Barriers of the distinct hops as a ladder with the percolation thresholds, and the hops in the cell.

    Parameters
    ----------
    network
        Graph of one ion's hops.
    ax
        Axis for the ladder alone; a new figure by default.
    """
    labels = list(dict.fromkeys(h.label for h in sorted(network.hops, key=lambda h: h.forward_eV)))
    colours = {label: _COLOURS[n % len(_COLOURS)] for n, label in enumerate(labels)}
    with canvas(ax, size=(8.4, 3.9)) as (figure, axis):
        if ax is None:
            grid = figure.add_gridspec(1, 2)
            axis.set_subplotspec(grid[0])
            _draw_graph(network, colours, figure.add_subplot(grid[1], projection="3d"))
        for n, label in enumerate(labels):
            hop = next(h for h in network.hops if h.label == label)
            for energy, style in ((hop.forward_eV, "-"), (hop.backward_eV, ":")):
                axis.plot([n - 0.35, n + 0.35], [energy] * 2, style, color=colours[label], lw=2)
        for p in (p for p in network.percolation if p.barrier_eV is not None):
            assert p.barrier_eV is not None
            axis.axhline(p.barrier_eV, color="0.6", lw=0.7)
        axis.annotate(_ways(network), (0.02, 0.02), xycoords="axes fraction", fontsize=7, color="0.3")
        axis.set_xticks(range(len(labels)), [formatted(label) for label in labels], fontsize=7, rotation=20, ha="right")
        axis.set_ylabel("barrier (eV)")
        axis.set_ylim(0, 1.15 * max(max(h.forward_eV, h.backward_eV) for h in network.hops))
        axis.set_title(f"{network.ion} by {network.carrier}: forward (full), back (dotted)", fontsize=9)
        if ax is not None:
            sign(axis, f"{len(network.sites)} places, {len(network.hops)} hops in the cell")
        return figure


def _ways(network: HopNetwork) -> str:
    words = [
        f"{p.direction} {'none' if p.barrier_eV is None else f'{p.barrier_eV:.2f} eV'}" for p in network.percolation
    ]
    return "through the crystal along " + ", ".join(words)


def _draw_graph(network: HopNetwork, colours: dict[str, str], axis: Any) -> None:
    matrix = np.asarray(network.lattice_A)
    places = np.array([s.fractional for s in network.sites]) @ matrix
    for hop in network.hops:
        line = np.array([places[hop.start], places[hop.start] + np.asarray(hop.displacement_A)])
        axis.plot(*line.T, color=colours[hop.label], lw=1.0)
    kinds = list(dict.fromkeys(s.label for s in network.sites))
    for kind, marker in zip(kinds, "os^vDP*X", strict=False):
        own = np.array([x for x, s in zip(places, network.sites, strict=True) if s.label == kind])
        axis.plot(*own.T, marker, color="0.2", ms=4, label=formatted(kind))
    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]) @ matrix
    for low in (corners, corners + matrix[2]):
        axis.plot(*np.vstack([low, low[:1]]).T, color="0.7", lw=0.6)
    for corner in corners:
        axis.plot(*np.array([corner, corner + matrix[2]]).T, color="0.7", lw=0.6)
    axis.set_aspect("equal")
    axis.set_axis_off()
    axis.legend(fontsize=7, loc="lower left")
