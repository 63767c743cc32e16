"""A whole study with the engine gpaw, its wiring alone: rigid ions answer in GPAW's place."""

import sys
import types
from importlib.machinery import ModuleSpec

import numpy as np
import pytest
from ase import Atoms
from magnetoionics.analysis.study.documents import Study
from magnetoionics.calculators.rigid_ion import RigidIonCalculator, spread_charge
from magnetoionics.hpc.study_folder.study_run import run_study

CHARGE = {"Fe": 1.8, "Co": 1.2, "O": -1.2}
DENSER = (3, 3, 3)
VALENCE = {"Fe": 3.0, "Co": 2.0, "O": -2.0}


class RigidGpaw:
    """The part of GPAW that the engine uses, with energies of rigid ions and the moments it starts from."""

    def __init__(self, **parameters):
        assert parameters["mode"]["name"] == "pw"
        assert parameters["setups"] == {"Co": ":d,3.32", "Fe": ":d,5.3"}
        self.symmetric = parameters["symmetry"] != "off"
        self.mesh = tuple(parameters["kpts"]["size"])
        self.atoms = None
        self.rigid = None

    def get_property(self, name, atoms):
        self.atoms = atoms
        moments = atoms.get_initial_magnetic_moments()
        if name == "magmoms":
            return moments
        if name == "magmom":
            return float(moments.sum())
        symbols = atoms.get_chemical_symbols()
        charges = np.array([CHARGE[s] for s in symbols])
        if self.rigid is None:
            valences = np.array([VALENCE[s] for s in symbols])
            self.rigid = RigidIonCalculator("pedone", valences=valences, charges=spread_charge(charges, charges < 0))
        return self.rigid.get_property(name, Atoms(symbols, atoms.positions, cell=atoms.cell, pbc=True))

    def get_fermi_level(self):
        return 0.0

    def get_number_of_spins(self):
        return 1

    def get_ibz_k_points(self):
        return np.zeros((1, 3))

    def get_eigenvalues(self, kpt, spin):
        return np.array([-1.0, 0.5])


class Spinors(list):
    """Spin-orbit states of a uniaxial ferrimagnet; an insulator, whose occupations have no entropy."""

    nelectrons = 1

    def __init__(self, calculator, theta, phi, eigenvalues):
        super().__init__([types.SimpleNamespace(eig_m=np.array([-1.0, 0.5]))])
        # The map itself without any; what only tells its error on a denser mesh has the symmetry of the crystal.
        assert not calculator.symmetric or calculator.mesh == DENSER
        # Both bands: no level within 1 eV of the filled ones is left out.
        assert eigenvalues.tolist() == [[[-1.0, 0.5]]]
        self.energy = 0.001 * np.sin(np.radians(theta)) ** 2
        self.sites = len(calculator.atoms)

    @property
    def occ(self):
        return types.SimpleNamespace(calculate=lambda electrons, levels, weights: (None, None, 0.0))

    def calculate_band_energy(self):
        return self.energy

    def get_orbital_magnetic_moments(self):
        return np.zeros((self.sites, 3))


@pytest.fixture
def rigid_gpaw(monkeypatch):
    module, coupling = types.ModuleType("gpaw"), types.ModuleType("gpaw.spinorbit")
    module.__spec__ = ModuleSpec("gpaw", None)
    module.KohnShamConvergenceError = type("KohnShamConvergenceError", (Exception,), {})
    module.GPAW = lambda txt=None, **parameters: RigidGpaw(**parameters)
    coupling.soc_eigenstates = Spinors
    monkeypatch.setitem(sys.modules, "gpaw", module)
    monkeypatch.setitem(sys.modules, "gpaw.spinorbit", coupling)
    from magnetoionics.workflows.engines import gpaw as engine

    monkeypatch.setattr(engine, "versions", lambda *packages: dict.fromkeys(packages, "0"))


@pytest.mark.slow
def test_hop_and_maps_with_gpaw(rigid_gpaw, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = run_study(
        "cofe2o4", engine_name="gpaw", quick=True, output=tmp_path / "study", stages=["migration", "anisotropy"]
    )
    study = Study.model_validate_json((folder / "results.json").read_text())
    assert {s.stage for s in study.stages if s.done} == {"host", "migration", "anisotropy"}
    assert study.engine.provenance.functional == "PBE"
    assert study.engine.provenance.hubbard_U_eV["Co"] == 3.32
    pristine = next(s for s in study.anisotropy.summaries if s.state == "pristine")
    assert abs(pristine.easy_axis[2]) == pytest.approx(1.0, abs=1e-3)
    assert pristine.hard_minus_easy_meV == pytest.approx(1.0, rel=1e-3)
    mesh = next(part for part in pristine.error_parts if part.source == "k mesh")
    assert mesh.value_meV == 0
    assert mesh.note.startswith("2x2x2 against 3x3x3")
    assert study.migration[0].forward_eV > 0.3
    assert any("spin flip" in c.name for c in study.migration[0].checks)
    assert (tmp_path / "gpaw-scratch").is_dir()
