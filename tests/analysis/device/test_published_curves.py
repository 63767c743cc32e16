"""Inverse fits of published curves, beside the fit of their authors."""

import math

import numpy as np
import pytest
from magnetoionics.analysis.device.ensemble import EnsembleParameters
from magnetoionics.analysis.device.ensemble_fit import Measurement, fit_curve
from magnetoionics.analysis.device.inverse_events import SwitchingEvent, fit_events
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K as KB

HOP = EnsembleParameters(barrier_eV=0.8, charge_e=2.0, distance_A=2.9, thickness_m=2e-9)


def test_depression_of_a_magneto_ionic_synapse():
    """Hall signal after n pulses, 1.530 exp(-n/9.741) + 0.750 with a read noise of 0.015.

    G. Bernard et al., 10.1021/acs.nanolett.4c05247; the numbers are those of the repository of its simulations,
    kellian-cottart/magnetoionic-simulations. A lone hop without a field has the authors' exponential: one barrier to a
    pulse's length gives scale, offset and decay back within the noise.
    """
    pulses = np.arange(28.0)
    noise = np.random.default_rng(5).normal(0, 0.015, len(pulses))
    signal = 1.530 * np.exp(-pulses / 9.741) + 0.750 + noise
    how = Measurement(against="wait_s", quantity="offset and contrast", pulse_s=1e6, voltage_V=-3.0)
    fit = fit_curve(HOP, how, pulses.tolist(), signal.tolist(), ["barrier_eV"], sigma=np.full(len(pulses), 0.015))
    # Back from a written film at 0 V: both ways hop, at twice the rate.
    expected = KB * 300 * math.log(2 * 1e13 * 9.741)
    assert fit.values["barrier_eV"] == pytest.approx(expected, abs=3 * fit.errors["barrier_eV"])
    assert fit.errors["barrier_eV"] < 0.002
    assert fit.offset == pytest.approx(0.750, abs=3 * fit.offset_error)
    assert fit.reduced_chi_squared == pytest.approx(1.0, abs=0.6)
    assert fit.notes == []


# Relaxation times of the current in 90 nm of amorphous GaOx at -1.7 V and their stretching exponents:
# Y. Aoki et al., Nature Communications 5, 3473 (2014), caption of figure 2, 10.1038/ncomms4473.
GALLIUM_OXIDE = {25: (0.24, 0.88), 50: (0.20, 0.88), 80: (0.057, 0.90), 110: (0.011, 0.93)}


def test_times_of_gallium_oxide_are_no_hop_of_one_barrier():
    """0.01 to 0.24 s ask for 0.7 eV at 1e13 Hz, while their own temperature dependence has half of that."""
    events = [
        SwitchingEvent(time_s=tau, temperature_K=273.15 + c, voltage_V=-1.7, error_decades=0.1)
        for c, (tau, _) in GALLIUM_OXIDE.items()
    ]
    found = fit_events(events, {"thickness_nm": (90.0, 90.0)})
    # By kT ln(nu tau) of each time, with 1e12 to 1e14 Hz.
    asked = [KB * e.temperature_K * math.log(nu * e.time_s) for e in events for nu in (1e12, 1e14)]
    assert min(asked) < found.barrier_eV[1] < max(asked)
    inverse = [1 / (KB * e.temperature_K) for e in events]
    own = np.polyfit(inverse, np.log([e.time_s for e in events]), 1)[0]
    assert own == pytest.approx(found.barrier_eV[1] / 2, abs=0.04)
    assert any("no film within these ranges has all these times" in note for note in found.notes)
    assert found.misfit_decades > 0.3


@pytest.mark.parametrize("celsius", GALLIUM_OXIDE)
def test_the_stretched_current_is_a_spread_of_barriers(celsius):
    """The authors' exp[-(t/tau)^beta] by a Gaussian of barriers: some kT/3 wide, and narrower where beta is larger."""
    tau, beta = GALLIUM_OXIDE[celsius]
    time = tau * np.geomspace(0.05, 4, 30)
    current = np.exp(-((time / tau) ** beta))
    kelvin = 273.15 + celsius
    start = HOP.model_copy(
        update={
            "thickness_m": 90e-9,
            "temperature_K": kelvin,
            "barrier_eV": KB * kelvin * math.log(2 * 1e13 * tau),
            "barrier_spread_eV": 0.01,
        }
    )
    how = Measurement(against="time_s", quantity="current", voltage_V=-1.7)
    fit = fit_curve(start, how, time.tolist(), current.tolist(), ["barrier_eV", "barrier_spread_eV"])
    assert fit.residual_rms < 0.02
    assert fit.values["barrier_spread_eV"] / (KB * kelvin) == pytest.approx(0.4, abs=0.15)
