"""The d shell against closed formulas, and E(n) against symmetry."""

from dataclasses import replace

import numpy as np
import pytest
from magnetoionics.analysis.magnetism.anisotropy import AnisotropyMap, cubic_constants, cubic_operations
from magnetoionics.analysis.magnetism.directions import lebedev_directions
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.calculators.d_shell import D_ORBITALS, d_shell, quadrupole_operator
from magnetoionics.calculators.ligand_field import (
    LigandFieldModel,
    LigandFieldParameters,
    angular_overlap,
    lowest_energies,
    quadrupole_field,
    site_fields,
)
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms
from scipy.spatial.transform import Rotation
from vasp_emulator.cobalt_model import cobalt_energies

B, C = 0.098, 0.44
OCTAHEDRON = 2.1 * np.vstack([np.eye(3), -np.eye(3)])
EXACT = LigandFieldParameters(n_states=None)


def levels(matrix):
    energies = np.linalg.eigvalsh(matrix)
    values, counts = np.unique(np.round(energies - energies[0], 8), return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def random_field(seed):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(0, 0.3, (5, 5))
    return matrix + matrix.T


@pytest.mark.parametrize(("electrons", "states"), [(1, 10), (2, 45), (3, 120), (7, 120), (8, 45), (9, 10)])
def test_number_of_states(electrons, states):
    assert d_shell(electrons).size == states


def test_free_ion_terms_of_d7_follow_racah():
    found = levels(d_shell(7).coulomb(B, C))
    # Above 4F: 4P at 15 B (12 states), 2G at 4 B + 3 C (18), 2H and 2P together at 9 B + 3 C (22 + 6).
    for energy, count in ((0, 28), (15 * B, 12), (4 * B + 3 * C, 18), (9 * B + 3 * C, 28)):
        assert found[round(energy, 8)] == count


def test_holes_repel_as_electrons_do():
    assert levels(d_shell(3).coulomb(B, C)) == levels(d_shell(7).coulomb(B, C))
    assert levels(d_shell(2).coulomb(B, C)) == levels(d_shell(8).coulomb(B, C))


def test_ground_term_of_d7_is_4f():
    shell = d_shell(7)
    vectors = np.linalg.eigh(shell.coulomb(B, C))[1][:, :28]
    for operator, value in ((shell.spin, 1.5 * 2.5), (shell.orbital, 3 * 4)):
        square = sum(x @ x for x in operator)
        assert np.allclose(vectors.conj().T @ square @ vectors, value * np.eye(28), atol=1e-9)


def test_angular_momenta_commute_as_they_must():
    shell = d_shell(7)
    for x, y, z in (shell.spin, shell.orbital):
        assert np.allclose(x @ y - y @ x, 1j * z, atol=1e-12)
    coulomb = shell.coulomb(B, C)
    total = shell.spin + shell.orbital
    for t in total:
        assert np.allclose(t @ shell.spin_orbit, shell.spin_orbit @ t, atol=1e-12)
        assert np.allclose(t @ coulomb, coulomb @ t, atol=1e-12)


def test_spin_orbit_splits_one_electron_by_five_halves():
    assert levels(d_shell(1).spin_orbit) == {0.0: 4, 2.5: 6}


def test_octahedral_splitting_is_three_sigma_minus_four_pi():
    p = LigandFieldParameters()
    values, counts = np.unique(np.round(np.linalg.eigvalsh(angular_overlap(OCTAHEDRON, p)), 9), return_counts=True)
    assert counts.tolist() == [3, 2]
    assert values[1] - values[0] == pytest.approx(3 * p.e_sigma_eV - 4 * p.e_pi_eV)


def test_weak_and_strong_terms_in_the_octahedron():
    p = LigandFieldParameters(zeta_eV=0.0, n_states=None)
    ten_dq = 3 * p.e_sigma_eV - 4 * p.e_pi_eV
    energies = LigandFieldModel(p).levels(angular_overlap(OCTAHEDRON, p))
    energies -= energies[0]
    # d7, Tanabe and Sugano: ground 4T1g (12 states), and 4A2g lies 10Dq above 4T2g.
    assert np.allclose(energies[:12], 0, atol=1e-9)
    assert energies[12] > 0.1
    quartets = [-0.6 * ten_dq, -0.6 * ten_dq + 15 * B]
    mixed = np.linalg.eigvalsh([[quartets[0], 0.4 * ten_dq], [0.4 * ten_dq, 15 * B]])
    t2g = 0.2 * ten_dq - mixed[0]
    assert np.min(np.abs(energies - t2g)) < 1e-8
    assert np.min(np.abs(energies - (t2g + ten_dq))) < 1e-8


@pytest.mark.parametrize("ten_dq_eV", [0.1, 1.06, 1.5])
def test_orbital_momentum_of_the_lowest_term_is_that_of_4f_and_4p_mixed(ten_dq_eV):
    """4T1 of d7: L is -3/2 of l = 1 in 4F at -6 Dq, 1 in 4P at 15 B, and 4 Dq mixes the two."""
    stiff = LigandFieldParameters(zeta_eV=1e-6, exchange_eV=1e-4)
    field = np.diag([0.0, 0.0, ten_dq_eV, 0.0, ten_dq_eV])
    dq = ten_dq_eV / 10
    f_share, p_share = np.linalg.eigh([[-6 * dq, 4 * dq], [4 * dq, 15 * stiff.racah_B_eV]])[1][:, 0] ** 2
    moment = np.linalg.norm(LigandFieldModel(stiff).moments(field, [0.0, 0.0, 1.0])[1])
    assert moment == pytest.approx(1.5 * f_share - p_share, rel=1e-4)


def test_distance_law():
    p = LigandFieldParameters()
    near, far = (np.ptp(np.linalg.eigvalsh(angular_overlap(OCTAHEDRON * s, p))) for s in (1.0, 1.1))
    assert far / near == pytest.approx(1.1**-5)


def test_axial_gradient_splits_the_orbitals_as_the_quadrupole_does():
    p = LigandFieldParameters()
    field = quadrupole_field(np.diag([-1.0, -1.0, 2.0]), p)
    # <3 z^2/r^2 - 1> is 4/7 for z2, 2/7 for xz and yz, -4/7 for xy and x2-y2.
    scale = -0.5 * p.r2_a0_squared * 0.529177210903**2
    assert np.allclose(np.diag(field) / scale, np.array([-4, 2, 4, 2, -4]) / 7, atol=1e-12)


def test_time_reversal_to_a_billionth_of_a_mev():
    directions = lebedev_directions(9).vectors
    model = LigandFieldModel()
    fields = np.array([random_field(s) for s in range(4)])
    forth, back = (model.ground_energies(fields, sign * directions) for sign in (1, -1))
    assert np.abs(forth - back).max() * 1e3 < 1e-9
    assert np.ptp(forth, axis=1).min() * 1e3 > 0.01


def test_cubic_zero_test():
    model = LigandFieldModel(EXACT)
    field = angular_overlap(OCTAHEDRON, EXACT)
    seed = np.array([0.3, 0.5, 0.81])
    images = np.array([op @ seed for op in cubic_operations()])
    energies = model.ground_energies([field], images)[0]
    assert np.ptp(energies) * 1e3 < 1e-9
    others = model.ground_energies([field], [[0, 0, 1], [1, 1, 1]])[0]
    assert np.ptp(others) * 1e3 > 1e-3


def test_turning_ligands_and_moment_together_changes_nothing():
    rng = np.random.default_rng(5)
    bonds = OCTAHEDRON + rng.normal(0, 0.15, OCTAHEDRON.shape)
    turn = Rotation.random(rng=rng).as_matrix()
    directions = lebedev_directions(5).vectors
    model = LigandFieldModel(EXACT)
    here = model.ground_energies([angular_overlap(bonds, EXACT)], directions)
    there = model.ground_energies([angular_overlap(bonds @ turn.T, EXACT)], directions @ turn.T)
    assert np.allclose(here, there, atol=1e-10)


def test_kept_states_change_the_anisotropy_by_less_than_a_microelectronvolt():
    directions = lebedev_directions(5).vectors
    fields = [angular_overlap(OCTAHEDRON + np.random.default_rng(s).normal(0, 0.1, (6, 3)), EXACT) for s in range(4)]
    exact = LigandFieldModel(EXACT).ground_energies(fields, directions)
    kept = LigandFieldModel(replace(EXACT, n_states=60)).ground_energies(fields, directions)
    error = (kept - kept.mean(axis=1, keepdims=True)) - (exact - exact.mean(axis=1, keepdims=True))
    assert np.abs(error).max() * 1e3 < 1e-3


def test_moment_points_along_n_and_is_about_three_muB():
    spin, orbital = LigandFieldModel().moments(angular_overlap(OCTAHEDRON, EXACT), [0, 0, 1])
    assert 2.5 < spin[2] <= 3.0
    assert 0.2 < orbital[2] < 3.0


def test_free_energy_falls_below_the_ground_state_and_tends_to_it():
    field, n = [random_field(1)], [[0, 0, 1]]
    model = LigandFieldModel()
    ground = model.ground_energies(field, n)
    assert model.ground_energies(field, n, 300.0) < ground
    assert np.allclose(model.ground_energies(field, n, 1.0), ground, atol=1e-4)
    with pytest.raises(ValueError, match="temperature"):
        model.ground_energies(field, n, -1.0)


def test_cobalt_ferrite_has_easy_cube_axes():
    cell = get_host("cofe2o4").structure("Imma")
    atoms = to_atoms(cell)
    directions = lebedev_directions(15).vectors
    energies = 1e3 * cobalt_energies(atoms, atoms.arrays["valence"], directions).sum(axis=0)
    map_ = AnisotropyMap(
        state="pristine",
        directions=directions.tolist(),
        energies_meV=energies.tolist(),
        cell_volume_A3=cell.volume,
        formula_units=8,
        ions="8 Co2+",
        provenance=Provenance(engine="local", level_of_theory="local"),
    )
    constants = cubic_constants(map_, average=True)
    # Experiment: about 2 MJ/m^3 at 0 K, easy <100>. The model holds to an order of magnitude.
    assert 0.2 < constants.K1_MJ_per_m3 < 20


def test_site_without_oxygens_is_refused():
    atoms = to_atoms(get_host("cofe2o4").structure("Imma"))
    bare = atoms[[i for i, s in enumerate(atoms.get_chemical_symbols()) if s != "O"]]
    with pytest.raises(ValueError, match="0 anions"):
        cobalt_energies(bare, bare.arrays["valence"], [[0, 0, 1]])


@pytest.mark.parametrize("electrons", [3, 7])
def test_every_term_of_the_free_ion(electrons):
    root = np.sqrt(193 * B * B + 8 * B * C + 4 * C * C)
    terms = [(0, 28), (15 * B, 12), (4 * B + 3 * C, 18), (9 * B + 3 * C, 28), (24 * B + 3 * C, 14)]
    terms += [(20 * B + 5 * C - root, 10), (20 * B + 5 * C + root, 10)]
    found = levels(d_shell(electrons).coulomb(B, C))
    assert np.allclose(list(found.items()), sorted(terms), atol=1e-7)


def test_multiplets_of_more_than_half_a_shell_are_inverted():
    weak = LigandFieldParameters(zeta_eV=1e-4)
    energies = LigandFieldModel(weak).levels(np.zeros((5, 5)))
    # 4F9/2 lies lowest and 4F7/2 above it by (9/2) zeta/3.
    assert np.ptp(energies[:10]) < 1e-10
    assert energies[10] - energies[0] == pytest.approx(1.5 * weak.zeta_eV, rel=1e-3)


def test_quadrupole_operator_is_the_integral_over_the_sphere():
    height, weight = np.polynomial.legendre.leggauss(6)
    angle, ring = np.arange(10) * 0.2 * np.pi, np.sqrt(1 - height**2)[:, None]
    grid = np.broadcast_arrays(ring * np.cos(angle), ring * np.sin(angle), height[:, None])
    points, weights = np.stack(grid, -1).reshape(-1, 3), np.repeat(weight / 20, 10)
    orbitals = np.sqrt(7.5) * np.einsum("gi,pij,gj->pg", points, D_ORBITALS, points)
    outer = np.einsum("ga,gb->abg", points, points) - np.eye(3)[:, :, None] / 3
    assert np.allclose(np.einsum("pg,qg,g->pq", orbitals, orbitals, weights), np.eye(5), atol=1e-12)
    expected = np.einsum("pg,qg,abg,g->abpq", orbitals, orbitals, outer, weights)
    assert np.allclose(quadrupole_operator(), expected, atol=1e-12)


def test_far_negative_charges_raise_the_orbital_that_points_at_them():
    p = LigandFieldParameters()
    positions = np.vstack([np.zeros((1, 3)), OCTAHEDRON, [[0, 0, 3.5], [0, 0, -3.5]]]) + 20.0
    charges = [2.0] + [0.0] * 6 + [-1.0] * 2
    field = site_fields(40 * np.eye(3), positions, ["Co"] + ["O"] * 8, charges, [0], p)[0]
    extra = np.diag(field - angular_overlap(OCTAHEDRON, p))
    # Two charges -e at R: k <r^2> (3 cos^2 - 1) / R^3, with 4/7 for z2 and -4/7 for x2-y2; images are far.
    expected = 14.399645 * p.r2_a0_squared * 0.529177210903**2 * (4 / 7) / 3.5**3
    assert extra[2] == pytest.approx(expected, rel=5e-3)
    assert extra[4] == pytest.approx(-expected, rel=5e-3)


def test_ligands_are_not_counted_twice():
    p = LigandFieldParameters()
    bonds = np.array([[2.1, 0, 0], [0, 2.1, 0], [1.0, 0, 1.9]])
    positions = np.vstack([np.zeros((1, 3)), bonds]) + 20.0
    field = site_fields(40 * np.eye(3), positions, ["Co", "O", "O", "O"], [6.0, -2.0, -2.0, -2.0], [0], p)[0]
    assert np.allclose(field, angular_overlap(bonds, p), atol=1e-4)


def test_crystal_and_moment_turn_together():
    atoms = to_atoms(get_host("cofe2o4").structure("Imma"))
    atoms.rattle(0.05, seed=5)
    turn, directions = Rotation.random(rng=np.random.default_rng(6)).as_matrix(), np.eye(3)
    turned = atoms.copy()
    turned.set_cell(atoms.cell.array @ turn.T)
    turned.positions = atoms.positions @ turn.T
    here = cobalt_energies(atoms, atoms.arrays["valence"], directions)
    there = cobalt_energies(turned, atoms.arrays["valence"], directions @ turn.T)
    assert np.ptp(here, axis=1).min() > 1e-3
    assert np.allclose(here, there, rtol=0, atol=1e-9)


@pytest.mark.parametrize("n_states", [27, 59])
def test_degenerate_levels_are_kept_whole(n_states):
    p = LigandFieldParameters(n_states=n_states)
    images = np.array([op @ np.array([0.3, 0.5, 0.81]) for op in cubic_operations()])
    energies = LigandFieldModel(p).ground_energies([angular_overlap(OCTAHEDRON, p)], images)
    assert np.ptp(energies) * 1e3 < 1e-9


def counted_directions(monkeypatch):
    solved, one_ion = [], LigandFieldModel._one_ion

    def counted(self, field, units, temperature_K):
        solved.append(len(units))
        return one_ion(self, field, units, temperature_K)

    monkeypatch.setattr(LigandFieldModel, "_one_ion", counted)
    return solved


@pytest.mark.parametrize("electrons", [2, 6, 7])
def test_opposite_directions_are_computed_once_where_time_reversal_makes_them_one(monkeypatch, electrons):
    some = np.random.default_rng(3).normal(size=(4, 3))
    directions, fields = np.vstack([some, -some[::-1], some[:1]]), [random_field(7), random_field(8)]
    model = LigandFieldModel(n_electrons=electrons)
    expected = [[model.levels(f, n)[0] for n in directions] for f in fields]
    one_by_one = np.hstack([model.ground_energies(fields, [n]) for n in directions])
    solved = counted_directions(monkeypatch)
    energies = model.ground_energies(fields, directions)
    assert solved == [4, 4]
    assert np.abs(energies - one_by_one).max() * 1e3 < 1e-9
    assert np.abs(energies - expected).max() * 1e3 < 1e-9


def test_what_breaks_time_reversal_is_computed_both_ways_and_shows(monkeypatch):
    model = LigandFieldModel()
    # A field on the orbital moment alone is odd, as no crystal's is.
    model._free_ion = model._free_ion + 1e-4 * model.shell.orbital[2]
    directions, field = np.array([[0.0, 0, 1], [0, 0, -1]]), random_field(7)
    solved = counted_directions(monkeypatch)
    up, down = model.ground_energies([field], directions)[0]
    assert solved == [2]
    assert 1e-7 < abs(up - down) <= model.odd_part_bound_eV(field)
    assert LigandFieldModel().odd_part_bound_eV(field) < 1e-12


@pytest.mark.parametrize("electrons", [1, 4, 7])
def test_time_reversal_turns_momenta_over_and_keeps_what_is_even(electrons):
    shell = d_shell(electrons)
    for odd in (*shell.spin, *shell.orbital):
        assert np.abs(shell.time_reversed(odd) + odd).max() < 1e-12
    for even in (shell.spin_orbit, shell.coulomb(B, C), shell.spin_free(random_field(5))):
        assert np.abs(shell.time_reversed(even) - even).max() < 1e-12
    # Twice is the identity on operators, whatever the sign of the states.
    mixed = shell.spin[0] + 2j * shell.spin_orbit
    assert np.allclose(shell.time_reversed(shell.time_reversed(mixed)), mixed)


def test_ions_in_equal_fields_are_computed_once(monkeypatch):
    field = random_field(7)
    solved = counted_directions(monkeypatch)
    energies = LigandFieldModel().ground_energies([field, random_field(8), field + 1e-14], [[0, 0, 1]])
    assert len(solved) == 2
    assert energies[0, 0] == energies[2, 0] != energies[1, 0]


def test_no_spin_orbit_coupling_no_anisotropy():
    model = LigandFieldModel(LigandFieldParameters(zeta_eV=0.0))
    assert np.ptp(model.ground_energies([random_field(2)], lebedev_directions(5).vectors)) * 1e3 < 1e-9


def test_too_few_states_would_show():
    fields = [angular_overlap(OCTAHEDRON + np.random.default_rng(9).normal(0, 0.1, (6, 3)), EXACT)]
    exact, few = (
        LigandFieldModel(replace(EXACT, n_states=n)).ground_energies(fields, lebedev_directions(5).vectors)[0]
        for n in (None, 12)
    )
    assert np.abs((few - few.mean()) - (exact - exact.mean())).max() * 1e3 > 1e-3


def test_spin_moment_is_the_slope_of_the_energy_in_the_exchange_field():
    field = angular_overlap(OCTAHEDRON, EXACT)
    up, down = (LigandFieldModel(replace(EXACT, exchange_eV=h)).levels(field, [0, 0, 1])[0] for h in (0.0601, 0.0599))
    spin, _ = LigandFieldModel(EXACT).moments(field, [0, 0, 1])
    assert (up - down) / 2e-4 == pytest.approx(-spin[2] / 2, abs=1e-5)


def test_sites_are_the_divalent_cobalts():
    atoms = to_atoms(get_host("cofe2o4").structure("Imma"))
    charges = atoms.arrays["valence"].astype(float)
    cobalt = [a.index for a in atoms if a.symbol == "Co"]
    atoms.arrays["valence"] = charges + (np.arange(len(atoms)) == cobalt[0])
    assert len(cobalt_energies(atoms, charges, [[0, 0, 1]])) == 7
    del atoms.arrays["valence"]
    assert len(cobalt_energies(atoms, charges, [[0, 0, 1]])) == 8
    assert len(cobalt_energies(atoms, charges, [[0, 0, 1]], sites=cobalt[2:4])) == 2


def test_refusals_and_json():
    atoms = to_atoms(get_host("cofe2o4").structure("Imma"))
    with pytest.raises(ValueError, match="length"):
        cobalt_energies(atoms, atoms.arrays["valence"], [[0, 0, 0]])
    with pytest.raises(ValueError, match="n_states"):
        LigandFieldParameters(n_states=0)
    changed = LigandFieldParameters(zeta_eV=0.05, n_states=None)
    assert LigandFieldParameters.from_dict(changed.as_dict()) == changed


def recorded_shapes(monkeypatch):
    shapes, eigvalsh = [], np.linalg.eigvalsh

    def record(matrix, *args, **kwargs):
        shapes.append(np.shape(matrix))
        return eigvalsh(matrix, *args, **kwargs)

    monkeypatch.setattr(np.linalg, "eigvalsh", record)
    return shapes


@pytest.mark.parametrize("electrons", [1, 2, 3, 6, 7, 8])
@pytest.mark.parametrize("changes", [{}, {"exchange_eV": 0.6}, {"exchange_eV": 1e-6}, {"zeta_eV": 0.0}])
def test_lowest_energy_is_that_of_the_full_diagonalisation(electrons, changes):
    model = LigandFieldModel(replace(EXACT, **changes), electrons)
    fields = [random_field(4), angular_overlap(OCTAHEDRON, EXACT), np.zeros((5, 5))]
    directions = np.vstack([np.eye(3)[2:], np.random.default_rng(7).normal(size=(3, 3))])
    expected = [[model.levels(f, n)[0] for n in directions] for f in fields]
    assert np.abs(model.ground_energies(fields, directions) - expected).max() < 1e-11


def test_sites_of_cobalt_ferrite_need_no_full_diagonalisation(monkeypatch):
    atoms = to_atoms(get_host("cofe2o4").structure("Imma"))
    shapes = recorded_shapes(monkeypatch)
    cobalt_energies(atoms, atoms.arrays["valence"], lebedev_directions(9).vectors)
    assert shapes
    assert max(shape[-1] for shape in shapes) < 120


def test_state_that_outer_states_push_below_the_followed_one_is_found():
    # The inner block alone puts state 0 lowest, and it is an exact eigenstate: no residual betrays the other one.
    energies = np.concatenate([[0.0, 1e-3], np.linspace(0.5, 0.6, 14), np.full(4, 0.7)])
    exchange = np.zeros((3, 20, 20), dtype=complex)
    exchange[2, 1, 16] = exchange[2, 16, 1] = 0.1
    found = lowest_energies(energies, exchange, np.array([[1.0, 0, 0], [0, 0, 1.0]]))
    pushed = 0.3505 - np.hypot(0.3495, 0.1)
    assert found == pytest.approx([0.0, pushed], abs=1e-12)


def test_shielding_scales_the_far_ions_alone():
    gradient = np.diag([-1.0, -1.0, 2.0])
    full, half = (quadrupole_field(gradient, replace(EXACT, shielding=s)) for s in (1.0, 0.5))
    assert np.allclose(half, full / 2, atol=1e-15)
    assert np.array_equal(
        angular_overlap(OCTAHEDRON, replace(EXACT, shielding=0.5)), angular_overlap(OCTAHEDRON, EXACT)
    )
