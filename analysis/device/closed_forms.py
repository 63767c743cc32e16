"""Closed forms of interfaces and filaments: effective anisotropy, Julliere, tunnelling, AMR, conductance quantum."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import constants as _c

FloatArray = NDArray[np.float64]
#: 2 e^2 / h in siemens: 77.481 uS.
CONDUCTANCE_QUANTUM_S = 2 * _c.e**2 / _c.h


def effective_anisotropy_J_per_m3(
    surface_J_per_m2: float, thickness_m: float, magnetisation_A_per_m: float, volume_J_per_m3: float = 0.0
) -> float:
    """K_eff = K_v - mu0 M^2/2 + K_s/t of a film with one anisotropic interface; positive means perpendicular.

    M. T. Johnson et al., 10.1088/0034-4885/59/11/002.

    Raises
    ------
    ValueError
        If the thickness is not positive.
    """
    if not thickness_m > 0:
        raise ValueError(f"thickness {thickness_m} m must be positive")
    return float(volume_J_per_m3 - 0.5 * _c.mu_0 * magnetisation_A_per_m**2 + surface_J_per_m2 / thickness_m)


def reorientation_thickness_m(
    surface_J_per_m2: float, magnetisation_A_per_m: float, volume_J_per_m3: float = 0.0
) -> float:
    """Thickness at which K_eff = 0: K_s / (mu0 M^2/2 - K_v).

    Raises
    ------
    ValueError
        If K_eff never changes sign.
    """
    shape = 0.5 * _c.mu_0 * magnetisation_A_per_m**2 - volume_J_per_m3
    if shape <= 0 or surface_J_per_m2 <= 0:
        raise ValueError("K_eff does not change sign with the thickness for these numbers")
    return float(surface_J_per_m2 / shape)


def julliere_tmr(first_polarisation: float, second_polarisation: float) -> float:
    """Tunnel magnetoresistance 2 P1 P2 / (1 - P1 P2), relative to parallel (M. Julliere, 10.1016/0375-9601(75)90174-7).

    Raises
    ------
    ValueError
        If a polarisation is outside -1 to 1, or both are full and equal in sign.
    """
    for p in (first_polarisation, second_polarisation):
        if not -1 <= p <= 1:
            raise ValueError(f"spin polarisation {p} is outside -1 to 1")
    product = first_polarisation * second_polarisation
    if product == 1:
        raise ValueError("two fully polarised electrodes have no antiparallel conductance: the ratio is infinite")
    return 2 * product / (1 - product)


def tunnel_attenuation(barrier_eV: float, gap_m: float, mass_ratio: float = 1.0) -> float:
    """exp(-2 kappa d) with kappa = sqrt(2 m phi)/hbar: how a gap in a filament quenches the current.

    Raises
    ------
    ValueError
        If barrier, gap or mass is negative.
    """
    if barrier_eV < 0 or gap_m < 0 or mass_ratio <= 0:
        raise ValueError("barrier and gap must not be negative and the mass must be positive")
    kappa = np.sqrt(2 * mass_ratio * _c.m_e * barrier_eV * _c.e) / _c.hbar
    return float(np.exp(-2 * kappa * gap_m))


def amr_resistance(angle_deg: ArrayLike, perpendicular: float, parallel: float, tilt_deg: float = 0.0) -> FloatArray:
    """R_perp + (R_par - R_perp) cos^2(angle - tilt), in the unit given (T. R. McGuire and R. I. Potter,
    10.1109/TMAG.1975.1058782).

    Parameters
    ----------
    angle_deg
        Angle of the field, which the moment follows, from the current; any shape.
    perpendicular, parallel
        Resistances.
    tilt_deg
        Offset of the axis, e.g. 30 degrees of a tilted filament.
    """
    angle = np.radians(np.asarray(angle_deg, dtype=float) - tilt_deg)
    return np.asarray(perpendicular + (parallel - perpendicular) * np.cos(angle) ** 2)
