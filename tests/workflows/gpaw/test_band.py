"""A whole band by GPAW where all is known: ammonia turns inside out through its planar form."""

from dataclasses import replace

import numpy as np
import pytest
from jobflow import run_locally
from pymatgen.core import Lattice, Structure

pytest.importorskip("gpaw")

from magnetoionics.analysis.results.calculation import invalid_because
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.band.driver import BandSettings
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.gpaw.polarisation import branch
from magnetoionics.workflows.gpaw.settings import GpawSettings

pytestmark = pytest.mark.slow

SETTINGS = GpawSettings(
    cutoff_eV=500.0, k_mesh=(1, 1, 1), hubbard_U_eV={}, energy_eV=1e-4, density_e=1e-4, eigenstates_eV2=1e-7
)
BOX_A = 6.5


def ammonia(height_A, bond_A):
    angles = np.radians([0, 120, 240])
    ring = bond_A * np.stack([np.cos(angles), np.sin(angles), np.zeros(3)], axis=1)
    places = np.vstack([[0, 0, height_A], ring]) + BOX_A / 2
    cell = Structure(Lattice.cubic(BOX_A), ["N", "H", "H", "H"], places, coords_are_cartesian=True)
    cell.add_site_property("magmom", [0.0] * 4)
    cell.add_site_property("valence", [-3.0, 1.0, 1.0, 1.0])
    cell.add_site_property("sublattice", ["N", "H", "H", "H"])
    return cell


@pytest.fixture(scope="module")
def engine():
    driver = BandSettings(images_per_segment=1, fmax_eV_per_A=0.1, relax_fmax_eV_per_A=0.05)
    return get_engine(
        "gpaw",
        dft=SETTINGS,
        scratch=None,
        fmax_eV_per_A=0.05,
        band_method="classic",
        band_settings=driver,
    )


@pytest.fixture(scope="module")
def band(engine):
    job = engine.band(ammonia(0.38, 0.94), ammonia(-0.38, 0.94), [], mover=0, name="inversion")
    return run_locally(job, log=False, raise_immediately=True)[job.uuid][1].output


def test_saddle_is_the_planar_molecule(band, engine):
    assert band.converged, [c for c in band.checks if c.passed is False]
    assert [i.kind for i in band.images] == ["end", "saddle", "end"]
    assert band.forward_eV == pytest.approx(band.backward_eV, abs=2e-3)
    saddle = band.images[1].structure.cart_coords
    assert np.ptp(saddle[:, 2]) < 0.02
    # The planar form relaxed by itself: symmetry keeps it planar.
    job = engine.relax(ammonia(0.0, 1.0), name="planar")
    planar = run_locally(job, log=False, raise_immediately=True)[job.uuid][1].output
    first = engine.make_calculator(to_atoms(band.images[0].structure), None)
    bottom = first.get_property("energy", to_atoms(band.images[0].structure))
    assert band.forward_eV == pytest.approx(planar.energy_eV - bottom, abs=5e-3)
    # 2018 1/cm from the inversion spectrum (Swalen and Ibers, 10.1063/1.1701290) are 0.250 eV.
    assert 0.18 < band.forward_eV < 0.30


def test_berry_dipole_is_the_moment_of_the_density(band):
    """An isolated molecule has a dipole without any phase: its charge density times the position."""
    two = get_engine("gpaw", dft=replace(SETTINGS, k_mesh=(2, 2, 2)), scratch=None)
    job = two.polarisation(band.images[0].structure, name="dipole")
    found = run_locally(job, log=False, raise_immediately=True)[job.uuid][1].output
    assert invalid_because(found.checks) == []
    atoms = to_atoms(band.images[0].structure)
    live = two.make_calculator(atoms, None).converged(atoms)
    moment = np.asarray(live.get_property("dipole", live.atoms))
    assert abs(moment[2]) > 0.2
    # What is left falls with the square of the distance of neighbouring k-points.
    assert branch(found.dipole_e_A, atoms.cell.array) == pytest.approx(moment, abs=0.02)
