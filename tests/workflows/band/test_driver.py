"""The band driver against known barriers, its checks, and its refusals."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from band_cases import vacancy
from magnetoionics.workflows.band.driver import BandDriver, BandInputError, BandSettings, check_ends
from magnetoionics.workflows.band.initial_path import initial_images
from magnetoionics.workflows.band.surrogate import SurrogateBandDriver
from scipy.interpolate import PchipInterpolator
from scipy.optimize import minimize


@pytest.mark.parametrize(
    ("driver", "element", "barrier", "formation"),
    [
        (BandDriver, "Cu", 0.7916, 1.2243),
        (BandDriver, "Al", 0.4059, 0.9526),
        (BandDriver, "Ag", 0.7134, 0.8511),
        (SurrogateBandDriver, "Au", 0.6446, 0.7363),
        (SurrogateBandDriver, "Pd", 0.8617, 0.9324),
        (SurrogateBandDriver, "Pt", 0.9772, 1.0231),
        (SurrogateBandDriver, "Ni", 1.1592, 1.9021),
    ],
)
def test_known_vacancies_of_107_emt_atoms(driver, element, barrier, formation):
    initial, final, mover, _ = vacancy(element)
    result = driver(EMT, BandSettings(fmax_eV_per_A=0.02)).run(initial, final, [], mover)
    energies = np.array([p.energy for p in result.points]) - result.points[0].energy
    assert len(initial) == 107
    assert energies.max() == pytest.approx(barrier, abs=0.002)
    assert all(c.passed for c in result.checks)
    assert [p.kind for p in result.points].count("saddle") == 1
    full = bulk(element, a=initial.cell.lengths()[0] / 3)
    full.calc = EMT()
    assert result.points[0].energy - 107 * full.get_potential_energy() == pytest.approx(formation, abs=0.002)


class TwoSaddles(Calculator):
    """One ion in E = h sin^2(2 pi x / L) + k (y^2 + z^2)/2 + s x, two saddles from x = 0 to x = L."""

    implemented_properties = ("energy", "forces")

    def __init__(self, height=0.6, length=3.0, stiffness=2.0, slope=0.05):
        super().__init__()
        self.height, self.length, self.stiffness, self.slope = height, length, stiffness, slope

    def energy_at(self, r):
        wave = self.height * np.sin(2 * np.pi * r[0] / self.length) ** 2
        return wave + self.stiffness * (r[1] ** 2 + r[2] ** 2) / 2 + self.slope * r[0]

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        x, y, z = self.atoms.positions[0]
        k = 2 * np.pi / self.length
        force = [-self.height * k * np.sin(2 * k * x) - self.slope, -self.stiffness * y, -self.stiffness * z]
        self.results = {"energy": self.energy_at((x, y, z)), "forces": np.array([force])}


def one_ion(x, y=0.0):
    return Atoms("Co", positions=[[x, y, 0.0]], cell=[20, 20, 20], pbc=True)


def exact_extremum(model, guess, sense):
    found = minimize(lambda x: sense * model.energy_at((x[0], 0, 0)), [guess], method="Nelder-Mead", tol=1e-12)
    return model.energy_at((found.x[0], 0, 0))


@pytest.mark.parametrize("known", [True, False])
def test_both_saddles_are_found_and_climbed(known):
    model = TwoSaddles()
    middle = [one_ion(1.4, 0.1)] if known else []
    settings = BandSettings(fmax_eV_per_A=0.005, relax_fmax_eV_per_A=0.002, images_per_segment=5)
    result = BandDriver(TwoSaddles, settings).run(one_ion(0), one_ion(3.0), middle, 0)
    kinds = [p.kind for p in result.points]
    assert kinds.count("saddle") == 2
    assert kinds.count("minimum") == 1
    saddles = [p.energy for p in result.points if p.kind == "saddle"]
    assert saddles[0] == pytest.approx(exact_extremum(model, 0.75, -1), abs=1e-4)
    assert saddles[1] == pytest.approx(exact_extremum(model, 2.25, -1), abs=1e-4)
    minimum = next(p.energy for p in result.points if p.kind == "minimum")
    assert minimum == pytest.approx(exact_extremum(model, 1.5, 1), abs=1e-4)


def test_images_begin_at_equal_distances_along_a_given_path():
    corner = [one_ion(0.0), one_ion(0.0, 2.0), one_ion(1.0, 2.0)]
    images = initial_images(corner[0], corner[-1], 4, corner)
    places = [[0, 0], [0, 0.6], [0, 1.2], [0, 1.8], [0.4, 2.0], [1.0, 2.0]]
    np.testing.assert_allclose([a.positions[0, :2] for a in images], places, atol=1e-12)
    straight = initial_images(corner[0], corner[-1], 1)
    np.testing.assert_allclose(straight[1].positions[0], [0.5, 1.0, 0.0])


def test_reversed_band_has_the_same_barriers():
    settings = BandSettings(fmax_eV_per_A=0.005, relax_fmax_eV_per_A=0.002)
    there = BandDriver(TwoSaddles, settings).run(one_ion(0), one_ion(3.0), [one_ion(1.4)], 0)
    back = BandDriver(TwoSaddles, settings).run(one_ion(3.0), one_ion(0), [one_ion(1.6)], 0)
    highest = [max(p.energy for p in r.points) for r in (there, back)]
    assert highest[0] == pytest.approx(highest[1], abs=1e-4)


def test_trial_that_falls_back_into_an_end_is_dropped_and_said():
    settings = BandSettings(relax_fmax_eV_per_A=0.002)
    result = BandDriver(TwoSaddles, settings).run(one_ion(0), one_ion(1.5), [one_ion(0.3)], 0)
    assert not [p for p in result.points if p.kind == "minimum"]
    assert any("back into an end" in n for n in result.notes)


class Uneven(Calculator):
    """One ion in E = h(g) sin^2(pi g(x)) + k (y^2 + z^2)/2: minima at x = 0, 1, 2 and 8, the last wall narrow."""

    implemented_properties = ("energy", "forces")
    WALL_eV, CENTRE_A, WIDTH_A = 0.9, 6.6, 0.35

    def along(self, x):
        """Energy along x, with a narrow wall on the long way that few images step over."""
        g = PchipInterpolator([-1, 0, 1, 2, 8, 9], [-1, 0, 1, 2, 3, 4])(x)
        return 0.2 * np.sin(np.pi * g) ** 2 + self.WALL_eV * np.exp(-(((x - self.CENTRE_A) / self.WIDTH_A) ** 2))

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        x, y, z = self.atoms.positions[0]
        step = 1e-5
        slope = (self.along(x + step) - self.along(x - step)) / (2 * step)
        energy = float(self.along(x)) + y**2 + z**2
        self.results = {"energy": energy, "forces": np.array([[-slope, -2 * y, -2 * z]])}


def test_images_are_added_where_they_stand_too_far_apart():
    settings = BandSettings(fmax_eV_per_A=0.01, relax_fmax_eV_per_A=0.002)
    result = BandDriver(Uneven, settings).run(one_ion(0), one_ion(8.0), [one_ion(2.0, 0.1)], 0)
    assert [n for n in result.notes if n.startswith("segment 2: images stood up to 1.")]
    step = next(c for c in result.checks if c.name == "longest step between images")
    assert step.passed
    long_way = [p for p in result.points if 2.05 < p.atoms.positions[0, 0] < 7.9]
    assert len(long_way) > 3
    names = [c.name for c in result.checks]
    assert len(names) == len(set(names))
    x = np.linspace(2, 8, 60001)
    assert max(p.energy for p in result.points) == pytest.approx(float(Uneven().along(x).max()), abs=1e-3)


def test_unconverged_band_says_so():
    initial, final, mover, _ = vacancy("Cu", 2)
    result = BandDriver(EMT, BandSettings(max_steps=1)).run(initial, final, [], mover)
    assert not all(c.passed for c in result.checks)


def test_force_calls_are_counted():
    calls = []

    class Counted(TwoSaddles):
        def calculate(self, *args, **kwargs):
            calls.append(1)
            super().calculate(*args, **kwargs)

    result = BandDriver(Counted, BandSettings()).run(one_ion(0), one_ion(3.0), [], 0)
    assert result.force_calls == len(calls)


def test_ends_that_make_no_band_are_refused():
    a, b = one_ion(0), one_ion(3.0)
    with pytest.raises(BandInputError, match="same atoms"):
        check_ends(a, Atoms("Fe", positions=[[3, 0, 0]], cell=[20] * 3, pbc=True), 0, 0.3)
    with pytest.raises(BandInputError, match="same state"):
        check_ends(a, one_ion(0.1), 0, 0.3)
    flipped = b.copy()
    a.set_array("magmom", np.array([3.0]))
    flipped.set_array("magmom", np.array([-3.0]))
    with pytest.raises(BandInputError, match="magmom"):
        check_ends(a, flipped, 0, 0.3)
    del flipped.arrays["magmom"]
    with pytest.raises(BandInputError, match="only one of the two ends"):
        check_ends(a, flipped, 0, 0.3)
    del a.arrays["magmom"]
    charged = one_ion(3.0)
    charged.info["charge"] = 1.0
    with pytest.raises(BandInputError, match="charges 0 and 1 e"):
        check_ends(a, charged, 0, 0.3)
    with pytest.raises(BandInputError, match="outside 0 to 0"):
        check_ends(a, b, 4, 0.3)


def test_one_image_that_climbs_is_a_band():
    """ASE keeps no residual of the climbing image; with one image for each saddle there is no other."""
    settings = BandSettings(fmax_eV_per_A=0.005, relax_fmax_eV_per_A=0.002, images_per_segment=1)
    result = BandDriver(TwoSaddles, settings).run(one_ion(0), one_ion(3.0), [one_ion(1.4, 0.1)], 0)
    assert all(c.passed for c in result.checks if c.name.startswith("NEB residual"))
    saddles = [p.energy for p in result.points if p.kind == "saddle"]
    exact = [exact_extremum(TwoSaddles(), x, -1) for x in (0.75, 2.25)]
    assert saddles == pytest.approx(exact, abs=1e-3)
