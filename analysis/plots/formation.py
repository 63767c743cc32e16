"""Figure of formation energies against the anion's potential, mostly oxygen's, with temperature and pressure axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..defects.formation import FormationLines
from ..results.figures import figure
from ..thermodynamics.gases import gas_of
from .base import canvas, sign

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


NO_RESULT = " (no result: below zero)"
"""What the figure says of a line that fails its own check."""


@figure(FormationLines, "formation")
def plot_formation(
    lines: FormationLines, ax: Axes | None = None, *, pressure_atm: float = 1e-5, temperature_K: float = 1000.0
) -> Figure:
    """Formation energies over the stability window, outside shaded; dotted what is no result.

    Parameters
    ----------
    lines
        Lines with their range over the allowed cation potentials.
    ax
        Axis to draw on; a new figure by default.
    pressure_atm
        Pressure of the anion's gas of the temperature axis on top.
    temperature_K
        Temperature of the pressure axis above it.
    """
    with canvas(ax, size=(5.6, 4.4)) as (figure, axis):
        mu = np.array(lines.delta_mu_O_eV)
        for line in lines.lines:
            label = f"{line.label}, q = {line.charge:+d}" if line.charge else line.label
            wrong = bool(lines.no_result_because(line))
            label += NO_RESULT if wrong else ""
            (drawn,) = axis.plot(mu, line.mid_eV, ":" if wrong else "-", label=label)
            axis.fill_between(mu, line.low_eV, line.high_eV, color=drawn.get_color(), alpha=0.18, lw=0)
        low, high = lines.window_eV
        margin = 0.12 * (high - low)
        # Points outside that were asked for are shown, on grey.
        left, right = min(low - margin, mu.min()), max(high + margin, mu.max())
        axis.axvspan(left, low, color="0.85", lw=0)
        axis.axvspan(high, right, color="0.85", lw=0)
        axis.set_xlim(left, right)
        axis.axhline(0, color="0.5", lw=0.8)
        axis.set_xlabel(f"{gas_of(lines.anion).word} potential Δμ$_{lines.anion}$ (eV); grey: host not stable")
        axis.set_ylabel("formation energy (eV)")
        _temperature_axis(axis, lines, pressure_atm)
        _pressure_axis(axis, lines, temperature_K)
        axis.legend(ncols=2)
        bars = [line.error_bar_eV for line in lines.lines if line.error_bar_eV is not None]
        error = f"references ± {max(bars):.2f} eV" if bars else "error of the references not known"
        indicative = any(line.indicative for line in lines.lines)
        tag = f"indicative, {error}" if indicative else "neutral cells"
        if any(line.charge for line in lines.lines):
            tag = f"{tag}; " if indicative else ""
            tag += f"Fermi level {lines.fermi_eV:.2f} eV above the valence band maximum"
        sign(axis, f"engine {lines.provenance.engine}; {tag}; bands: allowed cation potentials")
        return figure


def _temperature_axis(axis: Axes, lines: FormationLines, pressure_atm: float) -> None:
    """Round temperatures, each where the gas at this pressure stands then."""
    low, high = lines.window_eV
    ends = [_temperature_K(lines, x, pressure_atm) for x in (low, high)]
    ticks = [t for t in round_values(min(ends), max(ends)) if t > 0]
    top = axis.secondary_xaxis("top")
    top.set_xticks([place_of_temperature_eV(lines, t, pressure_atm) for t in ticks], [f"{t:g}" for t in ticks])
    top.set_xlabel(f"temperature (K) at p({lines.anion}$_2$) = {_pressure_text(pressure_atm)} atm{_solids(lines)}")


_FEWEST_TICKS = 4


def round_values(low: float, high: float) -> list[float]:
    """A few round numbers between two, ends included where they are round."""
    from matplotlib.ticker import MaxNLocator

    if not high > low:
        return []
    inside = (high - low) * 1e-9
    levels: list[float] = []
    for count in range(_FEWEST_TICKS, 3 * _FEWEST_TICKS):
        ticks = MaxNLocator(count, steps=[1, 2, 5, 10]).tick_values(low, high)
        levels = [float(x) + 0.0 for x in ticks if low - inside <= x <= high + inside]
        if len(levels) >= _FEWEST_TICKS:
            break
    return levels


def _pressure_text(pressure_atm: float) -> str:
    """A pressure as ``10^n`` where it is a power of ten, else as ``m x 10^n``; plain between 0.1 and 1000."""
    if 0.1 <= pressure_atm < 1000:
        return f"{pressure_atm:g}"
    factor, exponent = f"{pressure_atm:.2e}".split("e")
    power = f"10^{{{int(exponent)}}}"
    return f"${power}$" if float(factor) == 1 else rf"${float(factor):g} \times {power}$"


def _solids(lines: FormationLines) -> str:
    return "" if lines.warm_edges else "; solids without entropy"


def gas_temperature_K(lines: FormationLines, delta_mu_O_eV: float, pressure_atm: float) -> float:
    """Temperature at which the gas at a pressure stands as far into the window of its temperature as a place here.

    Raises
    ------
    ValueError
        If no temperature does.
    """
    if not lines.warm_edges:
        return gas_of(lines.anion).temperature_K_for(delta_mu_O_eV, pressure_atm)
    low, high = lines.window_eV
    share = (delta_mu_O_eV - low) / (high - low)
    gas = gas_of(lines.anion)
    grid = np.array([t for t, _, _ in lines.warm_edges])
    gap = np.array(
        [float(gas.delta_mu_eV(t, pressure_atm)) - (poor + share * (rich - poor)) for t, poor, rich in lines.warm_edges]
    )
    crossing = np.flatnonzero((gap[:-1] >= 0) & (gap[1:] < 0))
    if len(crossing) == 0:
        raise ValueError(f"no temperature between {grid[0]:g} and {grid[-1]:g} K stands there at {pressure_atm:g} atm")
    n = int(crossing[0])
    return float(grid[n] + (grid[n + 1] - grid[n]) * gap[n] / (gap[n] - gap[n + 1]))


def _temperature_K(lines: FormationLines, delta_mu_O_eV: float, pressure_atm: float) -> float:
    """As `gas_temperature_K`, at the nearest potential inside the window that a temperature gives."""
    low, high = lines.window_eV
    for share in (0.0, 0.02, 0.05, 0.1, 0.2, 0.5):
        try:
            return gas_temperature_K(
                lines, delta_mu_O_eV + share * ((low + high) / 2 - delta_mu_O_eV) * 2, pressure_atm
            )
        except ValueError:
            continue
    return 0.0


def place_of_temperature_eV(lines: FormationLines, temperature_K: float, pressure_atm: float) -> float:
    """Where on the axis the gas at a temperature and pressure stands in the window of that temperature, eV."""
    gas = float(gas_of(lines.anion).delta_mu_eV(temperature_K, pressure_atm))
    if not lines.warm_edges:
        return gas
    low, high = lines.window_eV
    poor, rich = _window_at(lines, temperature_K)
    return low + (high - low) * (gas - poor) / (rich - poor)


def _window_at(lines: FormationLines, temperature_K: float) -> tuple[float, float]:
    """Ends of the window at a temperature, eV."""
    grid, poor, rich = np.array(lines.warm_edges).T
    return float(np.interp(temperature_K, grid, poor)), float(np.interp(temperature_K, grid, rich))


def _pressure_axis(axis: Axes, lines: FormationLines, temperature_K: float) -> None:
    """Whole decades of pressure, each where the gas stands at this temperature."""
    low, high = lines.window_eV
    poor, rich = _window_at(lines, temperature_K) if lines.warm_edges else (low, high)
    gas = gas_of(lines.anion)
    ends = [float(np.log10(gas.pressure_atm_for(x, temperature_K))) for x in (poor, rich)]
    decades = [d for d in round_values(*ends) if d == round(d)]
    potentials = [float(gas.delta_mu_eV(temperature_K, 10.0**d)) for d in decades]
    top = axis.secondary_xaxis(1.17)
    top.set_xticks(
        [low + (high - low) * (x - poor) / (rich - poor) for x in potentials],
        [f"{d:.0f}".replace("-", "−") for d in decades],
    )
    top.set_xlabel(f"log$_{{10}}$ p({lines.anion}$_2$) (atm) at {temperature_K:.0f} K{_solids(lines)}")
