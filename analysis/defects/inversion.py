"""Degree of inversion of a spinel in equilibrium, from the energy of its inverse order."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq

from ...structures.units import BOLTZMANN_eV_PER_K

# Beyond, no double tells the degree from 0 or 1.
_LARGEST_ENERGY_eV = 10.0
_LARGEST_LOGIT = 700.0
_POINTS = 2001


def inversion_degree(inverse_energy_eV: float, temperature_K: float, quadratic_eV: float = 0.0) -> float:
    """Share x of the tetrahedral sites of AB2O4 that B holds, (A1-x Bx)[Ax B2-x]O4.

    The enthalpy of disorder is ``alpha x + beta x**2`` per formula unit and the entropy that of ions that lie at random
    on each sublattice, so that ``x**2 / ((1 - x) (2 - x)) = exp(-(alpha + 2 beta x) / (k T))``: Navrotsky and Kleppa,
    10.1016/0022-1902(67)80008-3, for beta = 0; O'Neill and Navrotsky (1983, 1984) for the quadratic term. Order on the
    octahedral sites, magnetism and vibrations are left out.

    Parameters
    ----------
    inverse_energy_eV
        Energy of the inverse minus that of the normal spinel, ``alpha + beta``, eV per formula unit.
    temperature_K
        At which the ions came to rest.
    quadratic_eV
        ``beta``, eV per formula unit.

    Returns
    -------
    float
        Between 0 (normal) and 1 (inverse); 2/3 where both cost nothing. Of several minima the one of lowest free
        energy.

    Raises
    ------
    ValueError
        For an energy beyond 10 eV or a temperature that is not positive.
    """
    for name, value in (("inverse_energy_eV", inverse_energy_eV), ("quadratic_eV", quadratic_eV)):
        if not abs(value) <= _LARGEST_ENERGY_eV:
            raise ValueError(f"{name}={value} must be from -{_LARGEST_ENERGY_eV:g} to {_LARGEST_ENERGY_eV:g} eV")
    if not 0 < temperature_K < math.inf:
        raise ValueError(f"temperature_K={temperature_K} must be positive and finite")
    kT = BOLTZMANN_eV_PER_K * temperature_K
    alpha = inverse_energy_eV - quadratic_eV

    def slope(logit: float) -> float:
        """Derivative of the free energy by x, over kT."""
        x, rest = _share(logit), _share(-logit)
        return (alpha + 2 * quadratic_eV * x) / kT + 2 * math.log(x) - math.log(rest) - math.log1p(rest)

    def free_energy(logit: float) -> float:
        """Over kT, but for a constant."""
        x, rest = _share(logit), _share(-logit)
        mixing = 2 * x * math.log(x) + rest * math.log(rest) + (1 + rest) * math.log1p(rest)
        return (alpha * x + quadratic_eV * x * x) / kT + mixing

    # In the logarithm of x / (1 - x), so that neither end is lost; a concave enthalpy has up to three roots.
    end = min(_LARGEST_LOGIT, 40.0 + (abs(alpha) + 2 * abs(quadratic_eV)) / kT)
    grid = np.linspace(-end, end, _POINTS).tolist()
    slopes = [slope(g) for g in grid]
    minima = [
        brentq(slope, low, high, xtol=1e-12)
        for low, high, before, after in zip(grid[:-1], grid[1:], slopes[:-1], slopes[1:], strict=True)
        if before < 0 <= after
    ]
    return _share(min([*minima, -end, end], key=free_energy))


def _share(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
