"""Ensembles against the two-state law and closed forms; figures of merit and devices against known numbers."""

import numpy as np
import pytest
from magnetoionics.analysis.device.closed_forms import (
    CONDUCTANCE_QUANTUM_S,
    amr_resistance,
    effective_anisotropy_J_per_m3,
    julliere_tmr,
    reorientation_thickness_m,
    tunnel_attenuation,
)
from magnetoionics.analysis.device.ensemble import (
    EnsembleParameters,
    _Members,
    contrast_after,
    contrast_against_miscut,
    contrast_against_voltage,
    contrast_of_sequence,
    field_V_per_A,
)
from magnetoionics.analysis.device.ensemble_fit import Measurement, fit_contrast, fit_curve
from magnetoionics.analysis.device.figures_of_merit import (
    converse_magnetoelectric_s_per_m,
    energy_per_event_J,
    figures_of_merit,
    surface_anisotropy_coefficient_fJ_per_Vm,
    switching_time_s,
)
from magnetoionics.analysis.kinetics.rates import rate_per_s, retention_s, two_state_population
from magnetoionics.analysis.plots.ensemble import plot_curve, plot_fit
from magnetoionics.analysis.plots.text import named_value
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K

FILM = EnsembleParameters(barrier_eV=0.6, charge_e=2.0, distance_A=2.967, thickness_m=1e-8)


def test_one_kind_of_ion_is_the_two_state_law():
    volts, time = 0.4, 1e-4
    half = 2 * 2.967 / 2 * volts / 1e-8 * 1e-10
    rates = (rate_per_s(0.6 - half, 300.0), rate_per_s(0.6 + half, 300.0))
    expected = 2 * two_state_population(time, 0.5, *rates) - 1
    assert contrast_after(FILM, [(volts, time)])[0] == pytest.approx(float(expected), rel=1e-12)


def mean_contrast(p, volts):
    """Mean of cos(theta) tanh[(w cos(theta) - asymmetry) / 2kT]."""
    members = _Members(p)
    work = p.charge_e * p.distance_A * field_V_per_A(volts, p) * members.cosine - p.asymmetry_eV
    return np.sum(members.weight * members.cosine * np.tanh(work / (2 * BOLTZMANN_eV_PER_K * p.temperature_K)))


def test_long_pulses_reach_equilibrium_and_its_closed_form():
    # 4e7 V/m: work 0.02374 eV, occupation .7147 as tabulated.
    volts = 4e7 * 1e-8
    assert contrast_after(FILM, [(volts, 1e3)])[0] == pytest.approx(2 * 0.7147 - 1, abs=2e-4)
    spread = FILM.model_copy(update={"barrier_spread_eV": 0.05, "texture_deg": 15.0, "miscut_deg": 10.0})
    assert contrast_after(spread, [(volts, 1e30)])[0] == pytest.approx(mean_contrast(spread, volts), rel=1e-9)


def test_contrast_is_odd_in_the_voltage_and_monotone():
    volts = [-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0]
    y = np.array(contrast_against_voltage(FILM, volts, 1e-6).y)
    assert np.allclose(y, -y[::-1], atol=1e-12)
    assert y[3] == 0
    assert (np.diff(y) >= 0).all()


def test_pulse_train_is_reversible():
    kept = FILM.model_copy(update={"barrier_eV": 1.1, "thickness_m": 2e-9})
    y = contrast_of_sequence(kept, [0, -4, 0, 4, 0, -4], pulse_s=1.0).y
    assert y[0] == pytest.approx(0, abs=1e-9)
    assert y[1:3] == pytest.approx([-1, -1], abs=1e-3)
    assert y[3:5] == pytest.approx([1, 1], abs=1e-3)
    assert y[5] == pytest.approx(-1, abs=1e-3)


def test_contrast_falls_with_miscut_and_vanishes_at_a_right_angle():
    y = contrast_against_miscut(FILM, [0, 8.9, 36.6, 90], 0.4, 1e-4).y
    assert y[0] > y[1] > y[2] > 0
    assert y[3] == pytest.approx(0, abs=1e-12)


def test_texture_lowers_the_contrast_and_conserves_weight():
    rough = FILM.model_copy(update={"texture_deg": 20.0})
    saturated = contrast_after(rough, [(400.0, 1.0)])[0]
    assert 0.8 < saturated < 1
    assert contrast_after(FILM, [(400.0, 1.0)])[0] == pytest.approx(1.0)


def test_fit_recovers_known_parameters_within_their_errors():
    truth = FILM.model_copy(update={"barrier_eV": 0.62, "local_field_factor": 1.3})
    volts = np.linspace(-3, 3, 25)
    rng = np.random.default_rng(0)
    data = 35 * np.array(contrast_against_voltage(truth, volts.tolist(), 1e-5).y) + rng.normal(0, 0.2, 25)
    fit = fit_contrast(FILM, volts.tolist(), data.tolist(), 1e-5)
    for name, value in (("barrier_eV", 0.62), ("local_field_factor", 1.3)):
        assert abs(fit.values[name] - value) < 4 * fit.errors[name]
        assert fit.errors[name] < 0.1 * value
    assert abs(fit.scale - 35) < 4 * fit.scale_error
    figure = plot_fit(fit, volts.tolist(), data.tolist(), 1e-5)
    assert "Fitted" in figure.axes[0].texts[0].get_text()


def test_fit_says_when_data_do_not_determine_the_parameters():
    fit = fit_contrast(FILM, [100, 120, 140, 160, 180], [5.0] * 5, 1.0)
    assert np.isinf(fit.errors["barrier_eV"])
    assert fit.notes
    with pytest.raises(ValueError, match="cannot determine"):
        fit_contrast(FILM, [1, 2], [0.1, 0.2], 1.0)
    with pytest.raises(ValueError, match="no ensemble parameters"):
        fit_contrast(FILM, [1, 2, 3, 4], [0.1] * 4, 1.0, ["colour"])


def test_fit_says_when_the_curve_does_not_describe_the_data():
    """A parabola is no two-state curve; noise of the stated size is."""
    volts = np.linspace(-3, 3, 25)
    law = 35 * np.array(contrast_against_voltage(FILM, volts.tolist(), 1e-5).y)
    noise = np.random.default_rng(6).normal(0, 0.2, 25)
    good = fit_contrast(FILM, volts.tolist(), (law + noise).tolist(), 1e-5, sigma=[0.2] * 25)
    bad = fit_contrast(FILM, volts.tolist(), (volts**2).tolist(), 1e-5, sigma=[0.2] * 25)
    assert 0.3 < good.reduced_chi_squared < 2
    assert good.notes == []
    assert bad.reduced_chi_squared > 5
    assert any("does not describe the data" in note for note in bad.notes)
    assert fit_contrast(FILM, volts.tolist(), law.tolist(), 1e-5).reduced_chi_squared is None


def test_every_assumption_is_listed_beside_the_curve():
    figure = plot_curve(contrast_against_voltage(FILM, [-1, 0, 1], 1e-3))
    text = figure.axes[0].texts[0].get_text()
    for name, value in FILM.model_dump().items():
        assert named_value(name, value) in text
    with pytest.raises(ValueError, match="positive"):
        EnsembleParameters(barrier_eV=-1, charge_e=2.0, distance_A=2.967)


def test_figures_of_merit():
    # One Bohr magneton per 100 A^3 is 92740 A/m; times mu0 over 1e8 V/m.
    assert converse_magnetoelectric_s_per_m(1, 100, 1e8) == pytest.approx(1.16541e-9, rel=1e-4)
    # 1 meV on 10 A^2 is 1.602 mJ/m^2; over 1e9 V/m it is 1602 fJ/(V m).
    assert surface_anisotropy_coefficient_fJ_per_Vm(1, 10, 1e9) == pytest.approx(1602.18, rel=1e-5)
    assert switching_time_s(0.6, 0, 300, 2.0, 2.967) == pytest.approx(retention_s(0.6, 300))
    assert energy_per_event_J(1e8, 2.0, 2.967) == pytest.approx(2 * 29.67e-3 * 1.602177e-19, rel=1e-4, abs=0)
    whole = figures_of_merit(
        barrier_eV=0.6,
        field_V_per_m=1e8,
        charge_e=2.0,
        distance_A=2.967,
        moment_change_muB=1,
        volume_per_hop_A3=100,
    )
    assert whole.converse_magnetoelectric_s_per_m == pytest.approx(1.16541e-9 / 2, rel=1e-4)
    assert whole.surface_anisotropy_fJ_per_Vm is None
    assert whole.assumptions


def test_device_closed_forms():
    assert pytest.approx(77.4809, abs=1e-4) == CONDUCTANCE_QUANTUM_S * 1e6
    assert julliere_tmr(0.4, 0.4) == pytest.approx(2 * 0.16 / 0.84)
    assert julliere_tmr(0.4, -0.4) < 0
    assert amr_resistance([0, 90, 45], 100, 103).tolist() == pytest.approx([103, 100, 101.5])
    assert amr_resistance(30, 100, 103, tilt_deg=30) == pytest.approx(103)
    t = reorientation_thickness_m(1.3e-3, 1.4e6)
    assert effective_anisotropy_J_per_m3(1.3e-3, t, 1.4e6) == pytest.approx(0, abs=1e-6)
    assert effective_anisotropy_J_per_m3(1.3e-3, t / 2, 1.4e6) > 0
    # 1 eV and 1 A: kappa = 0.5123 / A.
    assert tunnel_attenuation(1.0, 1e-10) == pytest.approx(np.exp(-2 * 0.512317), rel=1e-4)
    with pytest.raises(ValueError, match="polarisation"):
        julliere_tmr(1.2, 0.5)


def test_a_guess_far_from_the_curve_still_finds_it():
    """A curve over voltages at which the guessed film answers linearly: by way of other starts, and not stuck there."""
    truth = EnsembleParameters(
        barrier_eV=0.9, charge_e=2.0, distance_A=2.9, thickness_m=1e-7, local_field_factor=9.0, temperature_K=300
    )
    how = Measurement(against="voltage_V", quantity="contrast", pulse_s=1.0)
    volts = [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]
    data = 0.4 * how.signal(truth, volts)
    guess = truth.model_copy(update={"barrier_eV": 0.72, "local_field_factor": 1.0, "asymmetry_eV": -0.04})
    fit = fit_curve(guess, how, volts, data.tolist(), ["barrier_eV", "local_field_factor", "asymmetry_eV"])
    assert fit.values["local_field_factor"] == pytest.approx(9.0, rel=0.02)
    assert fit.values["barrier_eV"] == pytest.approx(0.9, abs=0.005)
    assert fit.values["asymmetry_eV"] == pytest.approx(0.0, abs=1e-3)
