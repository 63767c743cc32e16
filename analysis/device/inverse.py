"""From how fast a film switched to the barrier that it must have had, with what is not known as a range."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import Field

from ...structures.units import BOLTZMANN_eV_PER_K
from ..kinetics.applied_field import film_field_V_per_A
from ..results.document import Document


class NeededBarrier(Document):
    """Barrier without a field with which an ion hops once in a measured time.

    Attributes
    ----------
    barrier_eV
        With the middle of every range.
    low_eV, high_eV
        Over all corners of the ranges.
    field_V_per_m
        Internal field of the middle.
    half_work_eV
        What the field takes off the barrier there.
    assumptions
        The ranges in words.
    """

    barrier_eV: float
    low_eV: float
    high_eV: float
    field_V_per_m: float
    half_work_eV: float
    assumptions: list[str] = Field(default_factory=list)


def needed_barrier(
    time_s: float,
    temperature_K: float,
    *,
    voltage_V: float = 0.0,
    thickness_nm: tuple[float, float] = (20.0, 20.0),
    permittivity: tuple[float, float] = (10.0, 10.0),
    other_layers_nm: Sequence[tuple[float, float]] = (),
    charge_e: tuple[float, float] = (2.0, 2.0),
    distance_A: tuple[float, float] = (2.9, 2.9),
    attempt_Hz: tuple[float, float] = (1e12, 1e14),
    hops: int = 1,
) -> NeededBarrier:
    """E = kT ln(nu t / n) + q a F/2 of n hops one after the other in a time, with ranges of what is not known.

    Parameters
    ----------
    time_s, temperature_K, voltage_V
        Of the measurement; 0 V is retention.
    thickness_nm, permittivity, other_layers_nm
        Film (lowest and highest value each) and further dielectrics of the stack, as (nm, permittivity).
    charge_e, distance_A, attempt_Hz
        Of the hop, saddle halfway; lowest and highest value each.
    hops
        Planes that the ion has to cross.

    Raises
    ------
    ValueError
        If a time, temperature, range or number of hops is not positive.
    """
    if not (time_s > 0 and temperature_K > 0 and hops >= 1):
        raise ValueError(f"time {time_s} s, temperature {temperature_K} K and {hops} hops must be positive")
    ranges = {
        "thickness_nm": thickness_nm,
        "permittivity": permittivity,
        "charge_e": charge_e,
        "distance_A": distance_A,
        "attempt_Hz": attempt_Hz,
    }
    for name, (low, high) in ranges.items():
        if not 0 < low <= high:
            raise ValueError(f"{name} from {low:g} to {high:g} must be positive and ascending")

    def barrier(field: float, q: float, a: float, nu: float) -> float:
        return BOLTZMANN_eV_PER_K * temperature_K * math.log(nu * time_s / hops) + abs(q * a * field) / 2

    def field(thickness: float, eps: float) -> float:
        return film_field_V_per_A(voltage_V, thickness, eps, other_layers_nm)

    fields = [abs(field(t, eps)) for t in thickness_nm for eps in permittivity]
    middle = field(math.sqrt(math.prod(thickness_nm)), math.sqrt(math.prod(permittivity)))
    q, a, nu = (math.sqrt(math.prod(r)) for r in (charge_e, distance_A, attempt_Hz))
    return NeededBarrier(
        barrier_eV=barrier(middle, q, a, nu),
        low_eV=barrier(min(fields), charge_e[0], distance_A[0], attempt_Hz[0]),
        high_eV=barrier(max(fields), charge_e[1], distance_A[1], attempt_Hz[1]),
        field_V_per_m=middle * 1e10,
        half_work_eV=abs(q * a * middle) / 2,
        assumptions=[f"{name} {low:g} to {high:g}" for name, (low, high) in ranges.items()],
    )
