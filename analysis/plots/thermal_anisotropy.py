"""Figure of the anisotropy against temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..magnetism.thermal_anisotropy import ThermalAnisotropy
from ..results.figures import figure
from .base import BLUE, VERMILION, canvas, sign

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(ThermalAnisotropy, "temperature")
def plot_thermal_anisotropy(found: ThermalAnisotropy, ax: Axes | None = None) -> Figure:
    """K1 and K2 against temperature; dashed what the power laws of Callen and Callen make of those at 0 K."""
    with canvas(ax) as (figure, axis):
        at = found.temperatures_K
        for values, law, colour, name in (
            (found.K1_MJ_per_m3, found.callen_K1_MJ_per_m3, BLUE, "K1"),
            (found.K2_MJ_per_m3, found.callen_K2_MJ_per_m3, VERMILION, "K2"),
        ):
            axis.plot(at, values, "o-", color=colour, label=name)
            axis.plot(at, law, "--", color=colour)
        axis.axhline(0.0, lw=0.6, color="0.6")
        axis.set_xlabel("temperature (K)")
        axis.set_ylabel("anisotropy (MJ/m³)")
        axis.legend()
        sign(axis, f"engine {found.provenance.engine}, T_C = {found.ordering_K:g} K")
        return figure
