"""From several measured switching and retention times of one film to its barrier, thickness, permittivity and the rest.

Each time is t = n/nu exp{[E +- D/2 - q a f F/2]/kT}, the saddle halfway, F = V/(L + eps sum t_i/eps_i). Barrier E and
asymmetry D follow from the times by weighted least squares for every choice of what is not known; choices are drawn
from given ranges, evenly in their logarithm, and weighted by how well they give the times (Bayes).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator
from scipy.special import chdtrc

from ...structures.units import BOLTZMANN_eV_PER_K
from ..results.document import Document

FloatArray = NDArray[np.float64]
#: What a film has if nothing is said of it: lowest and highest value.
RANGES = {
    "thickness_nm": (5.0, 100.0),
    "permittivity": (5.0, 50.0),
    "charge_e": (1.0, 3.0),
    "distance_A": (2.5, 4.0),
    "attempt_Hz": (1e12, 1e14),
    "local_field_factor": (1.0, 1.0),
}
_DRAWS = 2**14
_QUANTILES = (0.16, 0.5, 0.84)
_FREE, _IMPLAUSIBLE, _FEW = 0.9, 1e-3, 30.0


class SwitchingEvent(Document):
    """One measured time.

    Attributes
    ----------
    time_s, temperature_K
        How long it took, and where.
    voltage_V
        On the whole stack; 0 is retention. Its sign tells writing from erasing.
    share
        Of the ions that hopped in that time; 1 - 1/e is one mean time.
    hops
        Planes that each ion crosses, one after the other.
    error_decades
        Standard error of log10 of the time.
    """

    time_s: float = Field(gt=0, lt=1e15)
    temperature_K: float = Field(gt=0, lt=1e4)
    voltage_V: float = Field(default=0.0, gt=-1e4, lt=1e4)
    share: float = Field(default=1 - math.exp(-1), gt=0, lt=1)
    hops: int = Field(default=1, ge=1)
    error_decades: float = Field(default=0.3, gt=0, lt=20)

    @property
    def log_time(self) -> float:
        """Natural logarithm of the mean time of one hop, s."""
        return math.log(self.time_s / self.hops / -math.log(1 - self.share))


class InverseFit(Document):
    """What a film must have to give the measured times; triples are 16, 50 and 84 % of what remains possible.

    Attributes
    ----------
    events, ranges
        As given.
    barrier_eV
        Without a field, mean of both ways.
    asymmetry_eV
        By which a positive voltage's hop is the higher one; None where only one sense was measured.
    remains
        Of every quantity with a range.
    free
        Those of which the times say next to nothing.
    per_doubling_eV
        Change of the barrier with a factor of two in each of them, the times kept.
    misfit_decades
        Root mean square of the times of the best choice.
    log10_times
        Of every event, s, as the film that remains has it.
    notes
        In words.
    """

    events: list[SwitchingEvent]
    ranges: dict[str, tuple[float, float]]
    barrier_eV: tuple[float, float, float]
    asymmetry_eV: tuple[float, float, float] | None
    remains: dict[str, tuple[float, float, float]]
    free: list[str]
    per_doubling_eV: dict[str, float]
    misfit_decades: float
    log10_times: list[tuple[float, float, float]] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)

    @field_validator("events")
    @classmethod
    def _some(cls, value: list[SwitchingEvent]) -> list[SwitchingEvent]:
        if not value:
            raise ValueError("no measured time: give one or more")
        return value


def fit_events(
    events: Sequence[SwitchingEvent],
    ranges: Mapping[str, tuple[float, float]] | None = None,
    *,
    other_layers_nm: Sequence[tuple[float, float]] = (),
    seed: int = 0,
) -> InverseFit:
    """Barrier, and whatever else the times determine.

    Parameters
    ----------
    events
        Times of one film, each with its voltage and temperature.
    ranges
        Lowest and highest value of what is not known, in place of `RANGES`; equal ones fix it.
    other_layers_nm
        Further dielectrics of the stack, as (nm, permittivity).
    seed
        Of the draws.

    Raises
    ------
    ValueError
        If there is no time, or a range is unknown, not positive or not ascending.
    """
    unknown = sorted(set(ranges or {}) - set(RANGES))
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is no quantity of a film here; they are {', '.join(RANGES)}")
    limits = RANGES | dict(ranges or {})
    for name, (low, high) in limits.items():
        if not 0 < low <= high < math.inf:
            raise ValueError(f"{name} from {low:g} to {high:g} must be positive, finite and ascending")
    if not events:
        raise ValueError("no measured time: give one or more")
    drawn = _drawn(limits, seed)
    thermal = np.array([BOLTZMANN_eV_PER_K * e.temperature_K for e in events])
    volts = np.array([e.voltage_V for e in events])
    layers = sum(t / eps for t, eps in other_layers_nm)
    field = volts / (10 * (drawn["thickness_nm"] + drawn["permittivity"] * layers))[:, None]
    half = (drawn["charge_e"] * drawn["distance_A"] * drawn["local_field_factor"] / 2)[:, None] * np.abs(field)
    times = np.log(drawn["attempt_Hz"])[:, None] + np.array([e.log_time for e in events])
    heights = thermal * times + half
    error = thermal * np.log(10) * np.array([e.error_decades for e in events])
    both = bool((volts > 0).any() and (volts < 0).any())
    design = np.stack([np.ones(len(events)), np.sign(volts) / 2], axis=1)[:, : 1 + both] / error[:, None]
    inverse = np.linalg.inv(design.T @ design)
    found = heights / error @ design @ inverse
    left = heights / error - found @ design.T
    squares = (left**2).sum(axis=1)
    weight = np.exp(-(squares - squares.min()) / 2)
    weight /= weight.sum()
    rng = np.random.default_rng(seed + 1)
    spread = rng.multivariate_normal(np.zeros(1 + both), inverse, size=len(found))
    values = found + spread
    named = {n: drawn[n] for n, (low, high) in limits.items() if high > low}
    remains = {n: _quantiles(v, weight) for n, v in named.items()}
    free = [n for n, triple in remains.items() if math.log(triple[2] / triple[0]) > _FREE * _width(limits[n])]
    barrier = _quantiles(values[:, 0], weight)
    slopes = _slopes(found[:, 0], {n: np.log2(v) for n, v in named.items()}, weight)
    best = int(np.argmin(squares))
    decades = left * error / thermal / np.log(10)
    misfit = float(np.sqrt(np.mean(decades[best] ** 2)))
    return InverseFit(
        events=list(events),
        ranges=limits,
        barrier_eV=barrier,
        asymmetry_eV=_quantiles(values[:, 1], weight) if both else None,
        remains=remains,
        free=free,
        per_doubling_eV=slopes,
        misfit_decades=misfit,
        log10_times=[_quantiles(math.log10(e.time_s) - off, weight) for e, off in zip(events, decades.T, strict=True)],
        notes=_notes(free, slopes, len(events) - 1 - both, float(squares.min()), misfit, 1 / float((weight**2).sum())),
    )


def _drawn(limits: Mapping[str, tuple[float, float]], seed: int) -> dict[str, FloatArray]:
    """Draws of every quantity, even in their logarithm, shape (draws,) each."""
    from scipy.stats.qmc import Sobol

    even = Sobol(len(limits), scramble=True, rng=np.random.default_rng(seed)).random(_DRAWS)
    return {n: low * (high / low) ** even[:, k] for k, (n, (low, high)) in enumerate(limits.items())}


def _width(limits: tuple[float, float]) -> float:
    return math.log(limits[1] / limits[0]) * (_QUANTILES[2] - _QUANTILES[0])


def _quantiles(values: FloatArray, weight: FloatArray) -> tuple[float, float, float]:
    order = np.argsort(values)
    low, middle, high = np.interp(_QUANTILES, np.cumsum(weight[order]) - weight[order] / 2, values[order])
    return float(low), float(middle), float(high)


def _slopes(barrier: FloatArray, logs: dict[str, FloatArray], weight: FloatArray) -> dict[str, float]:
    """Weighted regression of the barrier on all logarithms at once, eV for a factor of two."""
    if not logs:
        return {}
    root = np.sqrt(weight)[:, None]
    x = np.stack([np.ones(len(barrier)), *logs.values()], axis=1)
    found = np.linalg.lstsq(x * root, barrier * root[:, 0], rcond=None)[0]
    return {n: float(v) for n, v in zip(logs, found[1:], strict=True)}


def _notes(
    free: list[str], slopes: dict[str, float], freedom: int, squares: float, misfit: float, draws: float
) -> list[str]:
    out = []
    if free:
        said = ", ".join(f"{n} ({slopes[n]:+.2f} eV of barrier for twice as much)" for n in free)
        out.append(f"the times leave free: {said}")
    if freedom > 0 and chdtrc(freedom, squares) < _IMPLAUSIBLE:
        out.append(
            f"no film within these ranges has all these times: the best misses them by {misfit:.1f} decades; a range, "
            "or one hop for all of them, is wrong"
        )
    if draws < _FEW:
        out.append(f"only {draws:.0f} draws count: narrow the ranges around what remains")
    return out
