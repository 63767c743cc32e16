"""Barrier that a measured switching or retention time asks for: round trip, known times, the review's films."""

import math

import pytest
from magnetoionics.analysis.device.inverse import needed_barrier
from magnetoionics.analysis.kinetics.drift_laws import critical_field_V_per_m
from magnetoionics.analysis.kinetics.rates import barrier_for_retention_eV, rate_per_s
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K as KB


def test_retention_of_a_day_asks_for_what_the_rate_law_says():
    """1.07 eV at 300 K and 1e13/s."""
    found = needed_barrier(86400, 300, attempt_Hz=(1e13, 1e13))
    assert found.barrier_eV == pytest.approx(barrier_for_retention_eV(86400, 300, 1e13))
    assert found.barrier_eV == pytest.approx(1.07, abs=0.005)
    assert found.low_eV == found.high_eV == pytest.approx(found.barrier_eV)
    wide = needed_barrier(86400, 300)
    # A decade of the attempt frequency is kT ln 10 either way.
    assert wide.high_eV - wide.barrier_eV == pytest.approx(KB * 300 * math.log(10))


def test_the_barrier_gives_the_time_back():
    given = {
        "voltage_V": 4.0,
        "thickness_nm": (30.0, 30.0),
        "attempt_Hz": (1e13, 1e13),
        "other_layers_nm": [(2.0, 5.0)],
    }
    found = needed_barrier(230.0, 373.0, hops=5, **given)
    assert found.field_V_per_m == pytest.approx(4.0 / (30e-9 + 10 / 5 * 2e-9))
    rate = rate_per_s(found.barrier_eV - found.half_work_eV, 373.0, 1e13)
    assert 5 / rate == pytest.approx(230.0)
    assert found.low_eV <= found.barrier_eV <= found.high_eV


def test_two_temperatures_give_the_ratio_of_rates():
    """Co/GdOx at room temperature and 100 C in one field: the ratio of times is that of the Arrhenius law."""
    barrier = needed_barrier(1.0, 300.0, attempt_Hz=(1e13, 1e13)).barrier_eV
    ratio = rate_per_s(barrier, 373.0, 1e13) / rate_per_s(barrier, 300.0, 1e13)
    assert ratio == pytest.approx(math.exp(barrier / KB * (1 / 300 - 1 / 373)))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"time_s": 0.0}, "must be positive"),
        ({"thickness_nm": (5.0, 3.0)}, "ascending"),
        ({"attempt_Hz": (0.0, 1e13)}, "attempt_Hz from 0"),
    ],
)
def test_ranges_that_are_none_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        needed_barrier(**({"time_s": 1.0, "temperature_K": 300.0} | wrong))


CFO = {"thickness_nm": (20.0, 100.0), "charge_e": (1.0, 3.0)}
GDOX = {"thickness_nm": (3.0, 30.0), "charge_e": (1.0, 2.0), "distance_A": (2.5, 4.0)}


@pytest.mark.parametrize(
    ("measured", "barrier", "low", "high"),
    [
        ({"time_s": 1.0, "temperature_K": 300.0, "voltage_V": 3.0} | CFO, 0.79, 0.72, 0.90),
        ({"time_s": 86400.0, "temperature_K": 300.0}, 1.07, 1.01, 1.13),
        ({"time_s": 1.0, "temperature_K": 300.0, "voltage_V": 4.0} | CFO, 0.80, 0.72, 0.92),
        ({"time_s": 230.0, "temperature_K": 373.0, "voltage_V": 4.0} | GDOX, 1.23, 1.08, 1.74),
        ({"time_s": 270.0, "temperature_K": 373.0, "voltage_V": 4.0} | GDOX, 1.24, 1.08, 1.75),
    ],
    ids=["C2", "C8", "C10", "C16 down", "C16 up"],
)
def test_corners_of_the_ranges_of_the_reviews_films(measured, barrier, low, high):
    """By hand, C8: 0.02585 ln(1e13 x 86400) = 1.067 eV."""
    found = needed_barrier(**measured)
    assert [found.barrier_eV, found.low_eV, found.high_eV] == pytest.approx([barrier, low, high], abs=0.006)


def test_published_fields_of_nitrides_ask_for_barriers_that_no_vacancy_has():
    """The table of published films in docs/howto_device.md; 5.3 V/nm by hand: 0.02585 ln 1e13 + 3 x 3 x 0.53/2 eV."""
    for field_V_per_m, barrier in ((5.3e9, 3.16), (6.6e9, 3.74), (5.03e8, 1.0)):
        found = critical_field_V_per_m(barrier, 3 * 3.0 / 2, 300.0)
        assert found == pytest.approx(field_V_per_m, rel=0.005)
