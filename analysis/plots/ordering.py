"""Figure of the order against temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..magnetism.ordering import OrderingTemperature
from ..results.figures import figure
from .base import BLUE, VERMILION, canvas, sign

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(OrderingTemperature, "order")
def plot_ordering(found: OrderingTemperature, ax: Axes | None = None) -> Figure:
    """Order parameter of classical spins against temperature; dashed the temperature where it fluctuates most."""
    with canvas(ax) as (figure, axis):
        curve = found.curve
        axis.errorbar(curve.temperatures_K, curve.order_parameter, curve.standard_error, fmt="o-", color=BLUE)
        axis.axvline(found.ordering_K, ls="--", color=VERMILION, label=f"{found.ordering_K:.0f} K")
        axis.set_xlabel("temperature (K)")
        axis.set_ylabel("order parameter")
        axis.set_ylim(0, 1.02)
        axis.legend()
        sign(axis, f"stated couplings, structure by engine {found.provenance.engine}")
        return figure
