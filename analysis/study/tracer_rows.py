"""Any measured rows of tracer diffusion beside what a study computes at their temperatures and oxygen activities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, model_validator

from ...structures.units import BOLTZMANN_eV_PER_K
from ..results.document import Document
from .measured_diffusion import MeasuredTracer, place_of_minimum
from .tracer import interstitial_tracer, vacancy_tracer
from .transport import MEASURED_K, Transport

if TYPE_CHECKING:
    from .documents import Study

_SAME_K, _SAME_A = 0.5, 0.01
# Points between the lowest and the highest activity at which the computed minimum is looked for.
_STEPS = 24


class TracerRows(Document):
    """Measured tracer diffusion of one ion in one crystal, row by row.

    Attributes
    ----------
    ion, composition
        Tracer and crystal, the crystal as its source writes it.
    temperature_K, log10_a, log10_D
        Decadic logarithms of the oxygen activity (pressure in atm) and of D in cm2/s, shape (rows,) each.
    source
        Who measured.
    """

    ion: str
    composition: str
    temperature_K: list[float]
    log10_a: list[float]
    log10_D: list[float]
    source: str = ""

    @model_validator(mode="after")
    def _rows(self) -> TracerRows:
        if not len(self.temperature_K) == len(self.log10_a) == len(self.log10_D) > 0:
            raise ValueError(f"tracer diffusion of {self.ion} needs a temperature, an activity and a D in every row")
        return self


class RowsBeside(Document):
    """A study beside measured rows.

    Attributes
    ----------
    study, engine
        Which one.
    ion
        Whose D was computed, that of the study's hop.
    log10_computed
        Sum of the branches by vacancies and by interstitials at every row; None where there is no D.
    inside_window
        Whether the row lies in the study's stability window.
    rms_decades, mean_decades
        Of computed minus measured, over the rows that have both.
    slopes
        By temperature: d log D/d log a at the highest and at the lowest activities, computed and measured; None
        without two rows that have both.
    minimum_computed, minimum_measured
        Log10 a of the lowest D at the temperature with most rows, measured by a fit of a^(2/3) and a^(-2/3).
    energy_computed_eV, energy_measured_eV
        Activation energies of D over the temperatures of the activity with most of them.
    notes
        What is left out, and why a D is missing.
    """

    study: str
    engine: str
    ion: str
    rows: TracerRows
    log10_computed: list[float | None]
    inside_window: list[bool]
    rms_decades: float | None = None
    mean_decades: float | None = None
    slopes: dict[str, tuple[float, float, float, float]] = Field(default_factory=dict)
    minimum_computed: float | None = None
    minimum_measured: float | None = None
    energy_computed_eV: float | None = None
    energy_measured_eV: float | None = None
    notes: list[str] = Field(default_factory=list)


def two_branches(rows: TracerRows, at: Sequence[int]) -> MeasuredTracer | None:
    """D = D_V a^(2/3) + D_I a^(-2/3) through rows of one temperature, by least squares of log D.

    Parameters
    ----------
    rows
        Measured.
    at
        Which rows, three or more.

    Returns
    -------
    MeasuredTracer or None
        None with fewer rows, or where one branch is lost below the other at every row.
    """
    from scipy.optimize import least_squares

    if len(at) < 3:
        return None
    a, d = np.array(rows.log10_a)[list(at)], np.array(rows.log10_D)[list(at)]
    ten = math.log(10)

    def left(x: np.ndarray) -> np.ndarray:
        return np.asarray(np.logaddexp((x[0] + 2 / 3 * a) * ten, (x[1] - 2 / 3 * a) * ten) / ten - d)

    found = least_squares(left, [d[np.argmax(a)] - 2 / 3 * a.max(), d[np.argmin(a)] + 2 / 3 * a.min()])
    lowest = 0.75 * float(found.x[1] - found.x[0])
    if not a.min() < lowest < a.max():
        return None
    return MeasuredTracer(
        ion=rows.ion,
        composition=rows.composition,
        hosts=[],
        temperature_K=rows.temperature_K[at[0]],
        log10_vacancy=float(found.x[0]),
        log10_interstitial=float(found.x[1]),
        rms_decades=float(np.sqrt(np.mean(found.fun**2))),
        log10_a_range=[float(a.min()), float(a.max())],
        source=rows.source,
    )


def beside_rows(study: Study, rows: TracerRows, *, name: str = "") -> RowsBeside:
    """What a study with the stage transport has at the rows' temperatures and activities.

    Parameters
    ----------
    study
        With a hop, its vacancy's formation energy, and interstitials where they count.
    rows
        Measured.
    name
        Of the study, for tables; its formula by default.

    Raises
    ------
    ValueError
        If the study has no transport.
    """
    transport = study.observables.get("transport")
    if not isinstance(transport, Transport):
        raise ValueError("the study has no transport: run it with --stages vacancies,migration,transport")
    computed: list[float | None] = []
    inside: list[bool] = []
    reasons, second = [], False
    for kelvin, a in zip(rows.temperature_K, rows.log10_a, strict=True):
        values, holds, why = _computed(transport, study, kelvin, a)
        inside.append(holds)
        computed.append(_total(values))
        second = second or values[1] is not None
        reasons += [why] if why else []
    both = [n for n, v in enumerate(computed) if v is not None]
    notes = [] if transport.ion == rows.ion else [f"{rows.ion} was traced; computed is {transport.ion}"]
    if reasons:
        notes.append(f"{len(rows.log10_D) - len(both)} of {len(rows.log10_D)} rows without a computed D: {reasons[0]}")
    if both and not second:
        notes.append("vacancies only: no interstitial of the ion has a formation energy and hops")
    charges = study.defects is not None and study.defects.diffusion is not None
    if charges and any(abs(t - MEASURED_K) > _SAME_K for t in rows.temperature_K):
        notes.append(f"neutral defects only but at {MEASURED_K:.0f} K, of which the equilibria of charges are")
    off = np.array([(computed[n] or 0.0) - rows.log10_D[n] for n in both])
    isotherm = _most_alike(rows.temperature_K, rows.log10_a, _SAME_K)
    isobar = _most_alike(rows.log10_a, rows.temperature_K, _SAME_A)
    measured = two_branches(rows, isotherm)
    warm = [n for n in isobar if computed[n] is not None]
    return RowsBeside(
        study=name or study.host.formula,
        engine=study.engine.name,
        ion=transport.ion,
        rows=rows,
        log10_computed=computed,
        inside_window=inside,
        rms_decades=float(np.sqrt(np.mean(off**2))) if both else None,
        mean_decades=float(off.mean()) if both else None,
        slopes=_slopes(rows, computed),
        minimum_computed=_computed_minimum(transport, study, rows, isotherm),
        minimum_measured=None if measured is None else measured.log10_a_of_minimum,
        energy_computed_eV=_energy(rows.temperature_K, computed, warm),
        energy_measured_eV=_energy(rows.temperature_K, rows.log10_D, isobar),
        notes=notes,
    )


def _computed(
    transport: Transport, study: Study, temperature_K: float, log10_a: float
) -> tuple[tuple[float | None, float | None], bool, str]:
    """Log D by vacancies and by interstitials, whether inside the window, and why one is missing."""
    pressure = 10.0**log10_a
    parts: list[float | None] = []
    holds, why = True, ""
    for by in ("vacancies", "interstitials"):
        try:
            one = (
                vacancy_tracer(transport, study, temperature_K, pressure)
                if by == "vacancies"
                else interstitial_tracer(transport.ion, study, temperature_K, pressure)
            )
        except ValueError as error:
            parts.append(None)
            why = why or f"no D by {by}: {error}"
            continue
        parts.append(None if one is None else one.log10_D)
        if one is not None:
            holds = holds and one.inside_window
            if one.reason:
                why = why or f"at {temperature_K:.0f} K and log a = {log10_a:.1f} no D by {by}: {one.reason}"
                # A sum that lacks a branch which is too large to be dilute would be no D.
                parts[0] = parts[-1] = None
    return (parts[0], parts[1]), holds, why


def _total(parts: Sequence[float | None]) -> float | None:
    """Logarithm of the sum of both branches; None without that by vacancies."""
    if parts[0] is None:
        return None
    ten = math.log(10)
    return float(np.logaddexp.reduce([p * ten for p in parts if p is not None]) / ten)


def _most_alike(values: Sequence[float], against: Sequence[float], near: float) -> list[int]:
    """Rows that share one value within `near`, in ascending order of the other quantity: those with most of these."""
    best: list[int] = []
    for value in values:
        alike = [n for n, other in enumerate(values) if abs(other - value) <= near]
        if len({round(against[n], 6) for n in alike}) > len({round(against[n], 6) for n in best}):
            best = alike
    return sorted(best, key=lambda n: against[n])


def _slopes(rows: TracerRows, computed: list[float | None]) -> dict[str, tuple[float, float, float, float]]:
    out = {}
    for kelvin in sorted(set(rows.temperature_K)):
        at = [n for n, t in enumerate(rows.temperature_K) if t == kelvin and computed[n] is not None]
        at.sort(key=lambda n: rows.log10_a[n])
        if len(at) < 2 or rows.log10_a[at[0]] == rows.log10_a[at[-1]]:
            continue

        def slope(values: Sequence[float | None], i: int, j: int) -> float:
            return ((values[j] or 0.0) - (values[i] or 0.0)) / (rows.log10_a[j] - rows.log10_a[i])

        high, low = (at[-2], at[-1]), (at[0], at[1])
        out[f"{kelvin:g} K"] = (
            slope(computed, *high),
            slope(computed, *low),
            slope(rows.log10_D, *high),
            slope(rows.log10_D, *low),
        )
    return out


def _computed_minimum(transport: Transport, study: Study, rows: TracerRows, at: Sequence[int]) -> float | None:
    """Log a of the lowest sum of both branches between the ends of the measured activities."""
    if len(at) < 3:
        return None
    ends = rows.log10_a[at[0]], rows.log10_a[at[-1]]
    grid = np.linspace(*ends, _STEPS + 1).tolist()
    found = [_computed(transport, study, rows.temperature_K[at[0]], a)[0] for a in grid]
    known = [n for n, parts in enumerate(found) if None not in parts]
    branches = [[float(found[n][k] or 0.0) for n in known] for k in range(2)]
    return place_of_minimum([grid[n] for n in known], *branches)


def _energy(temperature_K: Sequence[float], log10_D: Sequence[float | None], at: Sequence[int]) -> float | None:
    """Slope of ln D against 1/kT, eV; None below two temperatures."""
    if len({temperature_K[n] for n in at}) < 2:
        return None
    x = [1 / (BOLTZMANN_eV_PER_K * temperature_K[n]) for n in at]
    y = [math.log(10) * (log10_D[n] or 0.0) for n in at]
    return -float(np.polyfit(x, y, 1)[0])
