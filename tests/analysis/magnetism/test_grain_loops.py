"""Loops of many grains: Stoner and Wohlfarth's numbers, equilibrium on the branch, heat."""

import numpy as np
import pytest
from magnetoionics.analysis.magnetism.grain import GrainState, coercive_field_T
from magnetoionics.analysis.magnetism.grain_loops import grain_loop, switching_share, upper_branch
from scipy.optimize import minimize_scalar


def grain(stability=60.0, switching=2.0):
    return GrainState(
        state="after", easy_axis=[0, 0, 1], barrier_MJ_per_m3=0.1, stability=stability, crystal_MJ_per_m3=0.0,
        shape_MJ_per_m3=0.0, strain_MJ_per_m3=None, switching_0K_T=switching, coercive_T=1.0,
    )  # fmt: skip


def loop(texture=None, thermal=False, stability=60.0):
    return grain_loop(grain(stability), texture_deg=texture, sweep_T_per_s=0.01, attempt_Hz=1e9, thermal=thermal)


def test_axes_at_random_have_stoner_and_wohlfarth_s_numbers():
    """m_r = 1/2 and h_c = 0.482 of the anisotropy field."""
    found = loop()
    assert found.remanence == pytest.approx(0.5, abs=1e-4)
    assert found.coercive_T / 2.0 == pytest.approx(0.482, abs=5e-4)


def test_switching_fields_are_the_astroid():
    assert switching_share([0.0, np.pi / 4, np.pi / 2]) == pytest.approx([1.0, 0.5, 1.0])
    # By the energy itself: the field at which the minimum that came from saturation vanishes.
    angle = 0.6
    held = minimize_scalar(lambda p: -0.5 * np.sin(2 * (p - angle)) / np.sin(p), bounds=(angle, 2.1), method="bounded")
    assert switching_share(angle) == pytest.approx(-held.fun, rel=1e-6)


@pytest.mark.parametrize("angle", [0.05, 0.7, 1.4])
def test_the_branch_is_a_minimum_of_the_energy(angle):
    for h in (-0.9 * float(switching_share(angle)), 0.0, 0.4, 1.1):
        phi = np.arccos(upper_branch(angle, [h])[0])
        assert 0.5 * np.sin(2 * (phi - angle)) + h * np.sin(phi) == pytest.approx(0.0, abs=2e-3)
        assert np.cos(2 * (phi - angle)) + h * np.cos(phi) > 0


def test_grains_in_line_turn_where_one_does():
    cold, warm = loop(0.5), loop(0.5, thermal=True)
    one = coercive_field_T(2.0, 60.0, 0.01, 1e9)
    assert cold.remanence == pytest.approx(1.0, abs=1e-3)
    assert warm.coercive_T == pytest.approx(one * float(switching_share(np.radians(0.7))), rel=0.03)
    assert 0.2 < warm.coercive_T / cold.coercive_T < 0.8


def test_heat_leaves_less_of_a_softer_grain():
    fields = [loop(None, True, s).coercive_T for s in (30.0, 60.0, 1e6)]
    assert fields[0] < fields[1] < fields[2]
    assert fields[2] == pytest.approx(loop().coercive_T, rel=0.01)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="at most 90 degrees"):
        loop(120.0)
    with pytest.raises(ValueError, match="no switching field"):
        grain_loop(grain(switching=0.0), texture_deg=None, sweep_T_per_s=1.0, attempt_Hz=1e9)
