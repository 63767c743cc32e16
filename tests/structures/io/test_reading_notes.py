"""Files as they lie on disks: a wrong byte, deuterium, implicit hydrogens; what the readers say is passed on."""

import pytest
from magnetoionics.hpc.cli import main
from magnetoionics.structures.host import get_host
from magnetoionics.structures.io.untrusted_input import ReadingNote, read_structure_file, read_with_notes

HEAD = """data_x
_citation_title 'Nickel \xd0 oxide'
_cell_length_a 4.17
_cell_length_b 4.17
_cell_length_c 4.17
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
"""
ATOMS = """loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
"""


def test_a_byte_of_latin_1_is_read_and_said(tmp_path):
    file = tmp_path / "a.cif"
    file.write_bytes((HEAD + ATOMS + "Ni1 Ni 0 0 0\nO1 O 0.5 0.5 0.5\n").encode("latin-1"))
    with pytest.warns(ReadingNote, match=r"a\.cif: byte 0xd0 at position 31 is no UTF-8: read as Latin-1"):
        structure = read_structure_file(file)
    assert structure.composition.reduced_formula == "NiO"
    utf8 = tmp_path / "b.cif"
    utf8.write_text("\ufeff" + file.read_bytes().decode("latin-1").replace("\n", "\r\n"), encoding="utf-8", newline="")
    same, notes = read_with_notes(utf8)
    assert same == structure
    assert not [n for n in notes if "UTF-8" in n]


def test_what_is_no_text_stays_refused(tmp_path):
    (tmp_path / "a.cif").write_bytes(b"\xd0\x00data_x")
    with pytest.raises(ValueError, match="null characters"):
        read_structure_file(tmp_path / "a.cif")


def test_deuterium_is_hydrogen(tmp_path):
    file = tmp_path / "a.cif"
    plain = HEAD.replace("\xd0", "-")
    file.write_text(plain + ATOMS + "Ni1 Ni 0 0 0\nO1 O 0.5 0.5 0.5\nD1 D 0.5 0.5 0.735\n")
    assert sorted(s.specie.symbol for s in read_with_notes(file)[0]) == ["H", "Ni", "O"]


def test_hydrogens_that_a_file_leaves_implicit_are_said(tmp_path):
    file = tmp_path / "a.cif"
    head = HEAD.replace("\xd0", "-") + "_chemical_formula_sum 'Ni1 O2 H2'\n"
    table = ATOMS + "_atom_site_attached_hydrogens\n"
    file.write_text(head + table + "Ni1 Ni 0 0 0 0\nO1 O 0.333 0.667 0.24 1\nO2 O 0.667 0.333 0.76 1\n")
    notes = " ".join(read_with_notes(file)[1])
    assert "implicit hydrogens" in notes
    assert "put them in, 0.96 to 1.0 A from O" in notes
    assert "Missing elements H" in notes
    assert "2 hydrogens of its formula are not among its atoms: each was put on an oxygen" in notes
    assert "\n" not in notes


def test_a_poscar_without_elements_is_refused(tmp_path):
    (tmp_path / "POSCAR").write_text("x\n1.0\n4 0 0\n0 4 0\n0 0 4\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n")
    with pytest.raises(ValueError, match="names no elements"):
        read_structure_file(tmp_path / "POSCAR")


def test_the_command_line_passes_notes_on(real, capsys):
    case = real / "structures" / "h04-latin1-mcif" / "nio.yaml"
    assert main(["structures", str(case)]) == 0
    said = capsys.readouterr().err
    assert said.count("note: nio.mcif: byte 0xd0") == 1
    assert "Latin-1" in get_host(str(case)).sources["notes of the readers"]


def test_atoms_listed_in_full_beside_a_symmetry_are_taken_once(tmp_path):
    """Rutile with all six atoms and the name of its space group, as people write it."""
    file = tmp_path / "a.cif"
    head = HEAD.replace("\xd0", "-").replace("'P 1'", "'P 42/m n m'").replace("length_c 4.17", "length_c 2.87")
    u = 0.305
    oxygens = [(u, u, 0), (1 - u, 1 - u, 0), (0.5 - u, 0.5 + u, 0.5), (0.5 + u, 0.5 - u, 0.5)]
    lines = ["Mn1 Mn 0 0 0", "Mn2 Mn 0.5 0.5 0.5", *(f"O{n} O {x} {y} {z}" for n, (x, y, z) in enumerate(oxygens))]
    file.write_text(head + ATOMS + "\n".join(lines) + "\n")
    structure, notes = read_with_notes(file)
    assert structure.composition.formula == "Mn2 O4"
    assert any("each was taken once" in note for note in notes)
