"""The surrogate band: right barriers for few force calls, and nothing lost when it is killed."""

import json
import multiprocessing
import os
import re
import signal
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.constraints import FixedLine
from band_cases import gold_on_aluminium, vacancy
from magnetoionics.workflows.band.driver import BandDriver, BandInputError, BandSettings
from magnetoionics.workflows.band.gaussian_process import (
    GaussianProcess,
    Kernel,
    Surrogate,
    SurrogateChoice,
    best_surrogate,
)
from magnetoionics.workflows.band.path import extrema, held_back, place_of_judge, plateaus, relax_path
from magnetoionics.workflows.band.record import EvaluationRecord, RecordedCalculator
from magnetoionics.workflows.band.states import SearchRule
from magnetoionics.workflows.band.surrogate import SurrogateBandDriver, SurrogateSettings


def barrier_of(result):
    return max(p.energy for p in result.points) - result.points[0].energy


@pytest.mark.parametrize(("repeats", "barrier"), [(2, 0.7917), (3, 0.7916)])
def test_copper_vacancy_for_few_calls(repeats, barrier):
    driver = SurrogateBandDriver(EMT, BandSettings(fmax_eV_per_A=0.02))
    initial, final, mover, _ = vacancy("Cu", repeats)
    result = driver.run(initial, final, [], mover)
    assert barrier_of(result) == pytest.approx(barrier, abs=0.002)
    assert all(c.passed for c in result.checks)
    assert [p.kind for p in result.points].count("saddle") == 1
    assert result.force_calls - driver.end_calls <= 22  # half of what ASE's best method needs from a clean start


def test_noise_on_the_start_path_changes_nothing():
    initial, final, mover, _ = gold_on_aluminium()
    start = [initial.copy() for _ in range(7)]
    rng = np.random.default_rng(0)
    for n, image in enumerate(start):
        shift = rng.normal(0, 0.05, image.positions.shape)
        image.set_positions(initial.positions + (final.positions - initial.positions) * n / 6 + shift)
    driver = SurrogateBandDriver(EMT, BandSettings(fmax_eV_per_A=0.02))
    result = driver.run(initial, final, [], mover, start=start)
    assert barrier_of(result) == pytest.approx(0.3744, abs=0.002)
    assert result.force_calls - driver.end_calls <= 32
    fixed = initial.constraints[0].index
    assert all(np.array_equal(p.atoms.positions[fixed], initial.positions[fixed]) for p in result.points)


class OnAGrid(EMT):
    """EMT with the error of a grid of 0.2 A: 0.02 eV/A that go with the place of each ion on it, in the energy too."""

    force_eV_per_A, spacing_A = 0.02, 0.2

    def calculate(self, atoms=None, *args, **kwargs):
        super().calculate(atoms, *args, **kwargs)
        wave = 2 * np.pi / self.spacing_A
        self.results["forces"] = self.results["forces"] + self.force_eV_per_A * np.sin(wave * self.atoms.positions)
        self.results["energy"] += float(np.cos(wave * self.atoms.positions).sum()) * self.force_eV_per_A / wave


def test_forces_with_the_noise_of_a_grid_do_not_lead_the_search_astray():
    initial, final, mover, _ = vacancy("Cu", 2)
    loose = BandSettings(fmax_eV_per_A=0.08, relax_fmax_eV_per_A=0.08, max_steps=60)
    driver = SurrogateBandDriver(OnAGrid, loose)
    result = driver.run(initial.copy(), final.copy(), [], mover)
    assert all(c.passed for c in result.checks)
    assert result.force_calls - driver.end_calls <= 24
    assert barrier_of(result) == pytest.approx(0.7917, abs=0.03)  # ions that move by a grid step or less
    # A surrogate that takes such forces for exact wriggles between them.
    exact = SurrogateBandDriver(OnAGrid, loose, SurrogateSettings(noises=(1e-3,), max_calls=40))
    assert any("ordinary band" in note for note in exact.run(initial, final, [], mover).notes)


def test_noise_is_looked_for_only_where_the_bound_on_forces_says_that_there_is_some():
    settings, last = SurrogateSettings(), SurrogateChoice(0.7, 4.0)
    assert {c.noise for c in settings.choices(5, last, 0.03)} == {1e-3}
    assert {c.noise for c in settings.choices(5, last, 0.05)} == set(settings.noises)
    assert {c.noise for c in settings.choices(30, last, 0.1)} == set(settings.noises)


class TwoSaddles(Calculator):
    """One ion with two saddles of 0.6 eV between x = 0 and 3 A and a curved valley."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        x, y, z = self.atoms.positions[0]
        k = 2 * np.pi / 3
        off = y - 0.3 * np.sin(k * x / 2)
        energy = 0.6 * np.sin(k * x) ** 2 + off**2 + z**2 + 0.05 * x
        slope = 0.6 * k * np.sin(2 * k * x) + 0.05 - 2 * off * 0.15 * k * np.cos(k * x / 2)
        self.results = {"energy": energy, "forces": np.array([[-slope, -2 * off, -2 * z]])}


def one_ion(x):
    return Atoms("Co", positions=[[x, 0.0, 0.0]], cell=[20, 20, 20], pbc=True)


def test_both_saddles_and_the_minimum_between_are_found():
    settings = BandSettings(fmax_eV_per_A=0.005, relax_fmax_eV_per_A=0.002)
    result = SurrogateBandDriver(TwoSaddles, settings).run(one_ion(0), one_ion(3.0), [], 0)
    found = [(p.kind, p.energy) for p in result.points if p.kind in ("saddle", "minimum")]
    assert [kind for kind, _ in found] == ["saddle", "minimum", "saddle"]
    # Along the valley E = 0.6 sin^2(kx) + 0.05 x; its extrema solve 0.6 k sin(2kx) = -0.05.
    k = 2 * np.pi / 3
    shift = np.arcsin(0.05 / (0.6 * k)) / (2 * k)
    exact = [0.6 * np.sin(k * x) ** 2 + 0.05 * x for x in (0.75 + shift, 1.5 - shift, 2.25 + shift)]
    assert [energy for _, energy in found] == pytest.approx(exact, abs=2e-4)


def test_surrogate_that_gets_nowhere_hands_over_to_the_ordinary_driver():
    few = SurrogateSettings(max_calls=4)
    initial, final, mover, _ = vacancy("Cu", 2)
    result = SurrogateBandDriver(EMT, BandSettings(fmax_eV_per_A=0.02), few).run(initial, final, [], mover)
    assert "ordinary band" in result.notes[0]
    assert barrier_of(result) == pytest.approx(0.7917, abs=0.002)


def test_a_band_after_a_failed_search_begins_on_the_path_to_the_saddle_that_was_found(monkeypatch):
    begun = []
    run = BandDriver.run

    def watched(self, initial, final, intermediates, mover, start=None):
        begun.append(start)
        return run(self, initial, final, intermediates, mover, start)

    monkeypatch.setattr(BandDriver, "run", watched)
    # No path is as sharp as this: the saddle is confirmed, the path to it never.
    sharp = SurrogateSettings(max_calls=30, across=1e-6)
    settings = BandSettings(fmax_eV_per_A=0.02)
    initial, final, mover, _ = vacancy("Cu", 2)
    result = SurrogateBandDriver(EMT, settings, sharp).run(initial, final, [], mover)
    assert "ordinary band" in result.notes[0]
    assert all(check.passed for check in result.checks)
    assert barrier_of(result) == pytest.approx(0.7917, abs=0.002)
    (path,) = begun
    energies = []
    for atoms in path:
        atoms.calc = EMT()
        energies.append(atoms.get_potential_energy())
    assert max(energies) - energies[0] == pytest.approx(0.7917, abs=0.01)
    assert energies[-1] - energies[0] == pytest.approx(0, abs=0.002)
    calls = int(re.search(r"after (\d+) force calls", result.notes[0])[1])
    assert result.force_calls - calls < BandDriver(EMT, settings).run(initial, final, [], mover).force_calls


def test_a_band_after_a_failed_search_goes_by_way_of_the_minimum_that_was_found():
    sharp = SurrogateSettings(max_calls=40, across=1e-9)
    settings = BandSettings(fmax_eV_per_A=0.005, relax_fmax_eV_per_A=0.002)
    result = SurrogateBandDriver(TwoSaddles, settings, sharp).run(one_ion(0), one_ion(3.0), [], 0)
    assert "ordinary band" in " ".join(result.notes)
    assert any(note.startswith("trial intermediate 1 is a minimum") for note in result.notes)
    assert [p.kind for p in result.points if p.kind != "image"] == ["end", "saddle", "minimum", "saddle", "end"]


def test_a_search_that_goes_in_a_circle_says_so(monkeypatch):
    monkeypatch.setattr(SearchRule, "SAME_AGAIN", 10.0)
    initial, final, mover, _ = vacancy("Cu", 2)
    result = SurrogateBandDriver(EMT, BandSettings(fmax_eV_per_A=0.02)).run(initial, final, [], mover)
    assert "points that it knew" in result.notes[1]
    assert barrier_of(result) == pytest.approx(0.7917, abs=0.002)


class Killed(Exception):
    """Stands for the end of the process."""


class Dies(EMT):
    """EMT that ends the run at a given call; counts over all instances."""

    left = 0
    places: ClassVar[list[bytes]] = []

    def calculate(self, atoms=None, *args, **kwargs):
        if Dies.left == 0:
            raise Killed
        Dies.left -= 1
        Dies.places.append(atoms.positions.tobytes())
        self.__init__()  # no memory of earlier calls
        super().calculate(atoms, *args, **kwargs)


@pytest.mark.parametrize("survives", [1, 6, 11])
def test_interrupted_run_goes_on_where_it_ended(tmp_path, survives):
    # Silver has one way from every cut; with copper the last bits choose between ways of 23 and of 25 calls.
    *ends, mover, _ = vacancy("Ag", 2)

    def run(record, calls):
        Dies.left = calls
        return SurrogateBandDriver(Dies, BandSettings(fmax_eV_per_A=0.02), record=record).run(*ends, [], mover)

    Dies.places = []
    whole = run(tmp_path / "whole.jsonl", 1000)
    needed = len(Dies.places)
    assert needed == whole.force_calls
    Dies.places = []
    with pytest.raises(Killed):
        run(tmp_path / "cut.jsonl", survives)
    assert len(Dies.places) == survives
    again = run(tmp_path / "cut.jsonl", 1000)
    assert len(Dies.places) <= needed + 1
    assert again.force_calls == needed - survives
    assert len(set(Dies.places)) == len(Dies.places), "something was computed twice"
    assert barrier_of(again) == pytest.approx(barrier_of(whole), abs=1e-3)


class Counted(EMT):
    """Leaves a mark for each call, and is killed in the middle of one of them."""

    log: ClassVar[Path]
    kill_at: ClassVar[int] = 0

    def calculate(self, *args, **kwargs):
        with self.log.open("a") as log:
            log.write("x")
        if self.log.stat().st_size == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.__init__()
        super().calculate(*args, **kwargs)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork: starting Python anew takes most of the time")
def test_kill_signal_in_a_band_loses_at_most_the_call_in_flight(tmp_path, monkeypatch):
    def run(name):
        monkeypatch.setattr(Counted, "log", tmp_path / name, raising=False)
        initial, final, mover, _ = vacancy("Cu", 2)
        settings, record = BandSettings(fmax_eV_per_A=0.02), tmp_path / f"{name}.jsonl"
        return SurrogateBandDriver(Counted, settings, record=record).run(initial, final, [], mover).forward_eV

    whole = run("whole")
    needed = (tmp_path / "whole").stat().st_size
    with monkeypatch.context() as killed:
        killed.setattr(Counted, "kill_at", needed // 2)
        process = multiprocessing.get_context("fork").Process(target=run, args=("cut",))
        process.start()
        process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len(EvaluationRecord(tmp_path / "cut.jsonl")) == needed // 2 - 1
    assert run("cut") == pytest.approx(whole, abs=1e-6)
    assert (tmp_path / "cut").stat().st_size == needed + 1  # the call that was killed, twice


def test_torn_last_line_is_dropped_and_the_file_goes_on(tmp_path):
    file = tmp_path / "record.jsonl"
    atoms = bulk("Cu", cubic=True)
    atoms.calc = RecordedCalculator(EMT(), EvaluationRecord(file))
    energy = atoms.get_potential_energy()
    with file.open("a") as handle:
        handle.write('{"key": "torn')
    record = EvaluationRecord(file)
    assert record.find(atoms)[0] == energy
    atoms.positions[0] += 0.1
    record.add(atoms, 1.0, np.zeros((4, 3)))
    assert len(EvaluationRecord(file)) == 2
    assert all(json.loads(line) for line in file.read_text().splitlines())


def test_what_an_engine_saw_is_kept_with_the_evaluation(tmp_path):
    file = tmp_path / "record.jsonl"
    atoms = bulk("Cu", cubic=True)
    atoms.calc = RecordedCalculator(EMT(), EvaluationRecord(file, observe=lambda a: {"moments": list(a.numbers * 0.1)}))
    atoms.get_forces()
    assert EvaluationRecord(file).seen(atoms) == {"moments": pytest.approx([2.9] * 4)}
    atoms.positions[0] += 0.1
    assert EvaluationRecord(file).seen(atoms) == {}


def test_record_of_other_atoms_spins_or_settings_is_not_used(tmp_path):
    file = tmp_path / "record.jsonl"
    atoms = bulk("Fe", cubic=True)
    atoms.set_array("magmom", np.array([2.0, 2.0]))
    EvaluationRecord(file, "PBE").add(atoms, -1.0, np.zeros((2, 3)))
    assert EvaluationRecord(file, "PBE").find(atoms) is not None
    assert EvaluationRecord(file, "PBE+U").find(atoms) is None
    atoms.set_array("magmom", np.array([2.0, -2.0]))
    assert EvaluationRecord(file, "PBE").find(atoms) is None


def test_gaussian_process_repeats_its_data_and_its_gradient_is_that_of_its_energy():
    rng = np.random.default_rng(3)
    points, direction = rng.normal(0, 0.5, (5, 7)), rng.normal(size=7)
    energies = np.sin(points @ direction)
    gradients = np.cos(points @ direction)[:, None] * direction
    model = GaussianProcess(Kernel(points, 1.5), energies, gradients, 0.0)
    e, g = model.predict(points)
    assert e == pytest.approx(energies, abs=1e-4)
    assert g == pytest.approx(gradients, abs=1e-3)
    assert model.deviation(points).max() < 1e-3
    new, h = rng.normal(0, 0.5, 7), 1e-5
    steps = h * np.eye(7)
    numeric = (model.predict(new + steps)[0] - model.predict(new - steps)[0]) / (2 * h)
    assert model.predict(new[None])[1][0] == pytest.approx(numeric, abs=1e-6)


def test_surface_of_a_cheaper_engine_is_taken_only_where_it_helps():
    rng = np.random.default_rng(5)
    points, far, wave = rng.uniform(-1, 1, (40, 3)), rng.uniform(-0.8, 0.8, (20, 3)), np.array([1.5, -0.8, 0.4])
    free = np.eye(3)

    def surface(at, scale):
        return scale * np.sin(at @ wave), scale * np.cos(at @ wave)[:, None] * wave

    cheap = Surrogate(points, *surface(points, 1.0), 0.7, 1.0, free)
    few = rng.uniform(-1, 1, (4, 3))
    choices = [SurrogateChoice(0.7, 1.0), SurrogateChoice(1.4, 4.0)]
    helped, _ = best_surrogate(few, surface(few, 1.2)[0] - 300.0, surface(few, 1.2)[1], free, choices, cheap)
    alone, _ = best_surrogate(few, surface(few, 1.2)[0] - 300.0, surface(few, 1.2)[1], free, choices)
    assert helped.below is cheap
    truth = surface(far, 1.2)[0] - 300.0
    errors = [np.abs(made.predict(far)[0] - truth).max() for made in (helped, alone)]
    assert errors[0] < 0.5 * errors[1]
    point, h = far[0], 1e-5
    numeric = (helped.predict(point + h * np.eye(3))[0] - helped.predict(point - h * np.eye(3))[0]) / (2 * h)
    assert helped.predict(point[None])[1][0] == pytest.approx(numeric, abs=1e-6)
    # One that is upside down and ten times too large explains nothing.
    wrong = Surrogate(points, *surface(points, -10.0), 0.7, 1.0, free)
    assert best_surrogate(few, *surface(few, 1.2), free, choices, wrong)[0].below is None


def test_extrema_skip_ripples():
    energies = np.array([0, 0.3, 0.7, 0.695, 0.71, 0.5, 0.6, 0.2, -0.1])
    assert extrema(energies, 0.02) == [(4, "saddle"), (5, "minimum"), (6, "saddle")]
    assert extrema(np.linspace(0, 1, 5), 0.02) == []


def test_images_stay_near_what_is_known():
    before = np.column_stack([np.linspace(0, 2, 5), np.zeros(5)])
    after = before + np.array([0.0, 1.0])
    after[[0, -1]] = before[[0, -1]]
    known = np.array([[0.0, 0.0], [1.0, 0.2], [2.0, 0.0]])
    held = held_back(before, after, known, 0.35)
    gaps = np.linalg.norm(held[:, None] - known, axis=2).min(axis=1)
    first = np.linalg.norm(before[:, None] - known, axis=2).min(axis=1)
    assert np.all(gaps <= np.maximum(0.35, first) + 1e-12)
    assert held[2, 1] == pytest.approx(0.5)  # 0.3 beyond the known point is the last of eight parts within 0.35
    assert np.array_equal(held_back(before, before, known, 0.1), before)


def test_plateau_that_may_hide_a_dip_is_named():
    path = np.column_stack([np.linspace(0, 2, 11), np.zeros(11)])
    energies = np.array([0, 0.3, 0.76, 0.757, 0.754, 0.75, 0.747, 0.6, 0.4, 0.2, 0.0])
    ends = path[[0, -1]]
    assert sorted(plateaus(path, energies, {2}, ends, 0.021)) == [4, 5]  # 3 is beside the anchor, 6 on the slope
    assert plateaus(path, energies, {2}, path[[0, 5, 10]], 0.021) == [4]
    assert plateaus(path, 0.5 * np.arange(11.0), set(), ends, 0.021) == []


def test_judge_stands_in_the_middle_half_and_mends_one_place():
    stretch = np.column_stack([np.linspace(0, 1, 11), np.zeros(11)])
    known = stretch[[0, 10, 6]]
    assert place_of_judge(stretch, known, []) == 2  # image 3, farthest from images 0 and 6
    assert place_of_judge(stretch, known, [np.array([0.68, 0.1])]) == 6  # image 7, beside the one refused


def test_last_bits_do_not_decide_where_a_symmetric_path_goes():
    """The relaxation on a surrogate of one evaluated image, as after the first force call, is stable."""
    driver = SurrogateBandDriver(EMT, BandSettings(fmax_eV_per_A=0.02))
    first_choice = driver._chosen
    initial, final, mover, _ = vacancy("Cu", 2)
    driver.run(initial, final, [], mover)
    driver._data, driver._chosen = driver._data[:3], first_choice
    straight = np.linspace(driver._data[0].point, driver._data[1].point, 17)
    model = driver._fit(straight)
    relaxed = []
    for noise in (0.0, 1e-13):
        path = straight + np.random.default_rng(1).normal(0, noise, straight.shape)
        relaxed.append(relax_path(model, path, (driver._data[0].energy, driver._data[1].energy), set(), 0.4)[0])
    assert np.abs(relaxed[0] - straight).max() > 0.01
    assert np.abs(relaxed[0] - relaxed[1]).max() < 1e-9


def test_what_the_surrogate_cannot_do_is_refused():
    initial, final, mover, _ = vacancy("Cu", 2)
    with pytest.raises(BandInputError, match="same state"):
        SurrogateBandDriver(EMT).run(initial, initial.copy(), [], mover)
    for end in (initial, final):
        end.set_constraint(FixedLine(0, [1, 0, 0]))
    with pytest.raises(ValueError, match="fixed atoms only"):
        SurrogateBandDriver(EMT).run(initial, final, [], mover)
