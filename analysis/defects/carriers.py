"""Electrons and holes of a host at a Fermi level and temperature."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import constants
from scipy.special import expit

from ...structures.units import BOLTZMANN_eV_PER_K
from .charge_states import BandEdges

FloatArray = NDArray[np.float64]
# The integrand is even and decays like a Gaussian, so the trapezoidal rule converges faster than any power.
_POINTS = 400
_TAIL = 45.0


def effective_dos_per_A3(mass: float, temperature_K: float) -> float:
    """Effective density of states of a parabolic band, 2 (2 pi m k T / h^2)^(3/2), per cubic Angstrom.

    Parameters
    ----------
    mass
        Density-of-states mass in free-electron masses.
    temperature_K
        Above zero.
    """
    argument = 2.0 * math.pi * mass * constants.m_e * constants.k * temperature_K / constants.h**2
    return float(2.0 * argument**1.5 * 1e-30)


def fermi_integral_half(reduced: float) -> float:
    """Normalised Fermi-Dirac integral of order 1/2: exp(x) far below the band edge, 4 x^1.5 / (3 sqrt(pi)) far above.

    Parameters
    ----------
    reduced
        Fermi level above the band edge, in kT.
    """
    end = math.sqrt(max(reduced, 0.0) + _TAIL)
    t = np.linspace(0.0, end, _POINTS)
    values = 2.0 * t**2 * expit(reduced - t**2)
    return float(np.trapezoid(values, t)) * 2.0 / math.sqrt(math.pi)


def carriers_per_A3(edges: BandEdges, fermi_eV: float, temperature_K: float) -> tuple[float, float]:
    """Electrons in the conduction band and holes in the valence band.

    Parameters
    ----------
    edges
        Band edges with effective masses or a density of states.
    fermi_eV
        Above the valence band maximum.
    temperature_K
        Above zero.

    Returns
    -------
    electrons, holes
        Per cubic Angstrom.

    Raises
    ------
    ValueError
        If there are neither masses nor a density of states.
    """
    thermal = BOLTZMANN_eV_PER_K * temperature_K
    if edges.dos_energies_eV is not None:
        return _from_dos(edges, fermi_eV, thermal)
    if edges.electron_mass is None or edges.hole_mass is None:
        raise ValueError(
            "carriers need the effective masses of both bands, or a density of states; give one in BandEdges"
        )
    electrons = effective_dos_per_A3(edges.electron_mass, temperature_K) * fermi_integral_half(
        (fermi_eV - edges.gap_eV) / thermal
    )
    holes = effective_dos_per_A3(edges.hole_mass, temperature_K) * fermi_integral_half(-fermi_eV / thermal)
    return electrons, holes


def _from_dos(edges: BandEdges, fermi_eV: float, thermal_eV: float) -> tuple[float, float]:
    energies = np.asarray(edges.dos_energies_eV, dtype=float) - edges.vbm_eV
    density = np.asarray(edges.dos_states_per_eV, dtype=float)
    reduced = (fermi_eV - energies) / thermal_eV
    middle = 0.5 * edges.gap_eV
    above = energies > middle
    electrons = float(np.trapezoid(np.where(above, density * expit(reduced), 0.0), energies))
    holes = float(np.trapezoid(np.where(above, 0.0, density * expit(-reduced)), energies))
    volume = edges.dos_volume_A3 or 1.0
    return electrons / volume, holes / volume
