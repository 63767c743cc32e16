"""Solid solutions of known ends: enthalpies on their line, less the ideal entropy of mixing."""

import math

import pytest
from magnetoionics.analysis.defects.host_window import experimental_window
from magnetoionics.analysis.thermodynamics.phases import load_experimental_phases
from magnetoionics.analysis.thermodynamics.solid_solutions import FIRED_K, estimated_enthalpies, solid_solution
from magnetoionics.analysis.thermodynamics.temperature import window_at
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K as KB

SPINELS = load_experimental_phases(["Fe", "Co", "O"])
EV = {p.formula: p.formation_energy_eV for p in SPINELS}


def mixing_eV(*amounts):
    whole = sum(amounts)
    return -KB * FIRED_K * sum(n * math.log(whole / n) for n in amounts)


def test_the_energy_lies_below_the_line_by_the_entropy_of_mixing():
    found = solid_solution("Fe5CoO8", SPINELS)
    assert found.formation_energy_eV == pytest.approx(EV["Fe3O4"] + EV["CoFe2O4"] + mixing_eV(1, 1), abs=1e-9)
    # Twice k ln 2 at 1273 K.
    assert found.formation_energy_eV - EV["Fe3O4"] - EV["CoFe2O4"] == pytest.approx(-0.1521, abs=1e-4)
    more = solid_solution("Co3Fe3O8", SPINELS)
    ends = 1.5 * EV["CoFe2O4"] + 0.5 * EV["Co3O4"]
    assert more.formation_energy_eV == pytest.approx(ends + mixing_eV(1.5, 0.5), abs=1e-9)
    assert found.uncertainty_eV > 0.1


@pytest.mark.parametrize("x", [1 / 8, 0.25, 0.5, 0.75, 1.25, 1.5])
def test_every_ferrite_of_cobalt_has_a_window_at_every_temperature(x):
    formula = f"Fe{round(8 * (3 - x))}Co{round(8 * x)}O32"
    window, reason = experimental_window(formula)
    assert not reason
    assert window.delta_mu_O_min_eV < window.delta_mu_O_max_eV - 0.3
    assert "entropy of ideal mixing" in estimated_enthalpies(window.phases)[0]
    for kelvin in (300.0, 900.0, 1273.0):
        warm = window_at(window, kelvin)
        assert warm.delta_mu_O_min_eV < warm.delta_mu_O_max_eV


def test_a_dilute_end_has_the_window_of_that_end():
    dilute, _ = experimental_window("Fe2999CoO4000")
    pure, _ = experimental_window("Fe3O4")
    assert dilute.delta_mu_O_min_eV == pytest.approx(pure.delta_mu_O_min_eV, abs=0.01)
    assert dilute.delta_mu_O_max_eV == pytest.approx(pure.delta_mu_O_max_eV, abs=0.01)


@pytest.mark.parametrize("formula", ["CoFe2O4", "Fe3O4", "MnFe2O4", "LiFe5O8", "FeCoO3", "Zn3CoO4", "Fe2CoO5"])
def test_what_is_known_or_of_no_such_ends_is_not_mixed(formula):
    elements = [e for e in ("Mn", "Li", "Zn", "Fe", "Co", "O") if e in formula]
    assert solid_solution(formula, load_experimental_phases(elements)) is None
