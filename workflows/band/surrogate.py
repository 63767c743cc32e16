"""The band driver for engines whose force calls cost hours: a surrogate searches, the engine judges.

A Gaussian process on energies and forces (Koistinen et al., 10.1063/1.4986787; Torres et al.,
10.1103/PhysRevLett.122.156001) learns the path. Three things make it cheap here: the surroundings are harmonic
in a model of their bonds before any data, so that only the mover's landscape has to be learned; the path is
searched at its most doubtful high image; each saddle and minimum is then reached by eigenvector following. Only
numbers of the engine are reported; if the surrogate does not get there, the ordinary driver takes over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from numpy.typing import NDArray

from ...analysis.results.checks import Check, held
from . import path as paths
from .checks import (
    WIDE_PROBE_A,
    BandResult,
    PathPoint,
    no_turning_back,
    on_request,
    path_checks,
)
from .driver import BandDriver, BandSettings, CalculatorFactory, CallCounter
from .elastic import ElasticCoordinates
from .ends import Mover, check_ends, continuous_ends, moved_with_ends, movers_of
from .gaussian_process import CheapSurface, Surrogate, SurrogateChoice, bent, best_surrogate, stationary_point
from .initial_path import initial_path
from .record import EvaluationRecord, RecordedCalculator
from .relaxation import relax_within
from .saddle_curvature import curvature_of_saddle
from .states import Anchor, Evaluated, SurrogateSettings, largest
from .states import SearchRule as Rule

FloatArray = NDArray[np.float64]


class SurrogateBandDriver:
    """Converges a band with few force calls.

    Parameters
    ----------
    calculator
        Makes the engine's calculator.
    settings
        Force bounds, as in the ordinary driver.
    surrogate
        See `SurrogateSettings`.
    record
        File to which every evaluation is appended at once. A run that finds one goes on where it ended.
    label
        What the record's numbers depend on besides the atoms, e.g. the engine and its settings.
    clock
        Seconds, for the search's own budget.
    """

    def __init__(
        self,
        calculator: CalculatorFactory,
        settings: BandSettings | None = None,
        surrogate: SurrogateSettings | None = None,
        record: Path | EvaluationRecord | None = None,
        label: str = "",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.settings = settings or BandSettings()
        self.surrogate = surrogate or SurrogateSettings()
        self.counter = CallCounter(clock=clock)
        self.end_calls = 0
        self._make = calculator
        self._record = record if isinstance(record, EvaluationRecord) else EvaluationRecord(record, label)
        self._checks: list[Check] = []
        self._notes: list[str] = []
        self._chosen = SurrogateChoice(0.7, 4.0)
        self._misses: list[float] = []
        self._judges: list[Evaluated] = []
        self._refused: list[FloatArray] = []
        self._turns = 0
        self._worst = (0.0, 0.0)
        self._below: Surrogate | None = None
        self._anchors: dict[int, Anchor] = {}
        self._path: FloatArray = np.empty((0, 0))
        self._learned: Surrogate | None = None

    def run(
        self,
        initial: Atoms,
        final: Atoms,
        intermediates: Sequence[Atoms],
        mover: Mover,
        start: Sequence[Atoms] | None = None,
        cheap: CheapSurface | None = None,
    ) -> BandResult:
        """Relax the ends, find every saddle and minimum between them, and judge.

        Parameters
        ----------
        initial, final
            Ends of the same atoms; see `continuous_ends` for what is put right and what is refused.
        intermediates
            Trial configurations; the start path bends through the first one.
        mover
            Index of the moving ion, or of all that move together.
        start
            Start path instead, both ends included.
        cheap
            What is known of a cheaper engine whose converged path `start` is: its highest saddle is evaluated first,
            and everything dropped if the true forces there are large.

        Returns
        -------
        BandResult
            Evaluated configurations only: ends, saddles, minima, and one image between each two of them.

        Raises
        ------
        BandInputError
            If the ends do not make a band.
        """
        same_state_A = self.settings.same_state_A
        initial, final, intermediates, notes = continuous_ends(initial, final, intermediates, mover, same_state_A)
        self._notes.extend(notes)
        if any(not isinstance(c, FixAtoms) for c in initial.constraints):
            raise ValueError("the surrogate band knows fixed atoms only, no other constraint")
        self._atoms = initial.copy()
        self._atoms.calc = self._calculator("the search")
        ends = [self._relaxed(a, what) for a, what in ((initial, "initial end"), (final, "final end"))]
        check_ends(ends[0].atoms, ends[1].atoms, mover, same_state_A)
        self.end_calls = self.counter.calls
        self._space = ElasticCoordinates(ends[0].atoms, ends[1].atoms, mover)
        self._data = [self._as_data(p.atoms.positions, p.energy, p.forces) for p in ends]
        if cheap is not None and not self._agrees(moved_with_ends(cheap.top, start or [], [e.atoms for e in ends])):
            start = cheap = None
        if cheap is not None and cheap.space is not None:
            places = [(self._space.to_positions(d.point), d.energy, d.forces) for d in self._data]
            self._space, self._below = cheap.space, cheap.model
            self._data = [self._as_data(*place) for place in places]
        both, images = [e.atoms for e in ends], self.surrogate.images + 2
        path = initial_path(self._space, both, [d.point for d in self._data[:2]], intermediates, mover, start, images)
        path = paths.smoothed(path, self._space.loose) if cheap is None else path
        found = self._search(path)
        if found is None:
            return self._fall_back(initial, final, intermediates, mover)
        self._judge_saddles([a for a in found if isinstance(a, Anchor)])
        points = [ends[0], *(self._path_point(item) for item in found), ends[1]]
        result = BandResult(points, self._checks + path_checks(points), [], 0, self._notes)
        on_request(
            result,
            self._calculator,
            movers_of(mover)[0],
            modes=self.settings.check_saddles,
            radius_A=self.settings.saddle_radius_A,
            reverse=(lambda: self._reversed(points, mover)) if self.settings.check_reverse else None,
        )
        result.force_calls = self.counter.calls
        return result

    def surface(self, top: Atoms) -> CheapSurface:
        """What a finished search leaves to another engine."""
        return CheapSurface(top) if self._learned is None else CheapSurface(top, self._space, self._learned)

    def _reversed(self, points: list[PathPoint], mover: Mover) -> BandResult:
        """The band from the other end, from scratch but for the minima as trials."""
        settings = replace(self.settings, check_saddles=False, check_reverse=False)
        other = SurrogateBandDriver(lambda: self.counter.attach(self._make()), settings, self.surrogate, self._record)
        minima = [p.atoms for p in reversed(points) if p.kind == "minimum"]
        return other.run(points[-1].atoms.copy(), points[0].atoms.copy(), minima, mover)

    def _calculator(self, where: str = "") -> RecordedCalculator:
        return RecordedCalculator(self.counter.attach(self._make(), where), self._record)

    def _relaxed(self, atoms: Atoms, what: str) -> PathPoint:
        moving = atoms.copy()
        moving.calc = self._calculator(what)
        limit = self.settings.relax_fmax_eV_per_A
        self._notes += relax_within(moving, what, limit, self.settings.max_steps, self.settings.end_steps)
        point = PathPoint(moving, float(moving.get_potential_energy()), np.array(moving.get_forces()), "end")
        self._checks.append(held(f"{what} relaxed", largest(point.forces), limit, unit="eV/A", of_ends=True))
        return point

    def _check(self, name: str, value: float, limit: float, unit: str, note: str = "") -> None:
        self._checks.append(held(name, value, limit, unit=unit, note=note))

    def _as_data(self, positions: FloatArray, energy: float, forces: FloatArray) -> Evaluated:
        return Evaluated(self._space.to_internal(positions), energy, self._space.gradient(forces), forces)

    def _evaluate(self, point: FloatArray) -> Evaluated:
        self._atoms.set_positions(self._space.to_positions(point), apply_constraint=False)
        if (earlier := self._record.replay(self._atoms)) is not None:
            self._atoms.set_positions(earlier, apply_constraint=False)
            there = self._space.to_internal(earlier)
            point = point if np.abs(there - point).max() < 1e-9 else there
        energy, forces = float(self._atoms.get_potential_energy()), np.array(self._atoms.get_forces())
        data = Evaluated(point.copy(), energy, self._space.gradient(forces), forces)
        self._data.append(data)
        return data

    def _at(self, point: FloatArray) -> Atoms:
        atoms: Atoms = self._atoms.copy()
        atoms.set_positions(self._space.to_positions(point), apply_constraint=False)
        return atoms

    def _path_point(self, item: Anchor | Evaluated) -> PathPoint:
        data, kind = (item.data, item.kind) if isinstance(item, Anchor) else (item, "image")
        return PathPoint(self._at(data.point), data.energy, data.forces, kind)

    def _agrees(self, cheap_top: FloatArray) -> bool:
        """Whether the engine's forces at a cheaper engine's saddle, shape (n, 3), let its path be the start."""
        data = self._evaluate(self._space.to_internal(cheap_top))
        force, limit = largest(data.forces), self.surrogate.drop_eV_per_A
        height = data.energy - self._data[0].energy
        verdict = "kept" if force <= limit else "dropped"
        self._notes.append(
            f"cheaper engine's saddle: {height:.3f} eV above the initial state and {force:.2f} eV/A by this engine; "
            f"its path is {verdict} (limit {limit:g} eV/A)"
        )
        return force <= limit

    def _fit(self, path: FloatArray) -> Surrogate:
        data = self._data
        if len(data) > self.surrogate.most_points:
            gap = [float(np.min(np.linalg.norm(path - d.point, axis=1))) for d in data]
            near = sorted(np.argsort(gap, kind="stable")[: self.surrogate.most_points].tolist())
            data = [data[i] for i in near]
        points = np.array([d.point for d in data])
        energies, slopes = bent(np.array([d.energy for d in data]), self._level, self.surrogate.bend_eV)
        gradients = np.array([d.gradient for d in data]) * slopes[:, None]
        choices = self.surrogate.choices(len(data), self._chosen, self.settings.fmax_eV_per_A)
        best, self._chosen = best_surrogate(points, energies, gradients, self._space.loose, choices, self._below)
        return best

    def _search(self, path: FloatArray) -> list[Anchor | Evaluated] | None:
        """Evaluate, fit, relax until every extremum of the path is confirmed by the engine; None if never."""
        options = self.surrogate
        anchors: dict[int, Anchor] = {}
        rounds = stalls = 0
        ends, trust = (self._data[0].energy, self._data[1].energy), options.trust
        self._level = max(d.energy for d in self._data[: None if self._below else 2]) + 2 * options.bend_eV
        begin = self.counter.clock() - self.counter.seconds
        while len(self._data) < options.max_calls:
            if too_long := options.too_long(self.counter.clock() - begin, self.counter.seconds):
                self._notes.append(too_long)
                return None
            path = paths.evened(path, set(anchors))
            self._path, self._anchors = path, anchors
            model = self._fit(path)
            before = path
            if len(self._data) > 2:
                path, _ = paths.relax_path(model, path, ends, set(anchors), trust)
                reach = min(max(model.length, options.reach[0]), options.reach[1])
                path = paths.held_back(before, path, self._known, reach)
                energies = np.r_[ends[0], model.predict(path[1:-1])[0], ends[1]]
            else:
                energies = np.zeros(len(path))
            doubt = np.r_[0.0, self._caution() * model.deviation(path[1:-1]), 0.0]
            doubt[list(anchors)] = 0.0
            worst = int(np.argmax(energies + doubt))
            if len(self._data) == 2:
                worst, doubt[:] = len(path) // 2, 1.0
            open_points = self._open(energies, anchors)
            if doubt[worst] > options.doubt_eV:
                surprise = self._tested(model, path[worst])[1]
            elif open_points:
                index, kind = open_points[0]
                surprise = self._refine(model, path, energies, index, kind, anchors)
            elif doubt.max() > options.doubt_eV:
                surprise = self._tested(model, path[int(np.argmax(doubt))])[1]
            elif self._nearest(lonely := max(path, key=self._nearest)) > options.gap:
                surprise = self._tested(model, lonely)[1]
            elif stalls < 2 and (
                hidden := [e for e in paths.finer_extrema(model, path, options.depth_eV / 2) if e[0] not in anchors]
            ):
                surprise = self._refine(model, path, energies, *hidden[0], anchors)
            elif len(flat := paths.plateaus(path, energies, set(anchors), self._known, 3 * options.depth_eV)):
                surprise = self._tested(model, path[flat[0]])[1]
            elif rounds < Rule.MOST_ROUNDS and float(np.linalg.norm(path - before, axis=1).max()) > Rule.SETTLED:
                rounds += 1
                continue
            else:
                if (done := self._confirm(model, path, energies, anchors)) is not None:
                    self._learned = model
                    return done
                surprise = 0.0
            rounds = 0
            if self._data[-1].energy > self._level + Rule.TOO_HIGH_eV and len(self._data) > 5:
                path = paths.straightened(model, path, set(anchors), self._data[-1].point)
            gaps = np.linalg.norm(self._data[-1].point - np.array([d.point for d in self._data[:-1]]), axis=1)
            stalls += int(gaps.min() < Rule.SAME_AGAIN)
            if stalls > Rule.MOST_STALLS:
                self._notes.append("the search asked again and again for points that it knew")
                return None
            trust = max(0.6 * trust, 0.06) if surprise > 0.15 else min(1.4 * trust, options.trust)
        return None

    @property
    def _known(self) -> FloatArray:
        return np.array([d.point for d in self._data])

    def _nearest(self, point: FloatArray) -> float:
        """Distance to the nearest evaluation: equal energies far apart can hide a saddle between them."""
        return min(float(np.linalg.norm(point - d.point)) for d in self._data)

    def _open(self, energies: FloatArray, anchors: dict[int, Anchor]) -> list[tuple[int, str]]:
        """Extrema that no anchor holds, highest first."""
        out = [(i, kind) for i, kind in paths.extrema(energies, self.surrogate.depth_eV) if i not in anchors]
        return sorted(out, key=lambda item: -energies[item[0]])

    def _refine(
        self,
        model: Surrogate,
        path: FloatArray,
        energies: FloatArray,
        index: int,
        kind: str,
        anchors: dict[int, Anchor],
    ) -> float:
        """One force call at the surrogate's stationary point near an image; pins the image if the engine agrees."""
        tangent = paths.tangents(path, energies)[index - 1] if kind == "saddle" else None
        point, curvatures = stationary_point(model, path[index], tangent, self.surrogate.trust)
        point = self._known_part(model, path[index], point)
        data, surprise = self._tested(model, point)
        limit = self.settings.fmax_eV_per_A if kind == "saddle" else self.settings.relax_fmax_eV_per_A
        negative = int(np.sum(curvatures < -0.02))
        known = [path[0], path[-1], *(a.data.point for a in anchors.values())]
        stops = [0, *sorted(anchors), len(path) - 1]
        left, right = max(i for i in stops if i < index), min(i for i in stops if i > index)
        beside = [anchors[i].data.energy if i in anchors else self._data[i > 0].energy for i in (left, right)]
        no_saddle = kind == "saddle" and data.energy - min(beside) < self.surrogate.depth_eV
        if no_saddle or min(float(np.linalg.norm(point - k)) for k in known) < 0.15:
            # The image slid into a state that the path has already: start this stretch again.
            path[left : right + 1] = np.linspace(path[left], path[right], right - left + 1)
        elif largest(data.forces) <= limit and (negative > 0) == (kind == "saddle"):
            anchors[index] = Anchor(data, kind, np.zeros_like(point), negative)
            self._level = max(self._level, data.energy + 2 * self.surrogate.bend_eV)
            path[index] = point
            path[left : index + 1] = np.linspace(path[left], point, index - left + 1)
            path[index : right + 1] = np.linspace(point, path[right], right - index + 1)
        return surprise

    def _tested(self, model: Surrogate, point: FloatArray) -> tuple[Evaluated, float]:
        """Evaluate a point; also how far the surrogate was off, in eV of its own scale."""
        guess, doubt = float(model.predict(point[None])[0][0]), float(model.deviation(point[None])[0])
        data = self._evaluate(point)
        surprise = abs(float(bent(np.array([data.energy]), self._level, self.surrogate.bend_eV)[0][0]) - guess)
        self._misses.append(min(surprise / max(doubt, 1e-4), 30.0))
        return data, surprise

    def _caution(self) -> float:
        """Factor on the surrogate's standard deviations: how much its last ones were too small."""
        recent = self._misses[-8:]
        return max(1.0, float(np.sqrt((2.0 + np.sum(np.square(recent))) / (2.0 + len(recent)))))

    def _known_part(self, model: Surrogate, start: FloatArray, goal: FloatArray) -> FloatArray:
        """The farthest point from start to goal that the surrogate knows."""
        steps = start + np.linspace(0, 1, 11)[:, None] * (goal - start)
        doubtful = np.flatnonzero(self._caution() * model.deviation(steps) > self.surrogate.doubt_eV)
        return np.asarray(steps[max(int(doubtful[0]), 1)] if len(doubtful) else goal)

    def _confirm(
        self, model: Surrogate, path: FloatArray, energies: FloatArray, anchors: dict[int, Anchor]
    ) -> list[Anchor | Evaluated] | None:
        """One image that the surrogate had not seen between each two stationary points.

        None while new ones had to be evaluated: the surrogate learns from them and looks again for extrema.
        """
        out: list[Anchor | Evaluated] = []
        fresh = False
        along = paths.tangents(path, energies)
        for left, right in pairwise([0, *sorted(anchors), len(path) - 1]):
            if left:
                across = path[left + 1] - path[left - 1]
                anchors[left].mode = across / np.linalg.norm(across)
                anchors[left].beside = paths.beside(path, left, WIDE_PROBE_A)
                out.append(anchors[left])
            if right - left > 1:
                inner = path[left + 1 : right]
                judge = next(
                    (j for j in self._judges if paths.lies_between(path, left, right, j.point, Rule.JUDGE_REACH)), None
                )
                if judge is None:
                    number = paths.place_of_judge(path[left : right + 1], self._known, self._refused)
                    judge, surprise = self._tested(model, inner[number])
                    across = paths.across_slope(judge.gradient, along[left + number])
                    fresh = True
                    if surprise <= self.surrogate.agreement_eV and across <= self.surrogate.across:
                        self._judges.append(judge)
                        self._worst = (max(self._worst[0], surprise), max(self._worst[1], across))
                    else:
                        self._refused.append(judge.point)
                out.append(judge)
        if fresh:
            return None
        listed = [self._path_point(p) for p in (self._data[0], *out, self._data[1])]
        if not no_turning_back(listed).passed and self._turns < Rule.MOST_TURNS:
            self._turns += 1
            self._judges.clear()
            return None
        (energy, slope), options = self._worst, self.surrogate
        name = "surrogate against engine between stationary points"
        self._check(name, energy, options.agreement_eV, "eV", "images that the surrogate had not seen")
        name = "slope across the path between stationary points"
        self._check(name, slope, options.across, "eV/A", "true forces of these images, elastic coordinates")
        return out

    def _judge_saddles(self, anchors: list[Anchor]) -> None:
        saddles = [a for a in anchors if a.kind == "saddle"]
        for number, saddle in enumerate(saddles, start=1):
            name = f"segment {number}"
            self._check(f"saddle force of {name}", largest(saddle.data.forces), self.settings.fmax_eV_per_A, "eV/A")
            curvature, note = curvature_of_saddle(saddle, self._evaluate)
            self._check(f"curvature along the path at {name}", curvature, 0.0, "eV/A^2", note)
            note = "in the subspace that the surrogate knows"
            self._check(f"directions of negative curvature at {name}", saddle.negative, 1.0, "", note)
        self._notes.append(f"{self.end_calls} force calls for the ends, {self.counter.calls - self.end_calls} between")

    def _fall_back(self, initial: Atoms, final: Atoms, intermediates: Sequence[Atoms], mover: Mover) -> BandResult:
        """The ordinary driver, by way of the minima or else along the path to the saddles that were confirmed."""
        spent, kinds = self.counter.calls, {a.kind for a in self._anchors.values()}
        if "minimum" in kinds:
            intermediates = [self._at(a.data.point) for a in self._anchors.values() if a.kind == "minimum"]
        start = [self._at(point) for point in self._path] if kinds == {"saddle"} else None
        result = BandDriver(self._calculator, self.settings).run(initial, final, intermediates, mover, start)
        result.force_calls = self.counter.calls
        reason = f"the surrogate did not converge (after {spent} force calls): ordinary band"
        result.notes[:0] = [reason, *self._notes]
        return result
