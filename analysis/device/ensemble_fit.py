"""Fits of an ensemble's assumed parameters to measured contrast, with their uncertainty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ConfigDict, Field
from scipy.special import chdtrc

from ..results.document import Document, Unbounded
from .ensemble import EnsembleParameters, contrast_against_voltage

FloatArray = NDArray[np.float64]
# Chance of residuals this large below which a fit is called no description of its data.
_IMPLAUSIBLE = 1e-3
_POSITIVE = ("barrier_eV", "thickness_m", "attempt_Hz", "temperature_K", "distance_A", "local_field_factor")


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
    """Fit assumed parameters to measured contrast against voltage (scipy's bounded least squares).

    Parameters
    ----------
    start
        First guess; parameters that are not named stay.
    voltages_V, contrast
        Data, in any unit of contrast: a scale is fitted too.
    pulse_s, wait_s
        Of the measurement.
    names
        Fields of `EnsembleParameters` to fit.
    sigma
        Errors of the data; equal if not given.

    Raises
    ------
    ValueError
        If there are fewer data than parameters, or a name is no parameter.
    """
    unknown = [n for n in names if n not in EnsembleParameters.model_fields]
    if unknown:
        raise ValueError(f"{unknown} are no ensemble parameters; known: {', '.join(EnsembleParameters.model_fields)}")
    data = np.asarray(contrast, dtype=float)
    if len(data) <= len(names) + 1:
        raise ValueError(f"{len(data)} data points cannot determine {len(names)} parameters and a scale")
    weight = np.ones(len(data)) if sigma is None else np.asarray(sigma, dtype=float)
    first = np.array([*(float(getattr(start, n)) for n in names), float(np.abs(data).max()) or 1.0])
    size = np.where(np.abs(first) > 0, np.abs(first), 1.0)

    def model(x: FloatArray) -> FloatArray:
        changed = start.model_copy(update=dict(zip(names, (x[:-1] * size[:-1]).tolist(), strict=True)))
        return float(x[-1] * size[-1]) * np.array(contrast_against_voltage(changed, voltages_V, pulse_s, wait_s).y)

    lower = np.array([*(1e-6 if n in _POSITIVE else -np.inf for n in names), -np.inf])

    def residuals(x: FloatArray) -> FloatArray:
        return np.asarray((model(x) - data) / weight)

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
    return EnsembleFit(
        values={n: float(v) for n, v in zip(names, values[:-1], strict=True)},
        errors={n: float(e * s) for n, e, s in zip(names, errors[:-1], size[:-1], strict=True)},
        scale=float(values[-1]),
        scale_error=float(errors[-1] * size[-1]),
        residual_rms=float(np.sqrt(np.mean(residual**2))),
        parameters=start.model_copy(update=dict(zip(names, values[:-1].tolist(), strict=True))),
        reduced_chi_squared=None if sigma is None else variance,
        notes=notes,
    )
