"""Checks of a band that must be able to fail, what a result lists, and the two-engine mode."""

import re
from functools import partial

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from band_cases import oxide_hop, vacancy
from jobflow import run_locally
from magnetoionics.workflows.band.checks import (
    PROBE_A,
    BandResult,
    PathPoint,
    Probe,
    check_modes,
    climbed_is_the_top,
    curvature_at_top,
    imaginary_modes,
    no_turning_back,
    same_barriers,
)
from magnetoionics.workflows.band.driver import BandDriver, BandSettings
from magnetoionics.workflows.band.ends import moved_with_ends
from magnetoionics.workflows.band.path import beside
from magnetoionics.workflows.band.saddle_curvature import curvature_of_saddle
from magnetoionics.workflows.band.states import Anchor, Evaluated, SurrogateSettings
from magnetoionics.workflows.band.surrogate import SurrogateBandDriver
from magnetoionics.workflows.band.two_engines import band_from_cheap_path
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.evaluation.checkpoint import FOLDER_VARIABLE

SETTINGS = BandSettings(fmax_eV_per_A=0.005, relax_fmax_eV_per_A=0.002)
K = 2 * np.pi / 3


class Valley(Calculator):
    """One ion between x = 0 and 3 A: two saddles, a valley bent by `bend`, stiffness `across` of y and z."""

    implemented_properties = ("energy", "forces")

    def __init__(self, height=0.6, bend=0.3, across=(2.0, 2.0), floor=0.0):
        super().__init__()
        self.height, self.bend, self.across, self.floor = height, bend, across, floor

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        x, y, z = self.atoms.positions[0]
        z -= self.floor
        off = y - self.bend * np.sin(K * x / 2)
        ky, kz = self.across
        energy = self.height * np.sin(K * x) ** 2 + ky * off**2 / 2 + kz * z**2 / 2 + 0.05 * x
        slope = self.height * K * np.sin(2 * K * x) + 0.05 - ky * off * self.bend * K / 2 * np.cos(K * x / 2)
        self.results = {"energy": energy, "forces": np.array([[-slope, -ky * off, -kz * z]])}


def ion(x, y=0.0):
    return Atoms("Co", positions=[[x, y, 0.0]], cell=[20, 20, 20], pbc=True)


def exact():
    """Extrema of 0.6 sin^2(kx) + 0.05 x above its first minimum: 0.6 k sin(2kx) = -0.05."""
    shift = np.arcsin(0.05 / (0.6 * K)) / (2 * K)
    at = np.array([-shift, 0.75 + shift, 1.5 - shift, 2.25 + shift, 3.0 - shift])
    energies = 0.6 * np.sin(K * at) ** 2 + 0.05 * at
    return energies - energies[0]


@pytest.mark.parametrize("driver", [BandDriver, SurrogateBandDriver])
def test_result_lists_saddles_minima_both_barriers_and_the_arc(driver):
    result = driver(Valley, SETTINGS).run(ion(0), ion(3.0), [ion(1.5, 0.2)], 0)
    known = exact()
    assert [s.kind for s in result.stations] == ["saddle", "minimum", "saddle"]
    assert [s.energy_eV for s in result.stations] == pytest.approx(known[1:4], abs=2e-4)
    assert result.forward_eV == pytest.approx(known[3], abs=2e-4)
    assert result.backward_eV == pytest.approx(known[3] - known[4], abs=2e-4)
    assert np.all(np.diff(result.arcs_A) > 0)
    assert 3.0 < result.arcs_A[-1] < 3.2
    assert all(c.passed for c in result.checks), [c for c in result.checks if not c.passed]
    assert any("imaginary" in n for n in result.not_checked)
    assert any("reverse" in n for n in result.not_checked)


@pytest.mark.parametrize("driver", [BandDriver, SurrogateBandDriver])
def test_modes_and_reverse_on_request(driver):
    settings = BandSettings(fmax_eV_per_A=0.005, relax_fmax_eV_per_A=0.002, check_saddles=True, check_reverse=True)
    made = driver(Valley, settings)
    result = made.run(ion(0), ion(3.0), [ion(1.5, 0.2)], 0)
    modes = {c.name.split(" of ")[0]: c for c in result.checks if c.name.startswith("imaginary")}
    assert modes["imaginary modes at the saddle"].value == 1
    assert modes["imaginary modes at the minimum"].value == 0
    assert next(c for c in result.checks if "reverse band" in c.name).passed
    assert all(c.passed for c in result.checks)
    assert result.not_checked == []
    assert result.force_calls == made.counter.calls


def test_mode_counts_are_the_signs_of_the_curvatures():
    top = ion(0.75)
    count, curvatures = imaginary_modes(top, lambda: Valley(bend=0.0, across=(-1.0, 3.0)))
    assert count == 2
    assert curvatures == pytest.approx([-2 * 0.6 * K**2, -1.0, 3.0], rel=2e-3)
    ends = [PathPoint(ion(x), 0.0, np.zeros((1, 3)), "end") for x in (0, 3)]
    points = [ends[0], PathPoint(top, 0.6, np.zeros((1, 3)), "saddle"), ends[1]]
    (check,) = check_modes(points, lambda: Valley(bend=0.0, across=(-1.0, 3.0)))
    assert not check.passed
    (check,) = check_modes(points, lambda: Valley(bend=0.0))
    assert check.passed


def test_modes_of_the_ions_near_the_mover_show_the_vacancy_saddle():
    initial, final, mover, _ = vacancy("Cu", 2)
    result = SurrogateBandDriver(EMT, BandSettings(fmax_eV_per_A=0.02)).run(initial, final, [], mover)
    (saddle,) = [p for p in result.points if p.kind == "saddle"]
    count, _ = imaginary_modes(saddle.atoms, EMT, mover, 3.0)
    assert count == 1
    (other,) = check_modes([result.points[0], saddle], EMT, mover, 3.0)
    assert "within 3 A" in other.note


def points_at(*rows):
    kinds = ["end", *(["image"] * (len(rows) - 2)), "end"]
    return [PathPoint(ion(x, y), e, np.array([[f, 0.0, 0.0]]), k) for (x, y, e, f), k in zip(rows, kinds, strict=True)]


def test_checks_of_the_path_can_fail():
    good = points_at((0, 0, 0, 0), (1, 0.2, 0.5, 0), (2, 0, 0, 0))
    assert no_turning_back(good).passed
    assert not no_turning_back(points_at((0, 0, 0, 0), (2, 0, 0.5, 0), (1, 0.2, 0, 0))).passed
    assert climbed_is_the_top(good, 1, "segment").passed
    # At x = 1 the energy still rises at 2 eV/A: the true top is further on.
    assert not climbed_is_the_top(points_at((0, 0, 0, 0), (1, 0, 0.5, -2.0), (2, 0, 0, 0)), 1, "segment").passed


def test_a_shoulder_on_the_way_down_from_a_higher_saddle_is_no_false_top():
    """Two saddles, of which the path comes down from one onto the other; only a path that rises all the way counts."""
    rows = [(0, 0, 0, 0), (1, 0, 0.11, 0), (1.5, 0, 0.09, 0.1), (2, 0, 0.04, 0), (3, 0, -0.1, 0.1), (4, 0, -0.2, 0)]
    points = points_at(*rows)
    points[1].kind = points[3].kind = "saddle"
    assert climbed_is_the_top(points, 1, "segment 1").passed
    assert climbed_is_the_top(points, 3, "segment 2").passed
    other_way = points[::-1]
    assert climbed_is_the_top(other_way, 2, "segment 1").passed
    # Forces that point up from the shoulder: a top between it and the image.
    steep = points_at(*rows[:3], (2, 0, 0.04, 2.0), *rows[4:])
    steep[1].kind = steep[3].kind = "saddle"
    assert not climbed_is_the_top(steep, 3, "segment 2").passed
    # The next point is no saddle but an image that is higher than this one: the top lies beyond.
    points[1].kind = "image"
    assert not climbed_is_the_top(points, 3, "segment 2").passed
    # A saddle lower than the image before it: the path does not rise to it.
    points[1].kind, points[1].energy = "saddle", 0.08
    assert not climbed_is_the_top(points, 3, "segment 2").passed
    # The other side is looked at all the same.
    points[1].energy = 0.11
    points[4].energy = 0.09
    assert not climbed_is_the_top(points, 3, "segment 2").passed


def test_different_barriers_of_the_two_directions_fail():
    there = BandResult(points_at((0, 0, 0, 0), (1, 0, 0.5, 0), (2, 0, 0.1, 0)), [], [], 0)
    back = BandResult(points_at((2, 0, 0.1, 0), (1, 0, 0.5, 0), (0, 0, 0, 0)), [], [], 0)
    other = BandResult(points_at((2, 0, 0.1, 0), (1, 0, 0.6, 0), (0, 0, 0, 0)), [], [], 0)
    assert same_barriers(there, back).passed
    assert not same_barriers(there, other).passed
    # Its start and top are those of the end and top of the other band; only its end is too low.
    deeper = BandResult(points_at((2, 0, 0.1, 0), (1, 0, 0.5, 0), (0, 0, -0.1, 0)), [], [], 0)
    assert same_barriers(there, deeper).value == pytest.approx(0.1)
    assert not same_barriers(there, deeper).passed


class Stiffer(EMT):
    """EMT with all energies and forces a tenth larger: the same path, another barrier."""

    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        self.results["energy"] *= 1.1
        self.results["forces"] = 1.1 * self.results["forces"]


def test_cheap_path_saves_expensive_calls_and_gives_none_of_its_numbers():
    initial, final, mover, _ = vacancy("Cu", 2)
    settings = BandSettings(fmax_eV_per_A=0.02)
    alone = SurrogateBandDriver(Stiffer, settings).run(initial, final, [], mover)
    both = band_from_cheap_path(Stiffer, EMT, initial, final, [], mover, settings)
    assert both.forward_eV == pytest.approx(1.1 * 0.7917, abs=0.002)
    assert both.force_calls < alone.force_calls
    assert both.cheap_calls > 0
    assert any("is kept" in n for n in both.notes)


def test_trial_that_symmetry_holds_on_the_saddle_is_no_minimum():
    """Half-way between the ends nothing pulls the ion off the saddle; the classic driver must find it out."""
    initial, final, mover, _ = vacancy("Cu", 2)
    trial = initial.copy()
    trial.positions = 0.5 * (initial.positions + final.positions)
    result = BandDriver(EMT, BandSettings(fmax_eV_per_A=0.02)).run(initial, final, [trial], mover)
    assert [s.kind for s in result.stations] == ["saddle"]
    assert result.forward_eV == pytest.approx(0.7917, abs=0.002)
    curvature = next(c for c in result.checks if c.name.startswith("curvature along the path"))
    assert curvature.passed
    assert curvature.value < 0
    assert any("is a saddle: no minimum lies there" in n for n in result.notes)
    assert all(c.passed for c in result.checks), [c for c in result.checks if not c.passed]


class Rippled(Valley):
    """A flat top that forces bend up within 0.05 A, as those of a potential in single precision do."""

    depth_eV, width_A, top_eV = 0.002, 0.04, 0.05

    def __init__(self):
        super().__init__(height=self.top_eV, bend=0.0, across=(20.0, 20.0))

    @classmethod
    def top_A(cls):
        """Of the first saddle: height K sin(2 K x) = -0.05."""
        return (np.pi + np.arcsin(0.05 / (cls.top_eV * K))) / (2 * K)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        off = self.atoms.positions[0, 0] - self.top_A()
        dip = self.depth_eV * np.exp(-((off / self.width_A) ** 2) / 2)
        self.results["energy"] -= dip
        self.results["forces"][0, 0] -= dip * off / self.width_A**2


class Pit(Rippled):
    """A minimum 0.1 eV deep, wider than the probe, which nothing may take for a ripple."""

    depth_eV, width_A, top_eV = 0.1, 0.1, 0.05


class Shaft(Rippled):
    """One 0.03 eV deep on a sharp top, between walls that lie nearer than the probe."""

    depth_eV, width_A, top_eV = 0.03, 0.03, 0.6


@pytest.mark.parametrize(("surface", "passed"), [(Rippled, True), (Pit, False), (Shaft, False)])
def test_a_ripple_of_the_top_is_no_minimum_and_a_pit_is(surface, passed):
    top = ion(surface.top_A())
    top.calc = surface()
    saddle = PathPoint(top, top.get_potential_energy(), top.get_forces(), "saddle")
    driver = BandDriver(surface, SETTINGS)
    along = np.array([[1.0, 0.0, 0.0]])
    assert driver._probed(saddle, along, PROBE_A).slope_eV_per_A > 0
    search = SurrogateBandDriver(surface, SETTINGS)
    search._atoms, search._space, search._data = top.copy(), Cartesian(), []
    search._atoms.calc = surface()
    anchor = Anchor(search._evaluate(top.positions.ravel()), "saddle", along.ravel(), 1)
    for curvature, note in (
        driver._curvature(ion(0.4), saddle, ion(1.2)),
        curvature_of_saddle(anchor, search._evaluate),
    ):
        assert (curvature < 0) == passed
        assert ("ripple" in note) == passed


def test_a_point_above_the_saddle_is_no_side_of_a_maximum():
    """Ahead it lies 2 meV above, less than a ripple, and the slopes of both sides would make a maximum."""
    near = (Probe(-0.05, 1e-4, -0.005), Probe(0.05, 1e-4, 0.005))
    sides = [Probe(-0.15, -0.01, 0.2), Probe(0.15, 0.002, -0.1)]
    assert curvature_at_top(Probe(0.0, 0.0, 0.0), near, lambda: sides, "near") == (pytest.approx(0.1), "near")
    sides[1] = Probe(0.15, -0.002, -0.1)
    assert curvature_at_top(Probe(0.0, 0.0, 0.0), near, lambda: sides, "near")[0] == pytest.approx(-1.0)


RADIUS_A, TOP_eV_PER_A2, WALL_eV_PER_A2 = 0.5, -0.1, 20.0


def bent_top(point):
    """A valley along a circle through the origin whose top bends by `TOP_eV_PER_A2` along it, with a ripple there."""
    x, y = point[0], point[1] + RADIUS_A
    radius, way = np.hypot(x, y), RADIUS_A * np.arctan2(x, y)
    dip = 0.001 * np.exp(-((way / 0.04) ** 2) / 2)
    energy = TOP_eV_PER_A2 * way**2 / 2 + WALL_eV_PER_A2 * (radius - RADIUS_A) ** 2 / 2 - dip
    along = (TOP_eV_PER_A2 * way + dip * way / 0.04**2) * RADIUS_A / radius
    out = WALL_eV_PER_A2 * (radius - RADIUS_A)
    gradient = np.array([along * y + out * x, out * y - along * x]) / radius
    return Evaluated(point, energy, gradient, -gradient[None])


def test_a_flat_top_is_probed_along_its_path_and_not_along_a_straight_line():
    way = np.linspace(-0.5, 0.5, 11) / RADIUS_A
    path = RADIUS_A * np.c_[np.sin(way), np.cos(way) - 1]
    saddle = Anchor(bent_top(path[5]), "saddle", np.array([1.0, 0.0]), 1)
    # The numbers of the model: its gradient is the slope of its energy.
    step = 1e-6 * np.array([0.6, 0.8])
    slope = (bent_top(path[7] + step).energy - bent_top(path[7] - step).energy) / 2e-6
    assert bent_top(path[7]).gradient @ [0.6, 0.8] == pytest.approx(slope, abs=1e-8)
    assert curvature_of_saddle(saddle, bent_top)[0] > 0
    saddle.beside = beside(path, 5, 0.15)
    curvature, note = curvature_of_saddle(saddle, bent_top)
    assert curvature == pytest.approx(TOP_eV_PER_A2, rel=0.05)
    assert "0.15 A either side" in note


def test_beside_an_image_is_measured_along_the_path_and_ends_with_it():
    path = np.array([[0.0, 0.0], [0.2, 0.0], [0.2, 0.1], [0.3, 0.1]])
    (back, behind, before), (on, ahead, after) = beside(path, 2, 0.15)
    assert (back, on) == pytest.approx((-0.15, 0.1))
    np.testing.assert_allclose([behind, before], [[0.15, 0.0], [1.0, 0.0]], atol=1e-12)
    np.testing.assert_allclose([ahead, after], [[0.3, 0.1], [1.0, 0.0]], atol=1e-12)


class Cartesian:
    """Coordinates that are those of the ion."""

    def to_positions(self, point):
        return point.reshape(-1, 3)

    def gradient(self, forces):
        return -forces.ravel()


def test_curvature_at_a_saddle_does_not_follow_the_longer_step():
    """The path turns behind the saddle, its next image is far: the mean of directions stays near the unstable mode."""
    stiff = partial(Valley, bend=0.0, across=(20.0, 20.0))
    top = ion(0.755)
    top.calc = stiff()
    saddle = PathPoint(top, top.get_potential_energy(), top.get_forces(), "saddle")
    driver = BandDriver(stiff, SETTINGS)
    # Along the chord from end to end it would be -5.26 cos^2 + 20 sin^2 > 0 at 30 degrees.
    curvature, _ = driver._curvature(ion(0.65), saddle, ion(1.45, 0.45))
    angle = np.arctan2(0.45, 0.695) / 2
    assert curvature == pytest.approx(-5.26 * np.cos(angle) ** 2 + 20 * np.sin(angle) ** 2, abs=0.1)
    assert curvature < 0
    assert driver._curvature(ion(0.65), saddle, ion(0.855))[0] == pytest.approx(-5.26, abs=0.1)


def test_cheap_engine_that_is_wrong_does_no_harm():
    few = SurrogateSettings(max_calls=40)
    wrong = partial(Valley, height=0.4, bend=-2.0)
    result = band_from_cheap_path(Valley, wrong, ion(0), ion(3.0), [], 0, SETTINGS, few)
    assert result.forward_eV == pytest.approx(exact()[3], abs=5e-4)
    assert [s.kind for s in result.stations] == ["saddle", "minimum", "saddle"]
    assert any("is dropped" in n or "not used" in n for n in result.notes)


def test_path_of_a_cheaper_engine_moves_with_the_ends_before_it_is_judged():
    """All along the path this engine's valley lies 0.5 A higher: 1 eV/A at the other's saddle, nearly none above."""
    higher = partial(Valley, floor=0.5)
    result = band_from_cheap_path(higher, Valley, ion(0), ion(3.0), [], 0, SETTINGS)
    (said,) = [n for n in result.notes if "cheaper engine's saddle" in n]
    assert float(re.search(r"and ([\d.]+) eV/A", said).group(1)) < 0.1
    assert result.forward_eV == pytest.approx(exact()[3], abs=5e-4)


def test_an_image_between_ends_that_moved_apart_takes_its_share():
    path = [ion(0), ion(1.0), ion(3.0)]
    ends = [ion(0.0, 0.3), ion(3.0, 0.6)]
    np.testing.assert_allclose(moved_with_ends(path[1], path, ends), [[1.0, 0.3 * 2 / 3 + 0.6 / 3, 0.0]])
    np.testing.assert_allclose(moved_with_ends(path[1], [], ends), [[1.0, 0.0, 0.0]])


@pytest.mark.slow
def test_engine_has_both_methods_and_the_record_goes_when_the_band_is_done(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    hop = oxide_hop("life5o8", "Li")
    found = {}
    for method in ("surrogate", "classic"):
        job = get_engine("local", band_method=method).band(
            hop.initial, hop.final, hop.intermediates, mover=hop.mover, name="band"
        )
        found[method] = run_locally(job, ensure_success=True)[job.uuid][1].output
    assert found["surrogate"].forward_eV == pytest.approx(found["classic"].forward_eV, abs=0.005)
    assert found["surrogate"].backward_eV == pytest.approx(found["classic"].backward_eV, abs=0.005)
    assert found["surrogate"].force_calls < found["classic"].force_calls
    assert list(tmp_path.iterdir()) == []


def test_settings_that_exclude_each_other_are_refused():
    with pytest.raises(ValueError, match="surrogate, classic"):
        get_engine("local", band_method="magic")
    with pytest.raises(ValueError, match="band_start needs"):
        get_engine("local", band_method="classic", band_start="local")
