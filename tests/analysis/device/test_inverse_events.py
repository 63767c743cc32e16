"""Several times of one film: round trip, what they leave free, contradictions; the table of docs/howto_device.md."""

import math

import numpy as np
import pytest
from magnetoionics.analysis.device.inverse import needed_barrier
from magnetoionics.analysis.device.inverse_events import SwitchingEvent, fit_events
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K as KB
from pydantic import ValidationError

SHARP = {"charge_e": (2.0, 2.0), "distance_A": (3.0, 3.0), "attempt_Hz": (1e13, 1e13), "permittivity": (10.0, 10.0)}


def made(barrier, thickness, volts, kelvin, asymmetry=0.0, others=0.0, hops=1):
    """Mean time of a film, from the law itself."""
    field = abs(volts) / (10 * (thickness + 10.0 * others))
    height = barrier + np.sign(volts) * asymmetry / 2 - 2.0 * 3.0 * field / 2
    return hops * math.exp(height / (KB * kelvin)) / 1e13


def test_barrier_thickness_and_asymmetry_come_back_from_their_times():
    given = ((0.0, 300.0), (4.0, 300.0), (-4.0, 300.0), (2.0, 350.0))
    events = [
        SwitchingEvent(time_s=made(0.95, 12.0, v, t, 0.04), temperature_K=t, voltage_V=v, error_decades=0.02)
        for v, t in given
    ]
    found = fit_events(events, SHARP)
    low, middle, high = found.barrier_eV
    assert low < middle < high
    assert middle == pytest.approx(0.95, abs=0.003)
    assert found.remains["thickness_nm"][1] == pytest.approx(12.0, rel=0.02)
    assert found.asymmetry_eV[1] == pytest.approx(0.04, abs=0.004)
    assert found.free == []
    assert found.misfit_decades < 0.02
    # Twice the thickness needs twice the field: the half work of 4 V is 0.1 eV here, and barriers follow it.
    assert found.per_doubling_eV["thickness_nm"] < 0


def test_one_time_gives_the_barrier_of_the_closed_form_and_leaves_the_rest():
    event = SwitchingEvent(time_s=230.0, temperature_K=373.0, voltage_V=-4.0, error_decades=0.01, hops=3)
    found = fit_events([event], SHARP | {"thickness_nm": (30.0, 30.0)}, other_layers_nm=[(2.0, 5.0)])
    fixed = SHARP | {"thickness_nm": (30.0, 30.0)}
    closed = needed_barrier(230.0, 373.0, voltage_V=4.0, hops=3, other_layers_nm=[(2.0, 5.0)], **fixed)
    assert found.barrier_eV[1] == pytest.approx(closed.barrier_eV, abs=1e-3)
    assert found.asymmetry_eV is None
    wide = fit_events([event], {"thickness_nm": (3.0, 30.0)})
    assert set(wide.free) == {"thickness_nm", "permittivity", "charge_e", "distance_A", "attempt_Hz"}
    assert wide.notes[0].startswith("the times leave free: thickness_nm (-")
    # kT ln 2 for twice the attempts.
    assert wide.per_doubling_eV["attempt_Hz"] == pytest.approx(KB * 373 * math.log(2), abs=3e-3)


def test_permittivity_matters_only_with_further_layers():
    """It decides how much of the voltage the film has."""
    times = [(0.0, 300.0), (4.0, 300.0), (8.0, 300.0)]
    events = [
        SwitchingEvent(time_s=made(0.95, 12.0, v, t, 0.0, 0.5), temperature_K=t, voltage_V=v, error_decades=0.02)
        for v, t in times
    ]
    ranges = SHARP | {"permittivity": (2.0, 50.0), "thickness_nm": (12.0, 12.0)}
    assert fit_events(events, ranges, other_layers_nm=[(2.0, 4.0)]).remains["permittivity"][1] == pytest.approx(
        10.0, rel=0.05
    )
    assert fit_events(events, ranges).free == ["permittivity"]


@pytest.mark.slow
def test_the_truth_lies_between_the_ends_as_often_as_they_say():
    """68 % of films drawn from the ranges, with times that err as stated."""
    rng, inside, films = np.random.default_rng(0), 0, 60
    for n in range(films):
        barrier, thickness = rng.uniform(0.7, 1.1), 5 * 20 ** rng.random()
        events = []
        for v, t in ((0.0, 300.0), (3.0, 300.0), (-3.0, 330.0)):
            time = made(barrier, thickness, v, t) * 10 ** rng.normal(0, 0.2)
            events.append(SwitchingEvent(time_s=time, temperature_K=t, voltage_V=v, error_decades=0.2))
        found = fit_events(events, SHARP, seed=n)
        low, _, high = found.remains["thickness_nm"]
        inside += low <= thickness <= high
    assert 0.68 - 0.19 <= inside / films <= 0.68 + 0.19


CFO = {"thickness_nm": (20.0, 100.0)}
C2 = [SwitchingEvent(time_s=1.0, temperature_K=300.0, voltage_V=v, share=0.7, error_decades=1.0) for v in (-3.0, 3.0)]
C8 = [SwitchingEvent(time_s=86400.0, temperature_K=300.0)]
C10 = [SwitchingEvent(time_s=1.0, temperature_K=300.0, voltage_V=v, error_decades=1.0) for v in (-4.0, 4.0)]
C12 = [SwitchingEvent(time_s=1.0, temperature_K=300.0, hops=345, error_decades=1.0)]
C16 = [
    SwitchingEvent(time_s=s, temperature_K=373.0, voltage_V=v, error_decades=0.1)
    for v, s in ((-4.0, 230.0), (4.0, 270.0))
]


@pytest.mark.parametrize(
    ("events", "ranges", "row"),
    [
        (C2, CFO, "0.79 (0.73 to 0.85)"),
        (C8, CFO, "1.07 (1.03 to 1.11)"),
        (C2 + C8, {"thickness_nm": (0.5, 100.0)}, "1.07 (1.03 to 1.11)"),
        (C10, CFO, "0.80 (0.75 to 0.86)"),
        (C12, {"charge_e": (1.0, 1.0)}, "0.62 (0.55 to 0.69)"),
        (C16, {"thickness_nm": (3.0, 30.0), "charge_e": (1.0, 2.0)}, "1.24 (1.17 to 1.35)"),
    ],
    ids=["C2", "C8", "C2 and C8", "C10", "C12", "C16"],
)
def test_the_table_of_the_page(events, ranges, row, repository):
    """By hand, C8: 0.02585 ln(1e13 x 86400) = 1.07 eV."""
    low, middle, high = fit_events(events, ranges).barrier_eV
    assert f"{middle:.2f} ({low:.2f} to {high:.2f})" == row
    assert f"| {row} |" in (repository / "docs" / "howto_device.md").read_text(encoding="utf-8")


def test_a_film_that_is_written_in_a_second_and_keeps_a_day_is_thin_or_has_a_large_local_field():
    """By hand: half the work makes up for kT ln(86400 x 1.2) = 0.30 eV, so that q a V/t = 0.6 eV: 3 nm for 2 e."""
    apart = fit_events(C2 + C8, CFO)
    assert apart.misfit_decades > 2
    assert any("no film within these ranges" in note for note in apart.notes)
    thin = fit_events(C2 + C8, {"thickness_nm": (0.5, 100.0)})
    assert thin.remains["thickness_nm"][1] == pytest.approx(2.9, abs=0.1)
    assert "thickness_nm" not in thin.free
    local = fit_events(C2 + C8, CFO | {"local_field_factor": (1.0, 100.0)})
    assert local.remains["local_field_factor"][1] == pytest.approx(16, abs=1)


@pytest.mark.parametrize(
    ("events", "ranges", "said"),
    [
        ([], {}, "one or more"),
        (C8, {"colour": (1.0, 2.0)}, "no quantity of a film"),
        (C8, {"thickness_nm": (30.0, 3.0)}, "ascending"),
        (C8, {"thickness_nm": (1.0, math.inf)}, "finite"),
        (C8, {"charge_e": (math.nan, 2.0)}, "positive"),
    ],
)
def test_what_cannot_be_fitted_is_refused(events, ranges, said):
    with pytest.raises(ValueError, match=said):
        fit_events(events, ranges)


@pytest.mark.parametrize("wrong", [{"time_s": 0.0}, {"time_s": math.inf}, {"share": 1.0}, {"hops": 0}])
def test_events_that_are_none_are_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        SwitchingEvent(**({"time_s": 1.0, "temperature_K": 300.0} | wrong))
