"""Growth of an oxide by ions in its field (N. Cabrera and N. F. Mott, 10.1088/0034-4885/12/1/308), and its limits.

dX/dt = u sinh(X1/X) with u = 2 N Omega nu exp(-W/kT) and X1 = q a V/(2kT): every ion that crosses the interface adds
its volume, and the field V/X falls with the thickness. Thin films (X well below X1) grow by the inverse logarithm of
time, thick ones by its root.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...structures.units import BOLTZMANN_eV_PER_K
from ..kinetics.rates import ASSUMED_ATTEMPT_Hz, rate_per_s

FloatArray = NDArray[np.float64]


def field_length_nm(voltage_V: float, charge_e: float, distance_A: float, temperature_K: float) -> float:
    """X1 = q a V/(2kT): below it the law is exponential, beyond it linear in the field.

    Raises
    ------
    ValueError
        If the temperature is not positive.
    """
    if not temperature_K > 0:
        raise ValueError(f"temperature {temperature_K} K must be positive")
    return abs(charge_e * voltage_V) * distance_A / (2 * BOLTZMANN_eV_PER_K * temperature_K) / 10


def growth_time_s(
    start_nm: float,
    end_nm: float,
    voltage_V: float,
    *,
    barrier_eV: float,
    charge_e: float,
    distance_A: float,
    layer_nm: float,
    temperature_K: float = 300.0,
    attempt_Hz: float = ASSUMED_ATTEMPT_Hz,
) -> float:
    """Time in which the oxide grows from one thickness to another at a constant voltage, s.

    Parameters
    ----------
    start_nm, end_nm
        Thicknesses, the first above zero.
    voltage_V
        Across the oxide, driving the growth.
    barrier_eV, charge_e, distance_A, attempt_Hz
        Of the hop that limits it; the distance is the whole hop, the saddle halfway.
    layer_nm
        Thickness that one ion on every place of the interface adds: N Omega.
    temperature_K
        Temperature.

    Raises
    ------
    ValueError
        If a thickness is not positive or does not grow, or no voltage drives it.
    """
    if not 0 < start_nm < end_nm:
        raise ValueError(f"thickness must grow from above zero; {start_nm} to {end_nm} nm does not")
    if voltage_V == 0 or not layer_nm > 0:
        raise ValueError(f"voltage {voltage_V} V and layer {layer_nm} nm must not be zero")
    x1 = field_length_nm(voltage_V, charge_e, distance_A, temperature_K)
    speed = 2 * layer_nm * rate_per_s(barrier_eV, temperature_K, attempt_Hz)
    most = attempt_Hz * layer_nm
    x, weights = np.polynomial.legendre.leggauss(400)
    places = np.exp((np.log(end_nm / start_nm) * (x + 1) / 2) + np.log(start_nm))
    # Written so that strong fields do not overflow; no ion is faster than its attempts.
    y = x1 / places
    log_rate = np.minimum(np.log(speed) + y + np.log1p(-np.exp(-2 * y)) - math.log(2), math.log(most))
    return float(np.sum(weights * places * np.exp(-log_rate)) * np.log(end_nm / start_nm) / 2)


def thickness_nm(times_s: ArrayLike, start_nm: float, x1_nm: float, speed_nm_per_s: float) -> FloatArray:
    """Thickness at ascending times of dX/dt = u sinh(X1/X), shape of the times, by scipy's stiff solver."""
    from scipy.integrate import solve_ivp

    times = np.asarray(times_s, dtype=float)

    def slope(t: float, x: FloatArray) -> FloatArray:
        return np.asarray(speed_nm_per_s * np.sinh(np.minimum(x1_nm / x, 700.0)))

    done = solve_ivp(slope, (0.0, float(times[-1])), [start_nm], method="LSODA", t_eval=times, rtol=1e-9, atol=1e-12)
    return np.asarray(done.y[0])
