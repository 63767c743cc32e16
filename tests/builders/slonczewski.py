"""Slonczewski's one-ion model of Co2+ in spinels: an orbital doublet along the site's <111> axis.

J. C. Slonczewski, 10.1103/PhysRev.110.1341. With the trigonal axis m of the site and the moment along n the free
energy of one ion is f(n) = -kT ln 2cosh(X n.m / kT), where X = (3/2)|alpha lambda|.
"""

from __future__ import annotations

import numpy as np
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K
from numpy.typing import ArrayLike, NDArray

__all__ = ["TRIGONAL_AXES", "COUPLING_eV", "slonczewski_energies", "slonczewski_k1_eV"]

FloatArray = NDArray[np.float64]
#: (3/2)|alpha lambda| of Co2+ in magnetite, from the 132 1/cm for alpha lambda of the paper's abstract.
COUPLING_eV = 0.02455
TRIGONAL_AXES: FloatArray = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
TRIGONAL_AXES.flags.writeable = False


def slonczewski_energies(
    directions: ArrayLike,
    axes: ArrayLike = TRIGONAL_AXES,
    coupling_eV: float = COUPLING_eV,
    temperature_K: float = 0.0,
) -> FloatArray:
    """Free energy of each ion.

    Parameters
    ----------
    directions
        Unit vectors, shape (n, 3).
    axes
        Trigonal axis of each ion, unit vectors, shape (n_ions, 3); the four of spinel by default.
    coupling_eV
        X.
    temperature_K
        0 gives -X |n.m|.

    Returns
    -------
    ndarray
        Shape (n_ions, n), eV.

    Raises
    ------
    ValueError
        If the temperature is negative.
    """
    if temperature_K < 0:
        raise ValueError(f"temperature {temperature_K} K must not be negative")
    size = coupling_eV * np.abs(np.asarray(axes, dtype=float) @ np.asarray(directions, dtype=float).T)
    if temperature_K == 0:
        return np.asarray(-size)
    kT = BOLTZMANN_eV_PER_K * temperature_K
    return np.asarray(-size - kT * np.log1p(np.exp(-2 * size / kT)))


def slonczewski_k1_eV(coupling_eV: float = COUPLING_eV, temperature_K: float = 0.0) -> float:
    """K1 = 4 (E110 - E100) per ion, averaged over the four axes, eV."""
    n = np.array([[1, 0, 0], [np.sqrt(0.5), np.sqrt(0.5), 0]])
    e100, e110 = slonczewski_energies(n, coupling_eV=coupling_eV, temperature_K=temperature_K).mean(axis=0)
    return float(4 * (e110 - e100))
