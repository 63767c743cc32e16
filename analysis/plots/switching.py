"""Figures of a switching path, of loops with a frozen reference, and of the switching time against the field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..device.film import DeviceResult
from ..magnetism.hysteresis import SwitchingPath
from ..magnetism.unidirectional import UnidirectionalResult
from ..results.figures import figure
from .base import BLUE, GREEN, VERMILION, canvas, sign
from .ensemble import list_beside
from .text import formatted, named_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# A u below this is rounding, not a frozen reference.
_NOISE_meV = 1e-6


@figure(SwitchingPath, "switching")
def plot_switching(path: SwitchingPath, ax: Axes | None = None, *, engine: str = "") -> Figure:
    """Share of ions after the hop through pulse, wait, reverse pulse and wait; below it u, if something is frozen.

    Parameters
    ----------
    path
        Steps in order.
    ax
        Axis for the share alone; a new figure by default.
    engine
        Whose hop it is.
    """
    written = np.array(path.reversed_part_meV)
    size = float(np.linalg.norm(written))
    both = ax is None and size > _NOISE_meV and path.reference is not None
    with canvas(ax, size=(6.8, 5.0 if both else 3.8)) as (figure, axis):
        x = np.arange(len(path.steps))
        if both:
            grid = figure.add_gridspec(2, 1)
            axis.set_subplotspec(grid[0])
            lower = figure.add_subplot(grid[1], sharex=axis)
            lower.plot(x, [float(np.dot(s.u_meV, written)) / size for s in path.steps], "s--", color=VERMILION)
            lower.axhline(0, color="0.6", lw=0.8)
            lower.set_ylabel("u along its change\n(meV per cell)")
            lower.tick_params(axis="x", labelsize=7)
            axis.tick_params(axis="x", labelbottom=False)
        axis.plot(x, [s.population_after for s in path.steps], "o-", color=BLUE)
        axis.set_ylim(-0.05, 1.25)
        axis.set_yticks([0, 0.5, 1])
        axis.set_ylabel("share after the hop")
        names = ["before", "after the\npulse", "after\nwaiting", "after the\nreverse pulse", "after\nwaiting again"]
        axis.set_xticks(x, names[: len(x)], fontsize=7)
        for n, step in enumerate(path.steps[1:], start=1):
            what = formatted(f"{step.field_V_per_m:+.0e} V/m") if step.field_V_per_m else "no field"
            axis.annotate(
                f"{what}\n{step.duration_s:g} s", (n - 0.5, 1.23), ha="center", va="top", fontsize=6.5, color="0.3"
            )
        list_beside(axis, [path.verdict, *_axes_apart(path), "", *path.assumptions])
        if engine:
            sign(lower if both else axis, f"engine {engine}; two states, no interaction of ions")
        return figure


def _axes_apart(path: SwitchingPath) -> list[str]:
    if len(path.easy_axes) != 2:
        return []
    first, second = np.array(path.easy_axes)
    angle = np.degrees(np.arccos(min(1.0, abs(float(first @ second)))))
    return [f"easy axes of the two states: {angle:.1f} deg apart"]


@figure(UnidirectionalResult, "loops")
def plot_loops(result: UnidirectionalResult, ax: Axes | None = None) -> Figure:
    """Stoner-Wohlfarth loops of the turning group before and after the hop, each along its own u."""
    with canvas(ax, size=(5.2, 3.6)) as (figure, axis):
        for state, colour in zip([s for s in result.states if s.loop is not None], (BLUE, VERMILION), strict=False):
            loop = state.loop
            assert loop is not None
            shift = "not crossed" if loop.shift_T is None else f"{loop.shift_T:+.3g} T"
            axis.plot(loop.fields_T, loop.along, ".-", ms=3, color=colour, label=f"{state.state}: {shift}")
            if loop.shift_T is not None:
                axis.axvline(loop.shift_T, color=colour, lw=0.6, ls=":")
        axis.set_xlabel("field along u (T)")
        axis.set_ylabel("moment along u")
        axis.legend(title="shift of the loop", fontsize=7)
        sign(axis, f"pinned reference: {result.reference}; one rigid domain at 0 K")
        return figure


@figure(DeviceResult, "switching_time")
def plot_switching_time(device: DeviceResult, ax: Axes | None = None, *, engine: str = "") -> Figure:
    """Mean time of the hop against the field along it, from the computed profile."""
    with canvas(ax, size=(6.8, 3.8)) as (figure, axis):
        fields, times = np.array(device.switching_fields_V_per_m) / 1e8, np.array(device.switching_times_s, dtype=float)
        axis.plot(fields, times, "o-", color=GREEN)
        if np.isnan(times).any():
            axis.axvspan(float(fields[np.isnan(times)][0]), float(fields[-1]), color="0.92", zorder=0)
            axis.annotate(
                "no rate law", (float(fields[-1]), 0.97), xycoords=("data", "axes fraction"), ha="right", va="top",
                fontsize=7, color="0.4",
            )  # fmt: skip
        axis.set_yscale("log")
        axis.set_xlabel(r"field along the hop ($10^8$ V/m)")
        axis.set_ylabel("mean time of the hop (s)")
        p = device.parameters
        assumed = [named_value("attempt_Hz", p.attempt_Hz), named_value("temperature_K", p.temperature_K)]
        list_beside(axis, ["Assumed", *assumed])
        if engine:
            sign(axis, f"engine {engine}; internal field")
        return figure
