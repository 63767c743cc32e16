"""Hysteresis loops of a single-domain particle with a mapped E(n) and a unidirectional term.

The energy of a particle with moment m in a field B is E(n) - u.n - m B.n. Stoner and Wohlfarth
(10.1098/rsta.1948.0007) follow its local minimum as the field is swept; a u shifts the loop by
mu0 H = -u.b / m along the sweep axis b (Meiklejohn and Bean, 10.1103/PhysRev.102.1413).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, field_validator

from ...structures.units import MEV_TO_J, MU_B_J_PER_T
from ..results.document import Document
from .anisotropy import AnisotropyMap
from .harmonics import HarmonicFit
from .switching_barrier import sphere_grid

FloatArray = NDArray[np.float64]
Energy = Callable[[FloatArray], FloatArray]
Slope = Callable[[FloatArray], FloatArray]
MEV_PER_MUB_T = MU_B_J_PER_T / MEV_TO_J
# A field where the moment turns over is known to a step of the sweep over two to this power.
_HALVINGS = 12


class Loop(Document):
    """One hysteresis loop along an axis.

    Attributes
    ----------
    axis
        Unit vector of the field, shape (3,).
    fields_T
        Swept fields, down branch then up branch.
    along
        n.axis at each field.
    coercive_T, shift_T, remanence
        Half width and centre of the loop on the field axis, None where a branch never crosses zero in the fields
        swept; magnetisation at zero field coming from saturation.
    """

    axis: list[float]
    fields_T: list[float]
    along: list[float]
    coercive_T: float | None
    shift_T: float | None
    remanence: float
    moment_muB: float
    assumptions: list[str] = Field(default_factory=list)

    @field_validator("coercive_T", "shift_T", mode="before")
    @classmethod
    def _never_crossed(cls, value: object) -> object:
        """Older results say NaN for None."""
        return None if isinstance(value, float) and math.isnan(value) else value


def particle_loop(
    map_: AnisotropyMap,
    moment_muB: float,
    axis: ArrayLike,
    *,
    u_meV: ArrayLike = (0.0, 0.0, 0.0),
    maximum_T: float | None = None,
    points: int = 81,
) -> Loop:
    """Stoner-Wohlfarth loop of the mapped cell as a rigid single domain.

    Parameters
    ----------
    map_
        E(n) in meV; its even fit is used.
    moment_muB
        Moment of the group that turns, per cell.
    axis
        Field axis, shape (3,).
    u_meV
        Unidirectional vector from a frozen reference, shape (3,), meV per cell.
    maximum_T
        Largest field; three times the anisotropy field by default.
    points
        Per branch.

    Raises
    ------
    ValueError
        If there is no moment, the axis has no length, or the points are too few.
    """
    if moment_muB == 0:
        raise ValueError("a cell without moment has no loop; name the group that turns and its moment")
    fit = map_.fit()
    grid = sphere_grid(400)
    span = float(np.ptp(fit(grid)))
    u = np.asarray(u_meV, dtype=float)
    limit = maximum_T or 3 * (2 * span + float(np.linalg.norm(u))) / (abs(moment_muB) * MEV_PER_MUB_T)
    energy, slope = _as_polynomial(fit)
    return loop_of(energy, abs(moment_muB), axis, u_meV=u, maximum_T=limit or 1.0, points=points, slope=slope)


def _as_polynomial(fit: HarmonicFit) -> tuple[Energy, Slope]:
    """An even fit as a homogeneous polynomial in n, which it is on the sphere, and its gradient: fast to follow."""
    degree = max(fit.degrees)
    powers = np.array([(i, j, degree - i - j) for i in range(degree + 1) for j in range(degree + 1 - i)])
    grid = sphere_grid(400)
    weights, *_ = np.linalg.lstsq(np.prod(grid[:, None] ** powers, axis=2), fit(grid), rcond=None)

    def energy(n: FloatArray) -> FloatArray:
        return np.asarray(np.prod(n[:, None] ** powers, axis=2) @ weights)

    def slope(n: FloatArray) -> FloatArray:
        out = np.empty(3)
        for axis in range(3):
            lower = powers.copy()
            lower[:, axis] = np.maximum(lower[:, axis] - 1, 0)
            out[axis] = np.prod(n**lower, axis=1) @ (weights * powers[:, axis])
        return out

    return energy, slope


def loop_of(
    energy_meV: Energy,
    moment_muB: float,
    axis: ArrayLike,
    *,
    u_meV: ArrayLike = (0.0, 0.0, 0.0),
    maximum_T: float,
    points: int = 81,
    slope: Slope | None = None,
) -> Loop:
    """Loop of any E(n); arguments as `particle_loop`.

    Parameters
    ----------
    energy_meV
        Function of unit vectors, shape (k, 3), to energies in meV, shape (k,).
    moment_muB, axis, u_meV, maximum_T, points
        As `particle_loop`.
    slope
        Gradient of the energy at one unit vector, shape (3,); by finite differences if it is not given.
    """
    direction = np.asarray(axis, dtype=float)
    length = float(np.linalg.norm(direction))
    if length < 1e-12:
        raise ValueError("the field axis has no length")
    if points < 5:
        raise ValueError(f"{points} points make no loop; give at least 5 per branch")
    direction = direction / length
    u = np.asarray(u_meV, dtype=float)
    down = np.linspace(maximum_T, -maximum_T, points)
    fields = np.concatenate([down, down[::-1]])

    def settle(field: float, start: FloatArray) -> FloatArray:
        return _relaxed(energy_meV, moment_muB * MEV_PER_MUB_T * field * direction + u, start, slope)

    states = [settle(float(fields[0]), direction)]
    for field in fields[1:]:
        states.append(settle(float(field), states[-1]))
    along = [float(n @ direction) for n in states]
    first = np.array(along[:points])
    left = _crossing(fields[:points], states[:points], direction, settle)
    right = _crossing(fields[points:], states[points:], direction, settle)
    return Loop(
        axis=[float(x) for x in direction],
        fields_T=[float(f) for f in fields],
        along=along,
        coercive_T=None if left is None or right is None else (right - left) / 2,
        shift_T=None if left is None or right is None else (right + left) / 2,
        remanence=float(np.interp(0.0, down[::-1], first[::-1])),
        moment_muB=moment_muB,
        assumptions=[
            "one rigid domain at 0 K: no walls, no thermal switching, so coercive fields are upper bounds",
            "no shape anisotropy",
        ],
    )


def _crossing(
    fields: FloatArray,
    states: Sequence[FloatArray],
    axis: FloatArray,
    settle: Callable[[float, FloatArray], FloatArray],
) -> float | None:
    """Field at which the magnetisation along the axis changes sign on a branch, halved down between two steps."""
    along = np.array([n @ axis for n in states])
    sign = np.sign(along)
    change = np.flatnonzero(sign[:-1] * sign[1:] <= 0)
    if not len(change):
        return None
    k = int(change[0])
    near, far, state = float(fields[k]), float(fields[k + 1]), states[k]
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        moved = settle(middle, state)
        if np.sign(float(moved @ axis)) == sign[k]:
            near, state = middle, moved
        else:
            far = middle
    return (near + far) / 2


def _relaxed(energy: Energy, pull: FloatArray, start: FloatArray, slope: Slope | None = None) -> FloatArray:
    """Local minimum downhill from `start`, nudged off saddle points."""
    from scipy.optimize import minimize

    n, x0 = start, np.array([1e-4, 7e-5])
    for _ in range(6):
        around = _Chart(n)
        gradient = None if slope is None else partial(around.slope, slope, pull)
        optimum = minimize(
            partial(around.height, energy, pull), x0, jac=gradient, method="BFGS", options={"gtol": 1e-7, "maxiter": 60}
        )
        new = around.turned(np.clip(np.asarray(optimum.x, dtype=float), -3.0, 3.0))
        if float(new @ n) > 1 - 1e-10:
            return new
        n = new
    return n


class _Chart:
    """Directions around one of them, by two coordinates in its tangent plane."""

    def __init__(self, centre: FloatArray) -> None:
        helper = np.cross(centre, np.eye(3)[int(np.argmin(np.abs(centre)))])
        side = helper / np.linalg.norm(helper)
        self.centre, self.sides = centre, np.array([side, np.cross(centre, side)])

    def turned(self, x: FloatArray) -> FloatArray:
        v = self.centre + x @ self.sides
        return np.asarray(v / np.linalg.norm(v))

    def height(self, energy: Energy, pull: FloatArray, x: FloatArray) -> float:
        n = self.turned(x)
        return float(energy(n[None])[0] - pull @ n)

    def slope(self, slope: Slope, pull: FloatArray, x: FloatArray) -> FloatArray:
        v = self.centre + x @ self.sides
        length = float(np.linalg.norm(v))
        n = v / length
        full = slope(n) - pull
        return np.asarray(self.sides @ (full - (full @ n) * n) / length)


class SwitchingStep(Document):
    """One state of a field-switching path: what was done, for how long, and what came of it."""

    stage: str
    field_V_per_m: float
    population_after: float
    u_meV: list[float]
    duration_s: float = 0.0


class SwitchingPath(Document):
    """State before, field pulse, state after, and the mean u of each.

    Attributes
    ----------
    steps
        In order of time; `population_after` is the share of the state after the hop.
    reference
        What is frozen; None: then u of each state is the error of its calculation.
    reversed_part_meV, unchanged_part_meV
        Half difference and half sum of u of the two states: what a full pulse reverses and what it leaves.
    easy_axes
        Of the two states, if they are known: what a pulse turns without any reference.
    verdict
        What the pulse writes.
    """

    steps: list[SwitchingStep]
    reference: str | None = None
    easy_axes: list[list[float]] = Field(default_factory=list)
    reversed_part_meV: list[float]
    unchanged_part_meV: list[float]
    verdict: str
    assumptions: list[str] = Field(default_factory=list)


def switching_path(
    u_before_meV: ArrayLike,
    u_after_meV: ArrayLike,
    pulses: Sequence[tuple[float, float]],
    population_during: Callable[[float, float, float], float],
    *,
    reference: str | None,
    start: float = 0.0,
    noise_meV: float = 1e-6,
) -> SwitchingPath:
    """What a train of field pulses does to u.

    Parameters
    ----------
    u_before_meV, u_after_meV
        u of the two states of the mover, shape (3,), meV per cell.
    pulses
        (field in V/m along the hop, duration in s) in order.
    population_during
        ``(start population, field, duration) -> population``, e.g. from `kinetics.two_state_population`.
    reference
        What is frozen; None if nothing is, and then no sense can be written.
    start
        Population of the state after at the begin.
    noise_meV
        Odd part that a calculation may show.

    Raises
    ------
    ValueError
        If there is no pulse, or u is not zero although nothing is frozen.
    """
    before, after = np.asarray(u_before_meV, dtype=float), np.asarray(u_after_meV, dtype=float)
    largest = max(float(np.linalg.norm(before)), float(np.linalg.norm(after)))
    if reference is None and largest > noise_meV:
        raise ValueError(
            f"|u| = {largest:.3g} meV with nothing frozen breaks time reversal; state the reference or mend the maps"
        )
    if not pulses:
        raise ValueError("a switching path needs at least one pulse (field in V/m, duration in s)")
    population = start
    steps = [SwitchingStep(stage="before", field_V_per_m=0.0, population_after=start, u_meV=_mix(before, after, start))]
    for number, (field, duration) in enumerate(pulses, start=1):
        population = population_during(population, field, duration)
        steps.append(
            SwitchingStep(
                stage=f"after pulse {number}",
                field_V_per_m=field,
                population_after=population,
                u_meV=_mix(before, after, population),
            )
        )
    half = (after - before) / 2
    if reference is None:
        verdict = "axes only: nothing is frozen, so no pulse writes a sense"
    elif float(np.linalg.norm(half)) > noise_meV:
        verdict = (
            f"the field writes +-{float(np.linalg.norm(half)):.3g} meV of u about a mean of "
            f"{float(np.linalg.norm(before + after)) / 2:.3g} meV, relative to {reference}"
        )
    else:
        verdict = f"u relative to {reference} is the same in both states: the field writes nothing"
    return SwitchingPath(
        steps=steps,
        reference=reference,
        reversed_part_meV=[float(x) for x in half],
        unchanged_part_meV=[float(x) for x in (before + after) / 2],
        verdict=verdict,
        assumptions=[
            f"frozen reference: {reference or 'none'}",
            "u of a mixed state is the mean over the ions' states",
        ],
    )


def _mix(before: FloatArray, after: FloatArray, share: float) -> list[float]:
    return [float(x) for x in (1 - share) * before + share * after]
