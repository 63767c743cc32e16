"""Fits of an ensemble's assumed parameters to measured contrast, with their uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ConfigDict, Field
from scipy.special import chdtrc

from ..kinetics.rates import why_no_rate
from ..results.document import Document, Unbounded
from .ensemble import EnsembleParameters, contrasts_after, currents_after

FloatArray = NDArray[np.float64]
# Chance of residuals this large below which a fit is called no description of its data.
_IMPLAUSIBLE = 1e-3
# A fit that leaves this share of the data's squares is tried again from the best of the starts around the first guess.
_POOR, _STARTS = 0.02, 3
_AGAIN = {
    "barrier_eV": (0.7, 0.85, 1.0, 1.15, 1.3, 1.5),
    "local_field_factor": (1.0, 4.0, 12.0),
    "thickness_m": (0.05, 0.2, 1.0, 3.0),
    "charge_e": (0.5, 1.0, 1.5),
}
# Part of the largest singular value below which the data say nothing, and part of a direction that counts.
_FLAT, _PART = 1e-6, 0.05
_NEAR_CALLS, _DOUBLINGS, _BISECTIONS = 20, 8, 6
_NOT_NEGATIVE = ("barrier_spread_eV", "texture_deg")
_POSITIVE = ("barrier_eV", "thickness_m", "attempt_Hz", "temperature_K", "distance_A", "local_field_factor")
Against = Literal["voltage_V", "time_s", "wait_s", "temperature_K"]
Quantity = Literal["contrast", "current", "offset and contrast"]
# Beyond these a fitted value is no film: the local field of Lorentz is (eps + 2)/3 of the applied one.
_PHYSICAL = {
    "barrier_eV": (0.05, 3.0),
    "barrier_spread_eV": (0.0, 0.5),
    "asymmetry_eV": (-2.0, 2.0),
    "charge_e": (-4.0, 4.0),
    "distance_A": (1.0, 10.0),
    "thickness_m": (5e-10, 1e-5),
    "local_field_factor": (0.0, 10.0),
    "texture_deg": (0.0, 90.0),
    "attempt_Hz": (1e10, 1e15),
    "temperature_K": (1.0, 2000.0),
}
_ODD = 0.1


class Measurement(Document):
    """How a curve was measured.

    Attributes
    ----------
    against
        ``voltage_V``: after one pulse on a fresh film and a wait at 0 V. ``time_s``: under a constant voltage.
        ``wait_s``: at 0 V after a pulse. ``temperature_K``: after a pulse and a wait at that temperature.
    quantity
        ``contrast``: proportional to it. ``offset and contrast``: with a constant beside it, such as a moment or a
        coercive field. ``current``: proportional to the rate of the contrast at the end.
    pulse_s, wait_s, voltage_V
        Length of the pulse, wait after it, voltage where it is not the abscissa.
    """

    against: Against = "voltage_V"
    quantity: Quantity = "contrast"
    pulse_s: float = Field(default=1.0, gt=0)
    wait_s: float = Field(default=0.0, ge=0)
    voltage_V: float | None = None

    def signal(self, p: EnsembleParameters, x: Sequence[float]) -> FloatArray:
        """What the ensemble shows at each abscissa, before scale and offset.

        Raises
        ------
        ValueError
            If a voltage is needed and not given, or a time is negative.
        """
        if self.against != "voltage_V" and self.voltage_V is None:
            raise ValueError(f"data against {self.against} need the voltage of the measurement")
        if self.against in ("time_s", "wait_s") and min(x) < 0:
            raise ValueError(f"{self.against} {min(x):g} must not be negative")
        if self.against == "temperature_K":
            films = [p.model_copy(update={"temperature_K": float(value)}) for value in x]
            return np.array([self._of(film, x) for film in films], dtype=float)
        # Without an array among its pulses, a curve of one point would have no shape.
        return np.broadcast_to(self._of(p, np.asarray(x, dtype=float)), (len(x),))

    def _of(self, p: EnsembleParameters, x: ArrayLike) -> FloatArray:
        volts: ArrayLike = x if self.against == "voltage_V" else float(self.voltage_V or 0.0)
        pulse: ArrayLike = x if self.against == "time_s" else self.pulse_s
        wait: ArrayLike = x if self.against == "wait_s" else 0.0 if self.against == "time_s" else self.wait_s
        pulses = [(volts, pulse), (0.0, wait)]
        if self.quantity == "current":
            made = currents_after(p, pulses)
            return np.where(np.asarray(wait) > 0, made[1], made[0])
        return contrasts_after(p, pulses)[-1]


class EnsembleFit(Document):
    """Parameters fitted to measured contrast.

    Attributes
    ----------
    values, errors
        Fitted parameters by name, and their standard errors from the residuals' variance.
    scale, scale_error
        Measured signal at contrast 1.
    residual_rms
        In the unit of the data.
    reduced_chi_squared
        Squared residuals over sigma, per degree of freedom; None where no sigma was given. Its root scales the errors.
    measurement
        How the data were taken.
    offset, offset_error
        Signal at contrast 0, where one is fitted.
    unphysical
        Fitted values that no film has, with the range.
    intervals
        Ends between which each parameter lies by 68 %, all others refitted (profile of the likelihood): where the curve
        bends they are uneven, and hold when the standard error does not. Infinite where the data set no end.
    """

    model_config = ConfigDict(ser_json_inf_nan="constants")

    values: dict[str, float]
    errors: dict[str, Unbounded]
    scale: float
    scale_error: Unbounded
    residual_rms: float
    reduced_chi_squared: float | None = None
    parameters: EnsembleParameters
    notes: list[str] = Field(default_factory=list)
    measurement: Measurement = Field(default_factory=Measurement)
    offset: float = 0.0
    offset_error: Unbounded = 0.0
    unphysical: list[str] = Field(default_factory=list)
    intervals: dict[str, tuple[Unbounded, Unbounded]] = Field(default_factory=dict)

    def curve(self, x: Sequence[float]) -> FloatArray:
        """The fitted curve in the unit of the data."""
        return self.offset + self.scale * self.measurement.signal(self.parameters, x)


def fit_contrast(
    start: EnsembleParameters,
    voltages_V: Sequence[float],
    contrast: Sequence[float],
    pulse_s: float,
    names: Sequence[str] = ("barrier_eV", "local_field_factor"),
    *,
    wait_s: float = 0.0,
    sigma: ArrayLike | None = None,
) -> EnsembleFit:
    """Fit assumed parameters to measured contrast against voltage; see `fit_curve`."""
    measurement = Measurement(pulse_s=pulse_s, wait_s=wait_s)
    return fit_curve(start, measurement, voltages_V, contrast, names, sigma=sigma)


def fit_curve(
    start: EnsembleParameters,
    measurement: Measurement,
    x: Sequence[float],
    y: Sequence[float],
    names: Sequence[str] = ("barrier_eV", "local_field_factor"),
    *,
    sigma: ArrayLike | None = None,
) -> EnsembleFit:
    """Fit assumed parameters to a measured curve (scipy's bounded least squares).

    Parameters
    ----------
    start
        First guess; parameters that are not named stay.
    measurement
        What was measured against what.
    x, y
        Data, in any unit of y: a scale is fitted too, and an offset where the quantity has one.
    names
        Fields of `EnsembleParameters` to fit.
    sigma
        Errors of the data; equal if not given.

    Raises
    ------
    ValueError
        If there are fewer data than parameters, a name is no parameter, or the measurement lacks its voltage.
    """
    unknown = [n for n in names if n not in EnsembleParameters.model_fields]
    if unknown:
        raise ValueError(f"{unknown} are no ensemble parameters; known: {', '.join(EnsembleParameters.model_fields)}")
    data, count = np.asarray(y, dtype=float), len(names)
    free = measurement.quantity == "offset and contrast"
    if len(data) <= count + 1 + free:
        more = "a scale and an offset" if free else "a scale"
        raise ValueError(f"{len(data)} data points cannot determine {count} parameters and {more}")
    weight = np.ones(len(data)) if sigma is None else np.asarray(sigma, dtype=float)
    first = np.array([float(getattr(start, n)) for n in names])
    size = np.where(np.abs(first) > 0, np.abs(first), 1.0)
    lower = np.array([1e-6 if n in _POSITIVE else 0.0 if n in _NOT_NEGATIVE else -np.inf for n in names])

    def columns(found: FloatArray) -> FloatArray:
        """What a scale of one adds to every datum, and an offset of one, over its error: shape (data, 1 or 2)."""
        changed = start.model_copy(update=dict(zip(names, (found * size).tolist(), strict=True)))
        signal = measurement.signal(changed, x) / weight
        return np.stack([signal, 1 / weight], axis=1) if free else signal[:, None]

    def linear(found: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Scale and offset that suit these values best, and what they leave."""
        design = columns(found)
        # Signals of currents lie many decades apart.
        length = np.linalg.norm(design, axis=0)
        unit = design / np.where(length > 0, length, 1.0)
        best = np.linalg.lstsq(unit, data / weight, rcond=None)[0]
        return best / np.where(length > 0, length, 1.0), unit @ best - data / weight

    from scipy.optimize import least_squares

    def misfit(found: FloatArray) -> FloatArray:
        return linear(found)[1]

    freedom = len(data) - count - 1 - free
    found = least_squares(misfit, first / size, bounds=(lower, np.inf), x_scale=0.1)
    spread = data / weight if not free else (data - data.mean()) / weight
    if 2 * found.cost > _POOR * float(spread @ spread) or (sigma is not None and _implausible(2 * found.cost, freedom)):
        for begin in _other_starts(misfit, first / size, names):
            other = least_squares(misfit, begin, bounds=(lower, np.inf), x_scale=0.1)
            found = other if other.cost < found.cost else found
    levels, left = linear(found.x)
    residual = left * weight
    variance = float(np.sum(left**2)) / freedom

    def at_levels(found: FloatArray) -> FloatArray:
        return np.asarray(columns(found) @ levels - data / weight)

    slopes = least_squares(at_levels, found.x, bounds=(lower, np.inf), x_scale=0.1, max_nfev=1)
    jacobian = np.hstack([np.asarray(slopes.jac), columns(found.x)])
    errors, notes = standard_errors(jacobian, variance, [*names, "scale", "offset"][: count + len(levels)])
    values = found.x * size
    intervals = {
        n: _interval(misfit, found.x, lower, k, errors[k] / size[k], variance, freedom) * size[k]
        for k, n in enumerate(names)
    }
    if sigma is not None and _implausible(variance * freedom, freedom):
        notes.append(
            f"the curve does not describe the data within their sigma (chi-squared {variance:.3g} per degree of "
            "freedom): another law or other parameters are at work, and the errors do not cover that"
        )
    fitted = {n: float(v) for n, v in zip(names, values, strict=True)}
    odd = _antisymmetric(start, measurement, x, data, names)
    unphysical = [*_unphysical(fitted), *filter(None, [_no_rate(start.model_copy(update=fitted))])]
    return EnsembleFit(
        values=fitted,
        errors={n: float(e * s) for n, e, s in zip(names, errors[:count], size, strict=True)},
        scale=float(levels[0]),
        scale_error=float(errors[count]),
        residual_rms=float(np.sqrt(np.mean(residual**2))),
        parameters=start.model_copy(update=fitted),
        reduced_chi_squared=None if sigma is None else variance,
        notes=[*notes, *odd, *(f"unphysical: {said}" for said in unphysical)],
        measurement=measurement,
        intervals={n: (float(low), float(high)) for n, (low, high) in intervals.items()},
        offset=float(levels[1]) if free else 0.0,
        offset_error=float(errors[-1]) if free else 0.0,
        unphysical=unphysical,
    )


def _implausible(squares: float, freedom: int) -> bool:
    return bool(chdtrc(freedom, squares) < _IMPLAUSIBLE)


def _other_starts(
    misfit: Callable[[FloatArray], FloatArray], first: FloatArray, names: Sequence[str]
) -> list[FloatArray]:
    """Starts around the first guess from which a curve is better described, the best ones first."""
    found: list[tuple[float, int, FloatArray]] = []
    for factors in product(*(_AGAIN.get(n, (1.0,)) for n in names)):
        begin = first * np.array(factors)
        left = misfit(begin)
        if np.isfinite(left).all():
            found.append((float(left @ left), len(found), begin))
    return [begin for _, _, begin in sorted(found, key=lambda f: f[:2])[:_STARTS]]


def standard_errors(jacobian: FloatArray, variance: float, names: Sequence[str]) -> tuple[FloatArray, list[str]]:
    """Standard errors of parameters, infinite for those that the data leave free, and which those are.

    Parameters
    ----------
    jacobian
        Of the residuals, shape (data, parameters).
    variance
        Of a residual.
    names
        Of the parameters.
    """
    length = np.linalg.norm(jacobian, axis=0)
    unit = jacobian / np.where(length > 0, length, 1.0)
    _, singular, ways = np.linalg.svd(unit, full_matrices=False)
    # Differences that made the Jacobian are exact to the root of a float's precision.
    known = singular > _FLAT * singular.max()
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.sqrt(variance * ((ways[known] / singular[known, None]) ** 2).sum(axis=0)) / length
    notes = []
    for way in ways[~known]:
        loose = [n for n, part in zip(names, way, strict=True) if abs(part) > _PART]
        errors[[n in loose for n in names]] = np.inf
        what = f"only one combination of {' and '.join(loose)}" if len(loose) > 1 else f"nothing of {loose[0]}"
        notes.append(f"the data do not determine all parameters, errors are infinite: they hold {what}; fix {loose[0]}")
    return errors, notes


def _interval(
    residuals: Callable[[FloatArray], FloatArray],
    best: FloatArray,
    lower: FloatArray,
    which: int,
    error: float,
    variance: float,
    freedom: int,
) -> FloatArray:
    """Ends between which one parameter lies by 68 %, shape (2,): there the squares are larger by a variance.

    Student's factor is that of the degrees of freedom, from whose residuals the variance is.
    """
    from scipy.optimize import least_squares
    from scipy.stats import norm, t

    rest = np.arange(len(best)) != which
    least = float(np.sum(residuals(best) ** 2))
    allowed = variance * float(t.ppf(norm.cdf(1.0), freedom)) ** 2
    others = best[rest]

    def beyond(value: float) -> float:
        nonlocal others

        def left(free: FloatArray) -> FloatArray:
            whole = np.empty(len(best))
            whole[which], whole[rest] = value, free
            return residuals(whole)

        if not rest.any():
            return float(np.sum(left(others) ** 2)) - least - allowed
        found = least_squares(left, others, bounds=(lower[rest], np.inf), x_scale=0.1, max_nfev=_NEAR_CALLS)
        others = found.x
        return float(np.sum(found.fun**2)) - least - allowed

    ends = []
    for sense in (-1.0, 1.0):
        others, near = best[rest], float(best[which])
        step = error if 0 < error < np.inf else 0.1 * max(abs(near), 1e-3)
        for _ in range(_DOUBLINGS):
            far = max(near + sense * step, float(lower[which]))
            if beyond(far) > 0:
                for _ in range(_BISECTIONS):
                    middle = (near + far) / 2
                    near, far = (near, middle) if beyond(middle) > 0 else (middle, far)
                ends.append(far)
                break
            if far == lower[which]:
                ends.append(far)
                break
            near, step = far, 2 * step
        else:
            ends.append(sense * np.inf)
    return np.array(ends)


def _antisymmetric(
    start: EnsembleParameters, measurement: Measurement, x: Sequence[float], data: FloatArray, names: Sequence[str]
) -> list[str]:
    """What to do where both senses of the voltage show the same, and the film's two ends are said to differ."""
    if measurement.against != "voltage_V" or "asymmetry_eV" in names or abs(start.asymmetry_eV) < 1e-6:
        return []
    at = {round(float(v), 9): c for v, c in zip(x, data, strict=True)}
    pairs = [(c, at[-v]) for v, c in at.items() if v > 0 and -v in at]
    if len(pairs) < 2:
        return []
    even = np.array([a + b for a, b in pairs]) / 2
    odd = np.array([a - b for a, b in pairs]) / 2
    if np.abs(even).max() > _ODD * np.abs(odd).max():
        return []
    return [
        f"the data are odd in the voltage, but the two ends of the hop differ by {start.asymmetry_eV:+.3f} eV: fit "
        f"asymmetry_eV too (--parameters {','.join([*names, 'asymmetry_eV'])}), or the other values make up for it"
    ]


def _no_rate(p: EnsembleParameters) -> str:
    """That the barrier of a fit leaves no rate law to fit with."""
    why = why_no_rate(p.barrier_eV - abs(p.asymmetry_eV) / 2, p.temperature_K)
    return why and f"barrier_eV = {p.barrier_eV:.3g}: {why}"


def _unphysical(fitted: dict[str, float]) -> list[str]:
    out = []
    for name, value in fitted.items():
        low, high = _PHYSICAL.get(name, (-np.inf, np.inf))
        if not low <= value <= high:
            out.append(f"{name} = {value:.3g} is outside {low:g} to {high:g}")
    return out
