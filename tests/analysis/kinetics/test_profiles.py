"""Field identities (i) to (iv) over random profiles and fields."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from magnetoionics.analysis.kinetics.profiles import barrier_in_field, saddle_images, tilted_energies

seeds = st.integers(0, 10_000)
fields = st.floats(-0.2, 0.2)


def random_profile(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 12))
    energies = np.r_[0.0, rng.uniform(0.3, 1.2, n - 2), rng.uniform(-0.3, 0.3)]
    return energies, np.cumsum(rng.normal(size=(n, 3)), axis=0), rng.normal(size=3)


@settings(max_examples=60, deadline=None)
@given(seeds, fields)
def test_forward_minus_backward_is_the_reaction_energy(seed, field):
    energies, dipoles, direction = random_profile(seed)
    b = barrier_in_field(energies, dipoles, direction, field)
    assert b.forward_eV - b.backward_eV == pytest.approx(b.delta_eV, abs=1e-12)
    assert b.forward_eV >= 0
    assert b.backward_eV >= 0


@settings(max_examples=60, deadline=None)
@given(seeds, fields)
def test_slopes_are_dipole_differences(seed, field):
    energies, dipoles, direction = random_profile(seed)
    unit = direction / np.linalg.norm(direction)
    step = 1e-6
    low, mid, high = (barrier_in_field(energies, dipoles, direction, field + d) for d in (-step, 0, step))
    if low.controlling_image == high.controlling_image:
        slope = (high.forward_eV - low.forward_eV) / (2 * step)
        assert slope == pytest.approx(-(dipoles[mid.controlling_image] - dipoles[0]) @ unit, abs=1e-7)
        assert slope == pytest.approx(mid.slope_forward_e_A, abs=1e-7)
    reaction = (high.delta_eV - low.delta_eV) / (2 * step)
    assert reaction == pytest.approx(-(dipoles[-1] - dipoles[0]) @ unit, abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(seeds, fields)
def test_reversed_mirror_path_in_the_reversed_field_is_the_same(seed, field):
    """The mirror image of a path has p -> -p along the hop: under -F it has the same barriers as under F."""
    energies, dipoles, direction = random_profile(seed)
    unit = direction / np.linalg.norm(direction)
    mirrored = dipoles - 2 * np.outer(dipoles @ unit, unit)
    here = barrier_in_field(energies, dipoles, direction, field)
    there = barrier_in_field(energies, mirrored, direction, -field)
    assert there.forward_eV == pytest.approx(here.forward_eV, abs=1e-12)
    assert there.backward_eV == pytest.approx(here.backward_eV, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(seeds, fields)
def test_running_the_path_backwards_swaps_the_barriers(seed, field):
    energies, dipoles, direction = random_profile(seed)
    here = barrier_in_field(energies, dipoles, direction, field)
    back = barrier_in_field(energies[::-1] - energies[-1], dipoles[::-1], direction, field)
    assert back.forward_eV == pytest.approx(here.backward_eV, abs=1e-12)
    assert back.backward_eV == pytest.approx(here.forward_eV, abs=1e-12)


def test_two_equal_saddles_make_a_kink_at_zero_field():
    energies = [0, 0.6, 0.4, 0.6, 0]
    dipoles = np.outer([0, 1.0, 2.0, 3.0, 4.0], [1, 0, 0])
    up, down = (barrier_in_field(energies, dipoles, [1, 0, 0], f) for f in (0.01, -0.01))
    assert up.controlling_image == 1
    assert down.controlling_image == 3
    assert (up.slope_forward_e_A, down.slope_forward_e_A) == (-1.0, -3.0)
    assert saddle_images(energies) == [1, 3]


def test_one_symmetric_saddle_shifts_by_half_the_work_of_the_hop():
    """Z = 2, d = 2.967 A: half the work is 2.97, 29.7 and 297 meV at 1e7, 1e8 and 1e9 V/m."""
    dipoles = np.outer([0, 2 * 2.967 / 2, 2 * 2.967], [0, 1, 0])
    for field_V_per_m, half_work in ((1e7, 0.002967), (1e8, 0.02967), (1e9, 0.2967)):
        b = barrier_in_field([0, 0.6, 0], dipoles, [0, 1, 0], field_V_per_m * 1e-10)
        assert 0.6 - b.forward_eV == pytest.approx(half_work, rel=1e-9)
        assert b.field_V_per_m == pytest.approx(field_V_per_m)


def test_origin_of_the_dipole_does_not_matter():
    energies, dipoles, direction = random_profile(3)
    a = tilted_energies(energies, dipoles, direction)
    assert np.allclose(a, tilted_energies(energies, dipoles + np.array([5, -3, 2]), direction), atol=1e-12)


def test_misfitting_input_is_refused():
    with pytest.raises(ValueError, match="shape"):
        barrier_in_field([0, 1, 0], np.zeros((2, 3)), [1, 0, 0], 0.1)
    with pytest.raises(ValueError, match="no length"):
        barrier_in_field([0, 1, 0], np.zeros((3, 3)), [0, 0, 0], 0.1)


def test_controlling_saddle_is_counted_along_the_path():
    energies = [0, 0.6, 0.4, 0.6, 0.1]
    dipoles = np.outer([0, 1.0, 2.0, 3.0, 4.0], [1, 0, 0])
    assert barrier_in_field(energies, dipoles, [1, 0, 0], 0.01).controlling_saddle_index == 0
    assert barrier_in_field(energies, dipoles, [1, 0, 0], -0.01).controlling_saddle_index == 1
    drowned = barrier_in_field(energies, dipoles, [1, 0, 0], 1.0)
    assert (drowned.forward_eV, drowned.controlling_image, drowned.controlling_saddle_index) == (0, 0, None)


def test_field_across_the_dipoles_does_no_work():
    dipoles = np.outer([0, 1.0, 2.0], [1, 0, 0])
    across = barrier_in_field([0, 0.6, 0.2], dipoles, [0, 0.3, 0.4], 0.5)
    assert (across.forward_eV, across.delta_eV) == (0.6, 0.2)
    assert across.field_V_per_m == pytest.approx(5e9)
