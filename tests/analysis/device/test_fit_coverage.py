"""Fits to noisy curves of every kind: the truth lies within the stated errors as often as they say."""

import numpy as np
import pytest
from magnetoionics.analysis.device.ensemble import EnsembleParameters, contrast_after, contrasts_after
from magnetoionics.analysis.device.ensemble_fit import Measurement, fit_curve

SEEDS, POINTS, NOISE = 30, 17, 0.02
TRUTH = EnsembleParameters(barrier_eV=0.73, charge_e=2.0, distance_A=2.9, thickness_m=2e-8)


def noisy(how, x, seed, truth=TRUTH):
    signal = how.signal(truth, x.tolist())
    level = 5.0 if how.quantity == "offset and contrast" else 0.0
    size = 7 / np.abs(signal).max()
    return (level + size * signal + np.random.default_rng(seed).normal(0, 7 * NOISE, len(x))).tolist()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("against", "quantity", "x"),
    [
        ("time_s", "contrast", np.geomspace(1e-3, 3e2, POINTS)),
        ("time_s", "current", np.geomspace(1e-3, 1.0, POINTS)),
        ("wait_s", "contrast", np.geomspace(1e-3, 3e2, POINTS)),
        ("temperature_K", "offset and contrast", np.linspace(220, 400, POINTS)),
        ("voltage_V", "contrast", np.linspace(-4, 4, POINTS)),
        ("voltage_V", "current", np.linspace(-4, 4, POINTS)),
        ("voltage_V", "offset and contrast", np.linspace(-4, 4, POINTS)),
    ],
)
def test_the_truth_lies_within_the_stated_errors_as_often_as_they_say(against, quantity, x):
    """68 % of the time within one error and within the interval, 95 % within two, over many seeds of the noise."""
    how = Measurement(against=against, quantity=quantity, pulse_s=0.1, voltage_V=2.0)
    start, off, held = TRUTH.model_copy(update={"barrier_eV": 0.70}), [], []
    for seed in range(SEEDS):
        y = noisy(how, x, seed)
        fit = fit_curve(start, how, x.tolist(), y, ["barrier_eV"], sigma=np.full(POINTS, 7 * NOISE))
        off.append((fit.values["barrier_eV"] - TRUTH.barrier_eV) / fit.errors["barrier_eV"])
        low, high = fit.intervals["barrier_eV"]
        held.append(low <= TRUTH.barrier_eV <= high)
        assert low < fit.values["barrier_eV"] < high
    off = np.abs(off)
    # Three deviations of a binomial of 30.
    assert 0.68 - 0.26 <= np.mean(off < 1) <= 0.68 + 0.26
    assert 0.68 - 0.26 <= np.mean(held) <= 0.68 + 0.26
    assert np.mean(off < 2) >= 0.95 - 0.12
    assert np.mean(off < 1) < 1


def test_at_the_ends_of_an_interval_the_squares_are_larger_by_a_variance():
    """All other parameters refitted there; Student's factor of 14 degrees of freedom is 1.038 (tables: 1.04)."""
    how, x = Measurement(pulse_s=0.1), np.linspace(-4, 4, POINTS)
    y = noisy(how, x, 1)
    fit = fit_curve(TRUTH, how, x.tolist(), y, ["barrier_eV", "local_field_factor"])
    least = POINTS * fit.residual_rms**2
    assert np.diff(fit.intervals["local_field_factor"])[0] == pytest.approx(
        2 * fit.errors["local_field_factor"], rel=0.3
    )
    for end in fit.intervals["local_field_factor"]:
        held = fit_curve(TRUTH.model_copy(update={"local_field_factor": end}), how, x.tolist(), y, ["barrier_eV"])
        more = (POINTS * held.residual_rms**2 - least) / (least / (POINTS - 3))
        assert more == pytest.approx(1.038**2, rel=0.05)


@pytest.mark.parametrize(
    ("names", "held"),
    [
        (["local_field_factor", "thickness_m"], {"local_field_factor", "thickness_m"}),
        (["charge_e", "distance_A", "barrier_eV"], {"charge_e", "distance_A"}),
        (["barrier_eV", "attempt_Hz"], {"barrier_eV", "attempt_Hz"}),
    ],
)
def test_what_the_data_leave_free_is_named(names, held):
    """Only q d f/t and E - kT ln(nu) enter at one temperature."""
    how, x = Measurement(pulse_s=0.1), np.linspace(-4, 4, POINTS)
    y = noisy(how, x, 0)
    fit = fit_curve(TRUTH, how, x.tolist(), y, names)
    (note,) = [n for n in fit.notes if "do not determine" in n]
    assert all(name in note for name in held)
    assert {n for n in names if np.isinf(fit.errors[n])} == held
    assert all(np.isfinite(fit.errors[n]) for n in set(names) - held)


def test_a_curve_of_temperatures_tells_barrier_and_attempts_apart():
    how, x = Measurement(against="temperature_K", pulse_s=0.1, voltage_V=2.0, wait_s=0.01), np.linspace(200, 400, 33)
    y = noisy(how, x, 0)
    fit = fit_curve(TRUTH, how, x.tolist(), y, ["barrier_eV", "attempt_Hz"])
    assert all(np.isfinite(list(fit.errors.values())))
    assert fit.values["barrier_eV"] == pytest.approx(0.73, abs=3 * fit.errors["barrier_eV"])


def test_many_films_at_once_are_each_by_itself():
    volts, times = np.array([-1.0, 0.5, 2.0]), np.array([0.1, 1.0, 0.01])
    film = TRUTH.model_copy(update={"texture_deg": 10.0, "barrier_spread_eV": 0.05})
    together = contrasts_after(film, [(volts, times), (0.0, 0.3)])
    for k, (v, t) in enumerate(zip(volts, times, strict=True)):
        alone = contrast_after(film, [(v, t), (0.0, 0.3)])
        assert [c[k] for c in together] == pytest.approx(alone, rel=1e-12)
