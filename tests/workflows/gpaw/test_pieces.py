"""What surrounds GPAW, without GPAW: settings, start moments, rescue ladder, Berry-phase branches."""

import sys
import types
from contextlib import nullcontext

import numpy as np
import pytest
from ase import Atoms
from magnetoionics.analysis.results.calculation import InvalidResultError
from magnetoionics.workflows.gpaw import jobs as gpaw_jobs
from magnetoionics.workflows.gpaw.calculator import GpawCalculator, NotConvergedError
from magnetoionics.workflows.gpaw.jobs import spinor_checks
from magnetoionics.workflows.gpaw.observe import gap_eV
from magnetoionics.workflows.gpaw.polarisation import born_charge_e, branch, refuse_thin_kpoints
from magnetoionics.workflows.gpaw.settings import RESCUE_MIXERS, GpawSettings, start_moments
from magnetoionics.workflows.gpaw.spin_orbit import angles_deg, spinor_parameters
from pymatgen.core import Lattice, Structure


def iron(a=3.0):
    atoms = Atoms("FeO", positions=[[0, 0, 0], [a / 2, 0, 0]], cell=[a, a, a], pbc=True)
    atoms.set_array("magmom", np.array([5.0, 0.0]))
    return atoms


def test_start_moments_stay_below_the_free_atom():
    found = start_moments(["Fe", "Fe", "Co", "O"], [5.0, -4.5, 3.0, 0.1])
    np.testing.assert_allclose(found, [4.0, -3.6, 3.0, 0.1])


def test_ions_of_two_valences_begin_apart():
    ferric, ferrous = start_moments(["Fe", "Fe"], [-5.0, 4.0])
    assert (ferric, ferrous) == (-4.0, pytest.approx(3.2))
    # What a free atom holds stays as it is asked for.
    np.testing.assert_allclose(start_moments(["Fe", "Fe"], [4.0, -3.0]), [4.0, -3.0])


def test_electrons_of_a_negative_cell_leave_less_room_for_spin():
    np.testing.assert_allclose(start_moments(["Fe", "Fe", "O"], [5.0, -4.0, 0.1], charge=-0.3), [3.9, -3.12, 0.1])
    np.testing.assert_allclose(start_moments(["Fe", "Fe", "O"], [5.0, -4.0, 0.1], charge=0.3), [4.0, -3.2, 0.1])


@pytest.mark.parametrize(("symbol", "moment_muB"), [("Fe", 5.0), ("Co", 3.0), ("Mn", 5.0), ("Ni", 2.0), ("Cr", 5.0)])
def test_gpaw_can_start_a_charged_cell_from_these_moments(symbol, moment_muB):
    """GPAW's own rule for the electrons of each atom, with its atomic orbitals; the charge is spread over all."""
    pytest.importorskip("gpaw")
    from gpaw.basis_data import Basis
    from gpaw.setup import create_setup

    setup = create_setup(symbol, xc="PBE", basis=Basis.find(symbol, "dzp"))
    for charge in (-3.0, 0.0, 3.0):
        start = start_moments([symbol] * 50, [moment_muB] * 50, charge)[0]
        occupations = setup.calculate_initial_occupation_numbers(float(start), False, charge / 50, 2)
        assert occupations[0].sum() - occupations[1].sum() == pytest.approx(start)


def test_mesh_follows_the_reciprocal_lengths():
    settings = GpawSettings(k_spacing_per_A=0.66)
    # 2 pi / 8.39 A is 0.749 1/A, 2 pi / 16.78 A is 0.374: two points and one.
    assert settings.mesh(np.diag([8.39, 8.39, 16.78])) == (2, 2, 1)
    # Reciprocal vectors of the fcc cell with a = 8.39 A are sqrt(3) * 0.749 = 1.297 1/A long.
    assert settings.mesh(4.195 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])) == (2, 2, 2)
    assert GpawSettings(k_mesh=(3, 1, 2)).mesh(np.eye(3)) == (3, 1, 2)


def test_relaxed_cell_keeps_the_mesh():
    """Lengths near a whole number of points: half a per cent of strain must not add points along an axis."""
    settings = GpawSettings(k_spacing_per_A=0.66)
    edge = 2 * np.pi / (0.66 * 2)
    meshes = {settings.mesh(np.diag([edge * (1 + s)] * 3)) for s in (-0.005, 0.0, 0.005)}
    assert meshes == {(2, 2, 2)}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"cutoff_eV": 50.0}, "200 to 2000"),
        ({"k_mesh": (0, 1, 1)}, "at least 1"),
        ({"hubbard_U_eV": {"Fe": -1}}, "U of"),
        ({"functional": "PBEsol"}, "fitted with PBE and must not be used with PBEsol"),
        ({"functional": "LDA", "hubbard_U_eV": {"Fe": 4.5, "Co": 3.32}}, r"'Co': 3.32"),
    ],
)
def test_impossible_settings_are_refused(wrong, named):
    with pytest.raises(ValueError, match=named):
        GpawSettings(**wrong)


def test_u_that_belongs_to_another_functional_may_be_given():
    of_ions = GpawSettings(functional="PBEsol", hubbard_U_eV={"Zn": 12.0, "O": 6.5, "Gd": 4.0}).setups()
    assert of_ions == {"Zn": ":d,12", "O": ":p,6.5", "Gd": ":f,4"}
    assert GpawSettings(functional="PBEsol", hubbard_U_eV={"Fe": 4.0, "Co": 0.0}).setups() == {"Fe": ":d,4"}
    assert GpawSettings(functional="LDA", hubbard_U_eV={}).setups() == {}


def test_spinors_keep_sense_size_and_direction():
    asked, vectors = [4.0, -4.0, 0.0], np.array([[0.0, 0.0, 2.0], [1.0, 0.0, 0.0]])
    fine = [np.array([[0, 0, 3.6], [0, 0, -3.5], [0, 0.1, 0]]), np.array([[3.6, 0, 0], [-3.5, 0, 0], [0, 0.1, 0]])]
    assert all(c.passed for c in spinor_checks(asked, vectors, fine))
    flipped = [fine[0], np.array([[3.6, 0, 0], [3.5, 0, 0], [0, 0, 0]])]
    lost = [fine[0], np.array([[3.6, 0, 0], [-0.5, 0, 0], [0, 0, 0]])]
    turned = [fine[0], np.array([[3.0, 1.5, 0], [-3.0, -1.5, 0], [0, 0, 0]])]
    for moments, name in ((flipped, "moments kept"), (lost, "moments kept"), (turned, "spins along the direction")):
        assert [c.name for c in spinor_checks(asked, vectors, moments) if c.passed is False] == [name]
        assert all(c.invalidates for c in spinor_checks(asked, vectors, moments))


def test_u_goes_to_the_elements_that_are_there():
    parameters = GpawSettings(hubbard_U_eV={"Fe": 5.3, "Co": 3.32}).parameters(iron())
    assert parameters["setups"] == {"Fe": ":d,5.3"}
    assert GpawSettings(hubbard_U_eV={"Fe": 0.0}).parameters(iron())["setups"] == {}


def test_spinors_start_along_the_direction():
    parameters = spinor_parameters(GpawSettings(), iron(), [1, 1, 0])
    np.testing.assert_allclose(parameters["magmoms"][0], 4.0 * np.array([1, 1, 0]) / np.sqrt(2))
    assert parameters["soc"]
    assert parameters["symmetry"] == "off"


def test_angles_point_back_to_the_direction():
    for direction in np.random.default_rng(0).normal(size=(20, 3)):
        theta, phi = np.radians(angles_deg(direction))
        unit = [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]
        np.testing.assert_allclose(unit, direction / np.linalg.norm(direction), atol=1e-12)


class FakeGpaw:
    """Stands in for GPAW: a spring to the origin, and no convergence until a given number of attempts."""

    made = 0
    fails = 0

    def __init__(self, **parameters):
        type(self).made += 1
        self.mixer = parameters.get("mixer")
        self.number = type(self).made
        self.atoms = None

    def get_property(self, name, atoms):
        self.atoms = atoms
        if self.number <= type(self).fails:
            raise sys.modules["gpaw"].KohnShamConvergenceError
        x = atoms.positions
        return {
            "energy": float((x**2).sum()),
            "free_energy": float((x**2).sum()),
            "forces": -2 * x,
            "stress": np.zeros(6),
            "magmom": 4.0,
            "magmoms": np.array([4.0, 0.0]),
        }[name]


@pytest.fixture
def fake(monkeypatch):
    module = types.ModuleType("gpaw")
    module.KohnShamConvergenceError = type("KohnShamConvergenceError", (Exception,), {})
    monkeypatch.setitem(sys.modules, "gpaw", module)
    monkeypatch.setattr(FakeGpaw, "made", 0)
    monkeypatch.setattr(FakeGpaw, "fails", 0)
    return FakeGpaw


def test_ladder_tries_the_next_mixer_and_says_so(fake, monkeypatch):
    monkeypatch.setattr(fake, "fails", 2)
    calculator = GpawCalculator(GpawSettings(), [5.0, 0.0], make=fake)
    atoms = iron()
    atoms.calc = calculator
    assert atoms.get_potential_energy() == pytest.approx(2.25)
    assert fake.made == 3
    assert len(calculator.attempts) == 3
    assert calculator.attempts[-1].endswith("converged")


def test_end_of_the_ladder_is_an_error_with_every_attempt(fake, monkeypatch):
    monkeypatch.setattr(fake, "fails", 99)
    atoms = iron()
    atoms.calc = GpawCalculator(GpawSettings(), [5.0, 0.0], make=fake)
    with pytest.raises(NotConvergedError, match="pulay"):
        atoms.get_potential_energy()
    assert fake.made == len(RESCUE_MIXERS)


def test_pulay_stress_is_two_thirds_of_the_cutoff_slope(fake):
    class Cutoff(fake):
        def __init__(self, **parameters):
            super().__init__(**parameters)
            self.cutoff = parameters["mode"]["ecut"]

        def get_property(self, name, atoms):
            found = super().get_property(name, atoms)
            return found + 1000.0 / self.cutoff if "energy" in name else found

    atoms = iron()
    atoms.calc = GpawCalculator(GpawSettings(cutoff_eV=400.0), [5.0, 0.0], make=Cutoff)
    assert not atoms.get_stress().any()
    found = atoms.calc.measure_pulay_stress(atoms)
    # E = 1000 / E_cut: the slope times E_cut is -1000 / E_cut, up to the step's square.
    assert found == pytest.approx(-2 / 3 * 1000.0 / 400.0 / 27.0, rel=2e-3)
    atoms.calc.reset()
    np.testing.assert_allclose(atoms.get_stress(), [found] * 3 + [0.0] * 3)


def test_one_point_along_an_axis_is_no_berry_phase():
    refuse_thin_kpoints((2, 2, 3))
    with pytest.raises(ValueError, match="one point along an axis"):
        refuse_thin_kpoints((2, 2, 1))


def test_branch_removes_whole_lattice_vectors():
    cell = np.array([[0, 4.0, 4.0], [4.0, 0, 4.0], [4.0, 4.0, 0]])
    small = np.array([0.03, -0.02, 0.05])
    np.testing.assert_allclose(branch(small + cell[0] - 3 * cell[2], cell), small, atol=1e-12)


class Levels:
    """Eigenvalues of one spin on two k-points, around a Fermi level at zero; moments as asked."""

    def __init__(self, *points, moments=(4.0, 0.0)):
        self.points, self.moments, self.atoms = points, np.array(moments), None

    def get_fermi_level(self):
        return 0.0

    def get_number_of_spins(self):
        return 1

    def get_ibz_k_points(self):
        return np.zeros((len(self.points), 3))

    def get_eigenvalues(self, kpt, spin):
        return np.array(self.points[kpt])

    def get_property(self, name, atoms):
        return self.moments


INSULATOR = ([-2.0, -1.0, 0.6], [-2.5, -0.8, 0.9])
METAL = ([-2.0, -0.4, 0.6], [-2.5, 0.3, 0.9])


def test_a_metal_has_no_gap_although_its_levels_on_a_mesh_leave_one():
    assert gap_eV(Levels(*INSULATOR)) == pytest.approx(1.4)
    # 0.7 eV between the levels below and above: a partly filled band on two points.
    assert gap_eV(Levels(*METAL)) == 0.0


def test_born_charge_of_one_ion_asks_for_a_gap_moments_and_a_mesh(monkeypatch):
    cell = Structure(Lattice.cubic(3.0), ["Fe", "O"], [[0, 0, 0], [0.5, 0, 0]])
    cell.add_site_property("magmom", [5.0, 0.0])

    class Engine:
        def __init__(self, live, mesh=(2, 2, 2)):
            self.live, self.settings = live, GpawSettings(k_mesh=mesh)

        def quiet(self):
            return nullcontext()

        def make_calculator(self, atoms, mover, symmetry):
            assert symmetry == "off"
            return self

        def converged(self, moved):
            self.live.atoms = moved
            return self.live

    monkeypatch.setattr(gpaw_jobs, "dipole_e_A", lambda live: 2.2 * live.atoms.positions[1])
    found = gpaw_jobs.born_charge_of_ion.original(Engine(Levels(*INSULATOR)), cell, 1, axes=[0])
    assert np.array(found) == pytest.approx(np.array([[2.2], [0.0], [0.0]]))
    for wrong, reason in ((Levels(*METAL), "insulator"), (Levels(*INSULATOR, moments=(-4.0, 0.0)), "moments kept")):
        with pytest.raises(InvalidResultError, match=reason):
            gpaw_jobs.born_charge_of_ion.original(Engine(wrong), cell, 1, axes=[0])
    with pytest.raises(ValueError, match="one point along an axis"):
        gpaw_jobs.born_charge_of_ion.original(Engine(Levels(*INSULATOR), (2, 2, 1)), cell, 1, axes=[0])


def test_born_charge_of_a_linear_dipole_is_its_slope_across_branches():
    atoms = iron()
    tensor = np.array([[2.1, 0.1, 0.0], [0.0, 2.3, -0.2], [0.05, 0.0, 2.6]])
    rng = np.random.default_rng(1)

    def dipole(moved):
        jump = rng.integers(-2, 3, size=3) @ atoms.cell.array
        return tensor @ moved.positions[0] + jump

    np.testing.assert_allclose(born_charge_e(dipole, atoms, 0), tensor, atol=1e-9)
    np.testing.assert_allclose(born_charge_e(dipole, atoms, 0, axes=(1,)), tensor[:, 1:2], atol=1e-9)
    with pytest.raises(ValueError, match="outside 0 to 1"):
        born_charge_e(dipole, atoms, 7)
