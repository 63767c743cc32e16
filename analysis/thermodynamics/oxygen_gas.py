"""Oxygen potential of an ideal O2 gas at a temperature and pressure: `gases` for O2, the usual one.

Zero is half an O2 molecule at 0 K without its zero-point energy, as in Reuter and Scheffler,
10.1103/PhysRevB.65.035406. Below the boiling point (90 K at 1 atm) the gas is a continuation.
"""

from __future__ import annotations

from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .gases import GASES, TEMPERATURE_RANGE_K

__all__ = ["TEMPERATURE_RANGE_K", "delta_mu_O_eV", "heat_content_eV", "pressure_atm_for", "temperature_K_for"]

_O2 = GASES["O"]


@overload
def delta_mu_O_eV(temperature_K: float, pressure_atm: float = 1.0) -> float: ...
@overload
def delta_mu_O_eV(temperature_K: ArrayLike, pressure_atm: ArrayLike = 1.0) -> float | NDArray[np.float64]: ...
def delta_mu_O_eV(temperature_K: ArrayLike, pressure_atm: ArrayLike = 1.0) -> float | NDArray[np.float64]:
    """Oxygen potential per O atom, relative to half an O2 molecule at 0 K, as `gases.DiatomicGas.delta_mu_eV`."""
    return _O2.delta_mu_eV(temperature_K, pressure_atm)


def heat_content_eV(temperature_K: float = 298.15) -> float:
    """Enthalpy of the gas above that at 0 K, eV per O, as `gases.DiatomicGas.heat_content_eV`."""
    return _O2.heat_content_eV(temperature_K)


def pressure_atm_for(delta_mu_O_eV: float, temperature_K: float) -> float:
    """Oxygen pressure that gives a potential at a temperature, as `gases.DiatomicGas.pressure_atm_for`."""
    return _O2.pressure_atm_for(delta_mu_O_eV, temperature_K)


def temperature_K_for(delta_mu_O_eV: float, pressure_atm: float = 1.0) -> float:
    """Temperature that gives an oxygen potential at a pressure, as `gases.DiatomicGas.temperature_K_for`."""
    return _O2.temperature_K_for(delta_mu_O_eV, pressure_atm)
