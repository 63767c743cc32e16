"""How long a written state lasts: both dwell times, the equilibrium without a field, the decay of a difference.

Two states exchange with k_f and k_b. One ion leaves the state after the hop once in 1/k_b and that before it once in
1/k_f; what was written into many of them decays to equilibrium as exp[-(k_f + k_b) t].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import ConfigDict, model_validator

from ...structures.units import SECONDS_PER_DAY, SECONDS_PER_YEAR, BOLTZMANN_eV_PER_K
from ..results.document import Document, Provenance, Unbounded
from .rates import ASSUMED_ATTEMPT_Hz, barrier_for_retention_eV, retention_s, why_no_rate

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_TEMPERATURES_K = (77.0, 150.0, 200.0, 250.0, 300.0, 350.0, 400.0, 500.0)


class RetentionPoint(Document):
    """How long a state is kept at one temperature.

    Attributes
    ----------
    retention_s, before_s
        Mean time in the state after the hop, 1/k_b, and in the state before it, 1/k_f.
    decay_s
        In which a written difference falls to 1/e, 1/(k_f + k_b).
    equilibrium_after
        Share of the ions in the state after the hop in equilibrium without a field.
    quantum_forward, quantum_backward
        Rates of quantum oscillators over those of classical ones; 1 where no modes were computed.
    no_result
        Why there are no times and no balance at this temperature; empty if there are.
    """

    model_config = ConfigDict(ser_json_inf_nan="constants")

    temperature_K: float
    retention_s: Unbounded | None
    before_s: Unbounded | None = None
    decay_s: Unbounded | None = None
    equilibrium_after: float | None = None
    quantum_forward: float = 1.0
    quantum_backward: float = 1.0
    no_result: str = ""

    @property
    def lasting_s(self) -> float | None:
        """Decay of a written difference; in documents of older versions the time in the state after the hop."""
        return self.retention_s if self.decay_s is None else self.decay_s


class Retention(Document):
    """How long the written state is kept.

    Attributes
    ----------
    barrier_eV, forward_barrier_eV
        Back and forward barrier of the hop at zero field; the forward one is None in studies of older versions.
    attempt_frequency_Hz, forward_attempt_Hz, attempt_frequency_source
        Prefactors back and forward, and whether they were assumed or computed (Vineyard).
    attempt_frequency_note
        Which ions vibrate and how far the prefactor is converged, or why it is assumed.
    points
        Times against temperature.
    barrier_for_one_day_300K_eV, barrier_for_ten_years_300K_eV
        Back barrier with which one ion stays so long at 300 K, with the same rate of attempts.
    """

    barrier_eV: float
    forward_barrier_eV: float | None = None
    attempt_frequency_Hz: float
    forward_attempt_Hz: float | None = None
    attempt_frequency_source: Literal["assumed", "Vineyard"]
    attempt_frequency_note: str = ""
    points: list[RetentionPoint]
    barrier_for_one_day_300K_eV: float
    barrier_for_ten_years_300K_eV: float
    provenance: Provenance

    @model_validator(mode="after")
    def _rates_only(self) -> Retention:
        """No time at a temperature that has no rate law, in documents of older versions neither."""
        for point in self.points:
            if why := self.why_no_rate(point.temperature_K):
                point.retention_s = point.before_s = point.decay_s = point.equilibrium_after = None
                point.no_result = why
        return self

    def attempts_Hz(self, temperature_K: float) -> tuple[float, float]:
        """Rates of attempts forward and back: prefactors times what quantum oscillators change at a temperature."""
        forward = self.attempt_frequency_Hz if self.forward_attempt_Hz is None else self.forward_attempt_Hz
        factors = [self._quantum(temperature_K, name) for name in ("quantum_forward", "quantum_backward")]
        return forward * factors[0], self.attempt_frequency_Hz * factors[1]

    def at(self, temperature_K: float) -> float:
        """Mean time in the state after the hop, s, at any temperature.

        Raises
        ------
        ValueError
            Here and in `before`, `decay` and `equilibrium`: where there is no rate law, see `why_no_rate`.
        """
        if why := self.why_no_rate(temperature_K):
            raise ValueError(f"no dwell time: {why}")
        return retention_s(self.barrier_eV, temperature_K, self.attempts_Hz(temperature_K)[1])

    def before(self, temperature_K: float) -> float | None:
        """Mean time in the state before the hop, s; None if its barrier is not known."""
        if self.forward_barrier_eV is None or self.forward_attempt_Hz is None:
            return None
        if why := self.why_no_rate(temperature_K):
            raise ValueError(f"no dwell time: {why}")
        return retention_s(self.forward_barrier_eV, temperature_K, self.attempts_Hz(temperature_K)[0])

    def decay(self, temperature_K: float) -> float:
        """Time in which a written difference falls to 1/e, s; that of the state after where no other is known."""
        return decay_s(self.before(temperature_K), self.at(temperature_K))

    def equilibrium(self, temperature_K: float) -> float | None:
        """Share of the ions in the state after the hop in equilibrium without a field."""
        return _share_after(self.before(temperature_K), self.at(temperature_K))

    @property
    def lowest_barrier_eV(self) -> float:
        """The lower of both barriers, as far as they are known."""
        return min(b for b in (self.barrier_eV, self.forward_barrier_eV) if b is not None)

    def why_no_rate(self, temperature_K: float) -> str:
        """Why there are no dwell times at a temperature; empty if both barriers are high enough for them."""
        return why_no_rate(self.lowest_barrier_eV, temperature_K)

    def _quantum(self, temperature_K: float, factor: str) -> float:
        inverse = [1.0 / p.temperature_K for p in self.points][::-1]
        logs = [float(np.log(getattr(p, factor))) for p in self.points][::-1]
        return float(np.exp(np.interp(1.0 / temperature_K, inverse, logs))) if inverse else 1.0

    def to_dataframe(self) -> pd.DataFrame:
        """One row per temperature: temperature_K, retention_s, before_s, decay_s, equilibrium_after, ..."""
        import pandas as pd

        return pd.DataFrame([p.model_dump() for p in self.points])


def decay_s(before_s: float | None, after_s: float) -> float:
    """Time in which a written difference falls to 1/e, from both dwell times; the one where the other is unknown."""
    if before_s is None:
        return after_s
    rates = [0.0 if np.isinf(t) else 1.0 / t for t in (before_s, after_s)]
    return 1.0 / sum(rates) if sum(rates) > 0 else float("inf")


def _share_after(before_s: float | None, after_s: float) -> float | None:
    if before_s is None or np.isinf(before_s) or np.isinf(after_s):
        return None
    return after_s / (before_s + after_s)


def retention(
    barrier_eV: float,
    provenance: Provenance,
    *,
    forward_eV: float | None = None,
    attempt_Hz: float = ASSUMED_ATTEMPT_Hz,
    forward_Hz: float | None = None,
    attempt_source: Literal["assumed", "Vineyard"] = "assumed",
    note: str = "",
    temperatures_K: Sequence[float] = DEFAULT_TEMPERATURES_K,
    quantum: Sequence[tuple[float, float]] | None = None,
) -> Retention:
    """Retention against temperature for both barriers of a hop.

    Parameters
    ----------
    barrier_eV, forward_eV
        Back and forward barrier; without the forward one only the time in the state after the hop is given.
    attempt_Hz, forward_Hz
        Prefactors back and forward; the forward one is that of the way back if it is not given.
    attempt_source, note, provenance
        As in `Retention`.
    temperatures_K
        Ascending.
    quantum
        By temperature the rate of quantum oscillators over that of classical ones, forward and back.

    Raises
    ------
    ValueError
        If a barrier is negative: then there is no state to keep, or none to come from.
    """
    if barrier_eV < 0:
        raise ValueError(f"back barrier {barrier_eV} eV is negative: the final state is no minimum")
    if forward_eV is not None and forward_eV < 0:
        raise ValueError(f"forward barrier {forward_eV} eV is negative: the initial state is no minimum")
    forward_attempt = None if forward_eV is None else attempt_Hz if forward_Hz is None else forward_Hz
    factors = [(1.0, 1.0)] * len(temperatures_K) if quantum is None else list(quantum)
    points = []
    for t, (along, back) in zip(temperatures_K, factors, strict=True):
        after = retention_s(barrier_eV, t, attempt_Hz * back)
        before = None
        if forward_eV is not None and forward_attempt is not None:
            before = retention_s(forward_eV, t, forward_attempt * along)
        share = _share_after(before, after)
        if share is None and forward_eV is not None and forward_attempt is not None:
            # Both times are beyond a float: the balance of the wells is not.
            weight = (forward_eV - barrier_eV) / (BOLTZMANN_eV_PER_K * t)
            share = float(1.0 / (1.0 + attempt_Hz * back / (forward_attempt * along) * np.exp(weight)))
        points.append(
            RetentionPoint(
                temperature_K=t,
                retention_s=after,
                before_s=before,
                decay_s=None if before is None else decay_s(before, after),
                equilibrium_after=share,
                quantum_forward=along,
                quantum_backward=back,
            )
        )
    result = Retention(
        barrier_eV=barrier_eV,
        forward_barrier_eV=forward_eV,
        attempt_frequency_Hz=attempt_Hz,
        forward_attempt_Hz=forward_attempt,
        attempt_frequency_source=attempt_source,
        attempt_frequency_note=note,
        points=points,
        barrier_for_one_day_300K_eV=0.0,
        barrier_for_ten_years_300K_eV=0.0,
        provenance=provenance,
    )
    back_Hz = result.attempts_Hz(300)[1]
    result.barrier_for_one_day_300K_eV = barrier_for_retention_eV(SECONDS_PER_DAY, 300, back_Hz)
    result.barrier_for_ten_years_300K_eV = barrier_for_retention_eV(10 * SECONDS_PER_YEAR, 300, back_Hz)
    return result
