"""Measured tracer diffusion of cations in spinels, to stand beside what a study computes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..results.document import Document

# Difference in Co/(Co + Fe) up to which a measurement stands beside a host: that of CoFe2O4 from the nearest one.
_NEAR = 0.15
_FINE = 0.01
_SOURCE = (
    "F.-H. Lu, S. Tinkler, R. Dieckmann, Solid State Ionics 62, 39 (1993), table 37; "
    "https://www.scientific.net/Abstract/Preview?AbstractId=7476"
)


class MeasuredTracer(Document):
    """Tracer diffusion at one temperature as D_V a^(2/3) + D_I a^(-2/3), a the pressure of O2 in atm.

    Vacancies carry the first term and interstitials the second (R. Dieckmann, 10.1016/S0022-3697(97)00205-9).

    Attributes
    ----------
    ion, composition
        Tracer and crystal.
    hosts
        Formulas of shipped hosts that it stands beside.
    cobalt_share
        Co/(Co + Fe) of the crystal.
    temperature_K
        Of the measurement.
    log10_vacancy, log10_interstitial
        Decadic logarithms of D_V and D_I in cm2/s, fitted to the measured points.
    rms_decades
        Of that fit.
    log10_a_range
        Activities between which it was measured.
    source
        Who measured.
    """

    ion: str
    composition: str
    hosts: list[str]
    cobalt_share: float = 0.0
    temperature_K: float
    log10_vacancy: float
    log10_interstitial: float
    rms_decades: float
    log10_a_range: list[float]
    source: str

    def log10_D(self, log10_a: float) -> float:
        """Decadic logarithm of D in cm2/s."""
        rising, falling = self.log10_vacancy + 2 / 3 * log10_a, self.log10_interstitial - 2 / 3 * log10_a
        return float(np.logaddexp(rising * math.log(10), falling * math.log(10)) / math.log(10))

    @property
    def log10_a_of_minimum(self) -> float:
        """Where both terms are equal and D is lowest."""
        return 0.75 * (self.log10_interstitial - self.log10_vacancy)


MEASURED = [
    MeasuredTracer(
        ion="Co",
        composition=f"(Co{x:g}Fe{1 - x:g})3-dO4" if x else "Fe3-dO4",
        hosts={0.0: ["Fe3O4"], 0.2: ["CoFe2O4"]}.get(x, []),
        cobalt_share=x,
        temperature_K=1473.0,
        log10_vacancy=vacancy,
        log10_interstitial=interstitial,
        rms_decades=rms,
        log10_a_range=activities,
        source=_SOURCE,
    )
    for x, vacancy, interstitial, rms, activities in (
        (0.0, -5.59, -13.76, 0.03, [-8.84, -3.23]),
        (0.1, -6.19, -13.46, 0.02, [-8.10, -2.98]),
        (0.2, -7.19, -12.96, 0.07, [-6.64, -1.20]),
    )
]


def measured_for(formula: str) -> list[MeasuredTracer]:
    """Measurements of the composition nearest to a spinel of iron and cobalt; both where it lies midway, else none.

    Farther than `_NEAR` in Co/(Co + Fe) none is a neighbour.
    """
    from pymatgen.core import Composition

    found = {str(e): n for e, n in Composition(formula).items()}
    cations = found.get("Co", 0.0) + found.get("Fe", 0.0)
    if set(found) - {"Co", "Fe", "O"} or not cations or not _is_spinel(cations / (found.get("O") or math.inf)):
        return []
    share = found.get("Co", 0.0) / cations
    off = [abs(m.cobalt_share - share) for m in MEASURED]
    return [m for m, d in zip(MEASURED, off, strict=True) if d < min(off) + 1e-6 and d <= _NEAR]


def _is_spinel(cations_per_oxygen: float) -> bool:
    """Whether a film that lacks some cations still counts."""
    return abs(cations_per_oxygen - 0.75) < 0.04


def place_of_minimum(log10_a: Sequence[float], *log10_D: Sequence[float]) -> float | None:
    """Log a at which the sum of several D is lowest, each one a line between its points; None if at an end.

    Parameters
    ----------
    log10_a
        Activities, shape (n,), in any order.
    *log10_D
        Of each kind of carrier, shape (n,).
    """
    order = np.argsort(log10_a)
    a = np.asarray(log10_a, dtype=float)[order]
    if len(a) < 3 or not log10_D:
        return None
    fine = np.linspace(a[0], a[-1], 1 + round((a[-1] - a[0]) / _FINE))
    parts = [np.interp(fine, a, np.asarray(d, dtype=float)[order]) for d in log10_D]
    lowest = int(np.argmin(np.logaddexp.reduce([p * math.log(10) for p in parts], axis=0)))
    return float(fine[lowest]) if 0 < lowest < len(fine) - 1 else None


def rms_decades(measured: MeasuredTracer, log10_a: Sequence[float], log10_D: Sequence[float]) -> float:
    """Root mean square distance of computed values from a measurement, decades.

    Raises
    ------
    ValueError
        If there is no point, or the numbers of points differ.
    """
    if not log10_a or len(log10_a) != len(log10_D):
        raise ValueError(f"{len(log10_a)} activities and {len(log10_D)} values of D cannot be compared")
    off = [d - measured.log10_D(a) for a, d in zip(log10_a, log10_D, strict=True)]
    return float(np.sqrt(np.mean(np.square(off))))
