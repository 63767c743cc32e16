"""What a bias and a voltage write: one sense only, that of the bias; heat erases; Sharrock's field within a pulse."""

import math

import pytest
from magnetoionics.analysis.device.ensemble import EnsembleParameters
from magnetoionics.analysis.device.writing import grain_writing, turning_field_T
from magnetoionics.analysis.magnetism.anisotropy import cubic_constants
from magnetoionics.analysis.magnetism.grain import GrainState
from magnetoionics.analysis.magnetism.thermal_anisotropy import with_order
from maps import make_map

# Ions that follow 4 V across 5 nm within a second, and need minutes at 0 V.
IONS = EnsembleParameters(barrier_eV=0.95, charge_e=2.0, distance_A=3.0, thickness_m=5e-9)


def grain(state, stability, switching):
    return GrainState(
        state=state, easy_axis=[0, 0, 1], barrier_MJ_per_m3=0.1, stability=stability, crystal_MJ_per_m3=0.0,
        shape_MJ_per_m3=0.0, strain_MJ_per_m3=None, switching_0K_T=switching, coercive_T=1.0,
    )  # fmt: skip


def written(before, after, bias_T=0.6, **changes):
    given = {
        "voltages_V": [-4.0, 0.0, 4.0], "pulse_s": 1.0, "wait_s": 60.0, "bias_T": bias_T, "attempt_Hz": 1e9,
        "magnetisation_A_per_m": 4e5, "thickness_m": 1e-8, "tip_distance_m": 1e-7,
    }  # fmt: skip
    return grain_writing((grain("before", *before), grain("after", *after)), IONS, **{**given, **changes})


def test_a_softening_pulse_lets_the_bias_write_one_way():
    found = written((200.0, 4.0), (60.0, 1.2))
    assert found.after_share[0] < 0.01
    assert found.after_share[2] > 0.99
    assert found.up_from_down[0] < 1e-6
    assert found.up_from_down[2] > 0.99
    assert found.remanence[2] == pytest.approx(2 * found.up_from_down[2] - 1)
    assert min(found.up_from_up) > 0.999
    assert found.verdict.startswith("one-way write")
    assert found.write_field_T[2] < 0.6 < found.keep_field_T


def test_a_bias_below_both_fields_writes_nothing_and_says_which_would():
    found = written((200.0, 4.0), (60.0, 1.2), 0.05)
    assert max(found.up_from_down) < 1e-6
    low, high = found.write_field_T[2], found.keep_field_T
    assert found.verdict == (
        f"a bias of 0.05 T writes nothing; one from {low:.3g} to {high:.3g} T would be written by the pulse and not "
        "without it"
    )


def test_a_bias_above_both_fields_needs_no_voltage():
    assert "without any voltage" in written((200.0, 4.0), (60.0, 1.2), 3.5).verdict


def test_grains_loosened_too_far_are_erased():
    found = written((200.0, 4.0), (2.0, 0.04), 1e-4, voltages_V=[4.0])
    assert found.up_from_down[0] == pytest.approx(found.up_from_up[0], abs=1e-6)
    assert 0.4 < found.up_from_up[0] < 0.6
    assert "erases" in found.verdict


def test_voltage_without_effect_on_the_grains_writes_nothing():
    found = written((200.0, 4.0), (200.0, 4.0))
    assert len(set(found.write_field_T)) == 1
    assert "no pulse here lowers" in found.verdict


def test_half_of_the_grains_turn_at_sharrock_s_field():
    field = turning_field_T(60.0, 1.2, 1.0, 1e9)
    rate = 1e9 * math.exp(-60.0 * (1 - field / 1.2) ** 2)
    assert rate == pytest.approx(math.log(2))
    found = written((60.0, 1.2), (60.0, 1.2), field, wait_s=0.0, voltages_V=[0.0])
    assert found.up_from_down[0] == pytest.approx(0.5, abs=1e-3)
    assert turning_field_T(5.0, 1.2, 1.0, 1e9) == 0.0


def test_a_written_stripe_is_seen_at_its_edges():
    found = written((200.0, 4.0), (60.0, 1.2))
    middle = found.phase_deg[len(found.phase_deg) // 2]
    assert max(found.phase_deg) > 3 * abs(middle)
    assert found.phase_deg == pytest.approx(found.phase_deg[::-1])


def test_a_cubic_map_falls_as_the_tenth_power_of_the_order():
    map_ = make_map(
        lambda n: 0.8 * (n[:, 0] ** 2 * n[:, 1] ** 2 + n[:, 1] ** 2 * n[:, 2] ** 2 + n[:, 2] ** 2 * n[:, 0] ** 2)
    )
    found = cubic_constants(with_order(map_, 0.9)).K1_MJ_per_m3 / cubic_constants(map_).K1_MJ_per_m3
    assert found == pytest.approx(0.9**10)
    with pytest.raises(ValueError, match="from 0 to 1"):
        with_order(map_, 1.1)
