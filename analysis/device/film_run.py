"""Voltage in, ions and current out: the drift-diffusion of a film plane by plane, by scipy's stiff solver.

The planes are those of the crystal, so that hops, their exponential law and the blocking of places are kept as they
are; for slow profiles and weak fields this is the equation of Nernst, Planck and Poisson.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.constants import elementary_charge

from ..results.document import Document
from .film_model import FilmModel

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
_RTOL, _ATOL = 1e-6, 1e-9
_POINTS = 24
# What the solver's bounds leave of a contrast.
LEAST_WINDOW = 1e-4


class FilmStep(Document):
    """A voltage for a time; a ramp if it ends at another one."""

    voltage_V: float
    duration_s: float = Field(gt=0)
    end_V: float | None = None

    def at(self, time_s: float) -> float:
        """Voltage at a time after the step's begin."""
        if self.end_V is None:
            return self.voltage_V
        return self.voltage_V + (self.end_V - self.voltage_V) * time_s / self.duration_s


class FilmRun(Document):
    """A film through a sequence of steps.

    Attributes
    ----------
    time_s, voltage_V, temperature_K
        Since the begin; first entries before the first step.
    current_A_per_m2
        Of the moving ions, by Ramo's theorem: mean over the film of their current; leakage is not in it. None at times
        at which the field leaves no rate law somewhere in the film.
    content_per_nm2
        Ions in the film.
    contrast
        Ions of the right half minus those of the left over all: -1 to 1.
    left_occupation, right_occupation
        Of the planes at the electrodes, which an interface feels.
    profile
        Occupation of every plane at every time, shape (times, planes); ions in traps are among them.
    trapped
        Those of them in traps, shape (times, planes); empty in a film without traps.
    no_times
        For every step why its times are no result; empty if they are.
    notes
        Where the model is at its limits.
    """

    model: FilmModel
    steps: list[FilmStep]
    time_s: list[float]
    voltage_V: list[float]
    temperature_K: list[float]
    current_A_per_m2: list[float | None]
    content_per_nm2: list[float]
    contrast: list[float]
    left_occupation: list[float]
    right_occupation: list[float]
    profile: list[list[float]] = Field(repr=False)
    trapped: list[list[float]] = Field(default_factory=list, repr=False)
    no_times: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)

    def to_dataframe(self, *, per_ion_muB: float | None = None, per_ion_meV: float | None = None) -> pd.DataFrame:
        """One row per time, without the profile.

        Parameters
        ----------
        per_ion_muB
            Moment that an ion brings into the film: a column of the change of the moment.
        per_ion_meV
            What an ion in the plane beside an interface adds to its anisotropy: a column for either interface.
        """
        import pandas as pd

        table = pd.DataFrame(self.model_dump(exclude={"model", "steps", "profile", "trapped", "no_times", "notes"}))
        if per_ion_muB is not None:
            table["moment_change_muB_per_nm2"] = self.moment_muB_per_nm2(per_ion_muB)
        if per_ion_meV is not None:
            for side in ("left", "right"):
                table[f"{side}_anisotropy_change_J_per_m2"] = self.anisotropy_change_J_per_m2(
                    per_ion_meV, right=side == "right"
                )
        return table

    def ends(self) -> list[int]:
        """Index of the last time of every step."""
        steps = []
        elapsed = np.cumsum([s.duration_s for s in self.steps])
        times = np.asarray(self.time_s)
        for end in elapsed:
            steps.append(int(np.searchsorted(times, end * (1 - 1e-12))))
        return [min(n, len(times) - 1) for n in steps]

    def endurance(self) -> pd.DataFrame:
        """Contrast after each write and each erase with its wait, against the number of cycles; empty after one cycle.

        Columns cycle, written, erased, window (written less erased) and of_first (its share of the first window, not a
        number where that is smaller than `LEAST_WINDOW`: the film forgot it within the wait).
        """
        import pandas as pd

        ends = np.array(self.contrast)[self.ends()]
        shape = [s.voltage_V for s in self.steps[:4]] * (len(self.steps) // 4)
        cycles = len(ends) // 4 if [s.voltage_V for s in self.steps] == shape else 0
        written, erased = ends[1 : 4 * cycles : 4], ends[3 : 4 * cycles : 4]
        window = written - erased
        if cycles < 2:
            return pd.DataFrame(columns=["cycle", "written", "erased", "window", "of_first"])
        of_first = window / window[0] if abs(window[0]) > LEAST_WINDOW else np.full(cycles, np.nan)
        return pd.DataFrame(
            {
                "cycle": np.arange(1, cycles + 1),
                "written": written,
                "erased": erased,
                "window": window,
                "of_first": of_first,
            }
        )

    def moment_muB_per_nm2(self, per_ion_muB: float) -> list[float]:
        """Change of the moment per area if every ion that came into the film carries this much."""
        return [per_ion_muB * (c - self.content_per_nm2[0]) for c in self.content_per_nm2]

    def anisotropy_change_J_per_m2(self, per_ion_meV: float, *, right: bool = True) -> list[float]:
        """Change of an interface's anisotropy if every ion in the plane beside it changes it by this much."""
        beside = np.asarray(self.right_occupation if right else self.left_occupation)
        per_area = (beside - beside[0]) * self.model.sites_per_nm2 * 1e18
        return [float(x) for x in per_area * per_ion_meV * 1e-3 * elementary_charge]


def net_flow_per_s(model: FilmModel, x: FloatArray, voltage_V: float, trapped: FloatArray | float = 0.0) -> FloatArray:
    """Net hops per place and second across every gap to the right, shape (planes + 1,); trapped ions are charges."""
    field = model.field_V_per_A(x + trapped, voltage_V)
    forth, back = model.rates_per_s(field[1:-1], model.temperature_at_K(voltage_V))
    inside = forth * x[:-1] * (1 - x[1:]) - back * x[1:] * (1 - x[:-1])
    fill, empty = model.electrode_rates_per_s("left", voltage_V)
    filled, emptied = model.electrode_rates_per_s("right", voltage_V)
    first = fill * (1 - x[0]) - empty * x[0]
    last = emptied * x[-1] - filled * (1 - x[-1])
    return np.concatenate([[first], inside, [last]])


def run_film(
    model: FilmModel, steps: Sequence[FilmStep], *, start: Sequence[float] | None = None, points: int = _POINTS
) -> FilmRun:
    """Integrate a film through a sequence of voltages.

    Parameters
    ----------
    model
        The film.
    steps
        Pulses, waits (0 V) and ramps, in order.
    start
        Occupation of the planes at the begin; uniform by default.
    points
        Times of each step that are kept, spaced by their logarithm (evenly for ramps).

    Raises
    ------
    ValueError
        If there is no step, the start is no occupation of the planes, or the solver fails.
    """
    from scipy.integrate import solve_ivp

    if not steps:
        raise ValueError("a film needs at least one step of voltage; give e.g. one pulse")
    x = np.full(model.planes, model.occupation) if start is None else np.asarray(start, dtype=float)
    if x.shape != (model.planes,) or not ((x >= 0) & (x <= 1)).all():
        raise ValueError(f"a start has {model.planes} occupations between 0 and 1")
    planes = model.planes
    # Free ions of every plane, and behind them those in traps.
    x = x if model.traps is None else np.concatenate([x, np.zeros(planes)])
    times, volts, profiles, elapsed, no_times = [0.0], [steps[0].at(0.0)], [x], 0.0, []
    for step in steps:
        before = x

        def slope(t: float, y: FloatArray, step: FilmStep = step) -> FloatArray:
            free, held = y[:planes], y[planes:]
            if model.traps is None:
                return np.asarray(-np.diff(net_flow_per_s(model, free, step.at(t))))
            caught = model.trapping_per_s(free, held, model.temperature_at_K(step.at(t)))
            return np.concatenate([-np.diff(net_flow_per_s(model, free, step.at(t), held)) - caught, caught])

        even = np.linspace(0, step.duration_s, points + 1)[1:]
        kept = even if step.end_V is not None else np.geomspace(step.duration_s * 1e-6, step.duration_s, points)
        done = solve_ivp(slope, (0, step.duration_s), x, method="BDF", t_eval=kept, rtol=_RTOL, atol=_ATOL)
        if not done.success:
            raise ValueError(f"the film could not be integrated through {step.voltage_V} V: {done.message}")
        x = np.clip(done.y[:, -1], 0.0, 1.0)
        times += [elapsed + float(t) for t in kept]
        volts += [step.at(float(t)) for t in kept]
        profiles += list(done.y.T)
        early = _no_rate(model, before, step.at(0.0))
        during = (_no_rate(model, y, step.at(float(t))) for t, y in zip(kept, done.y.T, strict=True))
        no_times.append(early or next(filter(None, during), ""))
        elapsed += step.duration_s
    return _read(model, list(steps), times, volts, profiles, no_times)


def _no_rate(model: FilmModel, y: FloatArray, voltage_V: float) -> str:
    """Why hops between the planes of free ions, with those in traps behind, have no rate law under a voltage."""
    everything = y.reshape(-1, model.planes).sum(axis=0)
    return model.why_no_rate(model.field_V_per_A(everything, voltage_V)[1:-1], voltage_V)


def _read(
    model: FilmModel,
    steps: list[FilmStep],
    times: list[float],
    volts: list[float],
    profiles: list[FloatArray],
    no_times: list[str],
) -> FilmRun:
    free, *held = np.array(profiles).reshape(len(times), -1, model.planes).swapaxes(0, 1)
    x = free + held[0] if held else free
    places = np.arange(model.planes) - (model.planes - 1) / 2
    gaps = model.gaps_A
    per_place = model.charge_e * elementary_charge * model.sites_per_nm2 * 1e18
    there = held[0] if held else np.zeros_like(free)
    flows = np.array([net_flow_per_s(model, y, v, h) for y, h, v in zip(free, there, volts, strict=True)])
    currents = per_place * (flows @ gaps) / gaps.sum()
    total = np.maximum(x.sum(axis=1), 1e-300)
    return FilmRun(
        model=model,
        steps=steps,
        time_s=times,
        voltage_V=volts,
        temperature_K=[model.temperature_at_K(v) for v in volts],
        current_A_per_m2=[
            None if _no_rate(model, y, v) else float(c) for c, y, v in zip(currents, profiles, volts, strict=True)
        ],
        content_per_nm2=[float(c) for c in model.sites_per_nm2 * x.sum(axis=1)],
        contrast=[float(c) for c in (x @ np.sign(places)) / total],
        left_occupation=[float(c) for c in x[:, 0]],
        right_occupation=[float(c) for c in x[:, -1]],
        profile=x.tolist(),
        trapped=held[0].tolist() if held else [],
        no_times=no_times,
        notes=[*_limits(model), *_without_times(steps, no_times)],
    )


def _without_times(steps: list[FilmStep], no_times: list[str]) -> list[str]:
    """One line on the steps whose times are no result."""
    which = [str(n) for n, why in enumerate(no_times, start=1) if why]
    if not which:
        return []
    what = f"step{'s' if len(which) > 1 else ''} {', '.join(which)} of {len(steps)}"
    return [
        f"{what}: the field leaves no rate law ({next(filter(None, no_times))}); where the ions stand in the end is "
        "the balance in the field, how fast they came there and their current are no result"
    ]


def _limits(model: FilmModel) -> list[str]:
    out = []
    if model.screened and model.debye_length_A < model.plane_spacing_A:
        out.append(
            f"the ions screen within {model.debye_length_A:.2g} A, less than the distance of planes: the charge "
            "sits in the planes at the electrodes, and only its amount means something"
        )
    return out


def write_read_erase(voltage_V: float, pulse_s: float, wait_s: float, cycles: int = 1) -> list[FilmStep]:
    """Write, wait, erase, wait; repeated for endurance.

    Raises
    ------
    ValueError
        If there is no cycle.
    """
    if cycles < 1:
        raise ValueError(f"{cycles} cycles write nothing; give 1 or more")
    one = [(voltage_V, pulse_s), (0.0, wait_s), (-voltage_V, pulse_s), (0.0, wait_s)]
    return [FilmStep(voltage_V=v, duration_s=t) for _ in range(cycles) for v, t in one]


def sweep(voltage_V: float, rate_V_per_s: float) -> list[FilmStep]:
    """A loop 0, +V, -V, 0 at a constant rate, for current against voltage.

    Raises
    ------
    ValueError
        If voltage or rate is not positive.
    """
    if not (voltage_V > 0 and rate_V_per_s > 0):
        raise ValueError(f"voltage {voltage_V} V and rate {rate_V_per_s} V/s of a sweep must be positive")
    corners = [0.0, voltage_V, -voltage_V, 0.0]
    return [FilmStep(voltage_V=a, end_V=b, duration_s=abs(b - a) / rate_V_per_s) for a, b in pairwise(corners)]
