"""Retention as a person means it: dwell times, equilibrium and decay against closed forms, and quantum oscillators."""

import math

import numpy as np
import pytest
from magnetoionics.analysis.kinetics.attempt_frequency import AttemptFrequency, Modes
from magnetoionics.analysis.kinetics.hop_spread import HopSpread, spread_hop
from magnetoionics.analysis.kinetics.rates import rate_per_s, two_state_population
from magnetoionics.analysis.kinetics.retention import Retention, retention
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.structures.units import BOLTZMANN_eV_PER_K, PLANCK_eV_S

TAG = Provenance(engine="test", level_of_theory="arithmetic")


def kept(forward=0.7166, back=0.7911, along=1e12, home=1e12, **more):
    return retention(back, TAG, forward_eV=forward, attempt_Hz=home, forward_Hz=along, **more)


def test_the_hop_of_cobalt_ferrite_by_hand():
    """Forward by itself in 1.1 s, back in 20 s, 95 % after the hop in equilibrium: a difference is gone in 1.06 s."""
    made = kept()
    forward, back = (rate_per_s(e, 300.0, 1e12) for e in (0.7166, 0.7911))
    assert made.before(300) == pytest.approx(1 / forward) == pytest.approx(1.1, rel=0.05)
    assert made.at(300) == pytest.approx(1 / back) == pytest.approx(20, rel=0.05)
    assert made.equilibrium(300) == pytest.approx(forward / (forward + back)) == pytest.approx(0.95, abs=0.005)
    assert made.decay(300) == pytest.approx(1 / (forward + back)) == pytest.approx(1.04, rel=0.05)


def test_decay_is_that_of_the_two_state_solution():
    made = kept()
    forward, back = 1 / made.before(300), 1 / made.at(300)
    up, down = (two_state_population(made.decay(300), start, forward, back) for start in (1.0, 0.0))
    assert up - down == pytest.approx(math.exp(-1))
    late = two_state_population(1e6, 0.3, forward, back)
    assert late == pytest.approx(made.equilibrium(300))


def test_equal_barriers_halve_the_time_of_one_ion():
    made = kept(forward=0.8, back=0.8)
    assert made.decay(300) == pytest.approx(0.5 * made.at(300))
    assert made.equilibrium(300) == pytest.approx(0.5)


def test_prefactors_of_both_ways_enter():
    made = kept(forward=0.8, back=0.8, along=3e12, home=1e12)
    assert made.equilibrium(300) == pytest.approx(0.75)
    assert made.before(300) == pytest.approx(made.at(300) / 3)


def test_a_day_is_asked_of_the_rate_that_the_table_shows():
    made = kept(temperatures_K=[150.0, 300.0], quantum=[(0.1, 0.2), (0.5, 0.4)])
    assert made.attempts_Hz(300) == pytest.approx((0.5e12, 0.4e12))
    assert made.attempts_Hz(150) == pytest.approx((0.1e12, 0.2e12))
    needed = retention(made.barrier_for_one_day_300K_eV, TAG, attempt_Hz=0.4e12).at(300)
    assert needed == pytest.approx(86400.0)
    years = retention(made.barrier_for_ten_years_300K_eV, TAG, attempt_Hz=0.4e12).at(300)
    assert years == pytest.approx(10 * 365.25 * 86400, rel=1e-3)


def test_points_are_the_functions_and_survive_json():
    made = kept()
    for p in made.points:
        assert p.retention_s == pytest.approx(made.at(p.temperature_K))
        assert p.before_s == pytest.approx(made.before(p.temperature_K))
        assert p.decay_s == pytest.approx(made.decay(p.temperature_K))
        assert p.decay_s < min(p.retention_s, p.before_s)
        assert p.equilibrium_after == pytest.approx(made.equilibrium(p.temperature_K))
    assert Retention.model_validate_json(made.model_dump_json()) == made
    assert {"before_s", "decay_s", "equilibrium_after"} <= set(made.to_dataframe().columns)


def test_balance_is_known_where_the_times_are_beyond_a_float():
    made = kept(forward=5.0, back=5.02, temperatures_K=[77.0, 300.0])
    assert math.isinf(made.points[0].retention_s)
    expected = 1 / (1 + math.exp(-0.02 / (BOLTZMANN_eV_PER_K * 77)))
    assert made.points[0].equilibrium_after == pytest.approx(expected)


def test_a_study_of_an_older_version_says_what_it_knew():
    old = {k: v for k, v in kept().model_dump().items() if k not in ("forward_barrier_eV", "forward_attempt_Hz")}
    old["points"] = [{"temperature_K": 300.0, "retention_s": 20.0}]
    made = Retention.model_validate(old)
    assert made.before(300) is None
    assert made.equilibrium(300) is None
    assert made.decay(300) == made.at(300)


def test_negative_barriers_are_refused():
    with pytest.raises(ValueError, match=r"forward barrier -0\.1 eV is negative"):
        kept(forward=-0.1)
    with pytest.raises(ValueError, match=r"back barrier -0\.1 eV is negative"):
        kept(back=-0.1)


def light_ion(scale=1.0):
    """Modes of a light ion: stiff in its well, softer at the saddle."""

    def modes(state, values):
        return Modes(
            state=state, frequencies_THz=sorted(scale * np.array(values)), largest_translation_THz=None,
            largest_force_eV_per_A=0.0, asymmetry_eV_per_A2=0.0,
        )  # fmt: skip

    well, saddle = [12.0, 14.0, 16.0], [-8.0, 9.0, 10.0]
    product = 1e12 * scale * 12.0 * 14.0 * 16.0 / (9.0 * 10.0)
    return AttemptFrequency(
        label="Li", method="partial Hessian", radius_A=3.0, atoms=1, forward_Hz=product, backward_Hz=product, shells=[],
        relative_error=None, modes=[modes("initial", well), modes("saddle", saddle), modes("final", well)],
        forward_eV=0.4, backward_eV=0.5, displacement_A=0.02, force_calls=0, checks=[], provenance=TAG,
    )  # fmt: skip


@pytest.mark.parametrize("temperature", [77.0, 150.0, 200.0, 300.0, 500.0])
def test_light_ions_take_the_quantum_rate(temperature):
    """Product of the oscillators by hand: prod sinh(h nu/2kT) of the well over that of the saddle, times kT/h."""
    found = light_ion()
    made = found.retention()
    x = PLANCK_eV_S * 1e12 / (2 * BOLTZMANN_eV_PER_K * temperature)
    well = np.prod(2 * np.sinh(x * np.array([12.0, 14.0, 16.0])))
    saddle = np.prod(2 * np.sinh(x * np.array([9.0, 10.0])))
    attempts = BOLTZMANN_eV_PER_K * temperature / PLANCK_eV_S * well / saddle
    for barrier, time in ((0.5, made.at(temperature)), (0.4, made.before(temperature))):
        assert 1 / time == pytest.approx(
            attempts * math.exp(-barrier / (BOLTZMANN_eV_PER_K * temperature)), rel=1e-6, abs=0
        )
        backward = barrier == 0.5
        assert 1 / time == pytest.approx(found.rate_per_s(temperature, backward=backward), rel=1e-6, abs=0)


def test_ends_that_are_one_defect_are_taken_alike_whatever_a_sphere_cut_from_them():
    """Modes of a partial Hessian may be unlike at both ends; the balance of one defect at two places is one half."""
    unlike = light_ion()
    final = unlike.modes[2].model_copy(update={"frequencies_THz": [10.0, 14.0, 16.0]})
    unlike = unlike.model_copy(
        update={"modes": [*unlike.modes[:2], final], "backward_Hz": unlike.forward_Hz * 10 / 12, "backward_eV": 0.4}
    )
    assert unlike.retention().equilibrium(300) == pytest.approx(12 / 22, abs=0.02)
    product = math.sqrt(unlike.forward_Hz * unlike.backward_Hz)
    alike = unlike.model_copy(update={"equal_ends": True, "forward_Hz": product, "backward_Hz": product})
    made = alike.retention()
    for temperature in (77.0, 300.0, 500.0):
        assert made.equilibrium(temperature) == pytest.approx(0.5, abs=1e-9)
        both = [unlike.rate_per_s(temperature, backward=b) for b in (False, True)]
        assert alike.rate_per_s(temperature) == pytest.approx(math.sqrt(math.prod(both)), rel=1e-9, abs=0)
    assert "both ends are one defect" in alike.in_words


def test_the_quantum_rate_is_several_times_faster_in_the_cold_and_classical_in_the_heat():
    found = light_ion()
    assert found.quantum_factor(150.0) > 3
    assert found.quantum_factor(3000.0) == pytest.approx(1.0, abs=0.05)
    assert light_ion(0.01).quantum_factor(300.0) == pytest.approx(1.0, abs=1e-3)
    cold = {p.temperature_K: p for p in found.retention().points}[150.0]
    assert cold.quantum_forward == pytest.approx(found.quantum_factor(150.0))
    with pytest.raises(ValueError, match="no prefactor was computed"):
        found.model_copy(update={"forward_Hz": None}).quantum_factor(300.0)


def test_spread_over_orders_and_places_is_of_orders_of_magnitude():
    """Imma 0.72/0.76 eV against P4_122 0.61/0.95 eV: the time of one ion after the hop differs by 1600."""
    one, other = spread_hop("Imma", "a", 0.72, 0.76), spread_hop("P4_122", "b", 0.61, 0.95)
    assert one.decay_300K_s == pytest.approx(1 / sum(rate_per_s(e, 300.0) for e in (0.72, 0.76)))
    assert one.decay_300K_s / other.decay_300K_s == pytest.approx(58, rel=0.1)
    back = [1 / rate_per_s(h.backward_eV, 300.0) for h in (one, other)]
    assert back[1] / back[0] == pytest.approx(1600, rel=0.1)
    failed = spread_hop("Imma", "c", 0.1, 0.1, "saddle force")
    assert failed.decay_300K_s is None
    lost = spread_hop("Imma", "d", None, None, "its band ended with an error")
    with pytest.raises(ValueError, match="Imma, d: its band ended"):
        _ = lost.barriers_eV
    assert HopSpread(hops=[one, other, failed], provenance=TAG).with_barrier == [one, other]
