"""From one hop to a film: two-state kinetics of an ensemble of moving ions, and the contrast that it gives.

Each ion has its own barrier and its own angle between the field and its hop; both are assumed. In a field F the
rates of an ion are k+- = nu exp{-[E_b -+ z e F_loc d cos(theta)/2]/kT} with F_loc = f F, f the local-field factor
(internal over applied, thickness included). The contrast is the mean of cos(theta) (2 p - 1) over the ensemble:
+1 if every ion sits at the end that the direction prefers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, field_validator

from ...structures.units import V_PER_M_TO_V_PER_A, BOLTZMANN_eV_PER_K
from ..kinetics.rates import (
    ASSUMED_ATTEMPT_Hz,
    LEAST_kT,
    miscut_ratio,
    rate_per_s,
    two_state_population,
    why_no_rate,
)
from ..results.document import Document, Unbounded

if TYPE_CHECKING:
    from ..kinetics.migration import Migration

FloatArray = NDArray[np.float64]
_LARGEST_EXPONENT = 700.0
_GAUSS_POINTS = 9


class EnsembleParameters(Document):
    """Everything that is assumed about a film of hopping ions; shown beside each curve.

    Attributes
    ----------
    barrier_eV, barrier_spread_eV
        Mean and standard deviation (Gaussian) of the zero-field barrier.
    asymmetry_eV
        Energy of the final minus the initial state at zero field.
    charge_e, distance_A
        Charge of the mover and length of its hop.
    thickness_m
        Film across which the voltage falls.
    local_field_factor
        Field at the ion over voltage / thickness.
    texture_deg
        Width of the Gaussian by which the share of grains per solid angle falls with their tilt; 0: single crystal.
    miscut_deg
        Angle of the nominal hop from the field.
    attempt_Hz, temperature_K
        Prefactor and temperature.
    """

    barrier_eV: float
    barrier_spread_eV: float = 0.0
    asymmetry_eV: float = 0.0
    charge_e: float
    distance_A: float
    thickness_m: float = 1e-7
    local_field_factor: float = 1.0
    texture_deg: float = 0.0
    miscut_deg: float = 0.0
    attempt_Hz: float = ASSUMED_ATTEMPT_Hz
    temperature_K: float = 300.0

    @field_validator("barrier_eV", "thickness_m", "attempt_Hz", "temperature_K", "distance_A")
    @classmethod
    def _positive(cls, value: float) -> float:
        if not value > 0:
            raise ValueError(f"{value} must be positive")
        return value

    @field_validator("barrier_spread_eV", "texture_deg", "local_field_factor")
    @classmethod
    def _not_negative(cls, value: float) -> float:
        if value < 0:
            raise ValueError(f"{value} must not be negative")
        return value

    def listed(self) -> list[str]:
        """One line per assumption, for a figure's margin."""
        return [f"{name} = {value:.4g}" for name, value in self.model_dump().items()]


def ensemble_of_hop(
    hop: Migration, *, thickness_m: float, attempt_Hz: float = ASSUMED_ATTEMPT_Hz, temperature_K: float = 300.0
) -> EnsembleParameters:
    """Ensemble of one computed hop: its barriers, asymmetry and dipole; everything else is assumed.

    Parameters
    ----------
    hop
        Computed migration; the charge is its dipole change over its length.
    thickness_m
        Film across which the voltage falls.
    attempt_Hz, temperature_K
        Prefactor and temperature.

    Raises
    ------
    ValueError
        If the hop has no barrier on the mean of both ways.
    """
    return EnsembleParameters(
        barrier_eV=(hop.forward_eV + hop.backward_eV) / 2,
        asymmetry_eV=hop.delta_eV,
        charge_e=abs(hop.images[-1].dipole_along_hop_e_A) / hop.distance_A,
        distance_A=hop.distance_A,
        thickness_m=thickness_m,
        attempt_Hz=attempt_Hz,
        temperature_K=temperature_K,
    )


class Curve(Document):
    """One curve of an ensemble with what it assumes.

    Attributes
    ----------
    x, y
        Values; what they are is in `x_name` and `y_name`, with units. None where `notes` say that there is no result.
    pulse_s, pulses_V
        Length of the pulses, and the voltage of each one of a train.
    parameters, notes
        Every assumption behind the curve.
    """

    x_name: str
    y_name: str
    x: list[float]
    y: list[Unbounded | None]
    pulse_s: float | None = None
    pulses_V: list[float] = Field(default_factory=list)
    parameters: EnsembleParameters
    notes: list[str] = Field(default_factory=list)


class _Members:
    """Barriers, angles and weights that stand for the ensemble, each shape (n,)."""

    def __init__(self, p: EnsembleParameters) -> None:
        barrier, weight_b = _gaussian(p.barrier_eV, p.barrier_spread_eV)
        tilt, weight_t = _half_normal(np.radians(p.texture_deg))
        turn = 2 * np.pi * (np.arange(8) + 0.5) / 8 if p.texture_deg else np.array([0.5 * np.pi])
        miscut = np.radians(p.miscut_deg)
        cosine = np.cos(miscut) * np.cos(tilt)[:, None] + np.sin(miscut) * np.sin(tilt)[:, None] * np.cos(turn)
        weight_c = np.repeat(weight_t / len(turn), len(turn))
        self.barrier = np.repeat(barrier, cosine.size)
        self.cosine = np.tile(cosine.ravel(), len(barrier))
        self.weight = (weight_b[:, None] * weight_c[None]).ravel()


def _gaussian(mean: float, spread: float) -> tuple[FloatArray, FloatArray]:
    if spread == 0:
        return np.array([mean]), np.array([1.0])
    nodes, weights = np.polynomial.hermite_e.hermegauss(_GAUSS_POINTS)
    barriers = mean + spread * nodes
    keep = barriers > 0
    return barriers[keep], weights[keep] / weights[keep].sum()


def _half_normal(spread: float) -> tuple[FloatArray, FloatArray]:
    if spread == 0:
        return np.array([0.0]), np.array([1.0])
    nodes, weights = np.polynomial.legendre.leggauss(16)
    tilt = np.minimum(4 * spread, np.pi) * (nodes + 1) / 2
    # Tilts of equal likelihood per solid angle times a Gaussian fall-off.
    density = weights * np.sin(tilt) * np.exp(-(tilt**2) / (2 * spread**2))
    return tilt, density / density.sum()


def field_V_per_A(voltage_V: float, p: EnsembleParameters) -> float:
    """Local field of a voltage, V/Angstrom: f V / thickness."""
    return p.local_field_factor * voltage_V / p.thickness_m * V_PER_M_TO_V_PER_A


def _rates(p: EnsembleParameters, members: _Members, voltage_V: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Rates both ways, shape (members,) or that of the voltages and (members,)."""
    fields = field_V_per_A(1.0, p) * np.asarray(voltage_V, dtype=float)[..., None]
    half = 0.5 * (p.charge_e * p.distance_A * fields * members.cosine - p.asymmetry_eV)
    # Where the field removes the barrier the higher end is the top. The rates say no times there, see `_no_times`,
    # but their ratio is that of the equilibrium which a pulse of macroscopic length reaches.
    most = _LARGEST_EXPONENT * BOLTZMANN_eV_PER_K * p.temperature_K
    top = np.maximum(np.maximum(members.barrier - half, -2 * half), 0.0)
    heights = (np.minimum(height, most) for height in (top, top + 2 * half))
    forward, backward = (rate_per_s(height, p.temperature_K, p.attempt_Hz) for height in heights)
    return forward, backward


def _no_times(p: EnsembleParameters, voltage_V: float) -> str:
    """Why the mean member of an ensemble has no rate in either sense of a voltage; empty if it has one."""
    work = p.charge_e * p.distance_A * abs(field_V_per_A(voltage_V, p) * np.cos(np.radians(p.miscut_deg)))
    return why_no_rate(p.barrier_eV - 0.5 * (work + abs(p.asymmetry_eV)), p.temperature_K)


def _at_once(p: EnsembleParameters, voltages_V: Sequence[float]) -> list[str]:
    """That ions follow the field at once, for the voltages that leave no rate law."""
    immediate = sorted({abs(v) for v in voltages_V if _no_times(p, v)})
    if not immediate:
        return []
    return [f"from {immediate[0]:g} V on the barrier is below {LEAST_kT:g} kT: equilibrium in the field, no times"]


Pulses = Sequence[tuple[ArrayLike, ArrayLike]]


def ensemble_populations(p: EnsembleParameters, pulses: Pulses, start: ArrayLike = 0.5) -> list[FloatArray]:
    """Population of the final state of every member after each pulse.

    Parameters
    ----------
    p
        The ensemble.
    pulses
        (voltage in V, duration in s); 0 V is waiting. Either may have the shape (films,): so many films that differ in
        it.
    start
        Population before, one number or one per member.

    Returns
    -------
    list
        Shape (members,) or (films, members) each.
    """
    members = _Members(p)
    population = np.broadcast_to(np.asarray(start, dtype=float), members.weight.shape)
    out = []
    for voltage, duration in pulses:
        forward, backward = _rates(p, members, voltage)
        time = np.asarray(duration, dtype=float)[..., None]
        population = two_state_population(time, population, forward, backward)
        out.append(population)
    return out


def contrasts_after(p: EnsembleParameters, pulses: Pulses, start: ArrayLike = 0.5) -> list[FloatArray]:
    """Contrast after each pulse, -1 to 1: mean of cos(theta) (2 population - 1); of no shape, or (films,)."""
    members = _Members(p)
    return [(2 * x - 1) @ (members.weight * members.cosine) for x in ensemble_populations(p, pulses, start)]


def contrast_after(p: EnsembleParameters, pulses: Sequence[tuple[float, float]], start: ArrayLike = 0.5) -> list[float]:
    """Contrast of one film after each pulse, see `contrasts_after`."""
    return [float(c) for c in contrasts_after(p, pulses, start)]


def currents_after(p: EnsembleParameters, pulses: Pulses, start: ArrayLike = 0.5) -> list[FloatArray]:
    """Rate of the contrast at the end of each pulse, 1/s: the current of the ions but for a factor."""
    members = _Members(p)
    out = []
    for (voltage, _), x in zip(pulses, ensemble_populations(p, pulses, start), strict=True):
        forward, backward = _rates(p, members, voltage)
        out.append(2 * (forward * (1 - x) - backward * x) @ (members.weight * members.cosine))
    return out


def contrast_against_voltage(
    p: EnsembleParameters, voltages_V: Sequence[float], pulse_s: float, wait_s: float = 0.0
) -> Curve:
    """Contrast after one pulse of each voltage on a fresh film (equal populations), and a wait at 0 V."""
    y = contrasts_after(p, [(voltages_V, pulse_s), (0.0, wait_s)])[-1].tolist()
    return Curve(
        x_name="voltage (V)",
        y_name="contrast",
        x=[float(v) for v in voltages_V],
        y=y,
        pulse_s=pulse_s,
        parameters=p,
        notes=[f"pulse {pulse_s:g} s, wait {wait_s:g} s, each voltage on a fresh film", *_at_once(p, voltages_V)],
    )


def contrast_of_sequence(
    p: EnsembleParameters, voltages_V: Sequence[float], pulse_s: float, wait_s: float = 0.0, *, read_both: bool = False
) -> Curve:
    """Contrast after each pulse of a train such as 0, -4, 0, +4 V on one film, read after the wait that follows it.

    With `read_both` each pulse has two readings, at its end (x = 0, 1, ...) and after the wait (x = 0.5, 1.5, ...).
    """
    pulses = [x for v in voltages_V for x in ((v, pulse_s), (0.0, wait_s))]
    contrasts = contrast_after(p, pulses)
    when = "each read at its end and after the wait" if read_both else "read after the wait"
    return Curve(
        x_name="pulse number",
        y_name="contrast",
        x=[i / 2 for i in range(len(contrasts))] if read_both else [float(i) for i in range(len(voltages_V))],
        y=contrasts if read_both else contrasts[1::2],
        pulse_s=pulse_s,
        pulses_V=[float(v) for v in voltages_V],
        parameters=p,
        notes=[
            "voltages " + ", ".join(f"{v:g}" for v in voltages_V) + " V",
            f"pulse {pulse_s:g} s, wait {wait_s:g} s; {when}",
            *_at_once(p, voltages_V),
        ],
    )


def contrast_against_miscut(
    p: EnsembleParameters, miscuts_deg: Sequence[float], voltage_V: float, pulse_s: float, wait_s: float = 0.0
) -> Curve:
    """Contrast after one pulse against the angle between field and hop; beside it the sinh law of the net rate."""
    y = [
        contrast_after(p.model_copy(update={"miscut_deg": float(m)}), [(voltage_V, pulse_s), (0.0, wait_s)])[-1]
        for m in miscuts_deg
    ]
    work = p.charge_e * p.distance_A * field_V_per_A(voltage_V, p)
    ratio = miscut_ratio(miscuts_deg, work, p.temperature_K)
    law = ", ".join(f"{m:g} deg {r:.2g}" for m, r in zip(miscuts_deg, ratio[:4], strict=False))
    return Curve(
        x_name="miscut (deg)",
        y_name="contrast",
        x=[float(m) for m in miscuts_deg],
        y=y,
        parameters=p,
        notes=[
            f"{voltage_V:g} V for {pulse_s:g} s, wait {wait_s:g} s",
            f"sinh law of the net rate: {law}",
            *_at_once(p, [voltage_V]),
        ],
    )


def relaxation_against_temperature(p: EnsembleParameters, temperatures_K: Sequence[float]) -> Curve:
    """Time after which 1/e is left of what a written film can lose at 0 V, s: contrast minus that of equilibrium.

    Without asymmetry nothing stays; with it a share stays for ever. None where the mean hop has no rate law.
    """
    out: list[float | None] = []
    stays = []
    for temperature in temperatures_K:
        at = p.model_copy(update={"temperature_K": float(temperature)})
        if _no_times(at, 0.0):
            out.append(None)
            continue
        members = _Members(at)
        forward, backward = _rates(at, members, 0.0)
        rate, end = forward + backward, forward / (forward + backward)
        weight = members.weight * members.cosine * 2 * (1 - end)
        low, high = -np.log10(rate.max()) - 2, -np.log10(rate.min()) + 2
        for _ in range(60):
            mid = (low + high) / 2
            left = float(np.sum(weight * np.exp(-np.minimum(rate * 10.0**mid, 700.0))))
            low, high = (mid, high) if left > weight.sum() / np.e else (low, mid)
        out.append(10.0**high)
        stays.append(f"{float(np.sum(members.weight * members.cosine * (2 * end - 1))):.2f} at {temperature:g} K")
    return Curve(
        x_name="temperature (K)",
        y_name="time to 1/e of what can be lost (s)",
        x=[float(t) for t in temperatures_K],
        y=out,
        parameters=p,
        notes=[
            "0 V, written to population 1; both ways relax",
            f"contrast that stays in equilibrium {', '.join(stays) or 'none'}",
            *(
                f"no result from {t:g} K on: barrier below {LEAST_kT:g} kT"
                for t in [t for t, y in zip(temperatures_K, out, strict=True) if y is None][:1]
            ),
        ],
    )
