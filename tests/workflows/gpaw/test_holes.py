"""Occupation control of a t2g hole: geometry and algebra without GPAW, and cubic CoO with it."""

import importlib.util

import numpy as np
import pytest
from ase import Atoms
from magnetoionics.analysis.results.document import Provenance
from magnetoionics.calculators.d_shell import D_ORBITALS
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.evaluation.guards import open_t2g_shells
from magnetoionics.workflows.evaluation.hole_fields import FoundHole, hole_field
from magnetoionics.workflows.evaluation.t2g_orbitals import (
    OPEN_SHELLS,
    HoleNotFoundError,
    bias_matrix_eV,
    hole_in,
    octahedron_axes,
    shell_rotation,
    start_occupations,
)
from magnetoionics.workflows.flows.plan import plan_stages
from magnetoionics.workflows.gpaw import holes as gpaw_holes
from magnetoionics.workflows.gpaw.holes import HoleSearch, orbital_state_of
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
    checks = {
        c.name: c
        for c in hole_field(
            search.atoms, 0, [same, other, same], SOURCE, spin_orbit_meV=38.0, spin_orbit_source=""
        ).checks
    }
    assert checks["three different holes"].passed is False
    assert checks["three different holes"].invalidates
    assert checks["same moments in the three states"].passed


@pytest.mark.parametrize("electrons", [1, 2, 6, 7])
def test_start_occupations_hold_the_electrons_and_are_read_back(electrons):
    """High spin: so many electrons per spin without the two of e_g, and the open orbital comes back."""
    shell, wanted = OPEN_SHELLS[electrons], np.array([2.0, -1.0, 1.0]) / np.sqrt(6)
    up, down = start_occupations(wanted, TURN.T, shell)
    assert np.trace(up) == pytest.approx(min(electrons, 5))
    assert np.trace(down) == pytest.approx(max(electrons - 5, 0))
    half = up if shell.spin == "majority" else down
    found, _, weight = hole_in(half if shell.particle == "hole" else np.eye(5) - half, TURN.T)
    if shell.particle == "electron":
        assert abs(found @ wanted) == pytest.approx(1.0)
        assert weight == pytest.approx(1.0)
    else:
        # e_g is empty as well, but no orbital of t2g.
        assert abs(found @ wanted) == pytest.approx(1.0)


class Answers:
    """GPAW's cycles replaced: every ion ends where it was sent, at energies of its own."""

    asked: list = []  # noqa: RUF012

    def __init__(self, atoms, settings, log, shells):
        self.atoms, self.shells = atoms, shells
        self.spin_orbit_meV = dict.fromkeys(range(len(atoms)), 38.0)

    def run(self, holes):
        Answers.asked.append(holes)
        along, across = np.array([1.0, 1.0, 1.6]), np.array([1.0, -1.0, 0.0])
        out = {}
        for ion, asked in holes.items():
            hole = along if not np.any(asked) else np.asarray(asked)
            step = len(Answers.asked) - 1
            energy = -100.0 + len(holes) * (0.0, 0.0807, 0.116)[step]
            hole = hole / np.linalg.norm(hole)
            out[ion] = FoundHole(hole, across / np.sqrt(2), 0.95, energy, np.full(len(self.atoms), 2.7), 20)
        return out


def test_job_moves_all_holes_together_and_divides_their_energy(monkeypatch):
    """Energies of a measured kind: K1 of 2 to 3 MJ/m3 and L of about 0.45 muB, per ion whatever the number of ions."""
    monkeypatch.setattr(gpaw_holes, "HoleSearch", Answers)
    Answers.asked = []
    cell = get_host("cofe2o4").structure("Imma")
    engine = get_engine("local")

    def made(state, ions=None):
        return orbital_state_of.original(
            engine, cell, settings=GpawSettings(), state=state, ions=ions, temperature_K=300.0
        )

    found = made("pristine")
    assert [sorted(asked) for asked in Answers.asked] == [sorted(open_t2g_shells(cell))] * 3
    assert found.map.method == "crystal field of the hole"
    assert len(found.fields) == 8
    assert sorted(found.fields[0].energies_meV) == pytest.approx([0.0, 80.7, 116.0])
    cold = next(c for c in found.constants if c.temperature_K == 0 and c.orbital_reduction == 1.0)
    warm = next(c for c in found.constants if c.temperature_K == 300 and c.orbital_reduction == 1.0)
    assert cold.K1_MJ_per_m3 == pytest.approx(2.7, abs=0.3)
    assert 0.2 < cold.K1_error_MJ_per_m3 < 1.0
    assert warm.K1_MJ_per_m3 < 0.7 * cold.K1_MJ_per_m3
    assert 0.4 < cold.orbital_moment_100_muB < 0.55
    assert found.checks[-1].passed
    Answers.asked = []
    one = made("after", list(open_t2g_shells(cell))[:1])
    # One ion of eight is no crystal: a field and a map, no K1.
    assert one.constants == []
    assert one.fields[0].energies_meV == pytest.approx(found.fields[0].energies_meV)
    iron = next(i for i, s in enumerate(cell) if s.specie.symbol == "Fe")
    assert made("after", [iron]) is None


def test_stage_says_who_can_and_for_which_host():
    def plan(engine, host):
        found = get_host(host)
        planned = plan_stages(get_engine(engine), found, found.orders[0], ["orbital states"])
        return next(s for s in planned if s.stage == "orbital states")

    with pytest.raises(ValueError, match="no control over the occupation"):
        plan("local", "cofe2o4")
    if importlib.util.find_spec("gpaw"):
        assert plan("gpaw", "cofe2o4").done
        with pytest.raises(ValueError, match="no ion with an open t2g shell"):
            plan("gpaw", "life5o8")


@pytest.mark.slow
def test_holes_of_cubic_cobalt_oxide_are_degenerate():
    """In a regular octahedron the three orbitals are equal by symmetry; lambda of Co2+ is 33 (ion) to 39 meV."""
    pytest.importorskip("gpaw")
    settings = GpawSettings(cutoff_eV=300.0, k_mesh=(2, 2, 2), energy_eV=1e-5, density_e=1e-4, eigenstates_eV2=1e-6)
    search = HoleSearch(rock_salt(), settings)
    found = hole_field(
        search.atoms,
        0,
        [search.run({0: along})[0] for along in np.eye(3)],
        SOURCE,
        spin_orbit_meV=search.spin_orbit_meV[0],
        spin_orbit_source="",
    )
    assert all(c.passed for c in found.checks)
    assert max(found.energies_meV) < 10.0
    assert 30.0 < found.spin_orbit_meV < 42.0
