"""Brouwer diagram: concentrations of defects and carriers against oxygen pressure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..defects.brouwer import BrouwerDiagram
from ..results.figures import figure
from ..thermodynamics.gases import gas_of
from .base import canvas, sign
from .formation import round_values

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Below this nothing is measured; lines that never come up to it are left out of the axis range.
_FLOOR_PER_CM3 = 1e8
_STYLES = ["--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 2)), (0, (3, 1, 3, 1, 1, 1))]


@figure(BrouwerDiagram, "brouwer")
def plot_brouwer(diagram: BrouwerDiagram, ax: Axes | None = None) -> Figure:
    """Concentrations against oxygen pressure, both logarithmic; the oxygen potential on top.

    Parameters
    ----------
    diagram
        Concentrations along the pressure axis; solid lines are totals, thin ones charge states.
    ax
        Axis to draw on; a new figure by default.
    """
    with canvas(ax, size=(5.8, 4.2)) as (figure, axis):
        pressures = np.array(diagram.pressures_atm)
        colours = {}
        floor, highest = _range(diagram)
        for curve in (c for c in diagram.curves if c.charge is None):
            below = "" if max(curve.per_cm3) >= floor else " (below the axis)"
            (drawn,) = axis.plot(pressures, curve.per_cm3, label=curve.label + below)
            colours[curve.label] = drawn.get_color()
        charges = sorted({c.charge for c in diagram.curves if c.charge is not None})
        styles = dict(zip(charges, _STYLES * 2, strict=False))
        for curve in diagram.curves:
            if curve.charge is not None:
                style = styles[curve.charge]
                axis.plot(pressures, curve.per_cm3, color=colours[curve.label], lw=0.8, ls=style)
        for q in charges:
            axis.plot([], [], color="0.3", lw=0.8, ls=styles[q], label=f"q = {q:+d}" if q else "q = 0")
        if diagram.fermi_eV is not None:
            axis.plot(pressures, diagram.electrons_per_cm3, color="0.15", lw=1.2, ls="-", label="electrons")
            axis.plot(pressures, diagram.holes_per_cm3, color="0.55", lw=1.2, ls="-", label="holes")
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_ylim(floor, highest)
        _shade_outside(axis, diagram)
        axis.set_xlabel(f"{gas_of(diagram.anion).word} pressure (atm)")
        axis.set_ylabel("concentration (cm$^{-3}$)")
        _potential_axis(axis, diagram)
        axis.legend(ncols=2, fontsize=7, frameon=True, framealpha=1.0, edgecolor="none")
        cooled = "" if diagram.quenched_to_K is None else f", charges at {diagram.quenched_to_K:g} K"
        tag = "; indicative" if diagram.indicative else ""
        sign(axis, f"engine {diagram.provenance.engine}; totals at {diagram.temperature_K:g} K{cooled}{tag}")
        return figure


def _range(diagram: BrouwerDiagram) -> tuple[float, float]:
    """Lower and upper end of the concentration axis."""
    highest = max(max(c.per_cm3) for c in diagram.curves)
    highest = max([highest, *diagram.electrons_per_cm3, *diagram.holes_per_cm3])
    lowest = min(min(c.per_cm3) for c in diagram.curves if c.charge is None)
    floor = max(lowest, _FLOOR_PER_CM3) if highest > 10 * _FLOOR_PER_CM3 else max(lowest, 1e-30)
    return floor / 3, highest * 4


def _shade_outside(axis: Axes, diagram: BrouwerDiagram) -> None:
    """Grey where the host is not stable, hatched where defects are not dilute, so that lines are bounds at best."""
    pressures = np.array(diagram.pressures_atm)
    low, high = axis.get_ylim()
    outside, dense = ~np.array(diagram.inside), ~np.array(diagram.dilute)
    if outside.any():
        axis.fill_between(pressures, low, high, where=outside.tolist(), color="0.85", lw=0, zorder=0)
    if dense.any():
        axis.fill_between(
            pressures, low, high, where=dense.tolist(), facecolor="none", edgecolor="0.7", hatch="//", lw=0, zorder=0,
        )  # fmt: skip
        axis.text(
            float(np.exp(np.log(pressures[dense]).mean())), np.sqrt(low * high), "not dilute:\nnot meant",
            ha="center", va="center", fontsize=7, bbox={"facecolor": "white", "edgecolor": "none", "pad": 2},
        )  # fmt: skip
    axis.set_ylim(low, high)


def _potential_axis(axis: Axes, diagram: BrouwerDiagram) -> None:
    top = axis.secondary_xaxis("top")
    potential, decades = np.array(diagram.delta_mu_O_eV), np.log10(diagram.pressures_atm)
    order = np.argsort(potential)
    ticks = round_values(float(potential.min()), float(potential.max()))
    places = 10.0 ** np.interp(ticks, potential[order], decades[order])
    top.set_xticks(places.tolist(), [f"{x:g}".replace("-", "−") for x in ticks], minor=False)
    top.minorticks_off()
    top.set_xlabel(f"{gas_of(diagram.anion).word} potential Δμ$_{diagram.anion}$ (eV) at {diagram.temperature_K:g} K")
