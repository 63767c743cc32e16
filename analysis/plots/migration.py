"""Figures of a migration: the band with all saddles, and the barriers against the field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...structures.units import V_PER_M_TO_V_PER_A
from ..kinetics.migration import Migration
from ..kinetics.profiles import RELAXED
from ..results.figures import figure
from .base import BLUE, GREEN, VERMILION, canvas, sign
from .text import formatted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def mark_of(migration: Migration) -> str:
    """What a figure says of a band whose checks failed."""
    return "\nNO RESULT: checks failed" if migration.why_no_result else ""


@figure(Migration, "band")
def plot_band(migration: Migration, ax: Axes | None = None, *, fields: int = 2) -> Figure:
    """Energy along the path with saddles and minima marked, and tilted by the strongest fields.

    Parameters
    ----------
    migration
        One hop.
    ax
        Axis to draw on; a new figure by default.
    fields
        How many of the strongest fields to add, of each sign.
    """
    from scipy.interpolate import PchipInterpolator

    with canvas(ax) as (figure, axis):
        arc = np.array([p.arc_A for p in migration.images])
        energy = np.array([p.energy_eV for p in migration.images])
        dipole = np.array([p.dipole_along_hop_e_A for p in migration.images])
        fine = np.linspace(arc[0], arc[-1], 300)
        axis.plot(fine, PchipInterpolator(arc, energy)(fine), color=BLUE, label="no field", zorder=3)
        markers = {
            "end": ("o", "black"),
            "image": (".", BLUE),
            "saddle": ("^", VERMILION),
            "minimum": ("v", GREEN),
        }
        for kind, (marker, colour) in markers.items():
            chosen = [i for i, p in enumerate(migration.images) if p.kind == kind]
            if chosen:
                name = kind if kind in ("saddle", "minimum") else None
                axis.plot(arc[chosen], energy[chosen], marker, color=colour, label=name, zorder=4)
        strongest = sorted({abs(f.field_V_per_m) for f in migration.field if f.field_V_per_m}, reverse=True)[:fields]
        for rank, size in enumerate(strongest):
            for sense, style in ((1, "--"), (-1, ":")):
                tilted = energy - sense * size * V_PER_M_TO_V_PER_A * dipole
                axis.plot(
                    fine,
                    PchipInterpolator(arc, tilted)(fine),
                    style,
                    color="0.35",
                    alpha=1 - 0.4 * rank,
                    lw=1,
                    label=formatted(f"{'+' if sense > 0 else '−'}{size:.0e} V/m"),
                )
        axis.set_xlabel("path length of all ions (Å)")
        axis.set_ylabel("energy (eV)")
        axis.set_title(
            f"{formatted(migration.label)}: {migration.forward_eV:.2f} eV forward, {migration.backward_eV:.2f} eV back"
            f"{mark_of(migration)}"
        )
        axis.legend(ncols=2)
        sign(
            axis,
            f"engine {migration.provenance.engine}, {migration.cell_atoms} atoms; {migration.field_treatment}",
        )
        return figure


@figure(Migration, "field")
def plot_barrier_against_field(migration: Migration, ax: Axes | None = None) -> Figure:
    """Both barriers and the reaction energy against the field along the hop.

    Parameters
    ----------
    migration
        One hop with at least two fields.
    ax
        Axis to draw on; a new figure by default.
    """
    rows = sorted(migration.field, key=lambda f: f.field_V_per_m)
    with canvas(ax) as (figure, axis):
        field = np.array([r.field_V_per_m for r in rows]) / 1e8
        axis.plot(field, [r.forward_eV for r in rows], "o-", color=BLUE, label="forward barrier")
        axis.plot(field, [r.backward_eV for r in rows], "s-", color=VERMILION, label="back barrier")
        axis.plot(field, [r.delta_eV for r in rows], "^-", color=GREEN, label="final minus initial")
        relaxed = [p for f in migration.field_studies if f.direction_in_words == "hop" for p in f.of_treatment(RELAXED)]
        for name, colour in (("forward_eV", BLUE), ("backward_eV", VERMILION), ("delta_eV", GREEN)) if relaxed else ():
            axis.plot(
                [p.field_V_per_m / 1e8 for p in relaxed],
                [getattr(p, name) for p in relaxed],
                "x",
                color=colour,
                ms=8,
                label="relaxed in the field" if name == "forward_eV" else None,
            )
        axis.axhline(0, color="0.6", lw=0.8)
        axis.set_xlabel("field along the hop ($10^8$ V/m)")
        axis.set_ylabel("energy (eV)")
        axis.set_title(f"{formatted(migration.label)} under a field{mark_of(migration)}")
        axis.legend()
        sign(axis, f"engine {migration.provenance.engine}; internal field; {migration.field_treatment}")
        return figure
