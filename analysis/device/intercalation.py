"""Ions that go in and out of a crystal in equilibrium: content, voltage and moment over a cycle, and their fit.

A lattice gas in the mean field has V(x) = V0 - g (x - 1/2) - kT/e ln[x/(1 - x)] (A. N. Frumkin), with g the repulsion
of a full neighbourhood; below -4 kT it parts into an empty and a full phase, at the one voltage V0. The moment is
M = M0 + m x + c x^2. A constant overpotential lowers the voltage on the way in and raises it on the way out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from ...structures.units import BOLTZMANN_eV_PER_K
from ..results.document import Document, Unbounded
from .ensemble_fit import standard_errors

FloatArray = NDArray[np.float64]
_BISECTIONS = 60
NAMES = ("middle_V", "repulsion_eV", "moment", "per_ion", "per_ion_squared", "overpotential_V")


class Isotherm(Document):
    """Content and moment of a crystal against the voltage of its ions.

    Attributes
    ----------
    middle_V
        Voltage at half filling.
    repulsion_eV
        g: drop of the voltage over the filling beside that of the entropy.
    moment, per_ion, per_ion_squared
        M0, m and c, in any one unit.
    overpotential_V
        Half the distance of both branches.
    temperature_K
        Temperature.
    """

    middle_V: float
    repulsion_eV: float = 0.0
    moment: float = 0.0
    per_ion: float = 0.0
    per_ion_squared: float = 0.0
    overpotential_V: float = 0.0
    temperature_K: float = Field(default=298.15, gt=0, lt=1e4)

    @property
    def two_phases(self) -> bool:
        """Whether a range of contents parts into two phases."""
        return self.repulsion_eV < -4 * self._thermal_eV

    def voltage_V(self, content: ArrayLike) -> FloatArray:
        """Equilibrium voltage at contents between 0 and 1, of any shape; the common one where there are two phases."""
        x = np.asarray(content, dtype=float)
        if not ((x > 0) & (x < 1)).all():
            raise ValueError(f"content {x} must lie between 0 and 1, both left out")
        lone = self._lone(x)
        if not self.two_phases:
            return lone
        # By symmetry the two phases are x and 1 - x, both at the middle voltage; x lies below the spinodal.
        low, high = -700.0, float(-np.arccosh(np.sqrt(-self.repulsion_eV / (4 * self._thermal_eV)))) * 2
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            low, high = (low, middle) if self._lone(_of_logit(np.array(middle))) < self.middle_V else (middle, high)
        poor = float(_of_logit(np.array(high)))
        return np.where((x > poor) & (x < 1 - poor), self.middle_V, lone)

    def _lone(self, x: FloatArray) -> FloatArray:
        return np.asarray(self.middle_V - self.repulsion_eV * (x - 0.5) - self._thermal_eV * np.log(x / (1 - x)))

    @property
    def _thermal_eV(self) -> float:
        return BOLTZMANN_eV_PER_K * self.temperature_K

    def content(self, voltage_V: ArrayLike, branch: ArrayLike = 0.0) -> FloatArray:
        """Content at a voltage, shape of the voltages; `branch` is +1 on the way in, -1 on the way out, 0 in rest.

        Raises
        ------
        ValueError
            If there are two phases: then one voltage has a range of contents.
        """
        if self.two_phases:
            raise ValueError(
                f"repulsion {self.repulsion_eV:.3f} eV is below -4 kT: two phases, and a voltage gives no content"
            )
        volts = np.asarray(voltage_V, dtype=float) + self.overpotential_V * np.asarray(branch, dtype=float)
        low, high = np.full(volts.shape, -40.0), np.full(volts.shape, 40.0)
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            fuller = self._lone(_of_logit(middle)) > volts
            low, high = np.where(fuller, middle, low), np.where(fuller, high, middle)
        return _of_logit((low + high) / 2)

    def moment_at(self, voltage_V: ArrayLike, branch: ArrayLike = 0.0) -> FloatArray:
        """Moment at a voltage, shape of the voltages."""
        x = self.content(voltage_V, branch)
        return np.asarray(self.moment + self.per_ion * x + self.per_ion_squared * x**2)


def _of_logit(z: FloatArray) -> FloatArray:
    """X of ln[x/(1 - x)], never 0 or 1."""
    return np.clip(1 / (1 + np.exp(-z)), 1e-16, 1 - 1e-16)


class IsothermFit(Document):
    """An isotherm fitted to measured moments.

    Attributes
    ----------
    isotherm, values, errors
        Fitted parameters by name with standard errors, infinite where the data leave one free.
    residual_rms
        In the unit of the data.
    notes
        What is left free.
    """

    isotherm: Isotherm
    values: dict[str, float]
    errors: dict[str, Unbounded]
    residual_rms: float
    notes: list[str] = Field(default_factory=list)


def fit_isotherm(
    voltage_V: Sequence[float],
    moment: Sequence[float],
    *,
    names: Sequence[str] = ("middle_V", "repulsion_eV", "moment", "per_ion"),
    branch: Sequence[float] | None = None,
    start: Isotherm | None = None,
    temperature_K: float = 298.15,
) -> IsothermFit:
    """Fit an isotherm to moments measured against voltage over a charge and discharge.

    Parameters
    ----------
    voltage_V, moment
        Measured, the moment in any unit.
    names
        Of `NAMES`, what is fitted; the rest is that of `start`.
    branch
        +1 for points on the way in, -1 on the way out; none by default.
    start
        First guess; by default the middle of the voltages and the ends of the moments.
    temperature_K
        Of the measurement.

    Raises
    ------
    ValueError
        If a name is unknown, the numbers of points differ or there are not more points than parameters: it is said
        what fewer points leave free.
    """
    volts, data = np.asarray(voltage_V, dtype=float), np.asarray(moment, dtype=float)
    way = np.zeros(len(volts)) if branch is None else np.asarray(branch, dtype=float)
    if unknown := [n for n in names if n not in NAMES]:
        raise ValueError(f"{', '.join(unknown)} is no parameter of an isotherm; they are {', '.join(NAMES)}")
    if not len(volts) == len(data) == len(way) or not np.isfinite([*volts, *data, *way]).all():
        raise ValueError(
            f"{len(volts)} voltages, {len(data)} moments, {len(way)} branches: as many finite ones of each"
        )
    if len(volts) <= len(names):
        raise ValueError(
            f"{len(volts)} points cannot determine {len(names)} parameters: of two points only the difference of the "
            "moments is known, the product of content and moment of an ion; give more points, or fix some by names"
        )
    first = start or Isotherm(
        middle_V=float(volts.mean()),
        repulsion_eV=float(np.ptp(volts)) / 2,
        moment=float(data[np.argmax(volts)]),
        per_ion=float(data[np.argmin(volts)] - data[np.argmax(volts)]),
        temperature_K=temperature_K,
    )
    least = -4 * BOLTZMANN_eV_PER_K * first.temperature_K
    size = np.array([0.1 if n.endswith(("_V", "_eV")) else float(np.ptp(data)) or 1.0 for n in names])

    def made(found: FloatArray) -> Isotherm:
        return first.model_copy(update=dict(zip(names, (found * size).tolist(), strict=True)))

    def left(found: FloatArray) -> FloatArray:
        return np.asarray(made(found).moment_at(volts, way) - data)

    from scipy.optimize import least_squares

    lower = np.array([least / s if n == "repulsion_eV" else -np.inf for n, s in zip(names, size, strict=True)])
    begin = np.array([getattr(first, n) for n in names]) / size
    found = least_squares(left, np.maximum(begin, lower + 1e-9), bounds=(lower, np.inf))
    variance = float(np.sum(found.fun**2)) / (len(volts) - len(names))
    errors, notes = standard_errors(np.asarray(found.jac), variance, list(names))
    return IsothermFit(
        isotherm=made(found.x),
        values={n: float(v) for n, v in zip(names, found.x * size, strict=True)},
        errors={n: float(e * s) for n, e, s in zip(names, errors, size, strict=True)},
        residual_rms=float(np.sqrt(np.mean(found.fun**2))),
        notes=notes,
    )
