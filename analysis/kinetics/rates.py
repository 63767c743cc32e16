"""Rates and two-state kinetics.

Transition-state theory in the harmonic form (Vineyard, 10.1016/0022-3697(57)90059-8):
k = nu exp(-E_b / kT). An ion leaves a state once in 1/k; see `retention` for what was written into many.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...structures.units import SECONDS_PER_DAY, SECONDS_PER_YEAR, BOLTZMANN_eV_PER_K

if TYPE_CHECKING:
    pass

FloatArray = NDArray[np.float64]
ASSUMED_ATTEMPT_Hz = 1e13
LEAST_kT = 2.0
"""Transition-state theory counts crossings of ions that come to rest in between; below this many kT they do not."""


def _check(temperature_K: float, attempt_Hz: float) -> None:
    if not temperature_K > 0:
        raise ValueError(f"temperature {temperature_K} K must be positive")
    if not attempt_Hz > 0:
        raise ValueError(f"attempt frequency {attempt_Hz} Hz must be positive; solids have 1e11 to 1e14")


@overload
def rate_per_s(barrier_eV: float, temperature_K: float, attempt_Hz: float = ...) -> float: ...
@overload
def rate_per_s(barrier_eV: FloatArray, temperature_K: float, attempt_Hz: float = ...) -> FloatArray: ...
def rate_per_s(
    barrier_eV: float | FloatArray, temperature_K: float, attempt_Hz: float = ASSUMED_ATTEMPT_Hz
) -> float | FloatArray:
    """Arrhenius' law nu exp(-E_b / kT) in 1/s; of an array of barriers, an array.

    Raises
    ------
    ValueError
        If temperature or attempt frequency is not positive.
    """
    _check(temperature_K, attempt_Hz)
    rates = attempt_Hz * np.exp(-np.asarray(barrier_eV, dtype=float) / (BOLTZMANN_eV_PER_K * temperature_K))
    return rates if rates.ndim else float(rates)


def retention_s(barrier_eV: float, temperature_K: float, attempt_Hz: float = ASSUMED_ATTEMPT_Hz) -> float:
    """Mean time in s before a state with this back barrier is lost; infinite beyond the range of a float."""
    _check(temperature_K, attempt_Hz)
    exponent = barrier_eV / (BOLTZMANN_eV_PER_K * temperature_K) - math.log(attempt_Hz)
    return math.exp(exponent) if exponent < 709 else math.inf


def why_no_rate(barrier_eV: float, temperature_K: float) -> str:
    """Why a hop has no rate at a temperature; empty if it has one.

    Parameters
    ----------
    barrier_eV
        The lower one of both ways, in the field if there is one.
    temperature_K
        Temperature.
    """
    _check(temperature_K, 1.0)
    least = LEAST_kT * BOLTZMANN_eV_PER_K * temperature_K
    if barrier_eV >= least:
        return ""
    return (
        f"the lower barrier of {barrier_eV:.3f} eV is not above {LEAST_kT:g} kT, {least:.3f} eV at "
        f"{temperature_K:g} K, so that the ion waits in neither state"
    )


def barrier_for_retention_eV(time_s: float, temperature_K: float, attempt_Hz: float = ASSUMED_ATTEMPT_Hz) -> float:
    """Back barrier in eV that keeps a state for a time.

    Raises
    ------
    ValueError
        If the time is not positive.
    """
    _check(temperature_K, attempt_Hz)
    if not time_s > 0:
        raise ValueError(f"retention time {time_s} s must be positive")
    return float(BOLTZMANN_eV_PER_K * temperature_K * np.log(attempt_Hz * time_s))


def two_state_population(
    time_s: ArrayLike, start: ArrayLike, forward_per_s: ArrayLike, backward_per_s: ArrayLike
) -> FloatArray:
    """Population of the final state: p_eq + (p0 - p_eq) exp[-(k+ + k-) t].

    Arguments are broadcast against each other.

    Parameters
    ----------
    time_s
        Times, any shape; infinite for equilibrium.
    start
        Population at t = 0, from 0 to 1.
    forward_per_s, backward_per_s
        Rates into and out of the final state.

    Raises
    ------
    ValueError
        If `start` is no population or both rates are zero.
    """
    before, forward = np.asarray(start, dtype=float), np.asarray(forward_per_s, dtype=float)
    if not np.all((before >= 0) & (before <= 1)):
        raise ValueError(f"start population {before} is outside 0 to 1")
    total = forward + np.asarray(backward_per_s, dtype=float)
    if not np.all(total > 0):
        raise ValueError("at least one rate must be positive")
    equilibrium = forward / total
    return np.asarray(equilibrium + (before - equilibrium) * np.exp(-total * np.asarray(time_s, dtype=float)))


def miscut_ratio(miscut_deg: ArrayLike, work_eV: float, temperature_K: float) -> FloatArray:
    """Net hop rate of a miscut film over that of an exact one, sinh(w cos(delta)/2kT) / sinh(w/2kT).

    Only the component F cos(delta) drives a hop. At small fields the ratio is cos(delta); where the work
    exceeds kT it falls exponentially.

    Parameters
    ----------
    miscut_deg
        Angle between field and hop, degrees, any shape.
    work_eV
        Work of the field over the whole hop of the exact film, w = z e F d.
    temperature_K
        Temperature.
    """
    _check(temperature_K, 1.0)
    cosine = np.cos(np.radians(np.asarray(miscut_deg, dtype=float)))
    x = abs(work_eV) / (2 * BOLTZMANN_eV_PER_K * temperature_K)
    if x < 1e-9:
        return np.asarray(cosine)
    size = np.abs(cosine)
    # Written with falling exponentials only, so that strong fields do not overflow.
    falling = np.exp(x * (size - 1)) * np.expm1(-2 * x * size) / np.expm1(-2 * x)
    return np.asarray(np.sign(cosine) * falling)


def miscut_ratio_of_all_families(
    miscut_deg: ArrayLike, work_eV: float, temperature_K: float
) -> tuple[FloatArray, FloatArray]:
    """As `miscut_ratio`, but of the sum over all six <110> axes, each hopping alike, projected on the field.

    The sum is S(f) = sum_i (a_i.f) sinh(w a_i.f / 2kT) over the axes a_i; the ratio is S at the miscut over S along
    [110]. At small works S is isotropic, as every second-rank sum over a cubic star is, and the ratio is 1: a cubic
    crystal without a preferred family shows no miscut.

    Parameters
    ----------
    miscut_deg
        Angle between field and [110], degrees, shape (n,).
    work_eV, temperature_K
        As in `miscut_ratio`.

    Returns
    -------
    tuple of ndarray
        Lowest and highest ratio over the sense of the tilt, each shape (n,).
    """
    _check(temperature_K, 1.0)
    x = max(abs(work_eV) / (2 * BOLTZMANN_eV_PER_K * temperature_K), 1e-9)
    axes = np.array([[1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]]) / np.sqrt(2)
    turn = np.radians(np.arange(0, 360, 5))
    sides = np.outer(np.cos(turn), [0, 0, 1]) + np.outer(np.sin(turn), axes[1])

    def total(fields: FloatArray) -> FloatArray:
        size = np.abs(fields @ axes.T)
        return np.asarray((size * np.exp(x * (size - 1)) * np.expm1(-2 * x * size) / np.expm1(-2 * x)).sum(axis=1))

    angles = np.radians(np.atleast_1d(np.asarray(miscut_deg, dtype=float)))
    ratios = [total(np.cos(a) * axes[0] + np.sin(a) * sides) / total(axes[:1]) for a in angles]
    return np.array([f.min() for f in ratios]), np.array([f.max() for f in ratios])


# The universe is as old; a longer time says that nothing happens, and its digits say nothing.
LONGEST_YEARS = 1e10


def format_duration(seconds: float) -> str:
    """A time as a person says it, e.g. ``"1.2 ms"`` or ``"3.4 days"``."""
    for limit, unit, name in (
        (1e-9, 1e-12, "ps"),
        (1e-6, 1e-9, "ns"),
        (1e-3, 1e-6, "µs"),
        (1.0, 1e-3, "ms"),
        (120.0, 1.0, "s"),
        (7200.0, 60.0, "min"),
        (2 * SECONDS_PER_DAY, 3600.0, "h"),
        (2 * SECONDS_PER_YEAR, SECONDS_PER_DAY, "days"),
    ):
        if seconds < limit:
            return f"{seconds / unit:.2g} {name}" if seconds / unit < 100 else f"{seconds / unit:.0f} {name}"
    if not math.isfinite(seconds):
        return "beyond reckoning"
    if seconds > LONGEST_YEARS * SECONDS_PER_YEAR:
        return "over 1e10 years"
    return f"{seconds / SECONDS_PER_YEAR:.2g} years"
