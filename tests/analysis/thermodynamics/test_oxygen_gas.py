"""Oxygen potential: the reference table, an independent table, the exact pressure law, the inverses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from magnetoionics.analysis.thermodynamics.oxygen_gas import (
    delta_mu_O_eV,
    pressure_atm_for,
    temperature_K_for,
)
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K

# Rigid rotor and oscillator, 1 atm; within 10 meV of Reuter and Scheffler (10.1103/PhysRevB.65.035406).
TABLE_eV = {
    100: -0.075,
    200: -0.170,
    300: -0.274,
    400: -0.382,
    500: -0.495,
    600: -0.611,
    700: -0.729,
    800: -0.850,
    900: -0.974,
    1000: -1.099,
    1200: -1.354,
    1500: -1.749,
}
# Reuter and Scheffler's own numbers come from the JANAF tables: -[G - H(298)]/T in J/(mol K) at 1 bar.
JANAF = {300: 205.148, 500: 208.524, 1000: 220.875}
JANAF_H0_kJ = -8.683


@pytest.mark.parametrize(("temperature", "expected"), TABLE_eV.items())
def test_table_at_one_atmosphere(temperature, expected):
    # The table is rounded to 1 meV; harmonic against fundamental wavenumber is another 0.5 meV at 1500 K.
    assert delta_mu_O_eV(temperature) == pytest.approx(expected, abs=1.0e-3)


@pytest.mark.parametrize(("temperature", "function"), JANAF.items())
def test_measured_spectroscopy_table_at_one_bar(temperature, function):
    gibbs_kJ = -temperature * function / 1000 - JANAF_H0_kJ
    expected = gibbs_kJ / 96.4853321 / 2
    assert delta_mu_O_eV(temperature, 1 / 1.01325) == pytest.approx(expected, abs=1.5e-3)


def test_ultrahigh_vacuum_at_1000_K():
    assert delta_mu_O_eV(1000, 1e-10) == pytest.approx(-2.091, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(st.floats(50, 2000), st.floats(-30, 5))
def test_pressure_enters_as_half_kT_ln_p(temperature, decade):
    shift = delta_mu_O_eV(temperature, 10.0**decade) - delta_mu_O_eV(temperature)
    assert shift == pytest.approx(0.5 * BOLTZMANN_eV_PER_K * temperature * decade * np.log(10), abs=1e-12, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.floats(100, 2000), st.floats(-20, 2))
def test_inverses_return_what_went_in(temperature, decade):
    pressure = 10.0**decade
    potential = delta_mu_O_eV(temperature, pressure)
    assert pressure_atm_for(potential, temperature) == pytest.approx(pressure, rel=1e-8)
    assert temperature_K_for(potential, pressure) == pytest.approx(temperature, rel=1e-8)


def test_arrays_broadcast_and_scalars_stay_floats():
    grid = delta_mu_O_eV(np.array([300.0, 1000.0])[:, None], [1.0, 1e-5, 1e-10])
    assert grid.shape == (2, 3)
    assert grid[1, 2] == delta_mu_O_eV(1000, 1e-10)
    assert isinstance(delta_mu_O_eV(300), float)


def test_zero_temperature_is_the_zero_of_energy():
    assert delta_mu_O_eV(0.0, 1e-10) == 0.0
    assert abs(delta_mu_O_eV(1.0)) < 1e-3


def test_slope_is_minus_half_the_measured_entropy():
    # S(O2, 298.15 K, 1 bar) = 205.15 J/(mol K), the NIST WebBook's review value
    slope = (delta_mu_O_eV(298.65, 1 / 1.01325) - delta_mu_O_eV(297.65, 1 / 1.01325)) / 1.0
    assert -2 * slope * 96485.3321 == pytest.approx(205.15, abs=0.3)


@pytest.mark.parametrize("pressure", [0.0, -1.0, float("nan"), float("inf")])
def test_bad_pressure_is_refused(pressure):
    with pytest.raises(ValueError, match="pressure must be positive"):
        delta_mu_O_eV(300, pressure)


def test_bad_temperature_is_refused():
    with pytest.raises(ValueError, match="temperature"):
        delta_mu_O_eV(-1.0)
    with pytest.raises(ValueError, match="above 0 K"):
        pressure_atm_for(-1.0, 0.0)


def test_what_no_gas_reaches_is_refused():
    with pytest.raises(ValueError, match="no pressure reaches it"):
        pressure_atm_for(-2.7, 30)
    with pytest.raises(ValueError, match="no temperature between"):
        temperature_K_for(0.5)
    with pytest.raises(ValueError, match="no temperature between"):
        temperature_K_for(-10.0)
