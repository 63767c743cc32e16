"""Figure of the crystal fields of t2g holes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..magnetism.orbital_states import OrbitalStates
from ..results.figures import figure
from .base import BLUE, GREEN, PURPLE, VERMILION, canvas, sign

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@figure(OrbitalStates, "holes")
def plot_orbital_states(found: OrbitalStates, ax: Axes | None = None) -> Figure:
    """Energies of the three real holes of each ion by state; K1 and orbital moment of a whole crystal."""
    with canvas(ax) as (figure, axis):
        for n, (state, colour) in enumerate(zip(found.states, (BLUE, VERMILION, GREEN, PURPLE) * 3, strict=False)):
            for one in state.fields:
                for energy in one.energies_meV:
                    axis.plot([n - 0.3, n + 0.3], [energy, energy], "-", color=colour)
            cold = [c for c in state.constants if c.temperature_K == 0]
            if cold:
                values = [c.K1_MJ_per_m3 for c in cold]
                moments = [c.orbital_moment_100_muB for c in cold]
                text = f"K1 {min(values):.2g} to {max(values):.2g} MJ/m³\nL {min(moments):.2f} to {max(moments):.2f} μB"
                top = max(e for f in state.fields for e in f.energies_meV)
                axis.annotate(text, (n, top), (0, 4), textcoords="offset points", ha="center", va="bottom", fontsize=8)
        axis.set_xticks(np.arange(len(found.states)), [s.state for s in found.states])
        axis.set_xlim(-0.7, len(found.states) - 0.3)
        axis.margins(y=0.2)
        axis.set_ylabel("energy of the hole per ion (meV)")
        sign(axis, f"engine {found.provenance.engine}, real orbitals, without spin-orbit coupling")
        return figure
