"""Occupation control of a t2g hole: geometry and algebra without GPAW, and cubic CoO with it."""

import numpy as np
import pytest
from ase import Atoms
from gpaw_holes import (
    FoundHole,
    HoleNotFoundError,
    HoleSearch,
    bias_matrix_eV,
    hole_field,
    hole_in,
    octahedron_axes,
    shell_rotation,
)
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.calculators.d_shell import D_ORBITALS
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.gpaw.settings import GpawSettings
from scipy.spatial.transform import Rotation

SOURCE = Provenance(engine="gpaw", level_of_theory="GPAW")
TURN = Rotation.from_euler("zyx", [20, -15, 10], degrees=True).as_matrix()


def rock_salt(a_A=4.26, turn=None):
    cell = a_A / 2 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]], dtype=float)
    positions = np.array([[0, 0, 0], [a_A / 2, 0, 0]], dtype=float)
    turn = np.eye(3) if turn is None else turn
    atoms = Atoms("CoO", cell=cell @ turn.T, positions=positions @ turn.T, pbc=True)
    atoms.set_initial_magnetic_moments([3.0, 0.0])
    return atoms


def test_axes_of_a_turned_octahedron_turn_with_it():
    assert np.allclose(octahedron_axes(rock_salt(), 0), np.eye(3))
    assert np.allclose(octahedron_axes(rock_salt(turn=TURN), 0), TURN.T, atol=1e-12)


def test_axes_of_cobalt_in_spinel_are_the_cubes():
    atoms = to_atoms(get_host("cofe2o4").structure("Imma"))
    cobalt = [i for i, a in enumerate(atoms) if a.symbol == "Co"]
    for ion in cobalt:
        assert np.allclose(octahedron_axes(atoms, ion), np.eye(3), atol=1e-9)
    tetrahedral = next(i for i, s in enumerate(atoms.arrays["sublattice"]) if s == "A")
    with pytest.raises(ValueError, match="no octahedron"):
        octahedron_axes(atoms, tetrahedral)


def test_orbitals_turn_as_functions_on_the_sphere():
    """Values of an orbital of the turned frame at a point are those of the plain one at the point turned back."""
    turn = shell_rotation(TURN.T)
    assert np.allclose(turn @ turn.T, np.eye(5))
    points = np.random.default_rng(0).normal(size=(20, 3))
    plain = np.einsum("ni,qij,nj->nq", points @ TURN, D_ORBITALS, points @ TURN)
    cartesian = np.einsum("ni,pij,nj->np", points, D_ORBITALS, points)
    assert np.allclose(cartesian @ turn, plain)


def test_order_of_the_orbitals_is_gpaws():
    """xy, yz, z2, xz, x2-y2: the order of the ligand field here, which GPAW's real harmonics share."""
    gpaw = pytest.importorskip("gpaw.sphere.spherical_harmonics")
    points = np.random.default_rng(1).normal(size=(7, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    ours = np.sqrt(15 / (8 * np.pi)) * np.einsum("ni,qij,nj->nq", points, D_ORBITALS, points)
    theirs = np.array([[gpaw.Y(4 + m, *point) for m in range(5)] for point in points])
    assert np.allclose(ours, theirs)


def test_bias_lifts_the_hole_and_lowers_its_partners():
    values, vectors = np.linalg.eigh(bias_matrix_eV([1.0, 2.0, -1.0], TURN.T))
    assert values == pytest.approx([-1.0, -1.0, 0.0, 0.0, 3.0], abs=1e-12)
    wanted = shell_rotation(TURN.T)[:, [1, 3, 0]] @ np.array([1.0, 2.0, -1.0]) / np.sqrt(6)
    assert abs(vectors[:, -1] @ wanted) == pytest.approx(1.0)


def test_hole_is_read_from_the_minority_shell():
    wanted = np.array([2.0, -1.0, 1.0]) / np.sqrt(6)
    turn = shell_rotation(TURN.T)
    t2g, eg = turn[:, [1, 3, 0]], turn[:, [2, 4]]
    fullest = np.cross(wanted, [0.0, 1.0, 1.0]) / np.linalg.norm(np.cross(wanted, [0.0, 1.0, 1.0]))
    inside = 0.95 * (np.eye(3) - np.outer(wanted, wanted)) + 0.03 * np.outer(fullest, fullest)
    found, filled, weight = hole_in(t2g @ inside @ t2g.T + 0.2 * eg @ eg.T, TURN.T)
    assert abs(filled @ fullest) == pytest.approx(1.0)
    assert abs(found @ wanted) == pytest.approx(1.0)
    assert weight == pytest.approx(1.0)


def test_full_shell_has_no_hole():
    """Ni2+ in an octahedron: t2g full, the two holes in e_g."""
    with pytest.raises(HoleNotFoundError, match="no t2g hole"):
        hole_in(np.diag([0.97, 0.97, 0.2, 0.97, 0.2]), np.eye(3))


def test_states_that_fell_together_are_no_crystal_field():
    search = HoleSearch(rock_salt(), GpawSettings())
    search.spin_orbit_meV = {0: 38.0}
    same = FoundHole(np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), 0.95, -10.0, np.array([2.7, 0.0]), 20)
    other = FoundHole(np.array([0, 1.0, 0]), np.array([1.0, 0, 0]), 0.95, -9.9, np.array([2.7, 0.0]), 20)
    checks = {c.name: c for c in hole_field(search, 0, [same, other, same], SOURCE).checks}
    assert checks["three different holes"].passed is False
    assert checks["three different holes"].invalidates
    assert checks["same moments in the three states"].passed


@pytest.mark.slow
def test_holes_of_cubic_cobalt_oxide_are_degenerate():
    """In a regular octahedron the three orbitals are equal by symmetry; lambda of Co2+ is 33 (ion) to 39 meV."""
    pytest.importorskip("gpaw")
    settings = GpawSettings(cutoff_eV=300.0, k_mesh=(2, 2, 2), energy_eV=1e-5, density_e=1e-4, eigenstates_eV2=1e-6)
    search = HoleSearch(rock_salt(), settings)
    found = hole_field(search, 0, [search.run({0: along})[0] for along in np.eye(3)], SOURCE)
    assert all(c.passed for c in found.checks)
    assert max(found.energies_meV) < 10.0
    assert 30.0 < found.spin_orbit_meV < 42.0
