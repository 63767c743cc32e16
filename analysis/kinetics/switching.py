"""A field pulse on a computed hop: state before, pulse, state after, and u of each.

The rates follow the computed profile, k+- = nu exp[-E+-(F)/kT] with the barriers of E0(s) - F.[p(s) - p(0)] for a
field along the hop. Where the field leaves no rate law, the ions are in equilibrium in it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from ...structures.units import V_PER_M_TO_V_PER_A
from ..magnetism.hysteresis import SwitchingPath, switching_path
from ..results.document import Document
from .migration import Migration
from .profiles import FieldPoint, barrier_in_field
from .rates import ASSUMED_ATTEMPT_Hz, rate_per_s, two_state_population, why_no_rate


class FieldPulse(Document):
    """A pulse and the wait after it; then the same with the field reversed.

    Attributes
    ----------
    field_V_per_m
        Internal field along the hop.
    duration_s, wait_s
        Length of a pulse, and of the time at zero field after it.
    temperature_K
        Of both.
    source
        Who says so; a default is an assumption.
    """

    field_V_per_m: float = 4e7
    duration_s: float = Field(default=1.0, gt=0)
    wait_s: float = Field(default=60.0, ge=0)
    temperature_K: float = Field(default=300.0, gt=0)
    source: str = "assumed: 4 V over 100 nm, read after a minute"

    def listed(self) -> list[str]:
        """One line per assumption."""
        return [
            f"pulse of {self.field_V_per_m:g} V/m along the hop for {self.duration_s:g} s at {self.temperature_K:g} K, "
            f"then {self.wait_s:g} s at zero field, then the reverse ({self.source})"
        ]


def largest_field_V_per_m(hop: Migration) -> float:
    """Breakdown field that a hop was held against, or the largest of its fields if its study names none, V/m."""
    limits = [s.breakdown_V_per_m for s in hop.field_studies if s.breakdown_V_per_m is not None]
    return max([*(abs(f.field_V_per_m) for f in hop.field), *limits], default=0.0)


def driving_sense(hop: Migration) -> float:
    """Sign of the field along a hop that drives it forwards: minus for a negative ion, by the dipole of the hop."""
    return -1.0 if hop.images[-1].dipole_along_hop_e_A < 0 else 1.0


def hop_in_field(hop: Migration, field_V_per_m: float) -> FieldPoint:
    """Barriers of a computed hop in any field along it.

    Raises
    ------
    ValueError
        If the field is beyond the breakdown that the study was held against, or beyond its fields if it names none.
    """
    checked = largest_field_V_per_m(hop)
    if abs(field_V_per_m) > checked * (1 + 1e-9):
        raise ValueError(
            f"field {field_V_per_m:g} V/m is beyond {checked:g} V/m, the breakdown that this study was held against; "
            "give a smaller one"
        )
    unit = np.asarray(hop.displacement_A) / np.linalg.norm(hop.displacement_A)
    dipoles = np.outer([i.dipole_along_hop_e_A for i in hop.images], unit)
    return barrier_in_field([i.energy_eV for i in hop.images], dipoles, unit, field_V_per_m * V_PER_M_TO_V_PER_A)


def hop_populations(
    hop: Migration, temperature_K: float, attempts_Hz: tuple[float, float] = (ASSUMED_ATTEMPT_Hz, ASSUMED_ATTEMPT_Hz)
) -> Callable[[float, float, float], float]:
    """``(start population, field in V/m, duration in s) -> population of the state after`` of a computed hop.

    `attempts_Hz` holds the prefactors forward and back. In a field that leaves no rate law (`rates.why_no_rate`) no
    time passes until equilibrium.
    """

    def population(start: float, field_V_per_m: float, duration_s: float) -> float:
        point = hop_in_field(hop, field_V_per_m)
        if duration_s and _no_rate(hop, field_V_per_m, temperature_K):
            duration_s = float("inf")
        forward, backward = (
            rate_per_s(max(e, 0.0), temperature_K, nu)
            for e, nu in zip((point.forward_eV, point.backward_eV), attempts_Hz, strict=True)
        )
        # At low temperature both rates may be too small for a float: then nothing moves.
        return float(two_state_population(duration_s, start, forward, backward)) if forward + backward > 0 else start

    return population


def _no_rate(hop: Migration, field_V_per_m: float, temperature_K: float) -> str:
    point = hop_in_field(hop, field_V_per_m)
    return why_no_rate(min(point.forward_eV, point.backward_eV), temperature_K)


def population_swing(hop: Migration, pulse: FieldPulse, attempts_Hz: tuple[float, float]) -> float:
    """Share of the ions that a pulse along the drive of the hop has after it more than its reverse.

    Each acts on a film in equilibrium at zero field.
    """
    population = hop_populations(hop, pulse.temperature_K, attempts_Hz)
    still = population(0.5, 0.0, float("inf"))
    field = driving_sense(hop) * abs(pulse.field_V_per_m)
    return population(still, field, pulse.duration_s) - population(still, -field, pulse.duration_s)


def _at_once(hop: Migration, pulse: FieldPulse) -> list[str]:
    """That the ions follow a pulse without a time of their own, and why."""
    reasons = (_no_rate(hop, f, pulse.temperature_K) for f in (pulse.field_V_per_m, -pulse.field_V_per_m))
    return [f"in the pulse the ions are in equilibrium at once: {why}" for why in filter(None, reasons)][:1]


def switch_hop(
    hop: Migration,
    u_before_meV: ArrayLike,
    u_after_meV: ArrayLike,
    pulse: FieldPulse,
    *,
    reference: str | None,
    attempts_Hz: tuple[float, float] = (ASSUMED_ATTEMPT_Hz, ASSUMED_ATTEMPT_Hz),
    attempt_source: str = "assumed",
    easy_axes: Sequence[Sequence[float]] = (),
) -> SwitchingPath:
    """What a pulse and its reverse do to a hop and to u.

    Parameters
    ----------
    hop
        Computed migration.
    u_before_meV, u_after_meV
        u of its two states, shape (3,), meV per cell.
    pulse
        See `FieldPulse`.
    reference
        What is frozen; None if nothing is.
    attempts_Hz, attempt_source
        Prefactors forward and back, and whether they were computed.
    easy_axes
        Easy axes before and after, for the record.

    Raises
    ------
    ValueError
        As `hop_in_field` and `loops.switching_path`.
    """
    field, wait = pulse.field_V_per_m, pulse.wait_s
    pulses = [(field, pulse.duration_s), (0.0, wait), (-field, pulse.duration_s), (0.0, wait)]
    path = switching_path(
        u_before_meV, u_after_meV, pulses, hop_populations(hop, pulse.temperature_K, attempts_Hz), reference=reference
    )
    names = ("before", "after the pulse", "after waiting", "after the reverse pulse", "after waiting again")
    steps = [s.model_copy(update={"stage": n}) for s, n in zip(path.steps, names, strict=True)]
    for step, (_, duration) in zip(steps[1:], pulses, strict=True):
        step.duration_s = duration
    return path.model_copy(
        update={
            "steps": steps,
            "easy_axes": [list(axis) for axis in easy_axes],
            "assumptions": [
                *path.assumptions,
                *pulse.listed(),
                *_at_once(hop, pulse),
                f"attempt frequencies {attempts_Hz[0]:.1e} Hz forward, {attempts_Hz[1]:.1e} Hz back ({attempt_source})",
                f"before the pulse every ion is in the state before the hop; {hop.field_treatment}",
            ],
        }
    )
