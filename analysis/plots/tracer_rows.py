"""Measured rows of tracer diffusion with all studies that were held against them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..results.figures import figure
from ..study.tracer_rows import RowsBeside, TracerRows
from .base import BLUE, GREEN, PURPLE, VERMILION, canvas, sign
from .text import formatted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, "#8c6d31", "#56b4e9")
_MOST_PANELS = 6


@figure(RowsBeside, "rows")
def plot_row(found: RowsBeside, ax: Axes | None = None) -> Figure:
    """One study beside its measured rows."""
    with canvas(ax, size=(5.6, 3.8)) as (figure, axis):
        _panel(axis, [found])
        sign(axis, f"engine {found.engine}; open: outside the stability window")
        return figure


def plot_rows(found: Sequence[RowsBeside]) -> Figure:
    """All studies beside each group of measured rows, one panel a group.

    Raises
    ------
    ValueError
        If there is nothing to draw, or more groups than a page holds.
    """
    groups: dict[str, list[RowsBeside]] = {}
    for one in found:
        groups.setdefault(one.rows.model_dump_json(), []).append(one)
    if not 1 <= len(groups) <= _MOST_PANELS:
        raise ValueError(f"{len(groups)} groups of rows; a figure holds 1 to {_MOST_PANELS}: split the file")
    wide = min(len(groups), 3)
    high = math.ceil(len(groups) / wide)
    with canvas(None, size=(1.2 + 4.4 * wide, 0.4 + 3.6 * high)) as (figure, axis):
        axis.remove()
        for n, group in enumerate(groups.values()):
            _panel(figure.add_subplot(high, wide, n + 1), group)
        sign(figure.axes[-1], "open: outside the stability window")
        return figure


def _panel(axis: Axes, found: Sequence[RowsBeside]) -> None:
    """Against log a, or against 1/T where the rows have more temperatures than activities."""
    rows = found[0].rows
    thermal = len(set(rows.temperature_K)) > len(set(rows.log10_a))
    x = np.array([1000 / t for t in rows.temperature_K] if thermal else rows.log10_a)
    beside = _families(rows, thermal)
    for one, colour in zip(found, _COLOURS * len(found), strict=False):
        y = np.array(one.log10_computed, dtype=float)
        inside = np.array(one.inside_window)
        for n, at in enumerate(beside):
            axis.plot(x[at], y[at], "-", color=colour, label=f"{one.study} ({one.engine})" if n == 0 else None)
        axis.plot(x[inside], y[inside], "o", color=colour)
        axis.plot(x[~inside], y[~inside], "o", color=colour, mfc="white")
    axis.plot(x, rows.log10_D, "s", color="black", label="measured")
    axis.set_title(formatted(f"{rows.ion} in {rows.composition}" if rows.composition else rows.ion), fontsize=9)
    axis.set_xlabel("1000 K / T" if thermal else r"$\log_{10}$ a(O$_2$)")
    axis.set_ylabel(r"$\log_{10}$ D / (cm$^2$/s)")
    axis.margins(y=0.25)
    axis.legend(fontsize=7, frameon=True, framealpha=0.85, edgecolor="none")


def _families(rows: TracerRows, thermal: bool) -> list[list[int]]:
    """Rows of one line each, in the order of the abscissa."""
    held, along = (rows.log10_a, rows.temperature_K) if thermal else (rows.temperature_K, rows.log10_a)
    return [
        sorted((n for n, v in enumerate(held) if v == value), key=lambda n: along[n]) for value in sorted(set(held))
    ]
