"""Ions in equilibrium with a voltage: the isotherm's limits, Maxwell's plateau, and fits over a cycle."""

import math

import numpy as np
import pytest
from magnetoionics.analysis.device.intercalation import Isotherm, fit_isotherm
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K as KB

KT = KB * 298.15


def test_without_interaction_it_is_the_law_of_nernst():
    lone = Isotherm(middle_V=1.4)
    volts = np.array([1.3, 1.4, 1.45])
    assert lone.content(volts) == pytest.approx(1 / (1 + np.exp((volts - 1.4) / KT)))
    assert lone.content(1.4 - KT * math.log(3)) == pytest.approx(0.75)


def test_content_and_voltage_are_inverse_and_repulsion_spreads_them():
    film = Isotherm(middle_V=1.4, repulsion_eV=0.5)
    x = np.array([1e-6, 0.02, 0.3, 0.5, 0.9, 1 - 1e-6])
    assert film.content(film.voltage_V(x)) == pytest.approx(x, rel=1e-6)
    step = 1e-5
    slope = np.diff(film.voltage_V([0.5 - step, 0.5 + step]))[0] / (2 * step)
    assert slope == pytest.approx(-(0.5 + 4 * KT), rel=1e-6)


def test_an_overpotential_parts_the_branches():
    film = Isotherm(middle_V=1.4, repulsion_eV=0.3, overpotential_V=0.05)
    assert film.content(1.4 - 0.05, branch=1) == pytest.approx(0.5)
    assert film.content(1.4 + 0.05, branch=-1) == pytest.approx(0.5)
    assert film.content(1.4, branch=1) < 0.5 < film.content(1.4, branch=-1)


def test_attraction_beyond_4_kT_has_maxwells_plateau():
    """Areas above and below the plateau are equal; on it every content has one voltage."""
    film = Isotherm(middle_V=1.4, repulsion_eV=-6 * KT)
    assert film.two_phases
    x = np.linspace(1e-4, 1 - 1e-4, 20001)
    volts = film.voltage_V(x)
    flat = x[np.isclose(volts, 1.4, atol=1e-12)]
    poor = flat.min()
    assert math.log(poor / (1 - poor)) == pytest.approx(6 * (poor - 0.5), abs=0.01)
    assert 0.05 < poor < 0.1
    assert volts[x < poor].min() > 1.4 > volts[x > 1 - poor].max()
    with pytest.raises(ValueError, match="two phases"):
        film.content(1.4)
    assert not Isotherm(middle_V=1.4, repulsion_eV=-3.9 * KT).two_phases


def cycle(seed, noise=0.3):
    """Like Li in maghemite: 74 down to 54 Am2/kg between 1.7 and 1.1 V, in and out."""
    truth = Isotherm(
        middle_V=1.35, repulsion_eV=0.4, moment=74.0, per_ion=8.0, per_ion_squared=-28.0, overpotential_V=0.04
    )
    volts = np.concatenate([np.linspace(1.9, 1.0, 25), np.linspace(1.0, 1.9, 25)])
    branch = np.repeat([1.0, -1.0], 25)
    return truth, volts, branch, truth.moment_at(volts, branch) + np.random.default_rng(seed).normal(0, noise, 50)


def test_a_noisy_cycle_gives_its_isotherm_back_as_often_as_the_errors_say():
    names = ("middle_V", "repulsion_eV", "moment", "per_ion", "per_ion_squared", "overpotential_V")
    off = []
    for seed in range(40):
        truth, volts, branch, moment = cycle(seed)
        found = fit_isotherm(volts.tolist(), moment.tolist(), branch=branch.tolist(), names=names)
        off.append([(found.values[n] - getattr(truth, n)) / found.errors[n] for n in names])
    off = np.abs(off)
    assert (np.mean(off < 1, axis=0) > 0.68 - 0.22).all()
    assert (np.mean(off < 1, axis=0) < 0.68 + 0.22).all()
    assert (np.mean(off < 2, axis=0) > 0.95 - 0.11).all()


def test_too_few_points_say_what_they_leave_free():
    with pytest.raises(ValueError, match="only the difference of the moments"):
        fit_isotherm([1.7, 1.1], [74.0, 54.0])
    # Far from the step in the content only the ends are seen, not where it lies.
    flat = fit_isotherm([3.0, 3.1, 3.2, 3.3, 3.4], [74.0, 74.1, 73.9, 74.0, 74.05], start=Isotherm(middle_V=1.4))
    assert any("do not determine" in note for note in flat.notes)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"names": ("colour",)}, "no parameter of an isotherm"),
        ({"moment": [1.0, math.nan, 2.0, 3.0, 4.0]}, "finite"),
        ({"branch": [1.0]}, "branches"),
    ],
)
def test_bad_input_is_refused(wrong, said):
    given = {"voltage_V": [1.0, 1.2, 1.4, 1.6, 1.8], "moment": [1.0, 2.0, 3.0, 4.0, 5.0]} | wrong
    with pytest.raises(ValueError, match=said):
        fit_isotherm(**given)
