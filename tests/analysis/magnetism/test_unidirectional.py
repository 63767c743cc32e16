"""The unidirectional picture: odd parts, frozen references, related states and Keffer sums."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from magnetoionics.analysis.magnetism.anisotropy import summarise
from magnetoionics.analysis.magnetism.directions import lebedev_directions
from magnetoionics.analysis.magnetism.harmonics import real_harmonics
from magnetoionics.analysis.magnetism.unidirectional import (
    exchange_bias_T,
    frozen_reference_energy,
    judge,
    keffer_sum,
    relation_deviation_meV,
    state_of,
    u_model,
    unidirectional_error_meV,
    unidirectional_vector,
)
from magnetoionics.structures.cells.spinel import parent_spinel
from maps import even_energy, make_map


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


@pytest.mark.parametrize(("u", "word"), [(0.3, "biased"), (1.9, "biased"), (2.1, "unidirectional")])
def test_odd_part_is_spurious_without_a_reference_and_with_one_held_against_the_barrier(u, word):
    """E = sin^2 - u cos of 1 meV has two minima up to u = 2, and one beyond."""
    map_ = make_map(lambda n: -(n[:, 2] ** 2) - u * n[:, 2])
    free = state_of(map_, noise_meV=1e-3)
    assert free.verdict == "spurious odd part"
    assert "with nothing frozen" in free.reason
    pinned = state_of(map_, noise_meV=1e-3, reference="A sublattice")
    assert pinned.verdict == f"{word} (pinned reference: A sublattice)"
    assert np.allclose(pinned.u_meV, [0, 0, u], atol=1e-9)
    angles = np.linspace(0, np.pi, 2001)
    energies = np.sin(angles) ** 2 - u * np.cos(angles)
    minima = 1 + (energies[-1] < energies[-2])
    assert minima == (2 if word == "biased" else 1)


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


def test_maps_are_related_by_the_operation_and_not_by_its_inverse():
    """E after at R n is E before at n; what is odd is compared elsewhere."""
    even = even_energy(3)
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    before = make_map(lambda n: even(n) + 0.3 * n[:, 0], state="before")
    after = make_map(lambda n: even(n @ turn), state="after")
    assert relation_deviation_meV(before, after, turn) < 1e-9
    assert relation_deviation_meV(before, after, -turn) < 1e-9
    assert relation_deviation_meV(before, after, turn.T) > 0.1


def test_keffer_sum_vanishes_at_the_ideal_octahedral_site():
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
    # mu0 H m = u: one Bohr magneton in one tesla is 0.05788 meV
    assert exchange_bias_T(0.05788381806, 1.0) == pytest.approx(1.0, rel=1e-6)
    with pytest.raises(ValueError, match="no moment"):
        exchange_bias_T(1.0, 0.0)


@pytest.mark.parametrize("order", [7, 9, 15, 23])
def test_higher_odd_parts_do_not_leak_into_u(order):
    """L = 5 shares its cubic symmetry with l = 1: a sum without weights would mix them."""
    fifth = np.random.default_rng(order).normal(size=11)
    map_ = make_map(lambda n: -0.3 * n[:, 2] + real_harmonics(n, (5,)) @ fifth, order)
    u, l3 = unidirectional_vector(map_)
    assert np.allclose(u, [0, 0, 0.3], atol=1e-12)
    if order >= 9:
        assert l3 < 1e-12


@pytest.mark.parametrize("order", [7, 11])
def test_standard_error_of_u_is_the_scatter_of_u(order):
    # White noise of s in every energy: u scatters by s sqrt(3/N), whatever even and l = 3 parts lie below.
    s, rng = 0.01, np.random.default_rng(5)
    even, third = even_energy(2), np.array([0.3, -0.2, 0.5, 0.1, 0.4, -0.6, 0.2])
    clean = make_map(lambda n: even(n) - 0.5 * n[:, 0] + real_harmonics(n, (3,)) @ third, order)
    found, said = [], []
    for _ in range(400):
        noisy = clean.energies + rng.normal(scale=s, size=len(clean.energies))
        map_ = clean.model_copy(update={"energies_meV": noisy.tolist()})
        found.append(unidirectional_vector(map_)[0])
        said.append(unidirectional_error_meV(map_))
    scatter, told = np.std(found, axis=0), np.sqrt(np.mean(np.square(said), axis=0))
    assert told == pytest.approx(np.full(3, s * np.sqrt(3 / len(clean.energies))), rel=0.1)
    assert told == pytest.approx(scatter, rel=0.15)
    assert unidirectional_error_meV(clean) == pytest.approx(np.zeros(3), abs=1e-12)


def test_three_pairs_leave_no_error_of_u():
    assert unidirectional_error_meV(make_map(even_energy(1), 3)) is None


def test_l3_part_is_kept_apart_from_u():
    third = np.random.default_rng(4).normal(size=7)
    u, l3 = unidirectional_vector(make_map(lambda n: real_harmonics(n, (3,)) @ third, 9))
    assert np.linalg.norm(u) < 1e-12
    assert l3 == pytest.approx(np.linalg.norm(third), abs=1e-12)


def test_directions_that_are_no_lebedev_set_are_fitted():
    half = np.random.default_rng(7).normal(size=(30, 3))
    half /= np.linalg.norm(half, axis=1)[:, None]
    d = np.concatenate([half, -half])
    map_ = make_map(lambda n: 0 * n[:, 0])
    map_ = map_.model_copy(
        update={"directions": d.tolist(), "energies_meV": (d[:, 0] ** 2 - d @ [0.1, 0.2, -0.4]).tolist()}
    )
    assert np.allclose(unidirectional_vector(map_)[0], [0.1, 0.2, -0.4], atol=1e-12)


def test_odd_part_without_u_is_not_explained_by_a_reference():
    map_ = make_map(lambda n: -(n[:, 2] ** 2) + 0.2 * real_harmonics(n, (3,))[:, 3])
    for reference in (None, "A sublattice"):
        assert state_of(map_, 1e-3, reference).verdict == "spurious odd part"


def test_flat_maps_and_easy_planes_are_named_as_such():
    flat, plane = (state_of(make_map(f, 9), 1e-6) for f in (lambda n: 0 * n[:, 2], lambda n: n[:, 2] ** 2))
    assert flat.verdict == plane.verdict == "multiaxial"
    assert "flat" in flat.reason
    assert "plane" in plane.reason


def test_keffer_sum_with_one_neighbour_missing_grows_with_the_shift_of_the_oxygens():
    """Zero at the ideal u = 3/8, else |S| = a^2 (u - 3/8) / sqrt(2), which is 0.299 A^2 for a = 8.39 A, u = 0.381."""

    def missing(u):
        cell = parent_spinel(8.39, u)
        centre = next(s for s in cell if s.properties["sublattice"] == "B")
        metals = [n.coords for n in cell.get_neighbors(centre, 3.3) if n.properties["sublattice"] == "B"]
        oxygens = [n.coords for n in cell.get_neighbors(centre, 5) if n.properties["sublattice"] == "O"]
        return np.linalg.norm(keffer_sum(centre.coords, metals[1:], oxygens))

    assert missing(0.375) < 1e-12
    for u in (0.378, 0.381):
        assert missing(u) == pytest.approx(8.39**2 * (u - 0.375) / np.sqrt(2), rel=1e-9)


def test_dzyaloshinskii_part_flips_between_mirror_states_and_the_heisenberg_part_does_not():
    """Mirror perpendicular to the hop x: an axial D keeps its x part and flips the others."""
    axial = np.diag([1.0, -1, -1])
    p, d = np.array([1.0, 0, 0]), np.array([0, 0.3, -0.2])
    none = np.zeros((3, 3))
    before, after = u_model(0.5, d, none, p), u_model(0.5, axial @ d, none, axial @ p)
    assert np.allclose(after, axial @ before)
    assert before[0] == after[0] == 0.5
    assert np.allclose(after[1:], -before[1:])
