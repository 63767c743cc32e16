"""Rates and retention against closed forms."""

import numpy as np
import pytest
from magnetoionics.analysis.kinetics.rates import (
    barrier_for_retention_eV,
    format_duration,
    miscut_ratio,
    miscut_ratio_of_all_families,
    rate_per_s,
    retention_s,
    two_state_population,
)
from magnetoionics.analysis.kinetics.retention import Retention, retention
from magnetoionics.analysis.results.document import Provenance
from scipy.integrate import solve_ivp


@pytest.mark.parametrize(
    ("barrier", "seconds"),
    [
        (0.5, 25e-6),
        (0.6, 1.20e-3),
        (0.7, 57e-3),
        (0.8, 2.75),
        (0.9, 132),
        (1.0, 6.3e3),
        (1.1, 3.0e5),
        (1.2, 1.44e7),
    ],
)
def test_retention_at_room_temperature(barrier, seconds):
    assert retention_s(barrier, 300) == pytest.approx(seconds, rel=0.02)


def test_barriers_for_a_day_and_ten_years():
    assert barrier_for_retention_eV(86400, 300) == pytest.approx(1.07, abs=0.005)
    assert barrier_for_retention_eV(3.156e8, 300) == pytest.approx(1.28, abs=0.005)
    assert retention_s(barrier_for_retention_eV(1234.0, 410, 2e12), 410, 2e12) == pytest.approx(1234.0)


def test_two_state_population_solves_its_rate_equation():
    up, down = 3.0, 1.2
    times = np.linspace(0, 2, 9)
    exact = solve_ivp(lambda t, p: up * (1 - p) - down * p, (0, 2), [0.1], t_eval=times, rtol=1e-10, atol=1e-12)
    assert np.allclose(two_state_population(times, 0.1, up, down), exact.y[0], atol=1e-8)


def test_detailed_balance():
    t, forward, backward = 350.0, 0.55, 0.70
    ratio = rate_per_s(forward, t) / rate_per_s(backward, t)
    share = 1 / (1 + np.exp((forward - backward) / (8.617333262e-5 * t)))
    assert two_state_population(1e9, 0.0, ratio, 1.0) == pytest.approx(share)


def test_retention_document_is_consistent_with_its_barrier():
    doc = retention(0.6, Provenance(engine="local", level_of_theory="local"))
    assert doc.attempt_frequency_source == "assumed"
    point = next(p for p in doc.points if p.temperature_K == 300)
    assert point.retention_s == doc.at(300)
    assert point.retention_s == pytest.approx(1.2e-3, rel=0.02)


def test_impossible_input_is_refused():
    with pytest.raises(ValueError, match="temperature -1"):
        rate_per_s(0.5, -1)
    with pytest.raises(ValueError, match="attempt frequency 0"):
        rate_per_s(0.5, 300, 0)
    with pytest.raises(ValueError, match="negative"):
        retention(-0.1, Provenance(engine="local", level_of_theory="local"))
    with pytest.raises(ValueError, match="outside 0 to 1"):
        two_state_population(1.0, 1.5, 1, 1)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1.2e-3, "1.2 ms"),
        (25e-6, "25 µs"),
        (2.75, "2.8 s"),
        (86400 * 3.4, "3.4 days"),
        (3.2e8, "10 years"),
        (0.0567, "57 ms"),
        (3.15e13, "1e+06 years"),
        (6.5e81, "over 1e10 years"),
    ],
)
def test_durations_read_well(seconds, text):
    assert format_duration(seconds) == text


def rates_in_field(barrier_eV, half_work_eV, temperature_K):
    return tuple(rate_per_s(barrier_eV - sign * half_work_eV, temperature_K) for sign in (1, -1))


def test_half_work_equals_the_thermal_energy_at_871_MV_per_m():
    """Z = 2, d = 2.967 A at 300 K: there the rates along and against the field differ by e^2."""
    up, down = rates_in_field(0.6, 8.71e7 * 2.967e-10, 300)
    assert up / down == pytest.approx(np.e**2, rel=2e-3)
    assert up * down == pytest.approx(rate_per_s(0.6, 300) ** 2, rel=1e-12)
    up, down = rates_in_field(0.6, 4e7 * 2.967e-10, 300)
    assert two_state_population(1e9, 0.0, up, down) == pytest.approx(0.7147, abs=5e-5)


@pytest.mark.parametrize("angle", [0.0, 8.9, 36.6, 60.0, 120.0])
def test_miscut_ratio_is_the_ratio_of_net_rates(angle):
    """C10's angles: the net rate k+ - k- of each film from its own field component."""
    half = 0.02
    up, down = rates_in_field(0.6, half, 300)
    cut_up, cut_down = rates_in_field(0.6, half * np.cos(np.radians(angle)), 300)
    assert miscut_ratio(angle, 2 * half, 300) == pytest.approx((cut_up - cut_down) / (up - down), rel=1e-9)


def test_miscut_ratio_limits():
    assert miscut_ratio(36.6, 1e-9, 300) == pytest.approx(np.cos(np.radians(36.6)), rel=1e-9)
    assert miscut_ratio(36.6, 0.0, 300) == pytest.approx(np.cos(np.radians(36.6)))
    assert miscut_ratio(90, 0.5, 300) == pytest.approx(0, abs=1e-12)
    strong = 100.0
    kT = 300 * 8.617333e-5
    assert np.log(miscut_ratio(36.6, strong, 300)) == pytest.approx(
        strong / (2 * kT) * (np.cos(np.radians(36.6)) - 1), rel=1e-5
    )


def test_times_beyond_a_float_are_infinite_and_survive_a_file():
    doc = retention(5.0, Provenance(engine="local", level_of_theory="local"))
    cold = next(p for p in doc.points if p.temperature_K == 77)
    assert cold.retention_s == np.inf
    assert format_duration(cold.retention_s) == "beyond reckoning"
    assert Retention.model_validate_json(doc.model_dump_json()) == doc


def test_miscut_does_nothing_where_all_families_hop_alike():
    """Sum of cos^2 over the six <110> axes is 2 in every direction; strong fields single out the nearest axis."""
    low, high = miscut_ratio_of_all_families([0.0, 8.9, 36.6, 60.0], 1e-4, 300.0)
    assert np.allclose([low, high], 1, atol=1e-5)
    low, high = miscut_ratio_of_all_families([36.6], 2.0, 300.0)
    # Tilted towards [101] the field comes to within 23.4 degrees of it.
    x = 2.0 / (2 * 8.617333262e-5 * 300)
    nearest = np.cos(np.radians(60 - 36.6))
    assert high[0] == pytest.approx(nearest * np.exp(x * (nearest - 1)), rel=0.2)
    assert low[0] < high[0] / 5
