"""Anisotropy analysis: directions, harmonics, axes, cubic constants and barriers."""

import numpy as np
import pytest
from magnetoionics.analysis.magnetism.anisotropy import (
    AnisotropySummary,
    cubic_constants,
    cubic_operations,
    cubic_spread,
    difference_meV,
    equivalent_spread,
    reversal_barrier_meV,
    summarise,
)
from magnetoionics.analysis.magnetism.directions import (
    antipodes,
    axis_in_words,
    images_under,
    lebedev_directions,
    lebedev_weights,
    plane_scan,
)
from magnetoionics.analysis.magnetism.harmonics import fit_harmonics, real_harmonics
from magnetoionics.analysis.magnetism.unidirectional import axis_angle_deg
from maps import make_map
from scipy.special import sph_harm_y


def cubic_energy(k1, k2):
    def energy(n):
        a, b, c = (n**2).T
        return k1 * (a * b + b * c + c * a) + k2 * a * b * c

    return energy


@pytest.mark.parametrize("degrees", [(0,), (1, 3), (0, 2, 4, 6), (8,)])
def test_real_harmonics_are_those_of_scipy(degrees):
    vectors = np.vstack([np.eye(3), -np.eye(3), np.random.default_rng(0).normal(size=(30, 3))])
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    polar, azimuth = np.arccos(vectors[:, 2]), np.arctan2(vectors[:, 1], vectors[:, 0])
    expected = []
    for degree in degrees:
        for m in range(-degree, degree + 1):
            y = (-1) ** m * sph_harm_y(degree, abs(m), polar, azimuth)
            expected.append(y.real if m == 0 else np.sqrt(2) * (y.real if m > 0 else y.imag))
    assert np.abs(real_harmonics(vectors, degrees) - np.array(expected).T).max() < 1e-13


def test_real_harmonics_are_orthonormal_under_lebedev_weights():
    d = lebedev_directions(15)
    y = real_harmonics(d.vectors, (0, 1, 2, 3, 4, 5, 6))
    gram = 4 * np.pi * (y.T * d.weights) @ y
    assert np.allclose(gram, np.eye(49), atol=1e-10)


def test_every_direction_set_is_closed_under_inversion():
    for order in (3, 9, 15, 25):
        vectors = lebedev_directions(order).vectors
        assert np.allclose(vectors[antipodes(vectors)], -vectors, atol=1e-9)
    scan = plane_scan([1, 1, 0], 24)
    assert np.allclose(scan @ [1, 1, 0], 0, atol=1e-12)
    assert np.allclose(scan[antipodes(scan)], -scan)
    with pytest.raises(ValueError, match="no opposite"):
        antipodes([[1, 0, 0], [0, 1, 0]])


def test_fit_recovers_known_coefficients_within_its_covariance():
    rng = np.random.default_rng(0)
    d = lebedev_directions(23).vectors
    truth = rng.normal(size=15)
    noise = 0.05
    pulls = []
    for _ in range(40):
        fit = fit_harmonics(d, real_harmonics(d, (0, 2, 4)) @ truth + rng.normal(0, noise, len(d)), (0, 2, 4))
        pulls.append((fit.coefficients - truth) / np.sqrt(np.diag(fit.covariance)))
    assert np.std(pulls) == pytest.approx(1.0, abs=0.1)
    assert abs(np.mean(pulls)) < 0.1


def test_underdetermined_fit_is_refused():
    with pytest.raises(ValueError, match="larger Lebedev order"):
        fit_harmonics(lebedev_directions(3).vectors, np.zeros(6), (0, 2, 4))


@pytest.mark.parametrize(("k1", "k2"), [(1.0, 0.0), (-0.4, 0.3), (2.0, -5.0)])
def test_cubic_constants_recover_known_values(k1, k2):
    found = cubic_constants(make_map(cubic_energy(k1, k2)))
    assert found.K1_meV_per_cell == pytest.approx(k1, abs=1e-9)
    assert found.K2_meV_per_cell == pytest.approx(k2, abs=1e-8)
    # 1 meV per 600 A^3 = 0.267 MJ/m^3
    assert found.K1_MJ_per_m3 == pytest.approx(k1 * 1.602176634e-22 / 600e-30 / 1e6, rel=1e-9)
    # Eight formula units in the cell.
    assert found.K1_meV_per_formula == pytest.approx(k1 / 8, abs=1e-9)


def test_ordered_cell_has_no_cubic_k1_unless_averaged():
    def orthorhombic(n):
        return cubic_energy(1.0, 0.0)(n) + 0.3 * n[:, 0] ** 2 - 0.2 * n[:, 1] ** 2

    map_ = make_map(orthorhombic)
    with pytest.raises(ValueError, match="average=True"):
        cubic_constants(map_)
    assert cubic_constants(map_, average=True).K1_meV_per_cell == pytest.approx(1.0, abs=1e-9)
    assert cubic_spread(map_) > 0.3


def test_easy_axes_of_a_cubic_crystal():
    assert summarise(make_map(cubic_energy(1.0, 0))).easy_axes_count == 3
    hard = summarise(make_map(cubic_energy(-1.0, 0)))
    assert hard.easy_axes_count == 4
    assert hard.hard_minus_easy_meV == pytest.approx(1 / 3, abs=1e-6)


def test_axes_of_an_orthorhombic_form():
    summary = summarise(make_map(lambda n: -1.0 * n[:, 2] ** 2 + 0.5 * (n[:, 0] + n[:, 1]) ** 2 / 2))
    assert axis_angle_deg(summary.easy_axis, [0, 0, 1]) < 1e-3
    assert axis_angle_deg(summary.hard_axis, [1, 1, 0]) < 1e-3
    assert axis_angle_deg(summary.intermediate_axis, [1, -1, 0]) < 1e-3
    assert summary.hard_minus_easy_meV == pytest.approx(1.5, abs=1e-6)
    assert summary.intermediate_minus_easy_meV == pytest.approx(1.0, abs=1e-6)


def test_48_distinct_operations_form_a_group():
    ops = cubic_operations()
    keys = {tuple(op.ravel()) for op in ops}
    assert len(keys) == 48
    assert all(tuple((a @ b).ravel()) in keys for a in ops[::7] for b in ops)


@pytest.mark.parametrize("order", [7, 9, 11, 13, 17])
def test_cubic_constants_do_not_depend_on_the_set_of_directions(order):
    """Up to order 11 a harmonic fit stops at l = 2 or 4, where K2 would vanish into K1."""

    def ordered(n):
        return cubic_energy(2.0, -5.0)(n) + 0.4 * n[:, 0] * n[:, 1] - 0.7 * n[:, 2] ** 2

    found = cubic_constants(make_map(ordered, order), average=True)
    assert found.K1_meV_per_cell == pytest.approx(2.0, abs=1e-9)
    assert found.K2_meV_per_cell == pytest.approx(-5.0, abs=1e-9)
    assert found.residual_rms_meV == pytest.approx(0, abs=1e-9)


def test_cubic_constants_of_a_set_without_cubic_symmetry():
    turn = np.array([[np.cos(0.3), -np.sin(0.3), 0], [np.sin(0.3), np.cos(0.3), 0], [0, 0, 1]])

    def turned(order):
        map_ = make_map(cubic_energy(2.0, -5.0), order)
        d = map_.vectors @ turn.T
        return map_.model_copy(update={"directions": d.tolist(), "energies_meV": cubic_energy(2.0, -5.0)(d).tolist()})

    assert cubic_constants(turned(15)).K2_meV_per_cell == pytest.approx(-5.0, abs=1e-8)
    with pytest.raises(ValueError, match="larger Lebedev order"):
        cubic_constants(turned(9), average=True)
    with pytest.raises(ValueError, match="do not determine K1"):
        cubic_constants(make_map(cubic_energy(1, 0), 5))


def test_cubic_constants_say_what_they_leave_out():
    """The cubic l = 8 harmonic is orthogonal to K1 and K2, so it must show up as residual."""
    x8 = make_map(lambda n: cubic_energy(1.0, 0.0)(n) + (n**8).sum(axis=1), 23)
    assert cubic_constants(x8).residual_rms_meV > 1e-3


def test_scatter_of_single_energies_is_not_smoothed_away():
    map_ = make_map(cubic_energy(1.0, 0.0), 9)
    noisy = list(map_.energies_meV)
    noisy[0] += 0.5
    map_ = map_.model_copy(update={"energies_meV": noisy})
    assert cubic_spread(map_) == pytest.approx(0.5, abs=1e-12)
    with pytest.raises(ValueError, match=r"0\.5 meV"):
        cubic_constants(map_)


def test_spread_over_the_operations_of_the_structure():
    twofold = np.array([np.eye(3), np.diag([-1.0, -1, 1])])
    map_ = make_map(lambda n: n[:, 0] * n[:, 1] + 0.1 * n[:, 0] * n[:, 2], 15)
    xz = map_.vectors[:, 0] * map_.vectors[:, 2]
    assert equivalent_spread(map_, twofold) == pytest.approx(0.2 * np.abs(xz).max(), abs=1e-9)
    assert summarise(map_, operations=twofold[:1]).equivalent_spread_meV == 0
    assert summarise(map_).equivalent_spread_meV is None


def test_lebedev_sets_are_recognised_in_any_sequence():
    d = lebedev_directions(9)
    order_of_directions = np.random.default_rng(1).permutation(38)
    order, weights = lebedev_weights(d.vectors[order_of_directions])
    assert order == 9
    assert np.allclose(weights, d.weights[order_of_directions])
    assert lebedev_weights(d.vectors[:30]) is None
    turned = d.vectors @ np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    assert lebedev_weights(turned) is None
    with pytest.raises(ValueError, match="out of the set"):
        images_under(turned, cubic_operations())


@pytest.mark.parametrize(
    ("energy", "barrier"),
    [
        (lambda n: -1.0 * n[:, 2] ** 2, 1.0),
        # Two axes: over the intermediate axis, not over the hard one.
        (lambda n: -1.0 * n[:, 2] ** 2 + 2.0 * n[:, 0] ** 2, 1.0),
        (cubic_energy(1.0, 0.0), 1 / 4),
        (cubic_energy(-1.0, 0.0), 1 / 12),
    ],
)
def test_reversal_goes_over_the_lowest_saddle(energy, barrier):
    """Uniaxial K, biaxial the smaller of both, cubic K1/4 over <110> or |K1|/12 from <111> over <110>."""
    assert summarise(make_map(energy)).reversal_barrier_meV == pytest.approx(barrier, rel=3e-3)


def test_barrier_in_an_easy_plane_vanishes_and_the_plane_is_named():
    map_ = make_map(lambda n: (n @ np.array([0.6, 0, 0.8])) ** 2)
    summary = summarise(map_)
    assert axis_angle_deg(summary.easy_plane_normal, [0.6, 0, 0.8]) < 1e-3
    assert reversal_barrier_meV(map_.fit(), summary.easy_axis) < 3e-3
    assert summarise(make_map(cubic_energy(1.0, 0))).easy_plane_normal is None
    assert summarise(make_map(lambda n: 0 * n[:, 0])).easy_plane_normal is None


def test_coefficients_carry_errors_only_where_something_is_left_to_judge_them():
    vectors = lebedev_directions(9).vectors
    exact = fit_harmonics(vectors[:6], np.arange(6.0), (0,))
    assert np.isfinite(exact.covariance).all()
    assert np.isnan(fit_harmonics(vectors[:1], [1.0], (0,)).covariance).all()
    summary = summarise(make_map(cubic_energy(1.0, 0), 9))
    assert len(summary.coefficients_meV) == len(summary.coefficient_errors_meV) == 15
    assert AnisotropySummary.model_validate_json(summary.model_dump_json()) == summary


def test_model_error_counts_each_pair_once():
    """Only l = 8 is left, the same in E(n) and E(-n): 43 pairs judge 28 coefficients, not 86 energies."""
    eighth = np.random.default_rng(3).normal(size=17)
    map_ = make_map(lambda n: real_harmonics(n, (8,)) @ eighth, 15)
    fit = map_.fit()
    once = [i for i, j in enumerate(antipodes(map_.directions)) if i < j]
    design = real_harmonics(map_.vectors[once], (0, 2, 4, 6))
    left = map_.energies[once] - design @ fit.coefficients
    variance = float(left @ left) / (43 - 28)
    assert np.allclose(fit.covariance, variance * np.linalg.inv(design.T @ design), rtol=1e-9)
    twice = fit_harmonics(map_.vectors, map_.energies, (0, 2, 4, 6))
    assert np.allclose(twice.coefficients, fit.coefficients, atol=1e-12)
    assert fit.covariance[3, 3] / twice.covariance[3, 3] == pytest.approx(2 * 58 / 2 / 15, rel=1e-9)


def test_even_fit_has_the_stated_errors_with_noise_and_an_odd_part_below():
    rng, truth = np.random.default_rng(8), np.random.default_rng(9).normal(size=28)
    clean = make_map(lambda n: real_harmonics(n, (0, 2, 4, 6)) @ truth - 0.4 * n[:, 0], 15)
    pulls = []
    for _ in range(60):
        noisy = clean.energies + rng.normal(0, 0.02, len(clean.energies))
        fit = clean.model_copy(update={"energies_meV": noisy.tolist()}).fit()
        delta = fit.coefficients - truth
        pulls.append(float(delta @ np.linalg.solve(fit.covariance, delta)) / 28)
    # Pulls / count follow F(28, 15), of mean 15 / 13.
    assert np.mean(pulls) == pytest.approx(15 / 13, abs=4 * np.std(pulls) / np.sqrt(60))
    # The odd part, 0.4 n_x, is in the residual of the map.
    assert clean.fit().residual_rms_meV == pytest.approx(0.4 / np.sqrt(3), rel=1e-3)


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        ((1, 1, 0), "[110]"),
        ((-3, 3, 0), "[1-10]"),
        ((0, 0, -0.2), "[001]"),
        ((1, 1, -2), "[11-2]"),
        ((np.cos(np.radians(47)), np.sin(np.radians(47)), 0), "2.0 deg from [110]"),
        ((np.sin(np.radians(3)), 0, -np.cos(np.radians(3))), "3.0 deg from [001]"),
    ],
)
def test_an_axis_is_named_by_the_direction_it_lies_beside(vector, said):
    assert axis_in_words(vector) == said
    assert axis_in_words(-np.array(vector)) == said


def test_an_axis_of_no_cubic_crystal_has_components_only():
    assert axis_in_words((2, 2, 0), cubic=False) == "(0.71, 0.71, 0.00)"
    with pytest.raises(ValueError, match="is no axis"):
        axis_in_words((0, 0, 0))


def test_change_of_the_energy_is_that_of_its_anisotropic_part():
    """E = K n_z^2 + c: what changes is (K' - K)(n_z^2 - 1/3), whatever the constants are."""
    n = plane_scan([1, -1, 0], 36)
    before, after = make_map(lambda v: 3.0 * v[:, 2] ** 2), make_map(lambda v: 50.0 + 5.0 * v[:, 2] ** 2)
    assert difference_meV(before, after, n) == pytest.approx(2.0 * (n[:, 2] ** 2 - 1 / 3), abs=1e-9)
    with pytest.raises(ValueError, match="cells of one size"):
        difference_meV(before, after.model_copy(update={"formula_units": 16}), n)
