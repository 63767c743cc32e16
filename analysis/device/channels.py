"""Channels of a ballistic wire: bands that cross the Fermi level."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def open_channels(levels_eV: ArrayLike, fermi_level_eV: float) -> float:
    """Bands that cross the Fermi level with positive velocity; each carries e2/h without scattering (Landauer).

    Every crossing changes the number of levels below the Fermi level by one, and as many bands rise through it as fall
    around the whole zone, so that no band need be followed through its crossings with others.

    Parameters
    ----------
    levels_eV
        Of one period of a wire, shape (n_kpoints, n_bands), k-points in order around the whole Brillouin zone, both
        halves of it; bands of two spins, or spinors, count singly.
    fermi_level_eV
        Energy of the electrons.

    Returns
    -------
    float
        Number of channels; two crossings between neighbouring k-points are not seen.

    Raises
    ------
    ValueError
        If levels are not finite, or if the highest of a k-point lies below the Fermi level: there may be more.
    """
    levels = np.asarray(levels_eV, dtype=float)
    if levels.ndim != 2 or len(levels) < 3 or not np.isfinite(levels).all() or not np.isfinite(fermi_level_eV):
        raise ValueError("levels must be finite numbers, one row for each of at least 3 k-points")
    if (levels.max(axis=1) <= fermi_level_eV).any():
        raise ValueError("more bands are needed: at some k-point all levels lie below the Fermi level")
    below = np.sum(levels < fermi_level_eV, axis=1)
    return float(np.abs(below - np.roll(below, 1)).sum() / 2)
