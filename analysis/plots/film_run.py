"""Figures of a film: profile against time, and what it shows through write, read and erase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..device.film_run import FilmRun
from ..kinetics.rates import format_duration
from ..results.figures import figure
from .base import BLUE, GREEN, PURPLE, VERMILION, canvas, sign
from .text import formatted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_MOST_NAMES = 6


def _said(run: FilmRun) -> str:
    m = run.model
    return formatted(
        f"{m.thickness_nm:g} nm, {m.barrier_eV:.2f} eV, {m.charge_e:+.2f} e, eps {m.permittivity:g}, "
        f"{m.temperature_K:g} K\n{m.source}"
    )


def _currents(run: FilmRun) -> np.ndarray:
    """Currents with gaps where there is none."""
    return np.array(run.current_A_per_m2, dtype=float)


def _name_times(axis: Axes, run: FilmRun) -> None:
    """Voltage and length of every step at its end, and the time since the begin; inside a step time runs by decades."""
    elapsed = np.cumsum([s.duration_s for s in run.steps])
    # More names than that run into each other.
    shown = sorted({round(n) for n in np.linspace(0, len(run.steps) - 1, min(len(run.steps), _MOST_NAMES))})
    names = []
    for step, t in ((run.steps[n], float(elapsed[n])) for n in shown):
        voltage = step.voltage_V if step.end_V is None else step.end_V
        names.append(formatted(f"{voltage:g} V\n{format_duration(step.duration_s)}\nat {format_duration(t)}"))
    ends = run.ends()
    axis.set_xticks([ends[n] for n in shown], names, fontsize=7)
    axis.set_xlabel("end of each step: voltage, length, time since the begin; inside a step by decades")


@figure(FilmRun, "film")
def plot_film(run: FilmRun, ax: Axes | None = None) -> Figure:
    """Voltage, contrast, occupation of the interfaces and ionic current of a film through its steps."""
    with canvas(ax, size=(6.4, 6.2)) as (figure, axis):
        when = np.arange(len(run.time_s))
        if ax is None:
            grid = figure.add_gridspec(3, 1)
            axis.set_subplotspec(grid[1])
            top, low = figure.add_subplot(grid[0], sharex=axis), figure.add_subplot(grid[2], sharex=axis)
            top.plot(when, run.voltage_V, color=VERMILION)
            top.set_ylabel("voltage (V)")
            low.plot(when, _currents(run), color=PURPLE)
            largest = np.nanmax(np.abs([0.0, *_currents(run)]))
            # A whole decade, so that no tick stands between it and zero.
            low.set_yscale("symlog", linthresh=10.0 ** np.ceil(np.log10(max(1e-12, 1e-3 * float(largest)))))
            low.set_ylabel("ionic current (A/m²)")
            _name_times(low, run)
            for other in (top, axis):
                other.tick_params(axis="x", labelbottom=False)
        else:
            _name_times(axis, run)
        axis.plot(when, run.contrast, color=BLUE, label="contrast")
        axis.plot(when, run.left_occupation, "--", color=GREEN, label="left plane")
        axis.plot(when, run.right_occupation, ":", color=GREEN, label="right plane")
        for end in run.ends():
            axis.axvline(end, color="0.85", lw=0.6)
        axis.set_ylabel("share")
        axis.legend(fontsize=7)
        (axis if ax is not None else top).set_title(_said(run), fontsize=8)
        return figure


@figure(FilmRun, "profile")
def plot_profile(run: FilmRun, ax: Axes | None = None) -> Figure:
    """Occupation of the planes against time, with the end of every step."""
    with canvas(ax, size=(6.0, 3.8)) as (figure, axis):
        depth = np.arange(run.model.planes) * run.model.plane_spacing_A / 10
        image = axis.pcolormesh(np.arange(len(run.time_s)), depth, np.array(run.profile).T, cmap="cividis")
        figure.colorbar(image, ax=axis, label="occupation")
        _name_times(axis, run)
        axis.set_ylabel("depth from the left (nm)")
        axis.set_title(_said(run), fontsize=8)
        return figure


@figure(FilmRun, "current_voltage")
def plot_current_voltage(run: FilmRun, ax: Axes | None = None) -> Figure:
    """Ionic current against voltage."""
    with canvas(ax, size=(5.0, 3.6)) as (figure, axis):
        axis.plot(run.voltage_V, _currents(run), ".-", ms=3, color=BLUE)
        axis.set_xlabel("voltage (V)")
        axis.set_ylabel("ionic current (A/m²)")
        sign(axis, _said(run).replace("\n", "; "))
        return figure


@figure(FilmRun, "endurance")
def plot_endurance(run: FilmRun, ax: Axes | None = None) -> Figure:
    """Contrast after each write and each erase against the number of cycles."""
    found = run.endurance()
    with canvas(ax, size=(5.0, 3.6)) as (figure, axis):
        axis.plot(found["cycle"], found["written"], ".-", ms=4, color=VERMILION, label="written")
        axis.plot(found["cycle"], found["erased"], ".-", ms=4, color=BLUE, label="erased")
        if found.empty:
            axis.text(0.5, 0.5, "two cycles or more are needed", ha="center", transform=axis.transAxes)
        else:
            axis.set_xscale("log")
            axis.legend(fontsize=7)
            if found["of_first"].isna().all():
                axis.set_ylim(-1, 1)
                axis.text(0.5, 0.4, "forgotten within the wait", ha="center", transform=axis.transAxes, fontsize=8)
        axis.set_xlabel("cycles")
        axis.set_ylabel("contrast after the wait")
        traps, held = run.model.traps, "no mechanism of fatigue"
        if traps is not None:
            held = f"traps: {traps.share:g} a place, {traps.depth_eV:g} eV deep over {traps.barrier_eV:g} eV"
            held = f"{held}; {traps.source}"
        axis.set_title(formatted(f"{_said(run)}\n{held}"), fontsize=8)
        return figure
