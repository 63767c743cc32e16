"""Fits of an ensemble's assumed parameters to measured contrast, with their uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ConfigDict, Field
from scipy.special import chdtrc

from ..kinetics.rates import why_no_rate
from ..results.document import Document, Unbounded
from .ensemble import EnsembleParameters, contrast_after, current_after

FloatArray = NDArray[np.float64]
# Chance of residuals this large below which a fit is called no description of its data.
_IMPLAUSIBLE = 1e-3
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
        return np.array([self._one(p, float(value)) for value in x])

    def _one(self, p: EnsembleParameters, x: float) -> float:
        volts = x if self.against == "voltage_V" else float(self.voltage_V or 0.0)
        pulse = x if self.against == "time_s" else self.pulse_s
        wait = x if self.against == "wait_s" else 0.0 if self.against == "time_s" else self.wait_s
        film = p.model_copy(update={"temperature_K": x}) if self.against == "temperature_K" else p
        if self.quantity == "current":
            made = current_after(film, [(volts, pulse), (0.0, wait)])
            return made[1] if wait else made[0]
        return contrast_after(film, [(volts, pulse), (0.0, wait)])[-1]


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
    first = np.array([*(float(getattr(start, n)) for n in names), *_first_scale(start, measurement, x, data, free)])
    size = np.where(np.abs(first) > 0, np.abs(first), 1.0)

    def model(found: FloatArray) -> FloatArray:
        values = found * size
        changed = start.model_copy(update=dict(zip(names, values[:count].tolist(), strict=True)))
        level = float(values[count + 1]) if free else 0.0
        return level + float(values[count]) * measurement.signal(changed, x)

    lower = np.full(len(first), -np.inf)
    lower[:count] = [1e-6 if n in _POSITIVE else -np.inf for n in names]

    def residuals(found: FloatArray) -> FloatArray:
        return np.asarray((model(found) - data) / weight)

    from scipy.optimize import least_squares

    found = least_squares(residuals, first / size, bounds=(lower, np.inf), x_scale=0.1)
    residual = model(found.x) - data
    freedom = len(data) - len(first)
    variance = float(np.sum((residual / weight) ** 2)) / freedom
    information = np.asarray(found.jac).T @ np.asarray(found.jac)
    flat = np.linalg.matrix_rank(information) < len(first)
    errors = np.full(len(first), np.inf) if flat else np.sqrt(variance * np.diag(np.linalg.inv(information)))
    values = found.x * size
    notes = ["the data do not determine all parameters: errors are infinite"] if flat else []
    if sigma is not None and chdtrc(freedom, variance * freedom) < _IMPLAUSIBLE:
        notes.append(
            f"the curve does not describe the data within their sigma (chi-squared {variance:.3g} per degree of "
            "freedom): another law or other parameters are at work, and the errors do not cover that"
        )
    fitted = {n: float(v) for n, v in zip(names, values[:count], strict=True)}
    odd = _antisymmetric(start, measurement, x, data, names)
    unphysical = [*_unphysical(fitted), *filter(None, [_no_rate(start.model_copy(update=fitted))])]
    return EnsembleFit(
        values=fitted,
        errors={n: float(e * s) for n, e, s in zip(names, errors[:count], size[:count], strict=True)},
        scale=float(values[count]),
        scale_error=float(errors[count] * size[count]),
        residual_rms=float(np.sqrt(np.mean(residual**2))),
        parameters=start.model_copy(update=fitted),
        reduced_chi_squared=None if sigma is None else variance,
        notes=[*notes, *odd, *(f"unphysical: {said}" for said in unphysical)],
        measurement=measurement,
        offset=float(values[-1]) if free else 0.0,
        offset_error=float(errors[-1] * size[-1]) if free else 0.0,
        unphysical=unphysical,
    )


def _first_scale(
    start: EnsembleParameters, measurement: Measurement, x: Sequence[float], data: FloatArray, free: bool
) -> list[float]:
    """Where scale and offset start."""
    if free:
        return [float(np.ptp(data)) / 2 or 1.0, float(np.mean(data))]
    largest = float(np.abs(data).max()) or 1.0
    if measurement.quantity != "current":
        return [largest]
    return [largest / (float(np.abs(measurement.signal(start, x)).max()) or 1.0)]


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
