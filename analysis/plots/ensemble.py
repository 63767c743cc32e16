"""Figures of an ensemble: contrast against voltage, miscut, time, pulse; every assumption beside the curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..ensemble import Curve, EnsembleFit, contrast_against_voltage
from .base import BLUE, VERMILION, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOG_X = ("time (s)",)
_LOG_Y = ("time to 1/e of the contrast (s)",)


def plot_curve(curve: Curve, ax: Axes | None = None) -> Figure:
    """One curve with all its assumptions in the margin.

    Parameters
    ----------
    curve
        Of `analysis.ensemble`.
    ax
        Axis to draw on; a new figure by default.

    Returns
    -------
    Figure
    """
    with canvas(ax, size=(6.4, 3.8)) as (figure, axis):
        x, y = np.array(curve.x), np.array(curve.y)
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
        _list_beside(axis, ["assumed", *curve.parameters.listed(), *curve.notes])
        return figure


def plot_fit(
    fit: EnsembleFit, voltages_V: Sequence[float], contrast: Sequence[float], pulse_s: float, ax: Axes | None = None
) -> Figure:
    """Measured contrast with the fitted curve; fitted values with their errors and all assumptions in the margin."""
    with canvas(ax, size=(6.4, 3.8)) as (figure, axis):
        fine = np.linspace(min(voltages_V), max(voltages_V), 200)
        model = fit.scale * np.array(contrast_against_voltage(fit.parameters, fine.tolist(), pulse_s).y)
        axis.plot(fine, model, color=BLUE, label="two-state ensemble")
        axis.plot(voltages_V, contrast, "o", color=VERMILION, label="data")
        axis.set_xlabel("voltage (V)")
        axis.set_ylabel("contrast (unit of the data)")
        axis.legend()
        fitted = [f"{n} = {v:.4g} ± {fit.errors[n]:.2g}" for n, v in fit.values.items()]
        kept = [line for line in fit.parameters.listed() if line.split(" = ")[0] not in fit.values]
        _list_beside(
            axis, ["fitted", *fitted, f"scale = {fit.scale:.4g} ± {fit.scale_error:.2g}", "", "assumed", *kept]
        )
        return figure


def _list_beside(axis: Axes, lines: Sequence[str]) -> None:
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
