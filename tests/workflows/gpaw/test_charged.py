"""Charged cells by GPAW on MgO: Janak's theorem, counted electrons, potentials at the ions, what is refused."""

import numpy as np
import pytest
from jobflow import run_locally
from pymatgen.core import Lattice, Structure

gpaw = pytest.importorskip("gpaw")

from magnetoionics.analysis.defects.charged_cells import ChargedCell, band_edges  # noqa: E402
from magnetoionics.structures.host import get_host  # noqa: E402
from magnetoionics.workflows.engine import CannotDoError, get_engine  # noqa: E402
from magnetoionics.workflows.flows.charged_defects import ChargedVacanciesMaker  # noqa: E402
from magnetoionics.workflows.flows.plan import plan_stages  # noqa: E402
from magnetoionics.workflows.gpaw.settings import GpawSettings  # noqa: E402

SMALL_e = 0.02


def settings(charge=0.0):
    return GpawSettings(
        cutoff_eV=300.0,
        k_mesh=(2, 2, 2),
        hubbard_U_eV={},
        smearing_eV=0.001,
        energy_eV=1e-7,
        bands="150%",
        charge=charge,
    )


def engine(charge=0.0):
    return get_engine("gpaw", dft=settings(charge), scratch=None)


@pytest.fixture(scope="module")
def cell():
    made = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.21), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    made = made.get_primitive_structure()
    made.add_site_property("magmom", [0.0, 0.0])
    made.add_site_property("valence", [2.0 if s.specie.symbol == "Mg" else -2.0 for s in made])
    made.add_site_property("sublattice", ["B" if s.specie.symbol == "Mg" else "O" for s in made])
    return made


def run(job):
    return run_locally(job, log=False)[job.uuid][1].output


@pytest.fixture(scope="module")
def neutral(cell):
    return run(engine().charged(cell, 0, relax=False, name="host"))


def test_a_little_charge_costs_the_highest_filled_level(cell, neutral):
    """Janak (10.1103/PhysRevB.18.7165): dE/dq = -E_VBM, taken from both sides of a small hole; the background is in."""
    energies = [run(engine(q).static(cell, name="q")).energy_eV for q in (SMALL_e, 2 * SMALL_e)]
    first, second = (e - neutral.calculation.energy_eV for e in energies)
    # The slope at zero from two points: what bends with q^2 drops out.
    slope = (4 * first - second) / (2 * SMALL_e)
    assert slope == pytest.approx(-neutral.vbm_eV, abs=0.02)


def test_edges_levels_and_potentials(cell, neutral):
    edges = band_edges(neutral, [[9.8, 0, 0], [0, 9.8, 0], [0, 0, 9.8]], source="measured")
    assert edges.gap_eV > 3.0
    energies, states = np.array(edges.dos_energies_eV), np.array(edges.dos_states_per_eV)
    width = energies[1] - energies[0]
    # 2s2 2p6 3s2 of Mg and 2s2 2p4 of O, both spins.
    assert (states[energies < edges.vbm_eV + 0.5 * edges.gap_eV] * width).sum() == pytest.approx(16)
    assert np.sum(neutral.dos_filled_per_eV) * width == pytest.approx(16)
    assert len(neutral.site_potentials.potentials_V) == len(cell)
    assert [len(axis) > 8 for axis in neutral.planes.averages_eV] == [True] * 3
    for axis in neutral.planes.averages_eV:
        assert np.mean(axis) == pytest.approx(0.0, abs=1e-6)
    assert ChargedCell.model_validate_json(neutral.model_dump_json()).vbm_eV == neutral.vbm_eV
    assert not any("image charges" in note for note in neutral.calculation.provenance.left_out)


def test_a_hole_makes_its_ions_attract_electrons_more(cell, neutral):
    """Half an electron taken from the O 2p states: a positive charge sees the oxygen rise against the magnesium."""
    hole = run(engine().charged(cell, 1, relax=False, name="hole"))
    assert hole.charge == 1
    oxygen = next(i for i, s in enumerate(cell) if s.specie.symbol == "O")
    change = np.subtract(hole.site_potentials.potentials_V, neutral.site_potentials.potentials_V)
    assert change[oxygen] > 0.1
    assert change[oxygen] > change[1 - oxygen]


def test_what_gpaw_lacks_is_said():
    made = get_engine("gpaw")
    assert "dielectric" in made.missing()
    assert "charged" not in made.missing()
    host = get_host("cofe2o4")
    with pytest.raises(ValueError, match="charged defects cannot be done: engine gpaw cannot do dielectric"):
        plan_stages(made, host, host.orders[0], ["vacancies", "charged defects"])
    with pytest.raises(CannotDoError, match="permittivity"):
        ChargedVacanciesMaker(engine=made).make(None, "cofe2o4")
