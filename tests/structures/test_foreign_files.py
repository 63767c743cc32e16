"""Structure files as others write them: labelled ions, deuterium, rounded coordinates, several 3d metals."""

import warnings

import pytest
from magnetoionics.structures.cells.partial_occupancy import ordered_cell
from magnetoionics.structures.checks.geometry import StructureError
from magnetoionics.structures.drafting.draft import draft_host
from magnetoionics.structures.drafting.files import draft_from_file
from magnetoionics.structures.drafting.redox import (
    by_balance,
    by_common_states,
    by_redox,
    single_valences,
)
from magnetoionics.structures.io.untrusted_input import read_with_notes
from pymatgen.core import Composition, Lattice, Species, Structure

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


def test_a_global_block_before_the_crystal_is_passed_over(tmp_path):
    """FullProf, JANA and publishers put one; the crystal's own symmetry counts, and the first of several is taken."""
    body = HEXAGONAL.format(atoms="Ni1 Ni 0 0 0\nS1 S 0.33333 0.66667 0.25", a=3.44, c=5.35, group="P 63/m m c")
    file = tmp_path / "x.cif"
    file.write_text(
        " data_global\n_journal_date ?\n_publ_title\n;\ndata_of nobody\n;\n" + body + body.replace("Ni", "Fe")
    )
    structure, notes = read_with_notes(file)
    assert structure.composition.formula == "Ni2 S2"
    assert any("2 of its blocks list atoms: data_x was taken" in note for note in notes)


def test_a_loop_without_rows_is_no_error(tmp_path):
    file = tmp_path / "x.mcif"
    body = HEXAGONAL.format(atoms="Ni1 Ni 0 0 0\nS1 S 0.33333 0.66667 0.25", a=3.44, c=5.35, group="P 63/m m c")
    file.write_text(body + "\nloop_\n _atom_site_moment_label\n _atom_site_moment_crystalaxis_x\n")
    assert read_with_notes(file)[0].composition.formula == "Ni2 S2"


def test_magnetite_is_inverse():
    """Tetrahedra 1.89 A: Fe3+; octahedra share an electron: 2.5+, 4 muB per formula (general literature)."""
    cell = Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(8.396), ["Fe", "Fe", "O"], [[0, 0, 0], [0.625] * 3, [0.3799] * 3]
    )
    made = draft_host(cell, "fe3o4.cif").entries
    assert {r["sublattice"]: r["valence"] for r in made["roles"]} == {"A": 3.0, "B": 2.5, "O": -2.0}
    assert made["moment_per_formula_muB"] == pytest.approx(4.0)


def test_hausmannite_is_normal():
    cell = Structure.from_spacegroup(
        "I4_1/amd",
        Lattice.tetragonal(5.765, 9.442),
        ["Mn", "Mn", "O"],
        [[0, 0, 0], [0, 0.25, 0.625], [0, 0.222, 0.384]],
    )
    made = draft_host(cell, "mn3o4.cif").entries
    assert {r["sublattice"]: r["valence"] for r in made["roles"]} == {"A": 2.0, "B": 3.0, "O": -2.0}


def test_co3_in_a_trigonal_prism_is_high_spin():
    """Ca3Co2O6: octahedra 0, prisms 4 muB (general literature)."""
    cell = Structure.from_spacegroup(
        "R-3c",
        Lattice.hexagonal(9.079, 10.381),
        ["Ca", "Co", "Co", "O"],
        [[0.369, 0, 0.25], [0, 0, 0], [0, 0, 0.25], [0.1763, 0.0237, 0.1139]],
    )
    made = draft_host(cell, "x.cif").entries
    assert sorted(str(r.get("spin")) for r in made["roles"] if r["element"] == "Co") == ["None", "low"]
    assert made["moment_per_formula_muB"] == pytest.approx(4.0)


def test_ions_that_the_file_leaves_without_order_have_no_moment(tmp_path):
    """Of two Mn3+ one has a moment: the other is a role of its own, with 0 and the reason."""
    cell = Structure.from_spacegroup(
        "Pm-3m", Lattice.cubic(3.87), ["La", "Mn", "O"], [[0, 0, 0], [0.5] * 3, [0.5, 0.5, 0]]
    )
    cell.make_supercell((1, 1, 2))
    first = next(i for i, s in enumerate(cell) if s.specie.symbol == "Mn")
    cell.add_site_property("magmom", [3.9 if i == first else 0.0 for i in range(len(cell))])
    made = draft_host(cell, "x.json")
    roles = [r for r in made.entries["roles"] if r["element"] == "Mn"]
    assert [(r.get("spin"), len(r["indices"])) for r in roles] == [(None, 1), (0.0, 1)]
    assert made.entries["moment_per_formula_muB"] == pytest.approx(2.0)
    assert any("no moment in the file, 4 muB by the valence" in reason for reason in made.reasons.values())


def test_mixed_sites_are_filled_neutral():
    """Ba3MgTa2O9 with Zr: largest remainders would leave 10 Mg, 3 Zr, 19 Ta of a cell, charged by one."""
    cell = Structure.from_spacegroup(
        "Fm-3m",
        Lattice.cubic(8.2),
        ["Ba", {"Mg": 0.56, "Ta": 0.29, "Zr": 0.15}, {"Mg": 0.04, "Ta": 0.91, "Zr": 0.05}, "O"],
        [[0.25] * 3, [0, 0, 0], [0.5] * 3, [0.25, 0, 0]],
    )
    formula = ordered_cell(cell).structure.composition.get_el_amt_dict()
    assert sum({"Ba": 2, "Mg": 2, "Ta": 5, "Zr": 4, "O": -2}[el] * n for el, n in formula.items()) == 0
    assert formula["Mg"] / formula["Ba"] == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(
    ("symbols", "words"),
    [(["Al", "O"], "Al .3, O -2 leave"), (["Fe", "O", "O", "O", "O", "O"], "Fe would have to give 10")],
)
def test_an_oxide_that_cannot_be_neutral_is_no_metal(symbols, words):
    places = [[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5]]
    cell = Structure(Lattice.cubic(3.9), symbols, places[: len(symbols)])
    with pytest.raises(StructureError, match=words):
        draft_host(cell, "x.cif")


def test_organic_molecules_are_refused_at_once():
    cell = Structure(Lattice.cubic(12), ["Fe"] + ["C", "H"] * 13, [[0.9, 0.9, 0.9]] + [
        [0.1 + 0.116 * (n % 6), 0.1 + 0.3 * (n // 6) + 0.09 * kind, 0.1] for n in range(13) for kind in (0, 1)
    ])  # fmt: skip
    with pytest.raises(StructureError, match="C-C or C-H bonds"):
        draft_host(cell, "x.cif")


def test_a_small_molecule_is_one_too_and_a_carbonate_is_none():
    """Methanol's C-H at 1.09 A; the carbonate's carbon has one valence."""
    methanol = Structure(
        Lattice.cubic(6), ["C", "O", "H", "H"], [[0.1] * 3, [0.34, 0.1, 0.1], [0.1, 0.28, 0.1], [0.1, 0.1, 0.28]]
    )
    with pytest.raises(StructureError, match="C-C or C-H bonds"):
        draft_host(methanol, "x.cif")
    calcite = Structure.from_spacegroup(
        "R-3c", Lattice.hexagonal(4.99, 17.06), ["Mn", "C", "O"], [[0, 0, 0], [0, 0, 0.25], [0.257, 0, 0.25]]
    )
    assert {r["element"]: r["valence"] for r in draft_host(calcite, "x.cif").entries["roles"]} == {
        "Mn": 2,
        "C": 4,
        "O": -2,
    }


def test_no_metal_gives_more_electrons_than_it_has():
    cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.0), ["Cu", "N"], [[0, 0, 0], [0.25] * 3])
    cell.append("N", [0.5, 0.5, 0.5])
    with pytest.raises(StructureError, match=r"Cu would have to be .*at most 4\+"):
        draft_host(cell, "x.cif")


def test_maghemite_of_partly_filled_octahedra_is_fe2o3():
    """A third of the 4b places of P4_332 hold Fe: three cells are Fe2O3 and no oxide of a mean valence."""
    cell = Structure.from_spacegroup(
        "P4_332",
        Lattice.cubic(8.33),
        ["Fe", {"Fe": 0.335}, "Fe", "O", "O"],
        [[0.9921] * 3, [0.375, 0.125, 0.875], [0.865, 0.615, 0.875], [0.861] * 3, [0.372, 0.377, 0.876]],
    )
    filled = ordered_cell(cell)
    assert filled.structure.composition.reduced_formula == "Fe2O3"
    assert "3 cells" in filled.in_words


def test_mean_moments_stand_against_each_other_too():
    """A spinel labelled with one mean valence on both sublattices: 8 A against 16 B sites."""
    mean = Species("Fe", 8 / 3)
    cell = Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(8.4), [mean, mean, "O2-"], [[0, 0, 0], [0.625] * 3, [0.38] * 3]
    )
    made = draft_host(cell, "x.cif").entries
    spins = {r["sublattice"]: r.get("spin") for r in made["roles"] if r["element"] == "Fe"}
    assert spins["A"] == pytest.approx(-spins["B"])
    assert made["moment_per_formula_muB"] == pytest.approx(spins["B"], rel=1e-3)


@pytest.mark.parametrize(
    ("group", "lattice", "species", "coords", "valences"),
    [
        (
            "I-42m",
            Lattice.tetragonal(5.449, 10.757),
            ["Fe", "Cu", "Sn", "S"],
            [[0, 0, 0], [0, 0.5, 0.25], [0, 0, 0.5], [0.755, 0.755, 0.87]],
            {"Fe": 2, "Cu": 1, "Sn": 4, "S": -2},
        ),
        (
            "I4/mmm",
            Lattice.tetragonal(3.963, 13.017),
            ["Ba", "Fe", "As"],
            [[0, 0, 0], [0.5, 0, 0.25], [0, 0, 0.3545]],
            {"Ba": 2, "Fe": 2, "As": -3},
        ),
    ],
)
def test_whole_valences_are_taken_before_mean_ones(group, lattice, species, coords, valences):
    """Stannite and BaFe2As2, whose barium lies 3.38 A from arsenic."""
    cell = Structure.from_spacegroup(group, lattice, species, coords)
    assert {r["element"]: r["valence"] for r in draft_host(cell, "x.cif").entries["roles"]} == valences


def test_hydrogens_of_x_rays_are_put_where_neutrons_see_them(tmp_path):
    atoms = "Ni1 Ni 0 0 0\nO1 O 0.33333 0.66667 0.2221\nH1 H 0.33333 0.66667 0.4006"
    file = tmp_path / "x.cif"
    file.write_text(HEXAGONAL.format(atoms=atoms, a=3.117, c=4.595, group="P -3 m 1"))
    structure, notes = read_with_notes(file)
    for site in (s for s in structure if s.specie.symbol == "H"):
        near = min(structure.get_neighbors(site, 1.5), key=lambda n: n.nn_distance)
        assert near.nn_distance == pytest.approx(0.97, abs=1e-4)
        assert near.coords[2] != pytest.approx(site.coords[2], abs=0.9)
    assert any("2 hydrogens within 0.93 A" in note for note in notes)


def test_osmium_takes_the_charge_that_barium_does_not():
    """Os has one common valence and others in oxides: a mean one here, and no refusal."""
    valences = by_common_states({"Ba": 4.0, "Os": 6.0, "Cl": 1.0, "O": 18.0}, ())
    assert single_valences({"Ba": 1.0, "Os": 1.0, "O": 1.0}, ()) == {"Ba": 2.0, "O": -2.0}
    assert valences is None or valences["Ba"] == 2.0


def test_a_label_is_read_as_the_formula_has_it(tmp_path):
    """HOh1 is a hydrogen of a hydroxide, not holmium."""
    file = tmp_path / "x.cif"
    text = HEXAGONAL.replace("data_x\n", "data_x\n_chemical_formula_sum 'Ni O2 H2'\n").replace(
        "_atom_site_type_symbol\n", ""
    )
    atoms = "Ni1 0 0 0\nO1 0.33333 0.66667 0.2221\nHOh1 0.33333 0.66667 0.4336"
    file.write_text(text.format(atoms=atoms, a=3.117, c=4.595, group="P -3 m 1"))
    structure, notes = read_with_notes(file)
    assert structure.composition.reduced_formula == Composition("NiH2O2").reduced_formula
    assert any("Ho is H" in note for note in notes)
