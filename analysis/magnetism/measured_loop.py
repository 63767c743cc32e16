"""A measured loop beside the grains of a study: what it shows, and how large a grain would have to be to show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.optimize import brentq

from ..results.document import Document
from .grain import GrainState
from .grain_loops import GrainLoop, grain_loop

FloatArray = NDArray[np.float64]
_FEWEST = 8
# Diameters among which a grain is looked for, m.
SMALLEST_m, LARGEST_m = 1e-9, 1e-6
# A loop whose coercive field is more of its largest field than this has not been taken to saturation.
_MINOR = 0.5
# Of the whole moment: branches that are further apart than this at the largest field do not meet.
_APART = 0.05


class MeasuredLoop(Document):
    """What a measured loop shows.

    Attributes
    ----------
    fields_T, moments
        As measured, in their order; moments in any unit.
    coercive_T, shift_T
        Half the difference, and the mean, of the fields at which the moment vanishes on both branches.
    remanence
        Moment at zero field over that at the largest field, no slope taken off.
    largest_T
        Largest field.
    notes
        What keeps it from being a loop of saturation.
    """

    fields_T: list[float] = Field(repr=False)
    moments: list[float] = Field(repr=False)
    coercive_T: float
    shift_T: float
    remanence: float
    largest_T: float
    notes: list[str] = Field(default_factory=list)


class LoopOfState(Document):
    """Grains of one state of the mover against a measured loop.

    Attributes
    ----------
    state
        ``before`` or ``after`` the hop.
    coercive_T, remanence
        Of the grains that the study assumes.
    diameter_m, loop
        Diameter whose grains have the measured coercive field, and their loop; None with the reason in `why_not`.
    """

    state: str
    coercive_T: float
    remanence: float
    diameter_m: float | None
    loop: GrainLoop | None = Field(default=None, repr=False)
    why_not: str = ""


class LoopComparison(Document):
    """A measured loop and the grains of both states."""

    measured: MeasuredLoop
    states: list[LoopOfState]
    assumptions: list[str] = Field(default_factory=list)


def measured_loop(fields_T: ArrayLike, moments: ArrayLike) -> MeasuredLoop:
    """Coercive field, shift and remanence of a loop that was measured from one largest field to the other and back.

    Parameters
    ----------
    fields_T, moments
        In the order of the measurement, shape (n,).

    Raises
    ------
    ValueError
        If there are too few points, no field of either sign, or a branch on which the moment does not change its sign.
    """
    field, moment = np.asarray(fields_T, dtype=float), np.asarray(moments, dtype=float)
    if len(field) < _FEWEST or not field.min() < 0 < field.max():
        raise ValueError(
            f"a loop needs {_FEWEST} points or more with fields of both signs, not {len(field)} from "
            f"{field.min() if len(field) else 0:g} to {field.max() if len(field) else 0:g} T"
        )
    down, up = _branches(field)
    zeros = [_crossing(moment[b], field[b], name) for b, name in ((down, "falling"), (up, "rising"))]
    at_zero = [_crossing(field[b], moment[b], name) for b, name in ((down, "falling"), (up, "rising"))]
    largest = float(np.abs(field).max())
    whole = (moment[field.argmax()] - moment[field.argmin()]) / 2
    # Above zero where the moment on the way down vanishes at a negative field.
    coercive, shift = (zeros[1] - zeros[0]) / 2, (zeros[1] + zeros[0]) / 2
    notes = []
    if abs(coercive) > _MINOR * largest:
        notes.append(
            f"the coercive field is {abs(coercive) / largest:.0%} of the largest field: a minor loop, whose coercive "
            "field and remanence are too small"
        )
    ends = moment[up][-1] - moment[down][0]
    if abs(ends) > _APART * abs(whole):
        notes.append(f"both branches end {abs(ends / whole):.0%} apart: drift, or not taken to saturation")
    return MeasuredLoop(
        fields_T=field.tolist(),
        moments=moment.tolist(),
        coercive_T=float(coercive),
        shift_T=float(shift),
        remanence=float((at_zero[0] - at_zero[1]) / 2 / whole),
        largest_T=largest,
        notes=notes,
    )


def _branches(field: FloatArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of the branch with falling and of that with rising field, whichever was measured first."""
    top, bottom = int(field.argmax()), int(field.argmin())
    if top < bottom:
        return np.arange(top, bottom + 1), np.arange(bottom, len(field))
    return np.arange(top, len(field)), np.arange(bottom, top + 1)


def _crossing(values: FloatArray, against: FloatArray, name: str) -> float:
    """Where values first change their sign, by a line between two points."""
    change = np.flatnonzero(np.diff(np.signbit(values)))
    if not len(change):
        raise ValueError(
            f"the branch with {name} field does not cross zero: give a whole loop, from one largest field to the other "
            "and back"
        )
    k = int(change[0])
    share = values[k] / (values[k] - values[k + 1])
    return float(against[k] + share * (against[k + 1] - against[k]))


def compare_loop(
    measured: MeasuredLoop,
    grains: Sequence[GrainState],
    *,
    diameter_m: float,
    texture_deg: float | None,
    sweep_T_per_s: float,
    attempt_Hz: float,
) -> LoopComparison:
    """Loops of the grains of each state, and the diameter that would give the measured coercive field.

    Only the barrier of a grain grows with its volume. Grains turn as one and do not act on one another, so that in a
    film whose walls move the diameter is that of what turns first, and a lower bound.

    Parameters
    ----------
    measured
        The loop.
    grains, diameter_m
        Of the film, and how large it assumes them.
    texture_deg, sweep_T_per_s, attempt_Hz
        As in `grain_loops.grain_loop`.
    """

    how = {"texture_deg": texture_deg, "sweep_T_per_s": sweep_T_per_s, "attempt_Hz": attempt_Hz}
    axes = "at random" if texture_deg is None else f"within {texture_deg:g} degrees of the field"
    return LoopComparison(
        measured=measured,
        states=[_of_state(measured, grain, diameter_m, how) for grain in grains],
        assumptions=[
            f"grains of {diameter_m * 1e9:.3g} nm that turn as one and do not act on one another, easy axes {axes}, "
            f"field swept at {sweep_T_per_s:g} T/s, {attempt_Hz:.0e} attempts/s",
            "nucleation at edges and the motion of walls are not in it: where they turn the moment, the diameter is "
            "that of what turns first",
        ],
    )


def _of_state(measured: MeasuredLoop, grain: GrainState, diameter_m: float, how: Mapping[str, Any]) -> LoopOfState:
    if not grain.switching_0K_T > 0:
        why = "its grains have no moment that a field could turn"
        return LoopOfState(state=grain.state, coercive_T=0.0, remanence=0.0, diameter_m=None, why_not=why)

    def loop_of(wanted_m: float) -> GrainLoop:
        stability = grain.stability * (wanted_m / diameter_m) ** 3
        return grain_loop(grain.model_copy(update={"stability": stability}), **how)

    own = loop_of(diameter_m)
    state = LoopOfState(state=grain.state, coercive_T=own.coercive_T, remanence=own.remanence, diameter_m=None)
    least, most = (loop_of(d).coercive_T for d in (SMALLEST_m, LARGEST_m))
    if not least < measured.coercive_T < most:
        why = f"grains of 1 nm to 1 um have {least:.3g} to {most:.3g} T, and {measured.coercive_T:.3g} T is measured"
        return state.model_copy(update={"why_not": why})

    def beyond(logarithm: float) -> float:
        return loop_of(float(np.exp(logarithm))).coercive_T - measured.coercive_T

    wanted_m = float(np.exp(brentq(beyond, np.log(SMALLEST_m), np.log(LARGEST_m), xtol=1e-3)))
    return state.model_copy(update={"diameter_m": wanted_m, "loop": loop_of(wanted_m)})
