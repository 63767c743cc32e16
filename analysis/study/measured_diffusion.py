"""Measured tracer diffusion of cations in spinels, to stand beside what a study computes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..results.document import Document

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
        Formulas of hosts that it is shown beside.
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
        hosts=["CoFe2O4"] if x else ["Fe3O4"],
        temperature_K=1473.0,
        log10_vacancy=vacancy,
        log10_interstitial=interstitial,
        rms_decades=rms,
        log10_a_range=activities,
        source=_SOURCE,
    )
    for x, vacancy, interstitial, rms, activities in (
        (0.0, -5.59, -13.76, 0.03, [-8.84, -3.23]),
        (0.2, -7.19, -12.96, 0.07, [-6.64, -1.20]),
    )
]


def measured_for(formula: str) -> list[MeasuredTracer]:
    """Measurements that stand beside a host; those nearest in composition where its own is not among them."""
    return [m for m in MEASURED if formula in m.hosts]


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
