"""A loop that is put in comes back: coercive field, shift, remanence, and the diameter behind it."""

import numpy as np
import pytest
from magnetoionics.analysis.magnetism.grain import GrainState
from magnetoionics.analysis.magnetism.grain_loops import grain_loop
from magnetoionics.analysis.magnetism.measured_loop import compare_loop, measured_loop
from magnetoionics.analysis.plots.measured_loop import plot_comparison

HOW = {"texture_deg": None, "sweep_T_per_s": 0.01, "attempt_Hz": 1e9}


def grain(state="before", stability=60.0, switching=2.0):
    return GrainState(
        state=state, easy_axis=[0, 0, 1], barrier_MJ_per_m3=0.2, stability=stability, crystal_MJ_per_m3=0.1,
        shape_MJ_per_m3=0.1, strain_MJ_per_m3=None, switching_0K_T=switching, coercive_T=0.5,
    )  # fmt: skip


def whole_loop(grains, shift_T=0.0, scale=1.0, offset=0.0):
    """Down and up as an instrument sweeps."""
    one = grain_loop(grains, **HOW)
    down, moment = np.array(one.fields_T), np.array(one.moment_share)
    field = np.concatenate([down, -down]) + shift_T
    return one, field, scale * np.concatenate([moment, -moment]) + offset


def test_coercive_field_shift_and_remanence_come_back():
    made, field, moment = whole_loop(grain(), shift_T=0.05, scale=3.2e-4)
    found = measured_loop(field, moment)
    assert found.coercive_T == pytest.approx(made.coercive_T, rel=1e-3)
    assert found.shift_T == pytest.approx(0.05, abs=1e-3)
    # A shift of 0.05 T takes the moments at zero field from 0.05 T off it on either branch.
    assert found.remanence == pytest.approx(made.remanence, rel=0.1)
    assert found.notes == []
    unshifted = measured_loop(*whole_loop(grain(), scale=-1.0)[1:])
    assert unshifted.remanence == pytest.approx(made.remanence / made.moment_share[0], rel=1e-3)
    # Measured from the other end, it is the same loop.
    half = len(field) // 2
    turned = measured_loop(np.roll(field, half), np.roll(moment, half))
    assert (turned.coercive_T, turned.shift_T) == pytest.approx((found.coercive_T, found.shift_T))


def test_loops_that_are_not_whole_say_so():
    _, field, moment = whole_loop(grain(stability=2000.0))
    small = np.abs(field) < 1.1
    assert any("minor loop" in note for note in measured_loop(field[small], moment[small]).notes)
    drift = moment + np.linspace(0, 0.3, len(moment))
    assert any("apart" in note for note in measured_loop(field, drift).notes)
    with pytest.raises(ValueError, match="both signs"):
        measured_loop(np.linspace(0, 1, 20), np.linspace(0, 1, 20))
    with pytest.raises(ValueError, match="rising field does not cross zero"):
        measured_loop(np.linspace(1, -1, 20), np.linspace(1, -1, 20))


def test_the_diameter_of_a_loop_is_found_again():
    """Barriers grow with the volume: grains of 8 nm in place of 20 nm have 0.064 of them."""
    before, after = grain(stability=2000.0), grain("after", stability=500.0)
    _, field, moment = whole_loop(before.model_copy(update={"stability": 2000.0 * 0.4**3}))
    found = compare_loop(measured_loop(field, moment), [before, after], diameter_m=2e-8, **HOW)
    first, second = found.states
    assert first.diameter_m == pytest.approx(8e-9, rel=0.01)
    # A quarter of the barrier per volume needs four times the volume.
    assert second.diameter_m == pytest.approx(8e-9 * 4 ** (1 / 3), rel=0.01)
    assert first.loop.coercive_T == pytest.approx(found.measured.coercive_T, rel=0.01)
    assert first.coercive_T == pytest.approx(grain_loop(before, **HOW).coercive_T)
    axis = plot_comparison(found).axes[0]
    assert [line.get_label() for line in axis.get_lines()][:2] == ["measured", "before the hop, 8 nm"]


def test_a_field_that_no_grain_has_gives_no_diameter():
    _, field, moment = whole_loop(grain(stability=2000.0, switching=9.0))
    (found,) = compare_loop(measured_loop(field, moment), [grain()], diameter_m=2e-8, **HOW).states
    assert found.diameter_m is None
    assert "is measured" in found.why_not
    (still,) = compare_loop(measured_loop(field, moment), [grain(switching=0.0)], diameter_m=2e-8, **HOW).states
    assert "no moment" in still.why_not
