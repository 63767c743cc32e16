"""Potentials of O2, N2, F2 and S2 as ideal gases at a temperature and pressure: what a host's anions go into.

Rigid rotor, harmonic oscillator and the fine structure of the ground state. Molecular constants are those of Huber and
Herzberg, 10.1007/978-1-4757-0961-2. The zero is half a molecule at 0 K without its zero-point energy, as in Reuter and
Scheffler, 10.1103/PhysRevB.65.035406; for sulfur, a solid, it is the solid at 298 K, as for metals, and half an S2
molecule at 0 K lies 0.619 eV above it (NIST-JANAF, M. W. Chase, 1998).

Left out: anharmonicity (2 meV for F2 at 1500 K), excited electronic states, condensation, and in sulfur vapour the
molecules other than S2, of which S8 is the more frequent one below about 900 K: a pressure is that of S2 alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import constants

from ...structures.units import EV_PER_KJ_PER_MOL, BOLTZMANN_eV_PER_K, PER_CM_TO_eV

# Where the temperature for a given potential is looked for. Below, the rotor is no longer classical;
# above, excited electronic states and dissociation count.
TEMPERATURE_RANGE_K = (20.0, 3000.0)
# Largest |log10(p/atm)| that is a number worth returning.
_LARGEST_DECADE = 300.0
_SYMMETRY_NUMBER = 2
# S2 gas at 298 K from solid sulfur, and its heat content above 0 K; NIST-JANAF, kJ/mol.
_S2_ENTHALPY_KJ, _S2_HEAT_CONTENT_KJ = 128.600, 9.124


@dataclass(frozen=True)
class DiatomicGas:
    """A gas of molecules of two equal atoms.

    Attributes
    ----------
    element, word
        Symbol of the atom, and the element's name.
    mass_u
        Of the molecule, atomic mass units.
    rotational_constant_per_cm
        B_0.
    wavenumber_per_cm
        Fundamental, omega_e - 2 omega_e x_e.
    levels
        Degeneracy and height (1/cm) of each level of the electronic ground state, the lowest first.
    zero_eV
        Half a molecule at 0 K above the zero of the element's potential, eV per atom.
    """

    element: str
    word: str
    mass_u: float
    rotational_constant_per_cm: float
    wavenumber_per_cm: float
    levels: tuple[tuple[int, float], ...]
    zero_eV: float = 0.0

    @property
    def formula(self) -> str:
        """``N2``."""
        return f"{self.element}2"

    @property
    def is_standard_state(self) -> bool:
        """Whether enthalpies of formation count from this gas; those of sulfides count from the solid."""
        return self.zero_eV == 0.0

    def delta_mu_eV(self, temperature_K: ArrayLike, pressure_atm: ArrayLike = 1.0) -> float | NDArray[np.float64]:
        """Potential per atom.

        Parameters
        ----------
        temperature_K
            Temperature, scalar or array; at zero it is that of the molecule at rest.
        pressure_atm
            Partial pressure of the gas, broadcast against the temperature.

        Returns
        -------
        float or NDArray
            eV per atom, of the broadcast shape; a float for scalars.

        Raises
        ------
        ValueError
            If a temperature is negative, a pressure is not positive, or either is not finite.
        """
        temperature, pressure = np.broadcast_arrays(
            np.asarray(temperature_K, dtype=float), np.asarray(pressure_atm, dtype=float)
        )
        _check_temperature(temperature)
        if not np.all(np.isfinite(pressure) & (pressure > 0)):
            raise ValueError(f"the {self.word} pressure must be positive and finite, in atm; got {pressure}")
        warm = np.where(temperature > 0, temperature, 1.0)
        value = 0.5 * BOLTZMANN_eV_PER_K * warm * (np.log(pressure) - self._log_partition_at_1_atm(warm))
        found = np.where(temperature > 0, value, 0.0) + self.zero_eV
        return float(found) if found.ndim == 0 else found

    def heat_content_eV(self, temperature_K: float = 298.15) -> float:
        """Enthalpy per atom above that at 0 K: what lies between the zeros of gas tables and of enthalpies.

        Parameters
        ----------
        temperature_K
            Temperature; enthalpies of formation count from the gas at 298.15 K.
        """
        _check_temperature(np.asarray(temperature_K, dtype=float))
        if temperature_K == 0:
            return 0.0
        quantum = self.wavenumber_per_cm * PER_CM_TO_eV
        thermal = BOLTZMANN_eV_PER_K * temperature_K
        return float(0.5 * (3.5 * thermal + quantum / np.expm1(quantum / thermal) + self._electronic_eV(thermal)))

    def pressure_atm_for(self, delta_mu_eV: float, temperature_K: float) -> float:
        """Pressure that gives a potential at a temperature.

        Parameters
        ----------
        delta_mu_eV
            Potential, eV per atom.
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
        at_1_atm = float(self.delta_mu_eV(temperature_K))
        log_p = 2.0 * (delta_mu_eV - at_1_atm) / (BOLTZMANN_eV_PER_K * temperature_K)
        decades = log_p / math.log(10.0)
        if not abs(decades) <= _LARGEST_DECADE:
            raise ValueError(
                f"dmu_{self.element} = {delta_mu_eV:.3f} eV at {temperature_K:g} K needs 10^{decades:.0f} atm of "
                f"{self.word}: no pressure reaches it; at 1 atm dmu_{self.element} is {at_1_atm:.3f} eV. "
                "Choose a higher temperature"
            )
        return math.exp(log_p)

    def temperature_K_for(self, delta_mu_eV: float, pressure_atm: float = 1.0) -> float:
        """Temperature that gives a potential at a pressure, found by bracketing.

        Parameters
        ----------
        delta_mu_eV
            Potential, eV per atom.
        pressure_atm
            Partial pressure of the gas.

        Returns
        -------
        float
            Temperature in K, within `TEMPERATURE_RANGE_K`.

        Raises
        ------
        ValueError
            If the pressure is not positive, or no temperature in the range gives this potential.
        """
        from scipy.optimize import brentq

        low, high = TEMPERATURE_RANGE_K
        at_low, at_high = (float(self.delta_mu_eV(t, pressure_atm)) for t in (low, high))
        if not at_high <= delta_mu_eV <= at_low:
            raise ValueError(
                f"no temperature between {low:g} and {high:g} K gives dmu_{self.element} = {delta_mu_eV:.3f} eV at "
                f"{pressure_atm:g} atm: the range there is {at_high:.3f} to {at_low:.3f} eV. "
                "Choose a potential in it, or another pressure"
            )
        temperature = brentq(lambda t: float(self.delta_mu_eV(t, pressure_atm)) - delta_mu_eV, low, high, xtol=1e-9)
        return float(temperature)

    def _log_partition_at_1_atm(self, temperature_K: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logarithm of the molecule's partition function at 1 atm, energies from the potential minimum + ZPE."""
        thermal = BOLTZMANN_eV_PER_K * temperature_K
        mass_kg = self.mass_u * constants.atomic_mass
        wavelength_m = constants.h / np.sqrt(2 * np.pi * mass_kg * constants.k * temperature_K)
        volume_m3 = constants.k * temperature_K / constants.atm
        translation = np.log(volume_m3 / wavelength_m**3)
        rotation = np.log(thermal / (_SYMMETRY_NUMBER * self.rotational_constant_per_cm * PER_CM_TO_eV))
        vibration = -np.log1p(-np.exp(-self.wavenumber_per_cm * PER_CM_TO_eV / thermal))
        weights = [g * np.exp(-height * PER_CM_TO_eV / thermal) for g, height in self.levels]
        return np.asarray(translation + rotation + vibration + np.log(np.sum(weights, axis=0)))

    def _electronic_eV(self, thermal_eV: float) -> float:
        heights = [height * PER_CM_TO_eV for _, height in self.levels]
        weights = [g * math.exp(-e / thermal_eV) for (g, _), e in zip(self.levels, heights, strict=True)]
        return sum(w * e for w, e in zip(weights, heights, strict=True)) / sum(weights)


def _check_temperature(temperature_K: NDArray[np.float64]) -> None:
    if not np.all(np.isfinite(temperature_K) & (temperature_K >= 0)):
        raise ValueError(f"the temperature must be finite and not negative, in K; got {temperature_K}")


_HALF_S2_eV = 0.5 * (_S2_ENTHALPY_KJ - _S2_HEAT_CONTENT_KJ) * EV_PER_KJ_PER_MOL

# In the order in which a host with several of them is counted by one.
GASES: Mapping[str, DiatomicGas] = {
    gas.element: gas
    for gas in (
        DiatomicGas("O", "oxygen", 31.998, 1.4377, 1580.19 - 2 * 11.98, ((3, 0.0),)),
        DiatomicGas("F", "fluorine", 37.9968, 0.89019 - 0.013847 / 2, 916.64 - 2 * 11.236, ((1, 0.0),)),
        DiatomicGas("N", "nitrogen", 28.0134, 1.98958, 2358.57 - 2 * 14.324, ((1, 0.0),)),
        # The triplet of S2 is split by twice its spin-spin constant of 11.8 per cm.
        DiatomicGas(
            "S", "sulfur", 64.13, 0.29547 - 0.00157 / 2, 725.65 - 2 * 2.844, ((1, 0.0), (2, 23.6)), zero_eV=_HALF_S2_eV
        ),
    )
}


def gas_of(element: str) -> DiatomicGas:
    """The gas of an anion.

    Raises
    ------
    ValueError
        If none is known for it.
    """
    if element not in GASES:
        known = ", ".join(f"{el} ({gas.formula})" for el, gas in GASES.items())
        raise ValueError(f"no gas of {element} is known, whose pressure would set its potential; known: {known}")
    return GASES[element]


def potential_anion(elements: Mapping[str, float] | list[str] | set[str]) -> str | None:
    """The anion of a host whose potential is its axis: oxygen if there is any, else F, N or S; None without any."""
    return next((el for el in GASES if el in elements), None)


def edge_words(anion: str) -> tuple[str, str]:
    """What the two ends of a window are called: ``oxygen-poor``, ``oxygen-rich``."""
    word = gas_of(anion).word
    return f"{word}-poor", f"{word}-rich"
