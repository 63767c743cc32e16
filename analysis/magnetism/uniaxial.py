"""Uniaxial constants of a map about its distinguished axis, or about an axis of the user's.

Averaged around an axis a, the degree-l part f_l of E(n) becomes f_l(a) P_l(cos theta). So the average is, exactly,

    E(theta) = E0 + Ku1 sin^2(theta) + Ku2 sin^4(theta) + Ku3 sin^6(theta)

with Ku1 = -(3 f2 + 10 f4 + 21 f6)/2, Ku2 = 7 (5 f4 + 27 f6)/8, Ku3 = -231 f6/16, all f at a. Ku1 + Ku2 + Ku3 is what
the plane across the axis costs on average: positive for an easy axis, negative for an easy plane.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...structures.units import MEV_PER_A3_TO_MJ_PER_M3
from ..results.document import Document
from .harmonics import HarmonicFit, real_harmonics

if TYPE_CHECKING:
    from .anisotropy import AnisotropyMap

FloatArray = NDArray[np.float64]
# Rows Ku1, Ku2, Ku3 of f2, f4, f6.
_FROM_DEGREES = np.array([[-1.5, -5.0, -10.5], [0.0, 4.375, 23.625], [0.0, 0.0, -14.4375]])
_DEGREES = (2, 4, 6)


class UniaxialConstants(Document):
    """Ku of the map averaged around an axis, per cell and per volume.

    Attributes
    ----------
    axis
        Unit vector; that which the l = 2 part distinguishes unless another was asked for.
    Ku_meV_per_cell, Ku_MJ_per_m3
        Ku1, Ku2, Ku3: coefficients of sin^2, sin^4 and sin^6 of the angle from the axis.
    Ku_errors_meV_per_cell
        Standard errors from the covariance of the fit; None where nothing is left to judge them by.
    Ku1_meV_per_formula
        Ku1 per formula unit.
    across_minus_along_meV
        Ku1 + Ku2 + Ku3: mean over the plane across the axis minus the energy along it.
    biaxiality
        Of the l = 2 part: 0 if the two axes across are equal, 1 if they differ as much as they can.
    rest_rms_meV
        Root mean square over the sphere of what depends on the angle around the axis: not described by Ku.
    """

    axis: list[float]
    Ku_meV_per_cell: list[float]
    Ku_MJ_per_m3: list[float]
    Ku_errors_meV_per_cell: list[float] | None
    Ku1_meV_per_formula: float
    across_minus_along_meV: float
    biaxiality: float
    rest_rms_meV: float


def quadrupole_tensor(fit: HarmonicFit) -> FloatArray:
    """Symmetric traceless Q with f_2(n) = n.Q.n, meV, shape (3, 3).

    Raises
    ------
    ValueError
        If l = 2 was not fitted.
    """
    n = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], dtype=float)
    values = _part(fit, n / np.linalg.norm(n, axis=1)[:, None], 2)
    tensor = np.diag(values[:3])
    for value, (i, j) in zip(values[3:], ((0, 1), (0, 2), (1, 2)), strict=True):
        tensor[i, j] = tensor[j, i] = value - (values[i] + values[j]) / 2
    return tensor


def uniaxial_constants(
    map_: AnisotropyMap, axis: ArrayLike | None = None, *, tolerance_meV: float = 1e-3, fit: HarmonicFit | None = None
) -> UniaxialConstants:
    """Ku1 to Ku3 of a map.

    Parameters
    ----------
    map_
        Map with n and -n.
    axis
        Axis to average around, shape (3,), e.g. a film's normal; by default that of the largest eigenvalue, in size, of
        the l = 2 part.
    tolerance_meV
        Strength of the l = 2 part below which no axis is distinguished.
    fit
        Even fit of the map, if it was made already.

    Raises
    ------
    ValueError
        If the map distinguishes no axis and none is given, or the given one has no length.
    """
    fit = fit or map_.fit()
    values, vectors = np.linalg.eigh(quadrupole_tensor(fit))
    chosen = int(np.argmax(np.abs(values)))
    if axis is None:
        if fit.power(2) < tolerance_meV:
            raise ValueError(
                f"the l = 2 part is {fit.power(2):.3g} meV (below {tolerance_meV:g}): no axis is distinguished and Ku "
                "has no meaning; use cubic_constants, or name an axis"
            )
        unit = vectors[:, chosen] * (1 if vectors[np.argmax(np.abs(vectors[:, chosen])), chosen] > 0 else -1)
    else:
        given = np.asarray(axis, dtype=float)
        if np.linalg.norm(given) < 1e-12:
            raise ValueError("the axis of Ku has no length")
        unit = given / np.linalg.norm(given)
    zonal = np.array([_part(fit, unit[None], d)[0] if d in fit.degrees else 0.0 for d in _DEGREES])
    ku = _FROM_DEGREES @ zonal
    errors = _errors(fit, unit)
    to_density = MEV_PER_A3_TO_MJ_PER_M3 / map_.cell_volume_A3
    others = np.delete(values, chosen)
    power = sum(fit.power(d) ** 2 for d in fit.degrees if d) / (4 * np.pi)
    around = power - float(np.sum(zonal**2 / (2 * np.array(_DEGREES) + 1)))
    return UniaxialConstants(
        axis=_listed(unit),
        Ku_meV_per_cell=_listed(ku),
        Ku_MJ_per_m3=_listed(ku * to_density),
        Ku_errors_meV_per_cell=_listed(errors) if np.isfinite(errors).all() else None,
        Ku1_meV_per_formula=float(ku[0]) / map_.formula_units,
        across_minus_along_meV=float(ku.sum()),
        biaxiality=float(abs(others[1] - others[0]) / abs(values[chosen])) if values[chosen] else 0.0,
        rest_rms_meV=float(np.sqrt(max(around, 0.0))),
    )


def _part(fit: HarmonicFit, vectors: FloatArray, degree: int) -> FloatArray:
    """Degree-l part of a fit at unit vectors, meV, shape (n,)."""
    start = 0
    for d in fit.degrees:
        if d == degree:
            return np.asarray(real_harmonics(vectors, (d,)) @ fit.coefficients[start : start + 2 * d + 1])
        start += 2 * d + 1
    raise ValueError(f"degree {degree} was not fitted; fitted: {fit.degrees}")


def _errors(fit: HarmonicFit, unit: FloatArray) -> FloatArray:
    """Standard errors of Ku1 to Ku3 at a fixed axis, meV, shape (3,)."""
    rows: list[FloatArray] = []
    for d in fit.degrees:
        y = real_harmonics(unit[None], (d,))[0]
        weight = _FROM_DEGREES[:, _DEGREES.index(d)] if d in _DEGREES else np.zeros(3)
        rows.append(np.outer(weight, y))
    slope = np.concatenate(rows, axis=1)
    return np.asarray(np.sqrt(np.einsum("ki,ij,kj->k", slope, fit.covariance, slope)))


def _listed(values: Sequence[float] | FloatArray) -> list[float]:
    return [float(x) for x in values]
