"""Figures of transport: Arrhenius, drift against field, tracer diffusion beside measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..results.figures import figure
from ..study.transport import Transport
from .base import BLUE, GREEN, VERMILION, canvas, sign
from .text import formatted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(Transport, "arrhenius")
def plot_arrhenius(found: Transport, ax: Axes | None = None) -> Figure:
    """Diffusivity and mobility of the vacancy that carries the ion against inverse temperature."""
    with canvas(ax, size=(5.6, 3.8)) as (figure, axis):
        points = [(p, p.diffusivity_cm2_per_s) for p in found.points if p.diffusivity_cm2_per_s is not None]
        x = [1000 / p.temperature_K for p, _ in points]
        axis.semilogy(x, [D for _, D in points], "o-", color=BLUE, label="D (cm²/s)")
        if all(p.mobility_cm2_per_Vs is not None for p, _ in points):
            y = [p.mobility_cm2_per_Vs for p, _ in points]
            axis.semilogy(x, y, "s--", color=VERMILION, label="mobility (cm²/Vs)")
        for n in {0, len(points) - 1} if points else ():
            axis.annotate(
                f"{points[n][0].temperature_K:.0f} K",
                (x[n], points[n][1]),
                # Beside the falling line, where nothing else is.
                xytext=(7, 3) if n else (-8, -9),
                textcoords="offset points",
                ha="left" if n else "right",
                fontsize=7,
            )
        axis.set_xlabel("1000 K / T")
        axis.set_ylabel("diffusivity and mobility of the vacancy")
        axis.legend()
        axis.set_title(f"{formatted(found.hop)}, {found.barrier_eV:.2f} eV", fontsize=9)
        left = len(found.points) - len(points)
        hotter = f"; no rate law at the {left} highest temperatures: barrier below 2 kT" if left else ""
        sign(axis, f"engine {found.provenance.engine}; attempt frequency: {found.attempt_source}{hotter}")
        return figure


@figure(Transport, "drift")
def plot_drift(found: Transport, ax: Axes | None = None) -> Figure:
    """Drift velocity of the vacancy against the field along the hop, from linear to exponential."""
    with canvas(ax, size=(5.6, 3.8)) as (figure, axis):
        for curve, colour in zip(found.drift, (BLUE, VERMILION, GREEN), strict=False):
            name = f"{curve.temperature_K:.0f} K"
            speeds = np.array(curve.velocity_m_per_s, dtype=float)
            axis.loglog(curve.fields_V_per_m, speeds, "o-", ms=3, color=colour, label=name)
            axis.loglog(curve.fields_V_per_m, curve.linear_m_per_s, ":", color=colour)
        for p in found.points[:2]:
            if p.hops_within_a_second_V_per_m:
                axis.axvline(p.hops_within_a_second_V_per_m, color="0.6", lw=0.8)
        axis.set_xlabel("field along the hop (V/m)")
        axis.set_ylabel("drift velocity (m/s)")
        if found.drift:
            axis.legend(title="dotted: D q F/kT", fontsize=8)
        sign(axis, f"engine {found.provenance.engine}; charge {found.charge_e:.2f} e, internal field")
        return figure


@figure(Transport, "tracer")
def plot_tracer(found: Transport, ax: Axes | None = None) -> Figure:
    """Tracer diffusion against the pressure of the anion's gas, computed and measured."""
    with canvas(ax, size=(5.6, 3.8)) as (figure, axis):
        own = [(np.log10(t.p_O2_atm), t.log10_D, t.inside_window) for t in found.tracer if t.log10_D is not None]
        if own:
            x, y, inside = (np.array(column) for column in zip(*own, strict=True))
            axis.plot(x, y, "-", color=BLUE, label=f"computed, {formatted(found.hop)}")
            axis.plot(x[inside], y[inside], "o", color=BLUE)
            axis.plot(x[~inside], y[~inside], "o", color=BLUE, mfc="white")
        pairs = [(np.log10(t.p_O2_atm), t.log10_D) for t in found.interstitials if t.log10_D is not None]
        left = "" if pairs else "vacancies only; "
        if pairs:
            axis.plot(*zip(*pairs, strict=True), "--", color=BLUE, label=f"computed, {found.ion} interstitials")
        for beside, colour in zip(found.beside, (VERMILION, GREEN), strict=False):
            m = beside.measured
            span = np.linspace(m.log10_a_range[0], m.log10_a_range[1], 60)
            axis.plot(
                span, [m.log10_D(a) for a in span], color=colour, lw=2.5, label=f"measured, {formatted(m.composition)}"
            )
            wide = np.linspace(-8, 0, 80)
            axis.plot(wide, [m.log10_D(a) for a in wide], ":", color=colour)
            axis.axvline(m.log10_a_of_minimum, color=colour, lw=0.8, ls=":")
        lowest = next((b.minimum_computed for b in found.beside if b.minimum_computed is not None), None)
        if lowest is not None:
            axis.axvline(lowest, color=BLUE, lw=0.8, ls="--", label="minimum")
        if not own:
            why = next((t.reason for t in found.tracer if t.reason), "no formation energy of the vacancy")
            axis.annotate(formatted(why), (0.5, 0.5), xycoords="axes fraction", ha="center", fontsize=7, wrap=True)
        axis.set_xlabel(rf"$\log_{{10}}$ p({found.gas.replace('2', '$_2$')}) / atm")
        axis.set_ylabel(r"$\log_{10}$ D / (cm$^2$/s)")
        if own or found.beside:
            axis.margins(y=0.2)
            axis.legend(fontsize=7, loc="upper center", ncols=2)
        sign(
            axis,
            f"engine {found.provenance.engine}; {left}open: outside the stability window",
        )
        return figure
