"""What a fixed field and a voltage write into grains whose barrier of reversal the ions change: a magnetic M(V).

The grains point down. A pulse moves the ions, with them barrier and switching field of every grain; a bias field along
up turns those whose barrier it can pass within the pulse. Nothing in it is odd in the voltage: the sense is the bias's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..kinetics.rates import two_state_population
from ..magnetism.grain import GrainState
from ..magnetism.stray_field import Block, Tip, phase_deg, stray_field_T
from ..results.document import Document
from .ensemble import EnsembleParameters, ensemble_populations

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
_LARGEST_EXPONENT = 700.0
# Share of the grains that must follow, or stay, for a verdict.
_MOST, _FEW = 0.9, 0.1
_PROFILE = 121


class GrainWriting(Document):
    """Moment of an ensemble of grains after a pulse of each voltage and a wait, in a bias field.

    Attributes
    ----------
    voltages_V, after_share
        Pulses, each on a fresh film, and the share of its ions in the state after the hop at their end.
    up_from_down, up_from_up
        Share of grains along the bias after pulse and wait, from all against it and from all along it.
    write_field_T, keep_field_T
        Bias that turns half of the grains within a pulse of each voltage, and within the same time at 0 V.
    bias_T, pulse_s, wait_s, temperature_K
        What is assumed.
    verdict
        What is written.
    phase_x_m, phase_deg
        Magnetic force microscopy over a written stripe of the film between stripes as they were: place of the tip and
        phase, of a film that is magnetised along its normal.
    """

    voltages_V: list[float]
    after_share: list[float]
    up_from_down: list[float]
    up_from_up: list[float]
    write_field_T: list[float]
    keep_field_T: float
    bias_T: float
    pulse_s: float
    wait_s: float
    temperature_K: float
    verdict: str
    phase_x_m: list[float] = Field(repr=False)
    phase_deg: list[float] = Field(repr=False)
    assumptions: list[str] = Field(default_factory=list)

    @property
    def remanence(self) -> list[float]:
        """Moment over saturation after each pulse on a film that pointed against the bias; up less down of the area."""
        return [2 * x - 1 for x in self.up_from_down]

    def to_dataframe(self) -> pd.DataFrame:
        """One row per voltage."""
        import pandas as pd

        return pd.DataFrame(
            {
                "voltage_V": self.voltages_V,
                "after_share": self.after_share,
                "moment_from_down": self.remanence,
                "moment_from_up": [2 * x - 1 for x in self.up_from_up],
                "write_field_T": self.write_field_T,
            }
        )


def turning_field_T(stability: float, switching_T: float, time_s: float, attempt_Hz: float) -> float:
    """Field that turns half of many uniaxial grains within a time: B0 [1 - sqrt(ln(f t / ln 2) / stability)].

    M. P. Sharrock, 10.1063/1.358282; 0 if they turn without one.
    """
    tries = attempt_Hz * time_s / math.log(2)
    if tries <= 1:
        return switching_T
    return switching_T * max(0.0, 1 - math.sqrt(math.log(tries) / stability)) if stability > 0 else 0.0


def grain_writing(
    grains: tuple[GrainState, GrainState],
    ions: EnsembleParameters,
    *,
    voltages_V: Sequence[float],
    pulse_s: float,
    wait_s: float,
    bias_T: float,
    attempt_Hz: float,
    magnetisation_A_per_m: float,
    thickness_m: float,
    tip_distance_m: float,
    tip: Tip | None = None,
) -> GrainWriting:
    """Pulses of several voltages on grains in a bias field.

    Parameters
    ----------
    grains
        Before and after the hop.
    ions
        The hop in the film; its spreads are left out, so that all grains have one share of hopped ions.
    voltages_V, pulse_s, wait_s
        Pulses and what follows at 0 V.
    bias_T, attempt_Hz
        Field along up; attempts of a grain per second.
    magnetisation_A_per_m, thickness_m, tip_distance_m, tip
        Of the film and the microscope.

    Raises
    ------
    ValueError
        If there are no voltages.
    """
    if not voltages_V:
        raise ValueError("writing needs at least one voltage")
    single = ions.model_copy(update={"texture_deg": 0.0, "barrier_spread_eV": 0.0})
    rest = float(ensemble_populations(single, [(0.0, 1e30)], 0.5)[-1][0])
    shares, down, up, fields = [], [], [], []
    for voltage in voltages_V:
        at_end, later = (float(x[0]) for x in ensemble_populations(single, [(voltage, pulse_s), (0.0, wait_s)], rest))
        steps = [(at_end, pulse_s), (later, wait_s)]
        shares.append(at_end)
        down.append(_turned(grains, steps, bias_T, attempt_Hz, 0.0))
        up.append(_turned(grains, steps, bias_T, attempt_Hz, 1.0))
        fields.append(turning_field_T(*_between(grains, at_end), pulse_s, attempt_Hz))
    keep = turning_field_T(*_between(grains, rest), pulse_s, attempt_Hz)
    untouched = _turned(grains, [(rest, pulse_s), (rest, wait_s)], bias_T, attempt_Hz, 0.0)
    seen = tip or Tip()
    x, phase, stray = _stripe(magnetisation_A_per_m, thickness_m, tip_distance_m, seen)
    return GrainWriting(
        voltages_V=[float(v) for v in voltages_V],
        after_share=shares,
        up_from_down=down,
        up_from_up=up,
        write_field_T=fields,
        keep_field_T=keep,
        bias_T=bias_T,
        pulse_s=pulse_s,
        wait_s=wait_s,
        temperature_K=ions.temperature_K,
        verdict=_verdict(down, up, untouched, fields, keep, bias_T),
        phase_x_m=x,
        phase_deg=phase,
        assumptions=[
            f"uniaxial grains, all in a field of {bias_T:g} T along their axis; barrier and switching field go "
            "linearly with the share of hopped ions, which the whole pulse has as at its end; grains do not act on one "
            "another",
            f"tip: a dipole of {seen.moment_A_m2:g} A m2 at {tip_distance_m * 1e9:g} nm, "
            f"{seen.stiffness_N_per_m:g} N/m, Q = {seen.quality:g}; the film's moment along "
            f"its normal, its stray field there up to {stray:.2g} T",
        ],
    )


def _between(grains: tuple[GrainState, GrainState], share: float) -> tuple[float, float]:
    """K V/kT and the switching field with a share of hopped ions."""
    first, second = grains
    return (
        (1 - share) * first.stability + share * second.stability,
        (1 - share) * first.switching_0K_T + share * second.switching_0K_T,
    )


def _turned(
    grains: tuple[GrainState, GrainState],
    steps: Sequence[tuple[float, float]],
    bias_T: float,
    attempt_Hz: float,
    start: float,
) -> float:
    """Share of grains along the bias after steps of (share of hopped ions, time)."""
    here = start
    for share, time_s in steps:
        stability, switching = _between(grains, share)
        ratio = bias_T / switching if switching > 0 else math.inf
        with_it = stability * max(0.0, 1 - ratio) ** 2
        against = stability * (1 + ratio) ** 2 if math.isfinite(ratio) else 0.0
        forth, back = (attempt_Hz * math.exp(-min(x, _LARGEST_EXPONENT)) for x in (with_it, against))
        here = float(two_state_population(time_s, here, forth, back))
    return here


def _verdict(
    down: Sequence[float], up: Sequence[float], untouched: float, fields: Sequence[float], keep: float, bias_T: float
) -> str:
    low = min(fields)
    if untouched > _FEW:
        return f"the bias of {bias_T:g} T turns the grains without any voltage (half of them from {keep:.3g} T on)"
    if max(down) > _MOST and min(up) > _MOST:
        return (
            f"one-way write: a bias of {bias_T:g} T turns the grains only where the ions lower what they stand "
            f"({low:.3g} T with, {keep:.3g} T without a pulse); the other voltage does not turn them back, the other "
            "bias does"
        )
    if min(up) < _MOST:
        return "a pulse loosens the grains so far that heat turns them both ways: it erases"
    if low < keep:
        return (
            f"a bias of {bias_T:g} T writes nothing; one from {low:.3g} to {keep:.3g} T would be written by the pulse "
            "and not without it"
        )
    return f"a bias of {bias_T:g} T writes nothing: no pulse here lowers the field of reversal below {keep:.3g} T"


def _stripe(
    magnetisation: float, thickness: float, distance: float, tip: Tip
) -> tuple[list[float], list[float], float]:
    """Phase over a stripe that was turned between two as they were, each ten distances wide and fifty long.

    Returns
    -------
    tuple
        Places, phases in degrees, and the largest stray field at the tip in T.
    """
    width, length, depth = 10 * distance, 50 * distance, abs(magnetisation)
    edges = [-1.5 * width, -0.5 * width, 0.5 * width, 1.5 * width]
    blocks = [
        Block((a, -length, -thickness), (b, length, 0.0), sign * depth)
        for a, b, sign in zip(edges, edges[1:], (-1.0, 1.0, -1.0), strict=False)
    ]
    x = np.linspace(-width, width, _PROFILE)
    points = np.stack([x, np.zeros(_PROFILE), np.full(_PROFILE, distance)], axis=1)
    largest = float(np.abs(stray_field_T(blocks, points)).max())
    return [float(v) for v in x], [float(v) for v in phase_deg(blocks, points, tip)], largest
