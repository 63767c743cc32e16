"""Figures of an ensemble: contrast against voltage, miscut, time, pulse; every assumption beside the curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..device.ensemble import Curve, EnsembleParameters
from ..device.ensemble_fit import EnsembleFit
from ..results.figures import figure
from .base import BLUE, GREEN, PURPLE, VERMILION, canvas, sign
from .text import formatted, formatted_unit, named_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Letters of a line beside an axis.
_BESIDE = 36
_LOG_X = ("time (s)",)
_VARIED = {"miscut (deg)": "miscut_deg", "temperature (K)": "temperature_K"}
_OF_THE_HOP = ("barrier_eV", "asymmetry_eV", "charge_e", "distance_A")
NO_SENSE = "contrast of the ions' places, not of a magnetic sense"
_LOG_Y = ("time to 1/e of the contrast (s)", "time to 1/e of what can be lost (s)")


@figure(Curve, "curve")
def plot_curve(curve: Curve, ax: Axes | None = None, *, engine: str = "") -> Figure:
    """One curve with all its assumptions in the margin.

    Parameters
    ----------
    curve
        Of `analysis.device.ensemble`.
    ax
        Axis to draw on; a new figure by default.
    engine
        Whose hop it is.
    """
    with canvas(ax, size=(6.8, 3.8)) as (figure, axis):
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
        axis.set_xlabel(curve.x_name.replace("(deg)", "(°)"))
        axis.set_ylabel(curve.y_name)
        list_beside(axis, [*_beside(curve.parameters, _VARIED.get(curve.x_name, "")), *curve.notes])
        _sign_engine(axis, engine)
        return figure


def _beside(p: EnsembleParameters, varied: str = "") -> list[str]:
    """What the hop gives and what is assumed, but for the parameter that the curve varies."""
    values = {name: value for name, value in p.model_dump().items() if name != varied}
    of_hop = [named_value(name, value) for name, value in values.items() if name in _OF_THE_HOP]
    rest = [named_value(name, value) for name, value in values.items() if name not in _OF_THE_HOP]
    return ["Hop", *of_hop, "", "Assumed", *rest]


def _sign_engine(axis: Axes, engine: str) -> None:
    if engine:
        sign(axis, f"engine {engine}; {NO_SENSE}")


def plot_pulses(curves: Sequence[Curve], ax: Axes | None = None, *, engine: str = "") -> Figure:
    """Contrast against voltage for several pulse lengths; what all share, and each pulse, in the margin."""
    with canvas(ax, size=(6.8, 3.8)) as (figure, axis):
        for curve, colour, mark in zip(curves, (BLUE, VERMILION, GREEN, PURPLE) * 3, "os^Dv*" * 2, strict=False):
            label = "" if curve.pulse_s is None else f"pulse {curve.pulse_s:g} s"
            axis.plot(curve.x, np.array(curve.y, dtype=float), f"{mark}-", ms=3.5, color=colour, label=label)
        axis.axhline(0, color="0.6", lw=0.8)
        axis.set_xlabel(curves[0].x_name)
        axis.set_ylabel(curves[0].y_name)
        axis.legend()
        list_beside(axis, [*_beside(curves[0].parameters), "each voltage and pulse on a fresh film"])
        _sign_engine(axis, engine)
        return figure


def plot_train(curve: Curve, ax: Axes | None = None, *, engine: str = "") -> Figure:
    """Contrast through a train of pulses: at the end of each (filled) and after the wait (open)."""
    with canvas(ax, size=(6.8, 3.8)) as (figure, axis):
        x, y = np.array(curve.x), np.array(curve.y, dtype=float)
        axis.plot(x, y, "-", color="0.7", lw=0.8)
        ends = np.isclose(x % 1, 0)
        axis.plot(x[ends], y[ends], "o", color=BLUE, label="end of the pulse")
        axis.plot(x[~ends], y[~ends], "o", mfc="white", color=VERMILION, label="after the wait")
        if len(curve.pulses_V) == np.count_nonzero(ends):
            axis.set_xticks(x[ends], [formatted(f"{v:g} V") for v in curve.pulses_V])
        axis.axhline(0, color="0.6", lw=0.8)
        axis.set_xlabel("pulse")
        axis.set_ylabel(curve.y_name)
        axis.legend()
        list_beside(axis, [*_beside(curve.parameters), *curve.notes[1:]])
        _sign_engine(axis, engine)
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
    with canvas(ax, size=(6.8, 3.8)) as (figure, axis):
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
        axis.set_xlabel(f"{name} ({formatted_unit(unit)})")
        axis.set_ylabel(f"{'current' if measured.quantity == 'current' else 'contrast'} (unit of the data)")
        axis.legend()
        fitted = [named_value(n, v, fit.errors[n]) for n, v in fit.values.items()]
        if measured.quantity == "offset and contrast":
            fitted.append(named_value("offset", fit.offset, fit.offset_error))
        parameters = [named_value(n, v) for n, v in fit.parameters.model_dump().items() if n not in fit.values]
        wrong = ["", "Unphysical", *fit.unphysical] if fit.unphysical else []
        scale = named_value("scale", fit.scale, fit.scale_error)
        list_beside(axis, ["Fitted", *fitted, scale, *wrong, "", "Kept", *parameters])
        return figure


def list_beside(axis: Axes, lines: Sequence[str]) -> None:
    """Small text to the right of an axis, wrapped; the layout engine makes room for it."""
    from textwrap import wrap

    said = [formatted(line) for line in lines]
    text = "\n".join(part for line in said for part in (wrap(line, _BESIDE, subsequent_indent="  ") or [""]))
    axis.annotate(
        text,
        xy=(1, 1),
        xycoords="axes fraction",
        xytext=(8, 0),
        textcoords="offset points",
        ha="left",
        va="top",
        fontsize=7.5,
        color="0.25",
    )
