"""Figures of an ensemble: contrast against voltage, miscut, time, pulse; every assumption beside the curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..device.ensemble import Curve, EnsembleParameters
from ..device.ensemble_fit import EnsembleFit
from ..results.figures import figure
from .base import BLUE, GREEN, PURPLE, VERMILION, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOG_X = ("time (s)",)
_VARIED = {"miscut (deg)": "miscut_deg", "temperature (K)": "temperature_K"}
_OF_THE_HOP = ("barrier_eV", "asymmetry_eV", "charge_e", "distance_A")
_LOG_Y = ("time to 1/e of the contrast (s)", "time to 1/e of what can be lost (s)")


@figure(Curve, "curve")
def plot_curve(curve: Curve, ax: Axes | None = None) -> Figure:
    """One curve with all its assumptions in the margin.

    Parameters
    ----------
    curve
        Of `analysis.device.ensemble`.
    ax
        Axis to draw on; a new figure by default.

    Returns
    -------
    Figure
    """
    with canvas(ax, size=(6.4, 3.8)) as (figure, axis):
        x, y = np.array(curve.x), np.array(curve.y, dtype=float)
        if curve.x_name == "pulse number":
            axis.step(x, y, where="mid", color=BLUE)
        axis.plot(x, y, "o-" if len(x) < 30 and curve.x_name != "pulse number" else "-", color=BLUE)
        if curve.x_name == "pulse number":
            axis.lines[-1].set_linestyle("none")
            axis.lines[-1].set_marker("o")
        if curve.x_name in _LOG_X:
            axis.set_xscale("log")
        if curve.y_name in _LOG_Y:
            axis.set_yscale("log")
        else:
            axis.axhline(0, color="0.6", lw=0.8)
        axis.set_xlabel(curve.x_name)
        axis.set_ylabel(curve.y_name)
        list_beside(axis, [*_beside(curve.parameters, _VARIED.get(curve.x_name, "")), *curve.notes])
        return figure


def _beside(p: EnsembleParameters, varied: str = "") -> list[str]:
    """What the hop gives and what is assumed, but for the parameter that the curve varies."""
    lines = [line for line in p.listed() if line.split(" = ")[0] != varied]
    given = [line for line in lines if line.split(" = ")[0] in _OF_THE_HOP]
    return ["hop", *given, "", "assumed", *(line for line in lines if line not in given)]


def plot_pulses(curves: Sequence[Curve], ax: Axes | None = None) -> Figure:
    """Contrast against voltage for several pulse lengths; what all share, and each pulse, in the margin."""
    with canvas(ax, size=(6.4, 3.8)) as (figure, axis):
        for curve, colour, mark in zip(curves, (BLUE, VERMILION, GREEN, PURPLE) * 3, "os^Dv*" * 2, strict=False):
            label = "" if curve.pulse_s is None else f"pulse {curve.pulse_s:g} s"
            axis.plot(curve.x, np.array(curve.y, dtype=float), f"{mark}-", ms=3.5, color=colour, label=label)
        axis.axhline(0, color="0.6", lw=0.8)
        axis.set_xlabel(curves[0].x_name)
        axis.set_ylabel(curves[0].y_name)
        axis.legend()
        list_beside(axis, [*_beside(curves[0].parameters), "each voltage and pulse on a fresh film"])
        return figure


def plot_train(curve: Curve, ax: Axes | None = None) -> Figure:
    """Contrast through a train of pulses: at the end of each (filled) and after the wait (open)."""
    with canvas(ax, size=(6.4, 3.8)) as (figure, axis):
        x, y = np.array(curve.x), np.array(curve.y, dtype=float)
        axis.plot(x, y, "-", color="0.7", lw=0.8)
        ends = np.isclose(x % 1, 0)
        axis.plot(x[ends], y[ends], "o", color=BLUE, label="end of the pulse")
        axis.plot(x[~ends], y[~ends], "o", mfc="white", color=VERMILION, label="after the wait")
        if len(curve.pulses_V) == np.count_nonzero(ends):
            axis.set_xticks(x[ends], [f"{v:g} V" for v in curve.pulses_V])
        axis.axhline(0, color="0.6", lw=0.8)
        axis.set_xlabel("pulse")
        axis.set_ylabel(curve.y_name)
        axis.legend()
        list_beside(axis, [*_beside(curve.parameters), *curve.notes[1:]])
        return figure


@figure(EnsembleFit, "fit")
def plot_fit(
    fit: EnsembleFit,
    x: Sequence[float],
    y: Sequence[float],
    pulse_s: float | None = None,
    ax: Axes | None = None,
    *,
    wait_s: float | None = None,
    sigma: Sequence[float] | None = None,
) -> Figure:
    """Measured curve with the fitted one; fitted values with their errors and all assumptions in the margin.

    `pulse_s` and `wait_s` stand instead of those of the fit's own measurement.
    """
    said = {"pulse_s": pulse_s, "wait_s": wait_s}
    measured = fit.measurement.model_copy(update={k: v for k, v in said.items() if v is not None})
    fit = fit.model_copy(update={"measurement": measured})
    with canvas(ax, size=(6.4, 3.8)) as (figure, axis):
        early = min((v for v in x if v > 0), default=1.0)
        by_decades = measured.against in ("time_s", "wait_s") and max(x) > 30 * early
        fine = np.geomspace(early, max(x), 200) if by_decades else np.linspace(min(x), max(x), 200)
        axis.plot(fine, fit.curve(fine.tolist()), color=BLUE, label="two-state ensemble")
        if by_decades:
            axis.set_xscale("log")
        if sigma is None:
            axis.plot(x, y, "o", color=VERMILION, label="data")
        else:
            axis.errorbar(x, y, sigma, fmt="o", color=VERMILION, label="data")
        name, _, unit = measured.against.rpartition("_")
        axis.set_xlabel(f"{name} ({unit})")
        axis.set_ylabel(f"{'current' if measured.quantity == 'current' else 'contrast'} (unit of the data)")
        axis.legend()
        fitted = [f"{n} = {v:.4g} ± {fit.errors[n]:.2g}" for n, v in fit.values.items()]
        if measured.quantity == "offset and contrast":
            fitted.append(f"offset = {fit.offset:.4g} ± {fit.offset_error:.2g}")
        kept = [line for line in fit.parameters.listed() if line.split(" = ")[0] not in fit.values]
        wrong = ["", "unphysical", *fit.unphysical] if fit.unphysical else []
        scale = f"scale = {fit.scale:.4g} ± {fit.scale_error:.2g}"
        list_beside(axis, ["fitted", *fitted, scale, *wrong, "", "kept", *kept])
        return figure


def list_beside(axis: Axes, lines: Sequence[str]) -> None:
    """Small text to the right of an axis, wrapped; the layout engine makes room for it."""
    from textwrap import wrap

    text = "\n".join(part for line in lines for part in (wrap(line, 34, subsequent_indent="  ") or [""]))
    axis.annotate(
        text,
        xy=(1, 1),
        xycoords="axes fraction",
        xytext=(8, 0),
        textcoords="offset points",
        ha="left",
        va="top",
        fontsize=6.5,
        color="0.3",
    )
