"""Finished VASP runs of other groups: what the reader makes of them against what their right.json says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from magnetoionics.workflows.vasp.finished.band import read_band
from magnetoionics.workflows.vasp.finished.reader import read_run


@pytest.fixture(scope="module")
def collection(real: Path) -> Path:
    return real / "vasp" / "collection"


def test_u_of_each_species_is_that_of_incar(collection: Path) -> None:
    """<parameters> holds the first species' U alone: of Mg Mn O that is 0."""
    run = read_run(collection / "b_dftu/mgmn2o4_6.3.2/relax_1_fm")
    assert run.parameters["LDAUU"] == [0.0]
    assert run.hubbard_U_eV == {"Mg": 0.0, "Mn": 3.9, "O": 0.0}
    assert run.functional == "PBEsol"
    assert run.energy_eV == pytest.approx(-104.12466878, abs=1e-8)
    assert run.usable


def test_linear_response_steps_are_no_ground_state(collection: Path) -> None:
    """66 steps stand in the file, 14 of them of the ground state; the last of all changed by 11 meV."""
    run = read_run(collection / "d_lepsilon/nacl_6.1.2")
    assert run.electronic_steps == [14]
    assert run.last_change_eV == pytest.approx(2.14e-6, abs=1e-8)
    assert run.usable
    assert run.born_charges_e is not None
    assert np.trace(run.born_charges_e[0]) / 3 == pytest.approx(1.1033, abs=1e-4)


def test_spins_of_another_axis_are_turned_and_orbital_ones_are_not(collection: Path) -> None:
    run = read_run(collection / "a_soc/nio_u_5.4.1")
    spin, orbital = np.array(run.site_moment_vectors_muB), np.array(run.orbital_moments_muB)
    assert spin[0] == pytest.approx([1.671 / 3**0.5] * 3, abs=1e-3)
    assert orbital[0] == pytest.approx([0.108] * 3, abs=1e-3)
    # Of a shell more than half full, spin and orbital moment are parallel.
    assert float(spin[0] @ orbital[0]) > 0


def test_energies_of_two_meshes_give_no_barrier(collection: Path) -> None:
    band = read_band(collection / "e_neb/al_mg_solute_opt_5.2.2")
    assert band.barrier_eV is None
    assert any("mesh" in reason for reason in band.reasons)


def test_ends_are_found_where_they_were_relaxed(collection: Path) -> None:
    """The second end's file lists its atoms in another order than the band."""
    band = read_band(collection / "e_neb/si_vacancy_vtst4.1_6.4.2")
    assert band.barrier_eV == pytest.approx(0.15848, abs=1e-5)
    assert band.reaction_eV == pytest.approx(-2e-6, abs=1e-6)
    assert band.vtst == "VTST: version 4.1, (05/19/21)"
    assert band.usable
