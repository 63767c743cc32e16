"""The band driver: split at known minima, climb every saddle, judge by checks that can fail.

A cation hop between octahedra has two saddles with a minimum in a tetrahedron between them
(Muhich et al., 10.1021/acs.chemmater.5b03911); one climbing image on a straight start path
misses one of them. So each intermediate is relaxed first and each saddle gets a climbing-image
band of its own (Henkelman, Uberuaga, Jonsson, 10.1063/1.1329672; improved tangent
10.1063/1.1323224). Any ASE calculator will do.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.mep import NEB
from numpy.typing import NDArray

from ...analysis.results.checks import Check, held
from ...stored.base import Stored
from ...stored.renamed import takes_old_names
from ..evaluation.finite import NotFiniteError, require_finite_results
from ..settings.bounds import require_at_least, require_positive
from .checks import (
    PROBE_A,
    WIDE_PROBE_A,
    BandResult,
    PathPoint,
    Probe,
    climbed_is_the_top,
    curvature_at_top,
    no_turning_back,
    on_request,
)
from .ends import BandInputError as BandInputError
from .ends import Mover, check_ends, continuous_ends, minima_in_words, movers_of
from .initial_path import blended, initial_images
from .relaxation import descend, relax_within
from .relaxation import relax as relax

FloatArray = NDArray[np.float64]
CalculatorFactory = Callable[[], Calculator]
# A minimum less deep than this between its saddles is none.
NO_MINIMUM_eV = 1e-3
# Images of a segment that is computed again, against what equal steps would need: climbing takes some to the top.
SPARE_IMAGES = 1.25


@takes_old_names
@dataclass(frozen=True)
class BandSettings(Stored):
    """How a band is converged.

    Attributes
    ----------
    images_per_segment
        Moving images of each split segment.
    fmax_eV_per_A
        Bound on the NEB residual and on the climbed saddle's force.
    relax_fmax_eV_per_A
        Bound on the forces of ends and intermediate minima.
    max_steps
        Optimiser steps per segment, and of each end and minimum.
    end_steps
        Optimiser steps of each end after which a band whose end still moves is given up; None searches it all the
        same, and the check of the end spoils its result.
    spring_eV_per_A2
        Spring constant between neighbouring images.
    climb_below_eV_per_A
        Residual under which the highest image starts to climb.
    same_state_A
        Two states whose mover is closer than this are the same minimum.
    max_splits
        How often a segment may be split at a minimum found on the way.
    check_saddles
        Count the imaginary modes at each saddle and minimum: six force calls for each ion.
    saddle_radius_A
        Displace only ions within this distance of the mover for it; all free ones if None.
    check_reverse
        Converge the band from the other end too and compare the barriers.
    """

    images_per_segment: int = 3
    fmax_eV_per_A: float = 0.03
    relax_fmax_eV_per_A: float = 0.01
    max_steps: int = 250
    spring_eV_per_A2: float = 1.0
    climb_below_eV_per_A: float = 0.5
    same_state_A: float = 0.35
    max_splits: int = 2
    check_saddles: bool = False
    saddle_radius_A: float | None = None
    check_reverse: bool = False
    end_steps: int | None = None

    as_before: ClassVar[Mapping[str, Any]] = {"end_steps": None}

    def __post_init__(self) -> None:
        require_positive(
            self,
            (
                "fmax_eV_per_A",
                "relax_fmax_eV_per_A",
                "spring_eV_per_A2",
                "climb_below_eV_per_A",
                "same_state_A",
                "saddle_radius_A",
            ),
        )
        counts = ("images_per_segment", "max_steps", *(("end_steps",) if self.end_steps is not None else ()))
        require_at_least(self, 1, counts)
        require_at_least(self, 0, ("max_splits",))


@dataclass
class CallCounter:
    """Number of energy-and-force evaluations, and the seconds that they took."""

    calls: int = 0
    seconds: float = 0.0
    clock: Callable[[], float] = time.perf_counter

    def attach(self, calculator: Calculator, where: str = "") -> Calculator:
        """Count every evaluation of a calculator (results it already holds are free), and refuse one that is no number.

        `where` names the configuration in the refusal.
        """
        calculate = calculator.calculate

        def counted(*args: Any, **kwargs: Any) -> None:
            self.calls += 1
            begin = self.clock()
            try:
                calculate(*args, **kwargs)  # type: ignore[no-untyped-call]
                asked: Any = kwargs.get("atoms", args[0] if args else calculator.atoms)
                require_finite_results(asked, calculator.results)
            except NotFiniteError as error:
                raise error if error.where else NotFiniteError(error.what, where) from error
            finally:
                self.seconds += self.clock() - begin

        calculator.calculate = counted  # type: ignore[method-assign]
        return calculator


class BandDriver:
    """Converges a band between two ends through known intermediates.

    Parameters
    ----------
    calculator
        Makes a fresh calculator; one per image.
    settings
        See `BandSettings`.
    """

    def __init__(self, calculator: CalculatorFactory, settings: BandSettings | None = None) -> None:
        self.settings = settings or BandSettings()
        self.counter = CallCounter()
        self._make = calculator
        self._checks: list[Check] = []
        self._notes: list[str] = []

    def run(
        self,
        initial: Atoms,
        final: Atoms,
        intermediates: Sequence[Atoms],
        mover: Mover,
        start: Sequence[Atoms] | None = None,
    ) -> BandResult:
        """Relax the ends and intermediates, split, climb, and judge.

        Parameters
        ----------
        initial, final
            Ends of the same atoms; see `continuous_ends` for what is put right and what is refused.
        intermediates
            Trial configurations between the ends; the lowest that stays a minimum of its own is used.
        mover
            Index of the moving ion, or of all that move together.
        start
            Path to begin with, both ends included, in place of straight lines by way of the intermediates.

        Raises
        ------
        BandInputError
            If the ends do not make a band.
        """
        same_state_A = self.settings.same_state_A
        initial, final, intermediates, notes = continuous_ends(initial, final, intermediates, mover, same_state_A)
        self._notes.extend(notes)
        ends = [self._relaxed(initial, "initial end"), self._relaxed(final, "final end")]
        check_ends(ends[0].atoms, ends[1].atoms, mover, same_state_A)
        middle = [] if start else self._best_intermediate(ends, intermediates, mover)
        stations = [ends[0], *middle, ends[1]]
        points = self._without_held_saddles(self._path(stations, mover, start))
        self._judge_path(points)
        result = BandResult(points, self._checks, [], 0, self._notes)
        settings = self.settings

        def reverse() -> BandResult:
            again = replace(settings, check_saddles=False, check_reverse=False)
            other = BandDriver(lambda: self.counter.attach(self._make()), again)
            between = [p.atoms for p in reversed(middle)]
            return other.run(points[-1].atoms.copy(), points[0].atoms.copy(), between, mover)

        on_request(
            result,
            lambda: self.counter.attach(self._make()),
            movers_of(mover)[0],
            modes=settings.check_saddles,
            radius_A=settings.saddle_radius_A,
            reverse=reverse if settings.check_reverse else None,
        )
        result.force_calls = self.counter.calls
        return result

    def _with_calculator(self, atoms: Atoms, where: str) -> Atoms:
        out: Atoms = atoms.copy()
        out.calc = self.counter.attach(self._make(), where)
        return out

    def _point(self, atoms: Atoms, kind: str) -> PathPoint:
        return PathPoint(atoms, float(atoms.get_potential_energy()), np.array(atoms.get_forces()), kind)

    def _relaxed(self, atoms: Atoms, what: str, kind: str = "end") -> PathPoint:
        moving = self._with_calculator(atoms, what)
        settings = self.settings
        budget = settings.end_steps if kind == "end" else None
        self._notes += relax_within(moving, what, settings.relax_fmax_eV_per_A, settings.max_steps, budget)
        point = self._point(moving, kind)
        largest = float(np.linalg.norm(point.forces, axis=1).max())
        limit = self.settings.relax_fmax_eV_per_A
        self._checks.append(held(f"{what} relaxed", largest, limit, unit="eV/A", of_ends=kind == "end"))
        return point

    def _best_intermediate(self, ends: list[PathPoint], trials: Sequence[Atoms], mover: Mover) -> list[PathPoint]:
        """Relax the trials from coarse to fine; keep the lowest that is a state of its own."""
        path_points: dict[int, PathPoint] = {}
        lead = movers_of(mover)[0]
        for n, trial in enumerate(trials, start=1):
            # A trial is an unrelaxed end with the mover displaced: give its surroundings the mean of both ends.
            start = blended(ends[0].atoms, ends[1].atoms, trial, mover)
            what = f"trial intermediate {n}"
            moving = self._with_calculator(start, what)
            self._notes += relax(moving, self.settings.relax_fmax_eV_per_A, self.settings.max_steps, what)
            where = moving.positions[lead]
            gaps = [float(np.linalg.norm(where - e.atoms.positions[lead])) for e in ends]
            if min(gaps) < self.settings.same_state_A:
                self._notes.append(f"trial intermediate {n} relaxed back into an end: no minimum there")
                continue
            if float(np.linalg.norm(moving.get_forces(), axis=1).max()) > self.settings.relax_fmax_eV_per_A:
                self._notes.append(f"trial intermediate {n} did not relax in {self.settings.max_steps} steps: dropped")
                continue
            path_points[n] = self._point(moving, "minimum")
        self._notes += minima_in_words({n: p.energy - ends[0].energy for n, p in path_points.items()})
        return [min(path_points.values(), key=lambda p: p.energy)] if path_points else []

    def _path(self, stations: list[PathPoint], mover: Mover, start: Sequence[Atoms] | None = None) -> list[PathPoint]:
        """From end to end; a segment whose images stand too far apart beside the others' is computed with more."""
        first, splits = self.settings.images_per_segment, self.settings.max_splits
        pairs = list(pairwise(stations))
        parts = [
            self._segment(*pair, mover, f"segment {n}", splits, first, start) for n, pair in enumerate(pairs, start=1)
        ]
        limit = _longest_step_A(_joined(stations, parts))
        for n, (left, right) in enumerate(pairs):
            steps = _steps_A([left, *parts[n], right])
            if max(steps) <= limit:
                continue
            name, images = f"segment {n + 1}", ceil(SPARE_IMAGES * sum(steps) / limit)
            self._checks = [c for c in self._checks if not re.search(rf"\b{name}[ab]*\b", c.name)]
            parts[n] = self._segment(left, right, mover, name, splits, images, start)
            self._notes.append(f"{name}: images stood up to {max(steps):.2f} A apart: it has {images} now, not {first}")
        return _joined(stations, parts)

    def _segment(
        self,
        left: PathPoint,
        right: PathPoint,
        mover: Mover,
        name: str,
        splits: int,
        moving: int,
        start: Sequence[Atoms] | None = None,
    ) -> list[PathPoint]:
        """Moving images between two minima, the highest one climbed."""
        images = initial_images(left.atoms, right.atoms, moving, start)
        inner = [self._with_calculator(a, f"image {n} of {name}") for n, a in enumerate(images[1:-1], start=1)]
        band = [left.atoms, *inner, right.atoms]
        neb = NEB(band, k=self.settings.spring_eV_per_A2, climb=False, method="improvedtangent")
        self._converge(neb, name)
        energies = np.array([left.energy, *(float(a.get_potential_energy()) for a in band[1:-1]), right.energy])
        lowest = _interior_minimum(energies)
        if lowest is not None and splits > 0:
            path_point = self._relaxed(band[lowest], f"minimum found on {name}", kind="minimum")
            gaps = [np.linalg.norm(path_point.atoms.positions - e.atoms.positions, axis=1).max() for e in (left, right)]
            if min(gaps) > self.settings.same_state_A:
                before = self._segment(left, path_point, mover, f"{name}a", splits - 1, moving)
                after = self._segment(path_point, right, mover, f"{name}b", splits - 1, moving)
                return [*before, path_point, *after]
        residual = _residual(neb)
        limit = self.settings.fmax_eV_per_A
        self._checks.append(held(f"NEB residual of {name}", residual, limit, unit="eV/A"))
        points = [self._point(a, "image") for a in band[1:-1]]
        top = int(np.argmax([p.energy for p in points]))
        if points[top].energy > max(left.energy, right.energy):
            points[top].kind = "saddle"
            self._judge_saddle([left, *points, right], top + 1, name)
        return points

    def _converge(self, neb: NEB, name: str) -> None:
        """Bring the band near the path, then climb."""
        settings = self.settings
        self._notes += descend(neb, name, settings.climb_below_eV_per_A, settings.max_steps, 0.08, 30)
        neb.climb = True
        self._notes += descend(neb, f"{name}, climbing", settings.fmax_eV_per_A, settings.max_steps, 0.06, 30)

    def _without_held_saddles(self, points: list[PathPoint]) -> list[PathPoint]:
        """A trial that symmetry held on a saddle while it relaxed is the top of its segment, not a minimum."""
        out = list(points)
        for point in [p for p in points if p.kind == "minimum"]:
            n = _place(point, out)
            walls = min(max(p.energy for p in out[:n]), max(p.energy for p in out[n + 1 :]))
            if walls - point.energy > NO_MINIMUM_eV:
                continue
            # What climbed beside it went up to the same point.
            twins = [
                p
                for p in (out[n - 1], out[n + 1])
                if p.kind == "saddle"
                and np.linalg.norm(p.atoms.positions - point.atoms.positions, axis=1).max() < self.settings.same_state_A
            ]
            out = [p for p in out if not any(p is t for t in twins)]
            point.kind = "saddle"
            above = point.energy - points[0].energy
            self._notes.append(f"the intermediate at {above:+.3f} eV is a saddle: no minimum lies there")
            self._judge_saddle(out, _place(point, out), "the intermediate")
        return out

    def _judge_saddle(self, points: list[PathPoint], top: int, name: str) -> None:
        """The climbed image: small true force, and a maximum along the path."""
        saddle = points[top]
        force = float(np.linalg.norm(saddle.forces, axis=1).max())
        limit = 2 * self.settings.fmax_eV_per_A
        self._checks.append(held(f"saddle force of {name}", force, limit, unit="eV/A"))
        self._checks.append(climbed_is_the_top(points, top, name))
        curvature, note = self._curvature(points[top - 1].atoms, saddle, points[top + 1].atoms)
        what = f"curvature along the path at {name}"
        self._checks.append(held(what, curvature, 0.0, strictly=True, unit="eV/A^2", note=note))

    def _curvature(self, before: Atoms, saddle: PathPoint, after: Atoms) -> tuple[float, str]:
        """Along the path, eV/A^2, and how it was found."""
        # Halfway between the two directions, as few images stand at unequal distances; a point nearer than the probe is
        # the saddle itself and has no direction.
        steps = [saddle.atoms.positions - before.positions, after.positions - saddle.atoms.positions]
        lengths = [float(np.linalg.norm(s)) for s in steps]
        if min(lengths) > PROBE_A:
            steps = [s / length for s, length in zip(steps, lengths, strict=True)]
        tangent = steps[0] + steps[1]
        tangent /= np.linalg.norm(tangent)
        top = Probe(0.0, saddle.energy, -float(np.sum(saddle.forces * tangent)))

        def both(offset_A: float) -> tuple[Probe, Probe]:
            return self._probed(saddle, tangent, -offset_A), self._probed(saddle, tangent, offset_A)

        how = "finite difference of the true force"
        return curvature_at_top(top, both(PROBE_A), lambda: both(WIDE_PROBE_A), how)

    def _probed(self, saddle: PathPoint, tangent: FloatArray, offset_A: float) -> Probe:
        probe = self._with_calculator(saddle.atoms, "beside a saddle")
        probe.positions += offset_A * tangent
        slope = -float(np.sum(probe.get_forces() * tangent))
        return Probe(offset_A, float(probe.get_potential_energy()), slope)

    def _judge_path(self, points: list[PathPoint]) -> None:
        self._checks.append(no_turning_back(points))
        steps, limit = _steps_A(points), _longest_step_A(points)
        self._checks.append(
            held(
                "longest step between images",
                max(steps),
                limit,
                unit="A",
                note="against three times the median: a longer one would hide a saddle",
            )
        )


def _joined(stations: Sequence[PathPoint], parts: Sequence[Sequence[PathPoint]]) -> list[PathPoint]:
    return [stations[0], *(p for part, right in zip(parts, stations[1:], strict=True) for p in (*part, right))]


def _steps_A(points: Sequence[PathPoint]) -> list[float]:
    return [float(np.linalg.norm(b.atoms.positions - a.atoms.positions)) for a, b in pairwise(points)]


def _longest_step_A(points: Sequence[PathPoint]) -> float:
    """Longer steps would hide a saddle."""
    return 3.0 * float(np.median(_steps_A(points)))


def _place(point: PathPoint, points: Sequence[PathPoint]) -> int:
    return next(n for n, other in enumerate(points) if other is point)


def _residual(neb: NEB) -> float:
    """NEB residual, eV/A; ASE leaves the climbing image out, which may be the only one."""
    if neb.residuals:
        return float(neb.get_residual())
    return float(np.linalg.norm(neb.get_forces(), axis=1).max())


def _interior_minimum(energies: FloatArray, depth_eV: float = 0.02) -> int | None:
    """Index of an interior image lower than the highest points on both sides by a margin."""
    best, minimum = depth_eV, None
    for i in range(1, len(energies) - 1):
        walls = min(energies[:i].max(), energies[i + 1 :].max()) - energies[i]
        if walls > best and energies[i] <= min(energies[i - 1], energies[i + 1]):
            best, minimum = walls, i
    return minimum
