"""Structure files as others write them: labelled ions, deuterium, rounded coordinates, several 3d metals."""

import warnings

import pytest
from magnetoionics.structures.drafting.draft import draft_host
from magnetoionics.structures.drafting.files import draft_from_file
from magnetoionics.structures.drafting.redox import by_balance, by_redox
from magnetoionics.structures.io.untrusted_input import read_with_notes
from pymatgen.core import Composition, Lattice, Structure

# Valences by spectroscopy or neutron diffraction, general literature; the cells are textbook ones.
KNOWN = {
    "Li3NiCoMnO6": {"Ni": 2, "Co": 3, "Mn": 4},
    "Li10Ni8MnCoO20": {"Ni": 2.875, "Co": 3, "Mn": 4},
    "Li2NiMn3O8": {"Ni": 2, "Mn": 4},
    "La2NiMnO6": {"Ni": 2, "Mn": 4},
    "La2CoMnO6": {"Co": 2, "Mn": 4},
    "CoMn2O4": {"Co": 2, "Mn": 3},
    "NiCo2O4": {"Ni": 2, "Co": 3},
    "NiMn2O4": {"Ni": 2, "Mn": 3},
    "CuFeO2": {"Cu": 1, "Fe": 3},
    "CuCrO2": {"Cu": 1, "Cr": 3},
    "CuFe2O4": {"Cu": 2, "Fe": 3},
    "FeTiO3": {"Fe": 2, "Ti": 4},
    "FeCr2O4": {"Fe": 2, "Cr": 3},
    "CoV2O6": {"Co": 2, "V": 5},
    "FeVO4": {"Fe": 3, "V": 5},
    "MnFe2O4": {"Mn": 2, "Fe": 3},
    "CoFe2O4": {"Co": 2, "Fe": 3},
    "LiFeCoP2O8": {"Fe": 3, "Co": 2},
    "Sr27LiFe18O63": {"Fe": 71 / 18},
}


@pytest.mark.parametrize("formula", KNOWN)
def test_the_metal_that_is_oxidised_first_gives_its_electrons(formula):
    made = by_redox(Composition(formula).get_el_amt_dict())
    assert {el: made[el] for el in KNOWN[formula]} == pytest.approx(KNOWN[formula])


@pytest.mark.parametrize("formula", ["FeS2", "Fe4N", "EuTiO3", "Sr2FeMoO6", "MgO"])
def test_what_the_order_does_not_know_is_left_to_others(formula):
    assert by_redox(Composition(formula).get_el_amt_dict()) is None


@pytest.mark.parametrize(
    ("formula", "element", "valence"),
    [("Mg7Mn16S32", "Mn", 50 / 16), ("K8Ni8F24", "Ni", 2.0), ("Li7La3Zr2O12", "Zr", None), ("Gd16Co15N16", "Co", None)],
)
def test_one_open_element_takes_what_charge_is_left(formula, element, valence):
    made = by_balance(Composition(formula).get_el_amt_dict())
    assert (None if made is None else made[element]) == (None if valence is None else pytest.approx(valence))


def test_too_many_electrons_are_no_valence():
    assert by_redox({"Ni": 1.0, "Mn": 1.0, "O": 9.0}) is None


def layered(labels):
    lattice = Lattice.hexagonal(2.86, 14.23)
    cell = Structure.from_spacegroup("R-3m", lattice, ["Li", "Co", "O"], [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.2395]])
    metals = iter(labels)
    for i, site in enumerate(cell):
        if site.specie.symbol == "Co":
            cell.replace(i, next(metals))
    return cell


def test_a_layered_cathode_has_manganese_four_and_nickel_two():
    found = {r["element"]: r for r in draft_host(layered(["Ni", "Co", "Mn"]), "nmc.cif").entries["roles"]}
    assert [found[el]["valence"] for el in ("Li", "Ni", "Co", "Mn")] == [1, 2, 3, 4]
    assert found["Co"]["spin"] == "low"


def test_what_the_file_states_is_taken_and_the_label_is_no_element():
    """Fe4+ of a labelled SrFeO3; the draft's cell holds elements."""
    cell = Structure.from_spacegroup(
        "Pm-3m", Lattice.cubic(3.85), ["Sr2+", "Fe4+", "O2-"], [[0.5] * 3, [0, 0, 0], [0.5, 0, 0]]
    )
    made = draft_host(cell, "x.cif")
    assert "as the file states them" in made.reasons["roles"]
    assert {r["element"]: r["valence"] for r in made.entries["roles"]} == {"Sr": 2, "Fe": 4, "O": -2}
    assert {s.species_string for s in made.cell} == {"Sr", "Fe", "O"}


def test_labels_that_do_not_add_up_are_not_taken():
    cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.18), ["Ni3+", "O2-"], [[0, 0, 0], [0.5] * 3])
    made = draft_host(cell, "x.cif")
    assert {r["element"]: r["valence"] for r in made.entries["roles"]} == {"Ni": 2, "O": -2}


HEXAGONAL = """data_x
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {c}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_symmetry_space_group_name_H-M '{group}'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
{atoms}
"""


def draft_text_of(tmp_path, atoms, **cell):
    file = tmp_path / "x.cif"
    file.write_text(HEXAGONAL.format(atoms=atoms, **cell))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return draft_from_file(file)


def test_deuterium_is_hydrogen(tmp_path):
    atoms = "Ni1 Ni 0 0 0\nO1 O 0.33333 0.66667 0.2221\nD1 D 0.33333 0.66667 0.4336"
    made = draft_text_of(tmp_path, atoms, a=3.117, c=4.595, group="P -3 m 1")
    assert made.entries["formula"] == "Ni(OH)2"
    assert {r["element"]: r["valence"] for r in made.entries["roles"]} == {"Ni": 2, "H": 1, "O": -2}


def test_atoms_that_rounding_doubled_are_taken_once(tmp_path):
    """Two digits of thirds in P6_3/mmc: NiAs-type NiS has four atoms."""
    atoms = "Ni1 Ni 0 0 0\nS1 S 0.3334 0.6667 0.25"
    file = tmp_path / "nis.cif"
    file.write_text(HEXAGONAL.format(atoms=atoms, a=3.44, c=5.35, group="P 63/m m c"))
    structure, notes = read_with_notes(file)
    assert structure.composition.formula == "Ni2 S2"
    assert any("each was taken once" in note for note in notes)


def test_phosphorus_in_oxygen_is_no_anion():
    """With one Mg too many per VPO5 no usual set is neutral; P3- inside PO4 is none either."""
    lattice = Lattice.tetragonal(6.0, 4.4)
    cell = Structure(
        lattice,
        ["V", "P", "O", "O", "O", "O", "O", "Mg"],
        [
            [0.25, 0.25, 0.2],
            [0.75, 0.25, 0.0],
            [0.75, 0.05, 0.2],
            [0.75, 0.45, 0.2],
            [0.95, 0.25, 0.8],
            [0.55, 0.25, 0.8],
            [0.25, 0.25, 0.57],
            [0.25, 0.75, 0.5],
        ],
    )
    found = {r["element"]: r["valence"] for r in draft_host(cell, "x.cif").entries["roles"]}
    assert found["P"] > 0


def test_brackets_stand_for_molecular_ions_only():
    cell = Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(8.44), ["Zn", "Fe", "O"], [[0.0] * 3, [0.625] * 3, [0.3854] * 3]
    )
    assert draft_host(cell, "x.cif").entries["formula"] == "ZnFe2O4"


DOTTED = """data_x
_cell.length_a 4.2
_cell.length_b 4.2
_cell.length_c 4.2
_cell.angle_alpha 90
_cell.angle_beta 90
_cell.angle_gamma 90
_space_group.name_H-M_alt "F m -3 m"
loop_
_atom_site.label
_atom_site.type_symbol
_atom_site.fract_x
_atom_site.fract_y
_atom_site.fract_z
_atom_site.occupancy
Mg1 Mg 0 0 0 1.0
O1 O 0.5 0.5 0.5 1.0
"""
VASP_4 = """{first}
1.0
4.2 0 0
0 4.2 0
0 0 4.2
{counts}
Direct
0 0 0
0 0.5 0.5
0.5 0 0.5
0.5 0.5 0
0.5 0.5 0.5
0.5 0 0
0 0.5 0
0 0 0.5
"""


def test_names_with_dots_are_read(tmp_path):
    """As the dictionaries of CIF 2 have them, and the programs that write by those."""
    file = tmp_path / "dots.cif"
    file.write_text(DOTTED)
    structure, notes = read_with_notes(file)
    assert structure.composition.formula == "Mg4 O4"
    assert any("names with dots" in note for note in notes)


@pytest.mark.parametrize(("first", "counts"), [("Mg4O4", "4 4"), ("Mg O", "4 4"), ("Mg4 O4", " 4  4 ")])
def test_symbols_in_the_first_line_of_a_poscar_are_taken(first, counts, tmp_path):
    file = tmp_path / "POSCAR-old"
    file.write_text(VASP_4.format(first=first, counts=counts))
    structure, notes = read_with_notes(file)
    assert [s.specie.symbol for s in structure] == ["Mg"] * 4 + ["O"] * 4
    assert notes == ["no line of symbols: Mg O are taken from its first line"]


@pytest.mark.parametrize(
    ("first", "counts"), [("MgO", "4 4 4"), ("Mg3O5", "4 4"), ("a cell of Mg O", "4 4"), ("Xx4O4", "4 4"), ("", "4 4")]
)
def test_a_first_line_that_does_not_fit_names_nothing(first, counts, tmp_path):
    file = tmp_path / "POSCAR-old"
    file.write_text(VASP_4.format(first=first, counts=counts))
    with pytest.raises(ValueError, match="POSCAR-old"):
        read_with_notes(file)
