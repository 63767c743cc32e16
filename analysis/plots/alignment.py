"""Figures of a finite-size correction: potentials at the ions, and planar averages of the local potential."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..defects.charge_corrections import ChargeCorrection
from .base import BLUE, GREEN, VERMILION, canvas, sign

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_sites(correction: ChargeCorrection, ax: Axes | None = None) -> Figure:
    """Potential at every ion against its distance from the defect, that of the point charge, and what is left.

    Parameters
    ----------
    correction
        One that aligned sites (eFNV).
    ax
        Axis to draw on; a new figure by default.

    Raises
    ------
    ValueError
        If the correction aligned none.
    """
    sites = correction.sites
    if sites is None:
        raise ValueError(f"the {correction.method} correction aligned no sites: take eFNV")
    with canvas(ax, size=(5.2, 3.8)) as (figure, axis):
        distances = np.array(sites.distances_A)
        model = np.array([np.nan if p is None else p for p in sites.point_charge_V])
        differences = np.array(sites.differences_V)
        axis.axvspan(sites.radius_A, max(1.02 * distances.max(), sites.radius_A), color="0.92", lw=0)
        axis.plot(distances, differences, "o", ms=3, color=BLUE, label="charged cell minus perfect")
        axis.plot(distances, model, "x", ms=4, color=VERMILION, label="point charge and its images")
        axis.plot(distances, differences - model, ".", ms=4, color=GREEN, label="what is left")
        mean = float(np.mean(sites.left_V()))
        axis.plot([sites.radius_A, distances.max()], [mean, mean], color=GREEN, lw=1)
        axis.set_xlabel("distance from the defect (Å); grey: aligned")
        axis.set_ylabel("potential (V)")
        axis.legend()
        sign(axis, f"q = {correction.charge:+d}, {_said(correction)}, {len(sites.left_V())} sites")
        return figure


def plot_planes(correction: ChargeCorrection, axis_index: int = 0, ax: Axes | None = None) -> Figure:
    """Planar averages along one axis of the cell: their difference, the model charge, and what is left.

    Parameters
    ----------
    correction
        One from planar averages (Freysoldt).
    axis_index
        0, 1 or 2.
    ax
        Axis to draw on; a new figure by default.

    Raises
    ------
    ValueError
        If the correction used no planes, or there is no such axis.
    """
    if not correction.planes:
        raise ValueError(f"the {correction.method} correction used no planar averages: take Freysoldt")
    if axis_index not in (0, 1, 2):
        raise ValueError(f"axis {axis_index} must be 0, 1 or 2")
    planar_alignment = correction.planes[axis_index]
    with canvas(ax, size=(5.2, 3.8)) as (figure, axis):
        middle = 0.5 * (planar_alignment.positions_A[0] + planar_alignment.positions_A[-1])
        axis.axvspan(middle - 0.5, middle + 0.5, color="0.92", lw=0)
        axis.plot(
            planar_alignment.positions_A, planar_alignment.difference_eV, color=BLUE, label="charged cell minus perfect"
        )
        axis.plot(planar_alignment.positions_A, planar_alignment.model_eV, color=VERMILION, label="model charge")
        axis.plot(planar_alignment.positions_A, planar_alignment.left_eV, color=GREEN, label="what is left")
        axis.axhline(planar_alignment.shift_eV, color=GREEN, lw=0.8, ls="--")
        axis.set_xlabel(f"distance from the defect along {'abc'[axis_index]} (Å); grey: aligned")
        axis.set_ylabel("planar average, of an electron (eV)")
        axis.legend()
        sign(axis, f"q = {correction.charge:+d}, {_said(correction)}")
        return figure


def _said(correction: ChargeCorrection) -> str:
    error = "" if correction.error_eV is None else f" ± {correction.error_eV:.3f}"
    return f"{correction.method} {correction.total_eV:.3f}{error} eV"
