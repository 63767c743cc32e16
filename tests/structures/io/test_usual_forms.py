"""Structure files whose writers went their own ways: each is read as it was meant, and what was done is said."""

import numpy as np
import pytest
from magnetoionics.structures.cells.partial_occupancy import ordered_cell
from magnetoionics.structures.drafting.files import draft_from_file
from magnetoionics.structures.io.host_entries import HostFileError
from magnetoionics.structures.io.untrusted_input import read_with_notes

COLUMNS = """loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
"""
RUTILE = (
    """_cell_length_a 4.594
_cell_length_b 4.594
_cell_length_c 2.959
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 42/m n m'
"""
    + COLUMNS
)
ATOMS = "Ti1 Ti 0 0 0 1\nO1 O 0.3053 0.3053 0 1\n"


def cif(tmp_path, head, atoms, heading="data_x\n"):
    file = tmp_path / "x.cif"
    file.write_text(heading + head + atoms)
    return file


def same_as_rutile(structure):
    return structure.composition.formula == "Ti2 O4" and structure.volume == pytest.approx(4.594**2 * 2.959)


def test_a_cif_without_a_heading(tmp_path):
    structure, notes = read_with_notes(cif(tmp_path, RUTILE, ATOMS, heading=""))
    assert same_as_rutile(structure)
    assert any("no data_ heading" in note for note in notes)


def test_a_cif_without_labels(tmp_path):
    structure, notes = read_with_notes(
        cif(tmp_path, RUTILE.replace("_atom_site_label\n", ""), "Ti 0 0 0 1\nO 0.3053 0.3053 0 1\n")
    )
    assert same_as_rutile(structure)
    assert any("without labels" in note for note in notes)


GROUP = "_symmetry_space_group_name_H-M 'P 42/m n m'"


@pytest.mark.parametrize("line", ["_space_group_name_Hall '-P 4n 2n'", "_symmetry_space_group_name_Hall -P_4n_2n"])
def test_a_hall_symbol_alone_gives_the_operations(line, tmp_path):
    structure, notes = read_with_notes(cif(tmp_path, RUTILE.replace(GROUP, line), ATOMS))
    assert same_as_rutile(structure)
    assert any("space group that it names" in note for note in notes)


def test_places_without_an_atom_are_left_out(tmp_path):
    structure, notes = read_with_notes(cif(tmp_path, RUTILE, ATOMS + "X1 X 0.5 0 0.25 1\nV1 Va 0.5 0.5 0.5 1\n"))
    assert same_as_rutile(structure)
    assert "left out, as no atom is meant: X1, V1" in notes
    before = "loop_\n_atom_site_aniso_label\n_atom_site_aniso_U_11\nTi1 1/4\nloop_\n"
    structure, _ = read_with_notes(cif(tmp_path, RUTILE.replace("loop_\n", before), ATOMS + "X1 X 1/2 0 0.25 1\n"))
    assert same_as_rutile(structure)
    bare = RUTILE.replace("_atom_site_type_symbol\n", "")
    structure, _ = read_with_notes(cif(tmp_path, bare, "Ti1 0 0 0 1\nO1 0.3053 0.3053 0 1\nDU1 0.5 0 0.25 1\n"))
    assert same_as_rutile(structure)
    structure, _ = read_with_notes(cif(tmp_path, bare, "Va 0 0 0 1\nO1 0.3053 0.3053 0 1\n"))
    assert structure.composition.formula == "V2 O4"


def test_a_cif_without_a_cell_names_what_it_lacks(tmp_path):
    with pytest.raises(ValueError, match=r"has no _cell_length_c$"):
        read_with_notes(cif(tmp_path, RUTILE.replace("_cell_length_c 2.959\n", ""), ATOMS))


def test_fractions_are_numbers_in_coordinates_alone(tmp_path):
    """FeS2's thirds and quarters as fractions; symmetry operations keep theirs."""
    head = RUTILE.replace("_symmetry_space_group_name_H-M 'P 42/m n m'\n", "").replace(
        "loop_", "loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\n'x+1/2, y+1/2, z+1/2'\nloop_", 1
    )
    structure, notes = read_with_notes(cif(tmp_path, head, "Ti1 Ti 1/4 -1/3 0 1\nO1 O 0.6 0.1 3/4 1\n"))
    assert structure.composition.formula == "Ti2 O2"
    assert np.allclose(np.sort(structure.frac_coords[:2, 0] % 1), [0.25, 0.75])
    assert np.isclose(structure.frac_coords[0, 1] % 1, 2 / 3)
    assert any("1/4" in note for note in notes)


def test_occupancies_a_little_above_one_are_scaled(tmp_path):
    structure, notes = read_with_notes(
        cif(tmp_path, RUTILE, "Ti1 Ti 0 0 0 0.76\nFe1 Fe 0 0 0 0.26\nO1 O 0.3053 0.3053 0 1.00002\n")
    )
    assert max(s.species.num_atoms for s in structure) <= 1
    assert structure.composition["Fe"] / structure.composition["Ti"] == pytest.approx(0.26 / 0.76)
    assert any("scaled to 1" in note for note in notes)


@pytest.mark.parametrize(
    ("atoms", "words"),
    [
        ("N1 N 0 0 0 1.237\nO1 O 0.3053 0.3053 0 1\n", "add up to 1.237"),
        ("Ti1 Ti 0 0 0 1\nFe1 Fe 0 0 0 1\nO1 O 0.3053 0.3053 0 1\n", "add up to 2"),
    ],
)
def test_what_no_site_can_hold_is_refused_with_its_sum(atoms, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        read_with_notes(cif(tmp_path, RUTILE, atoms))


def test_a_cif_without_atoms_says_so(tmp_path):
    with pytest.raises(ValueError, match="lists no atoms"):
        read_with_notes(cif(tmp_path, RUTILE[: RUTILE.index("loop_")], ""))


def test_a_poscar_without_its_comment_is_told_so(tmp_path):
    file = tmp_path / "POSCAR"
    file.write_text("1.0\n4.18 0 0\n0 4.18 0\n0 0 4.18\nNi O\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n")
    with pytest.raises(ValueError, match="put a line above it"):
        read_with_notes(file)


def test_left_handed_vectors_are_exchanged_and_no_atom_moves(tmp_path):
    """All distances, and the handedness of the arrangement of atoms: the crystal is not inverted."""
    file = tmp_path / "x.vasp"
    vectors = np.array([[0.3, 4.1, 0.0], [4.9, 0.2, 0.1], [0.4, 0.3, 5.2]])
    assert np.linalg.det(vectors) < 0
    rows = "\n".join(" ".join(map(str, row)) for row in vectors)
    atoms = [[0.1, 0.2, 0.3], [0.6, 0.2, 0.35], [0.15, 0.65, 0.3], [0.1, 0.3, 0.8]]
    file.write_text(f"x\n1.0\n{rows}\nNi Mn Fe O\n1 1 1 1\nDirect\n" + "\n".join(" ".join(map(str, a)) for a in atoms))
    structure, notes = read_with_notes(file)
    assert np.linalg.det(structure.lattice.matrix) > 0
    assert np.allclose(structure.cart_coords, np.array(atoms) @ vectors)
    assert [s.specie.symbol for s in structure] == ["Ni", "Mn", "Fe", "O"]
    assert any("left-handed" in note for note in notes)


def test_inputs_of_other_programs_are_told_apart_by_what_they_hold(tmp_path):
    aims = tmp_path / "geometry.in"
    aims.write_text(
        "lattice_vector 4.18 0 0\nlattice_vector 0 4.18 0\nlattice_vector 0 0 4.18\n"
        "atom_frac 0 0 0 Ni\ninitial_moment 2\natom_frac 0.5 0.5 0.5 O\n"
    )
    structure, _ = read_with_notes(aims)
    assert structure.composition.formula == "Ni1 O1"
    assert structure.site_properties["magmom"] == [2.0, 0.0]
    espresso = tmp_path / "scf.in"
    espresso.write_text(
        "&control\n/\n&system\nibrav=0, nat=2, ntyp=2, ecutwfc=40\n/\n&electrons\n/\nATOMIC_SPECIES\nNi 58.7 Ni.upf\n"
        "O 16.0 O.upf\nCELL_PARAMETERS angstrom\n4.18 0 0\n0 4.18 0\n0 0 4.18\nATOMIC_POSITIONS crystal\n"
        "Ni 0 0 0\nO 0.5 0.5 0.5\n"
    )
    assert read_with_notes(espresso)[0].composition.formula == "Ni1 O1"
    other = tmp_path / "ph.in"
    other.write_text("&inputph\n/\n")
    with pytest.raises(ValueError, match="no structure is in it"):
        read_with_notes(other)


BRUCITE = (
    """data_x
_cell_length_a 3.117
_cell_length_b 3.117
_cell_length_c 4.595
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_symmetry_space_group_name_H-M 'P -3 m 1'
_chemical_formula_sum '{formula}'
"""
    + COLUMNS
    + "Ni1 Ni 0 0 0 {nickel}\n"
)


def test_no_valences_are_guessed_where_hydrogens_are_left_out(tmp_path):
    """Ni(H2O)2 without its hydrogens would be NiO2 of Ni4+, and whose are where on water no rule says."""
    file = tmp_path / "x.cif"
    file.write_text(BRUCITE.format(formula="Ni O2 H4", nickel=1) + "O1 O 0.33333 0.66667 0.2221 1\n")
    with pytest.warns(UserWarning, match="H"), pytest.raises(HostFileError, match="put the hydrogens in"):
        draft_from_file(file)


def test_hydrogens_of_a_mixed_crystal_are_put_right_too(tmp_path):
    file = tmp_path / "x.cif"
    text = BRUCITE.format(formula="Ni0.5 Mg0.5 O2 H2", nickel=0.5).replace("Ni1 Ni 0 0 0 0.5\n", "")
    file.write_text(
        text + "Ni1 Ni 0 0 0 0.5\nMg1 Mg 0 0 0 0.5\nO1 O 0.33333 0.66667 0.2221 1\nH1 H 0.33333 0.66667 0.37 1\n"
    )
    with pytest.warns(UserWarning, match="0.97"):
        made = draft_from_file(file)
    hydrogens = [i for i, s in enumerate(made.cell) if s.specie.symbol == "H"]
    assert {r["element"]: r["valence"] for r in made.entries["roles"]} == {"Ni": 2, "Mg": 2, "H": 1, "O": -2}
    for i in hydrogens:
        assert min(n.nn_distance for n in made.cell.get_neighbors(made.cell[i], 1.5)) == pytest.approx(0.97)


def test_mixed_sites_of_a_phosphate_are_filled_neutral(tmp_path):
    """Li(1+x)Al(x)Ti(2-x)(PO4)3, shares as refined: whole ions keep Ti4+, as phosphorus beside oxygen is 5+."""
    file = tmp_path / "x.cif"
    file.write_text(
        "data_x\n_cell_length_a 8.503\n_cell_length_b 8.503\n_cell_length_c 20.70\n_cell_angle_alpha 90\n"
        "_cell_angle_beta 90\n_cell_angle_gamma 120\n_symmetry_space_group_name_H-M 'R -3 c'\nloop_\n"
        "_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
        "_atom_site_occupancy\nLi1 Li 0 0 0 1\nLi2 Li 0 0 0.25 0.5825\nTi1 Ti 0 0 0.14 0.708\nAl1 Al 0 0 0.14 0.2915\n"
        "P1 P 0.29 0 0.25 1\nO1 O 0.186 0.996 0.1895 1\nO2 O 0.187 0.164 0.081 1\n"
    )
    amounts = ordered_cell(read_with_notes(file)[0]).structure.composition.get_el_amt_dict()
    charges = {"Li": 1, "Ti": 4, "Al": 3, "P": 5, "O": -2}
    assert sum(n * charges[el] for el, n in amounts.items()) == 0
