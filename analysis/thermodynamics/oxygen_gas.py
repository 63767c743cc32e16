"""Oxygen potential of an ideal O2 gas at a temperature and pressure.

Rigid rotor, harmonic oscillator, spin triplet. Zero is half an O2 molecule at 0 K without its
zero-point energy, as in Reuter and Scheffler, 10.1103/PhysRevB.65.035406. The molecular constants
are those of Huber and Herzberg, 10.1007/978-1-4757-0961-2.

Left out: anharmonicity, the excited singlet states (0.98 eV and up), and condensation: below the
boiling point (90 K at 1 atm) the gas is a continuation.
"""

from __future__ import annotations

import math
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import constants
from scipy.optimize import brentq

from ...structures.units import BOLTZMANN_eV_PER_K, PER_CM_TO_eV

O2_MASS_KG = 31.998 * constants.atomic_mass
O2_ROTATIONAL_CONSTANT_PER_CM = 1.4377  # B_0
O2_WAVENUMBER_PER_CM = 1556.23  # fundamental: omega_e - 2 omega_e x_e = 1580.19 - 2 * 11.98
O2_SYMMETRY_NUMBER = 2
O2_SPIN_DEGENERACY = 3

# Where the temperature for a given potential is looked for. Below, the rotor is no longer classical;
# above, excited electronic states and dissociation count.
TEMPERATURE_RANGE_K = (20.0, 3000.0)
# Largest |log10(p/atm)| that is a number worth returning.
_LARGEST_DECADE = 300.0


@overload
def delta_mu_O_eV(temperature_K: float, pressure_atm: float = 1.0) -> float: ...
@overload
def delta_mu_O_eV(temperature_K: ArrayLike, pressure_atm: ArrayLike = 1.0) -> float | NDArray[np.float64]: ...
def delta_mu_O_eV(temperature_K: ArrayLike, pressure_atm: ArrayLike = 1.0) -> float | NDArray[np.float64]:
    """Oxygen potential per O atom, relative to half an O2 molecule at 0 K.

    Parameters
    ----------
    temperature_K
        Temperature, scalar or array; zero gives zero.
    pressure_atm
        Partial pressure of O2, broadcast against the temperature.

    Returns
    -------
    float or NDArray
        eV per atom, of the broadcast shape; a float for scalars.

    Raises
    ------
    ValueError
        If a temperature is negative, a pressure is not positive, or either is not finite.
    """
    value = _potential_eV(np.asarray(temperature_K, dtype=float), np.asarray(pressure_atm, dtype=float))
    return float(value) if value.ndim == 0 else value


def heat_content_eV(temperature_K: float = 298.15) -> float:
    """Enthalpy per O atom of the gas above that at 0 K: what lies between the zeros of gas tables and enthalpies.

    Parameters
    ----------
    temperature_K
        Temperature; enthalpies of formation count from O2 at 298.15 K.

    Returns
    -------
    float
        Half of 7/2 kT of the linear rotor and the oscillator's mean energy, eV per atom.
    """
    _check_temperature(np.asarray(temperature_K, dtype=float))
    if temperature_K == 0:
        return 0.0
    quantum = O2_WAVENUMBER_PER_CM * PER_CM_TO_eV
    thermal = BOLTZMANN_eV_PER_K * temperature_K
    return float(0.5 * (3.5 * thermal + quantum / np.expm1(quantum / thermal)))


def pressure_atm_for(delta_mu_O_eV: float, temperature_K: float) -> float:
    """Oxygen pressure that gives a potential at a temperature.

    Parameters
    ----------
    delta_mu_O_eV
        Oxygen potential, eV per atom.
    temperature_K
        Temperature, above zero.

    Returns
    -------
    float
        Pressure in atm.

    Raises
    ------
    ValueError
        If the temperature is not positive, or the pressure lies beyond 1e-300 to 1e300 atm.
    """
    if not temperature_K > 0:
        raise ValueError(f"the temperature must be above 0 K; got {temperature_K}")
    at_1_atm = _scalar_eV(temperature_K, 1.0)
    log_p = 2.0 * (delta_mu_O_eV - at_1_atm) / (BOLTZMANN_eV_PER_K * temperature_K)
    decades = log_p / math.log(10.0)
    if not abs(decades) <= _LARGEST_DECADE:
        raise ValueError(
            f"dmu_O = {delta_mu_O_eV:.3f} eV at {temperature_K:g} K needs 10^{decades:.0f} atm of oxygen: "
            f"no pressure reaches it; at 1 atm dmu_O is {at_1_atm:.3f} eV. Choose a higher temperature"
        )
    return math.exp(log_p)


def temperature_K_for(delta_mu_O_eV: float, pressure_atm: float = 1.0) -> float:
    """Temperature that gives an oxygen potential at a pressure, found by bracketing.

    Parameters
    ----------
    delta_mu_O_eV
        Oxygen potential, eV per atom.
    pressure_atm
        Partial pressure of O2.

    Returns
    -------
    float
        Temperature in K, within `TEMPERATURE_RANGE_K`.

    Raises
    ------
    ValueError
        If the pressure is not positive, or no temperature in the range gives this potential.
    """
    low, high = TEMPERATURE_RANGE_K
    at_low, at_high = _scalar_eV(low, pressure_atm), _scalar_eV(high, pressure_atm)
    if not at_high <= delta_mu_O_eV <= at_low:
        raise ValueError(
            f"no temperature between {low:g} and {high:g} K gives dmu_O = {delta_mu_O_eV:.3f} eV at "
            f"{pressure_atm:g} atm: the range there is {at_high:.3f} to {at_low:.3f} eV. "
            "Choose a potential in it, or another pressure"
        )
    return float(brentq(lambda t: _scalar_eV(t, pressure_atm) - delta_mu_O_eV, low, high, xtol=1e-9))


def _potential_eV(temperature_K: NDArray[np.float64], pressure_atm: NDArray[np.float64]) -> NDArray[np.float64]:
    temperature, pressure = np.broadcast_arrays(temperature_K, pressure_atm)
    _check_temperature(temperature)
    if not np.all(np.isfinite(pressure) & (pressure > 0)):
        raise ValueError(f"the oxygen pressure must be positive and finite, in atm; got {pressure_atm}")
    warm = np.where(temperature > 0, temperature, 1.0)
    value = 0.5 * BOLTZMANN_eV_PER_K * warm * (np.log(pressure) - _log_partition_at_1_atm(warm))
    return np.where(temperature > 0, value, 0.0)


def _scalar_eV(temperature_K: float, pressure_atm: float) -> float:
    return float(_potential_eV(np.asarray(temperature_K), np.asarray(pressure_atm)))


def _log_partition_at_1_atm(temperature_K: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of the molecule's partition function at 1 atm, energies from the potential minimum + ZPE."""
    thermal = BOLTZMANN_eV_PER_K * temperature_K
    wavelength_m = constants.h / np.sqrt(2 * np.pi * O2_MASS_KG * constants.k * temperature_K)
    volume_m3 = constants.k * temperature_K / constants.atm
    translation = np.log(volume_m3 / wavelength_m**3)
    rotation = np.log(thermal / (O2_SYMMETRY_NUMBER * O2_ROTATIONAL_CONSTANT_PER_CM * PER_CM_TO_eV))
    vibration = -np.log1p(-np.exp(-O2_WAVENUMBER_PER_CM * PER_CM_TO_eV / thermal))
    return np.asarray(translation + rotation + vibration + math.log(O2_SPIN_DEGENERACY))


def _check_temperature(temperature_K: NDArray[np.float64]) -> None:
    if not np.all(np.isfinite(temperature_K) & (temperature_K >= 0)):
        raise ValueError(f"the temperature must be finite and not negative, in K; got {temperature_K}")
