"""Anisotropy analysis: harmonics, axes, cubic constants, even and odd parts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from magnetoionics.analysis.anisotropy import (
    AnisotropyMap,
    cubic_constants,
    cubic_operations,
    cubic_spread,
    summarise,
)
from magnetoionics.analysis.directions import antipodes, lebedev_directions, plane_scan
from magnetoionics.analysis.document import Provenance
from magnetoionics.analysis.harmonics import fit_harmonics, real_harmonics
from magnetoionics.analysis.unidirectional import (
    axis_angle_deg,
    exchange_bias_T,
    frozen_reference_energy,
    interface_bias_T,
    judge,
    keffer_sum,
    relation_deviation_meV,
    state_of,
    u_model,
    unidirectional_vector,
)

PROVENANCE = Provenance(engine="test", tier="arithmetic")


def make_map(energy, order=15, state="pristine"):
    directions = lebedev_directions(order).vectors
    return AnisotropyMap(
        state=state,
        directions=directions.tolist(),
        energies_meV=[float(x) for x in energy(directions)],
        cell_volume_A3=600.0,
        formula_units=8,
        ions="test",
        provenance=PROVENANCE,
    )


def even_energy(seed):
    rng = np.random.default_rng(seed)
    coefficients = rng.normal(size=15)
    return lambda n: real_harmonics(n, (0, 2, 4)) @ coefficients


def cubic_energy(k1, k2):
    def energy(n):
        a, b, c = (n**2).T
        return k1 * (a * b + b * c + c * a) + k2 * a * b * c

    return energy


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


def test_fit_recovers_planted_coefficients_within_its_covariance():
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
def test_cubic_constants_recover_planted_values(k1, k2):
    found = cubic_constants(make_map(cubic_energy(k1, k2)))
    assert found.K1_meV_per_cell == pytest.approx(k1, abs=1e-9)
    assert found.K2_meV_per_cell == pytest.approx(k2, abs=1e-8)
    # 1 meV per 600 A^3 = 0.267 MJ/m^3
    assert found.K1_MJ_per_m3 == pytest.approx(k1 * 1.602176634e-22 / 600e-30 / 1e6, rel=1e-9)


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


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_frozen_reference_model_has_its_closed_form_u(seed):
    rng = np.random.default_rng(seed)
    h, d, gamma, p = rng.normal(), rng.normal(size=3), rng.normal(size=(3, 3)), rng.normal(size=3)
    p /= np.linalg.norm(p)
    even = even_energy(seed)
    map_ = make_map(lambda n: even(n) + frozen_reference_energy(n, h, d, gamma, p))
    u, l3 = unidirectional_vector(map_)
    assert np.allclose(u, u_model(h, d, gamma, p), atol=1e-9)
    assert l3 < 1e-9
    quadrature = lebedev_directions(15)
    _, odd = map_.even_odd()
    integral = -3 * (quadrature.weights * odd) @ quadrature.vectors
    assert np.allclose(u, integral, atol=1e-9)


def test_u_reverses_with_the_reference_and_its_chiral_part_with_d():
    d, p = np.array([0.0, 0, 1]), np.array([1.0, 0, 0])
    none = np.zeros((3, 3))
    assert np.allclose(u_model(1, d, none, -p), -u_model(1, d, none, p))
    assert np.allclose(u_model(0, -d, none, p), -u_model(0, d, none, p))
    assert np.allclose(u_model(0, d, none, p), [0, 1, 0])


def test_even_maps_have_no_u_and_are_never_called_unidirectional():
    for seed in range(5):
        state = state_of(make_map(even_energy(seed)), noise_meV=1e-6)
        assert state.u_norm_meV < 1e-9
        assert state.odd_max_meV < 1e-9
        assert state.verdict in ("uniaxial", "multiaxial")


def test_odd_part_without_a_reference_is_called_spurious_and_with_one_unidirectional():
    even = even_energy(1)
    map_ = make_map(lambda n: even(n) - 0.3 * n[:, 2])
    assert state_of(map_, noise_meV=1e-3).verdict == "spurious odd part"
    pinned = state_of(map_, noise_meV=1e-3, reference="A sublattice")
    assert pinned.verdict == "unidirectional (pinned reference: A sublattice)"
    assert np.allclose(pinned.u_meV, [0, 0, 0.3], atol=1e-9)


def test_reference_without_odd_part_gives_no_direction():
    summary = summarise(make_map(even_energy(2)))
    assert not judge(summary, 0.0, 1e-6, "A sublattice")[0].startswith("unidirectional")


def test_inversion_leaves_a_map_and_a_mirror_turns_it():
    before = make_map(even_energy(3), state="before")
    assert relation_deviation_meV(before, before, -np.eye(3)) < 1e-9
    mirror = np.diag([1.0, 1, -1])
    energy = even_energy(3)
    after = make_map(lambda n: energy(n @ (np.linalg.det(mirror) * mirror)), state="after")
    assert relation_deviation_meV(before, after, mirror) < 1e-9
    assert relation_deviation_meV(before, before, mirror) > 0.1


def test_keffer_sum_vanishes_at_the_ideal_octahedral_site():
    from magnetoionics.structures.spinel import parent_spinel

    cell = parent_spinel(8.39, 0.381)
    centre = next(s for s in cell if s.properties["sublattice"] == "B")
    around = cell.get_neighbors(centre, 3.3)
    metals = [n.coords for n in around if n.properties["sublattice"] == "B"]
    oxygens = [n.coords for n in cell.get_neighbors(centre, 5) if n.properties["sublattice"] == "O"]
    assert len(metals) == 6
    assert np.allclose(keffer_sum(centre.coords, metals, oxygens), 0, atol=1e-12)
    # With one neighbour missing, the sum is perpendicular to the missing bond and in a <110> direction.
    rest = keffer_sum(centre.coords, metals[1:], oxygens)
    assert abs(rest @ (metals[0] - centre.coords)) < 1e-9
    assert np.isclose(sorted(np.abs(rest))[0], 0, atol=1e-9)
    assert np.isclose(sorted(np.abs(rest))[1], sorted(np.abs(rest))[2])


def test_meiklejohn_bean():
    assert interface_bias_T(1e-3, 4e5, 5e-9) == pytest.approx(0.5)
    # mu0 H m = u: one Bohr magneton in one tesla is 0.05788 meV
    assert exchange_bias_T(0.05788381806, 1.0) == pytest.approx(1.0, rel=1e-6)
    with pytest.raises(ValueError, match="no moment"):
        exchange_bias_T(1.0, 0.0)
