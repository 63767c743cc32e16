"""Closed forms of drift under a field: a point charge that hops over equal barriers along a line.

N. F. Mott and R. W. Gurney, Electronic Processes in Ionic Crystals (1940): v = 2 nu a exp(-E/kT) sinh(q a F / 2kT).
In weak fields it is the Einstein relation, v = D q F / kT; in strong ones the law of N. Cabrera and N. F. Mott
(10.1088/0034-4885/12/1/308), v = nu a exp[-(E - q a F/2)/kT].
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...structures.units import V_PER_A_TO_V_PER_M, BOLTZMANN_eV_PER_K
from .rates import ASSUMED_ATTEMPT_Hz, rate_per_s

FloatArray = NDArray[np.float64]


def mott_gurney_A_per_s(
    field_V_per_A: ArrayLike,
    barrier_eV: float,
    charge_e: float,
    distance_A: float,
    temperature_K: float,
    attempt_Hz: float = ASSUMED_ATTEMPT_Hz,
) -> FloatArray:
    """Drift velocity along a line of equal barriers, any shape of the field."""
    rate = rate_per_s(barrier_eV, temperature_K, attempt_Hz)
    return np.asarray(2 * distance_A * rate * np.sinh(_half_work(field_V_per_A, charge_e, distance_A, temperature_K)))


def cabrera_mott_A_per_s(
    field_V_per_A: ArrayLike,
    barrier_eV: float,
    charge_e: float,
    distance_A: float,
    temperature_K: float,
    attempt_Hz: float = ASSUMED_ATTEMPT_Hz,
) -> FloatArray:
    """Limit of strong fields: no hop goes back."""
    rate = rate_per_s(barrier_eV, temperature_K, attempt_Hz)
    return np.asarray(distance_A * rate * np.exp(_half_work(field_V_per_A, charge_e, distance_A, temperature_K)))


def _half_work(field_V_per_A: ArrayLike, charge_e: float, distance_A: float, temperature_K: float) -> FloatArray:
    """Work of the field on half a hop, to the saddle, in units of kT."""
    work = charge_e * distance_A * np.asarray(field_V_per_A, dtype=float)
    return np.asarray(work / (2 * BOLTZMANN_eV_PER_K * temperature_K))


def critical_field_V_per_m(
    barrier_eV: float,
    saddle_dipole_e_A: float,
    temperature_K: float,
    *,
    within_s: float = 1.0,
    attempt_Hz: float = ASSUMED_ATTEMPT_Hz,
) -> float:
    """Field along the hop in which the ion hops within a time: [E - kT ln(nu t)] / p.

    Parameters
    ----------
    barrier_eV
        Without a field.
    saddle_dipole_e_A
        p at the saddle minus p at the start, along the hop: q a/2 for a point charge.
    temperature_K, within_s, attempt_Hz
        When and how soon.

    Returns
    -------
    float
        V/m; 0 where the ion hops that soon without a field.

    Raises
    ------
    ValueError
        If the dipole, the temperature, the time or the frequency is not positive.
    """
    given = {
        "saddle_dipole_e_A": saddle_dipole_e_A,
        "temperature_K": temperature_K,
        "within_s": within_s,
        "attempt_Hz": attempt_Hz,
    }
    for name, value in given.items():
        if not value > 0:
            raise ValueError(f"{name} = {value:g} must be positive")
    excess = barrier_eV - BOLTZMANN_eV_PER_K * temperature_K * math.log(attempt_Hz * within_s)
    return max(0.0, excess / saddle_dipole_e_A) * V_PER_A_TO_V_PER_M
