"""Figure of what vibrations add to formation energies against temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..defects.defect_vibrations import DefectVibrations
from ..results.figures import figure
from .base import canvas, sign

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(DefectVibrations, "terms")
def plot_defect_vibrations(found: DefectVibrations, ax: Axes | None = None) -> Figure:
    """Vibrational free energy of each vacancy's cell minus the host's; dashed with the reservoirs, where known."""
    with canvas(ax) as (figure, axis):
        for label in dict.fromkeys(term.label for term in found.terms):
            own = sorted((t for t in found.terms if t.label == label), key=lambda t: t.temperature_K)
            (line,) = axis.plot([t.temperature_K for t in own], [t.cells_eV for t in own], "o-", label=label)
            known = [(t.temperature_K, t.total_eV) for t in own if t.total_eV is not None]
            if known:
                axis.plot(*zip(*known, strict=True), "--", color=line.get_color())
        axis.set_xlabel("temperature (K)")
        axis.set_ylabel("vibrational free energy (eV)")
        axis.legend()
        sign(axis, f"engine {found.provenance.engine}; dashed: with the reservoir of the atom removed")
        return figure
