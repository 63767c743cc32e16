"""Degree of inversion of a spinel: measured equilibria of two spinels with their published enthalpies."""

import numpy as np
import pytest
from magnetoionics.analysis.defects.inversion import inversion_degree
from magnetoionics.structures.units import EV_PER_KJ_PER_MOL


@pytest.mark.parametrize(
    ("alpha", "beta", "celsius", "measured"),
    [
        # MgFe2O4: O'Neill, Annersten and Virgo, American Mineralogist 77 (1992) 725.
        (26.6, -21.7, 450, 0.90),
        (26.6, -21.7, 1100, 0.72),
        # CoAl2O4: O'Neill, European Journal of Mineralogy 6 (1994) 603.
        (45.3, -18.3, 750, 0.11),
        (45.3, -18.3, 1200, 0.25),
    ],
)
def test_published_enthalpies_give_the_measured_inversion(alpha, beta, celsius, measured):
    """Their own fits pass the single points by 0.01 to 0.015."""
    energy = (alpha + beta) * EV_PER_KJ_PER_MOL
    found = inversion_degree(energy, celsius + 273.15, quadratic_eV=beta * EV_PER_KJ_PER_MOL)
    assert found == pytest.approx(measured, abs=0.015)


def test_random_ions_where_nothing_costs_energy():
    assert inversion_degree(0.0, 1000.0) == pytest.approx(2 / 3, abs=1e-9)
    assert inversion_degree(0.0, 1.0) == pytest.approx(2 / 3, abs=1e-9)


def test_law_of_mass_action_and_both_ends():
    for energy in (-0.2, -0.05, 0.05, 0.2):
        x = inversion_degree(energy, 900.0)
        assert np.log(x * x / ((1 - x) * (2 - x))) == pytest.approx(-energy / (8.617333e-5 * 900.0), rel=1e-6)
    assert inversion_degree(-5.0, 10.0) == pytest.approx(1.0)
    # x**2 = 2 exp(-E / kT), far below what 1 - x could still show.
    assert inversion_degree(1.0, 300.0) == pytest.approx(np.sqrt(2 * np.exp(-1.0 / (8.617333e-5 * 300.0))), rel=1e-4)


def test_of_two_minima_the_lower_one():
    """A strongly concave enthalpy: nearly normal and nearly inverse are both metastable."""
    normal, inverse = (inversion_degree(energy, 600.0, quadratic_eV=-0.6) for energy in (0.15, -0.15))
    assert normal < 0.05
    assert inverse > 0.95


@pytest.mark.parametrize(("energy", "temperature"), [(np.nan, 300), (0.1, 0), (0.1, np.inf), (11, 300), (0.1, np.nan)])
def test_absurd_input_is_named(energy, temperature):
    with pytest.raises(ValueError, match="must be"):
        inversion_degree(energy, temperature)
