"""Figure of formation energies against the Fermi level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..defects.charge_states import FermiDiagram
from ..results.figures import figure
from ..thermodynamics.stability_window import ChemicalPotentials
from .base import canvas, sign
from .window import plot_window

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARGIN = 0.08


@figure(FermiDiagram, "fermi")
def plot_fermi(
    diagram: FermiDiagram,
    ax: Axes | None = None,
    *,
    fermi_eV: float | None = None,
    window: ChemicalPotentials | None = None,
) -> Figure:
    """Lowest charge state of every defect across the gap, its transition levels marked.

    Parameters
    ----------
    diagram
        Lines and levels at one point of the stability region.
    ax
        Axis to draw on; a new figure by default.
    fermi_eV
        A self-consistent Fermi level to mark.
    window
        The stability region, drawn to the right with the diagram's potentials marked on it.
    """
    with canvas(ax, size=(5.2 if window is None else 9.6, 4.0)) as (figure, axis):
        margin = _MARGIN * diagram.gap_eV
        grid = np.linspace(-margin, diagram.gap_eV + margin, 401)
        for label in diagram.labels():
            values = [diagram.lowest(label, float(x))[0] for x in grid]
            (drawn,) = axis.plot(grid, values, label=label)
            for t in diagram.transitions:
                if t.label == label and t.in_gap:
                    height = diagram.lowest(label, t.level_eV)[0]
                    axis.plot([t.level_eV], [height], "o", ms=4, color=drawn.get_color())
                    axis.annotate(
                        f"{t.charge_below:+d}/{t.charge_above:+d}".replace("+0", "0"),
                        (t.level_eV, height),
                        xytext=(3, 4),
                        textcoords="offset points",
                        fontsize=7,
                        color=drawn.get_color(),
                    )
        axis.axvspan(-margin, 0, color="0.85", lw=0)
        axis.axvspan(diagram.gap_eV, diagram.gap_eV + margin, color="0.85", lw=0)
        if fermi_eV is not None:
            axis.axvline(fermi_eV, color="0.3", lw=0.9, ls="--", label=f"neutral crystal, {fermi_eV:.2f} eV")
        axis.set_xlim(-margin, diagram.gap_eV + margin)
        axis.set_xlabel("Fermi level above the valence band maximum (eV); grey: bands")
        axis.set_ylabel("formation energy (eV)")
        axis.legend()
        where = ", ".join(f"Δμ({el}) = {x:.2f} eV" for el, x in diagram.delta_mu_eV.items())
        stable = "" if diagram.inside else "; host not stable here"
        sign(axis, f"engine {diagram.provenance.engine}; {where}{stable}")
        if window is not None:
            _beside(axis, diagram, window)
        return figure


def _beside(axis: Axes, diagram: FermiDiagram, window: ChemicalPotentials) -> None:
    """The stability region to the right of the diagram, a dot at its potentials."""
    from mpl_toolkits.axes_grid1 import make_axes_locatable  # type: ignore[import-untyped]

    other = make_axes_locatable(axis).append_axes("right", size="90%", pad=0.85)
    plot_window(window, other, point=diagram.delta_mu_eV)
    other.set_title("", loc="left")
    other.locator_params(axis="x", nbins=6)
