"""Files that a new user gives by mistake: one clear sentence each; moments in a POSCAR's comment are read."""

import numpy as np
import pytest
from magnetoionics.structures.drafting.files import draft_from_file
from magnetoionics.structures.io.host_entries import HostFileError
from pymatgen.core import Lattice, Structure

NICKEL_OXIDE = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.18), ["Ni", "O"], [[0] * 3, [0.5] * 3])


def poscar(structure, comment):
    return structure.to(fmt="poscar").replace(structure.to(fmt="poscar").split("\n", 1)[0], comment, 1)


def test_an_empty_file_and_one_of_bytes_are_named(tmp_path):
    (tmp_path / "empty.cif").write_text("\n \n")
    with pytest.raises(HostFileError, match=r"^empty\.cif is empty: it holds no structure"):
        draft_from_file(tmp_path / "empty.cif")
    junk = bytes(b for b in np.random.default_rng(1).integers(1, 255, 500).tolist())
    (tmp_path / "POSCAR").write_bytes(junk)
    with pytest.raises(HostFileError, match=r"^POSCAR holds control characters; it is no text"):
        draft_from_file(tmp_path / "POSCAR")


def test_a_cif_without_atoms_says_so(tmp_path):
    (tmp_path / "x.cif").write_text("data_x\n_cell_length_a 4.2\nloop_\n_refln_index_h\n_refln_index_k\n1 0\n1 1\n")
    with pytest.raises(HostFileError, match=r"^x\.cif lists no atoms \(_atom_site_fract_x\)"):
        draft_from_file(tmp_path / "x.cif")


def test_a_cell_too_large_says_how_small_it_could_be(tmp_path):
    cell = NICKEL_OXIDE.copy()
    cell.make_supercell(6)
    cell.to(filename=str(tmp_path / "large.vasp"), fmt="poscar")
    with pytest.raises(HostFileError, match=r"1728 atoms, .* at most 1000: give its primitive cell, which has 2"):
        draft_from_file(tmp_path / "large.vasp")


@pytest.mark.parametrize(
    ("comment", "moment"),
    [
        ("NiO MAGMOM = 2 2 -2 -2 4*0", 0.0),
        ("MAGMOM: 3*1.9 -1.9 4*0.0 relaxed", 1.0),
        ("Ni4 O4 magmom= 0 0 2 0 0 2 0 0 -2 0 0 -2 12*0", 0.0),
    ],
)
def test_moments_of_a_poscars_comment(tmp_path, comment, moment):
    """As VASP writes them in an INCAR; per formula unit NiO the sum of 2 muB each."""
    (tmp_path / "POSCAR").write_text(poscar(NICKEL_OXIDE, comment))
    made = draft_from_file(tmp_path / "POSCAR")
    assert made.entries["moment_per_formula_muB"] == pytest.approx(moment, abs=1e-6)
    assert any("MAGMOM in its first line" in note for note in made.notes)


def test_moments_for_other_atoms_are_left_out_and_said(tmp_path):
    (tmp_path / "POSCAR").write_text(poscar(NICKEL_OXIDE, "MAGMOM = 2 -2 2*0"))
    made = draft_from_file(tmp_path / "POSCAR")
    assert any("has 4 numbers for 8 atoms and is left out" in note for note in made.notes)
    assert "assumed" in made.reasons["spin_sense"]
