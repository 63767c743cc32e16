"""Inputs of pw.x, SIESTA, ABACUS and ABINIT: cells, places and moments, beside the programs' own words and readers."""

import ase.io
import numpy as np
import pytest
from magnetoionics.structures.host import get_host
from magnetoionics.structures.io.abacus_input import read_abacus_stru
from magnetoionics.structures.io.abinit_input import read_abinit_input
from magnetoionics.structures.io.espresso_input import bravais_cell_A, coordinate, read_espresso_input
from magnetoionics.structures.io.siesta_input import read_siesta_input
from magnetoionics.structures.io.untrusted_input import read_structure_file, read_with_notes
from magnetoionics.structures.units import BOHR_A
from program_inputs import abinit_text, fdf_text, stru_text
from pymatgen.core import Lattice
from pymatgen.io.ase import AseAtomsAdaptor

# Axes that pw.x 6.7 prints for celldm(2..6), in units of the first edge.
PW_AXES = {
    1: ({}, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    2: ({}, [[-0.5, 0.0, 0.5], [0.0, 0.5, 0.5], [-0.5, 0.5, 0.0]]),
    3: ({}, [[0.5, 0.5, 0.5], [-0.5, 0.5, 0.5], [-0.5, -0.5, 0.5]]),
    -3: ({}, [[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]]),
    4: ({3: 1.6}, [[1.0, 0.0, 0.0], [-0.5, 0.866025, 0.0], [0.0, 0.0, 1.6]]),
    5: ({4: 0.3}, [[0.591608, -0.341565, 0.730297], [0.0, 0.68313, 0.730297], [-0.591608, -0.341565, 0.730297]]),
    -5: ({4: 0.3}, [[-0.136136, 0.700524, 0.700524], [0.700524, -0.136136, 0.700524], [0.700524, 0.700524, -0.136136]]),
    6: ({3: 1.4}, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.4]]),
    7: ({3: 1.4}, [[0.5, -0.5, 0.7], [0.5, 0.5, 0.7], [-0.5, -0.5, 0.7]]),
    8: ({2: 1.2, 3: 1.5}, [[1.0, 0.0, 0.0], [0.0, 1.2, 0.0], [0.0, 0.0, 1.5]]),
    9: ({2: 1.2, 3: 1.5}, [[0.5, 0.6, 0.0], [-0.5, 0.6, 0.0], [0.0, 0.0, 1.5]]),
    -9: ({2: 1.2, 3: 1.5}, [[0.5, -0.6, 0.0], [0.5, 0.6, 0.0], [0.0, 0.0, 1.5]]),
    91: ({2: 1.2, 3: 1.5}, [[1.0, 0.0, 0.0], [0.0, 0.6, -0.75], [0.0, 0.6, 0.75]]),
    10: ({2: 1.2, 3: 1.5}, [[0.5, 0.0, 0.75], [0.5, 0.6, 0.0], [0.0, 0.6, 0.75]]),
    11: ({2: 1.2, 3: 1.5}, [[0.5, 0.6, 0.75], [-0.5, 0.6, 0.75], [-0.5, -0.6, 0.75]]),
    12: ({2: 1.2, 3: 1.5, 4: 0.2}, [[1.0, 0.0, 0.0], [0.24, 1.175755, 0.0], [0.0, 0.0, 1.5]]),
    -12: ({2: 1.2, 3: 1.5, 5: 0.2}, [[1.0, 0.0, 0.0], [0.0, 1.2, 0.0], [0.3, 0.0, 1.469694]]),
    13: ({2: 1.2, 3: 1.5, 4: 0.2}, [[0.5, 0.0, -0.75], [0.24, 1.175755, 0.0], [0.5, 0.0, 0.75]]),
    -13: ({2: 1.2, 3: 1.5, 5: 0.2}, [[0.5, 0.6, 0.0], [-0.5, 0.6, 0.0], [0.3, 0.0, 1.469694]]),
    14: ({2: 1.2, 3: 1.5, 4: 0.1, 5: 0.2, 6: 0.3}, [[1.0, 0.0, 0.0], [0.36, 1.144727, 0.0], [0.3, 0.062897, 1.468347]]),
}
# What the same numbers are called beside A, by lattice.
NAMES = {2: "b", 3: "c"}
COSINES = {5: "cosab", -5: "cosab", 12: "cosab", 13: "cosab", -12: "cosac", -13: "cosac"}
ESPRESSO = """ &control
 calculation = 'scf' /
 &system
   {cell} nat = 4, ntyp = 3, {spins} ! a comment
 /
ATOMIC_SPECIES
 O1 1. O.UPF
 Fe1 1. Fe.UPF
 Fe2 1. Fe.UPF
ATOMIC_POSITIONS {{{unit}}}
 O1 0.25 0.25 0.25
 O1 0.75 0.75 0.75
 Fe1 0.0 0.0 0.0
 Fe2 1/2 0.5 0.5
{more}
"""


@pytest.fixture(scope="module")
def cell():
    return get_host("cofe2o4").structure("normal")


@pytest.mark.parametrize("ibrav", PW_AXES)
def test_lattices_are_those_of_pw_x(ibrav):
    numbers, axes = PW_AXES[ibrav]
    celldm = {"celldm(1)": 8.0, **{f"celldm({n})": value for n, value in numbers.items()}}
    np.testing.assert_allclose(bravais_cell_A(ibrav, celldm), 8.0 * BOHR_A * np.array(axes), atol=1e-5)
    by_name = {"a": 4.0}
    for n, value in numbers.items():
        name = NAMES.get(n) or ({4: "cosbc", 5: "cosac", 6: "cosab"}[n] if ibrav == 14 else COSINES[ibrav])
        by_name[name] = value * (4.0 if n in NAMES else 1.0)
    np.testing.assert_allclose(bravais_cell_A(ibrav, by_name), 4.0 * np.array(axes), atol=1e-5)


@pytest.mark.parametrize(
    ("ibrav", "system", "said"),
    [
        (2, {}, "celldm(1) or A"),
        (15, {"a": 4.0}, "none of pw.x's lattices"),
        (6, {"a": 4.0}, "C beside A"),
        (12, {"a": 4.0, "b": 4.0, "c": 4.0, "cosab": 1.5}, "no angle"),
        (14, {"a": 4.0, "b": 4.0, "c": 4.0, "cosab": 0.9, "cosac": 0.9, "cosbc": -0.9}, "no cell has angles"),
    ],
)
def test_lattices_that_are_none_are_refused(ibrav, system, said):
    with pytest.raises(ValueError) as refused:
        bravais_cell_A(ibrav, system)
    assert said in str(refused.value)


def test_species_of_one_element_keep_their_own_moments():
    spins = "nspin=2, starting_magnetization(2)=0.5, starting_magnetization(3)=-0.5"
    more = "CELL_PARAMETERS\n 0.5 0.5 1.0\n 0.5 1.0 0.5\n 1.0 0.5 0.5"
    text = ESPRESSO.format(cell="ibrav=0, celldm(1)=8.19,", spins=spins, unit="crystal", more=more)
    made = read_espresso_input(text)
    # Half of iron's eight valence electrons.
    assert made.site_properties["magmom"] == pytest.approx([0.0, 0.0, 4.0, -4.0])
    assert made.lattice.volume == pytest.approx((8.19 * BOHR_A) ** 3 / 2)
    turned = f"{spins}, angle1(2)=90, angle2(2)=90, angle1(3)=90, angle2(3)=90"
    text = ESPRESSO.format(cell="ibrav=0, celldm(1)=8.19,", spins=turned, unit="crystal", more=more)
    np.testing.assert_allclose(read_espresso_input(text).site_properties["magmom"][2], [0, 4, 0], atol=1e-12)


def test_positions_are_in_edges_unless_another_unit_is_named():
    by_edge = ESPRESSO.format(cell="ibrav=1, A=4.2,", spins="", unit="alat", more="")
    by_cell = ESPRESSO.format(cell="ibrav=1, A=4.2,", spins="", unit="crystal", more="")
    np.testing.assert_allclose(read_espresso_input(by_edge).cart_coords, read_espresso_input(by_cell).cart_coords)
    fortran = ESPRESSO.format(cell="ibrav=1, celldm(1)=8.0d0,", spins="", unit="crystal", more="")
    assert read_espresso_input(fortran).lattice.a == pytest.approx(8.0 * BOHR_A)
    assert "magmom" not in read_espresso_input(by_cell).site_properties
    bohr = read_espresso_input(ESPRESSO.format(cell="ibrav=1, A=4.2,", spins="", unit="bohr", more=""))
    assert bohr[3].coords == pytest.approx([0.5 * BOHR_A] * 3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # The example in the description of pw.x's input, with its value there.
        ("1/3", 0.333333333333),
        ("1/2*3^(-1/2)", 0.288675134595),
        ("6/2/3", 1.0),
        ("1-1/3-1/6", 0.5),
        ("-1/4", -0.25),
        ("1.5e-1*2", 0.3),
    ],
)
def test_coordinates_are_computed_from_left_to_right(text, value):
    assert coordinate(text) == pytest.approx(value, abs=1e-12)
    plain = ESPRESSO.format(cell="ibrav=1, A=4.2,", spins="", unit="crystal", more="")
    written = plain.replace("1/2 0.5 0.5", f"{text} 0.5 0.5 0 1 1")
    assert written != plain
    assert read_espresso_input(written)[3].frac_coords[0] == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(
    "text", ["x", "1/0", "9^9^9^9", "(-1)^(1/2)", "2**3", "sqrt(3)", "1e999", "nan", "(" * 60, "1_0*2j"]
)
def test_coordinates_that_are_no_numbers_are_refused(text):
    with pytest.raises(ValueError) as refused:
        coordinate(text)
    assert f"coordinate {text!r} is no" in str(refused.value)


def test_a_siesta_supercell_is_the_same_crystal(cell):
    plain = fdf_text(cell, "Fractional", "Ang").partition("%block DM.InitSpin")[0]
    made = read_siesta_input(f"{plain}\n%block SuperCell\n 1 1 0\n -1 1 0\n 0 0 2\n%endblock SuperCell\n")
    a, b, c = cell.lattice.matrix
    np.testing.assert_allclose(made.lattice.matrix, [a + b, b - a, 2 * c], atol=1e-9)
    assert len(made) == 4 * len(cell)
    whole = cell.copy().make_supercell([[1, 1, 0], [-1, 1, 0], [0, 0, 2]])
    assert sorted(made.distance_matrix[0]) == pytest.approx(sorted(whole.distance_matrix[0]), abs=1e-6)


# Ratios and cosines of ABACUS's lattices in their order; b/a, c/a and angles of the conventional cell, cells in it.
ABACUS_LATTICES = {
    "sc": ("", (1, 1, 90, 90, 90), 1),
    "fcc": ("", (1, 1, 90, 90, 90), 4),
    "bcc": ("", (1, 1, 90, 90, 90), 2),
    "hexagonal": ("1.6", (1, 1.6, 90, 90, 120), 1),
    "trigonal": ("0.5", (1, 1, 60, 60, 60), 1),
    "st": ("1.6", (1, 1.6, 90, 90, 90), 1),
    "bct": ("1.6", (1, 1.6, 90, 90, 90), 2),
    "so": ("1.2 1.5", (1.2, 1.5, 90, 90, 90), 1),
    "baco": ("1.2 1.5", (1.2, 1.5, 90, 90, 90), 2),
    "fco": ("1.2 1.5", (1.2, 1.5, 90, 90, 90), 4),
    "bco": ("1.2 1.5", (1.2, 1.5, 90, 90, 90), 2),
    "sm": ("1.2 1.5 0.5", (1.2, 1.5, 90, 90, 60), 1),
    "bacm": ("1.2 1.5 0.5", (1.2, 1.5, 90, 90, 60), 2),
    "triclinic": ("1.2 1.5 0.5 0.3 0.2", (1.2, 1.5, np.degrees(np.arccos(0.2)), np.degrees(np.arccos(0.3)), 60), 1),
}


@pytest.mark.parametrize("name", ABACUS_LATTICES)
def test_lattices_that_abacus_names_in_input(name, tmp_path):
    """All vectors of the conventional cell are whole sums of those of the file, whose volume is right."""
    parameters, (b, c, *angles), cells = ABACUS_LATTICES[name]
    section = f"LATTICE_PARAMETERS\n{parameters} // ratios\n" if parameters else ""
    stru = f"LATTICE_CONSTANT\n7.0\n{section}ATOMIC_POSITIONS\nDirect\nFe\n2.0\n1\n0.5 0 0\n"
    (tmp_path / "STRU").write_text(stru)
    (tmp_path / "INPUT").write_text(f"INPUT_PARAMETERS\n  suffix a\nlatname\t{name.upper()} # lattice\n")
    made, notes = read_with_notes(tmp_path / "STRU")
    whole = Lattice.from_parameters(7.0 * BOHR_A, 7.0 * BOHR_A * b, 7.0 * BOHR_A * c, *angles)
    assert made.volume * cells == pytest.approx(whole.volume)
    assert len(made) == 1
    assert any(f"latname {name}" in note for note in notes)
    sums = np.linalg.solve(made.lattice.matrix.T, _laid(whole, name).T)
    np.testing.assert_allclose(sums, np.round(sums), atol=1e-6)


def _laid(lattice, name):
    """The conventional cell with a along x and b in the plane xy; the three axes of a rhombohedron about z."""
    if name == "trigonal":
        a = lattice.a
        return a * np.array(
            [[0.5, -(12**-0.5), (2 / 3) ** 0.5], [0, 3**-0.5, (2 / 3) ** 0.5], [-0.5, -(12**-0.5), (2 / 3) ** 0.5]]
        )
    a, b, c = lattice.abc
    bc, ac, ab = (np.cos(np.radians(angle)) for angle in lattice.angles)
    across = (bc - ac * ab) / np.sqrt(1 - ab**2)
    return np.array(
        [[a, 0, 0], [b * ab, b * np.sqrt(1 - ab**2), 0], [c * ac, c * across, c * np.sqrt(1 - ac**2 - across**2)]]
    )


@pytest.mark.parametrize(
    ("control", "said"),
    [
        ("", "put the file INPUT"),
        ("latname none\n", "put the file INPUT"),
        ("latname tetragonal\n", "none of ABACUS's lattices"),
        ("latname bct\n", "bct needs 1 LATTICE_PARAMETERS, and it has 0"),
    ],
)
def test_a_lattice_that_abacus_cannot_lay_is_refused(control, said, tmp_path):
    (tmp_path / "INPUT").write_text(control)
    (tmp_path / "STRU").write_text("LATTICE_CONSTANT\n7.0\nATOMIC_POSITIONS\nDirect\nFe\n2.0\n1\n0 0 0\n")
    with pytest.raises(ValueError) as refused:
        read_with_notes(tmp_path / "STRU")
    assert said in str(refused.value)


@pytest.mark.parametrize("form", ["Fractional", "Ang", "NotScaledCartesianBohr", "ScaledCartesian"])
@pytest.mark.parametrize("unit", ["Ang", "Bohr"])
def test_siesta_in_each_of_its_forms(cell, form, unit):
    same_crystal(read_siesta_input(fdf_text(cell, form, unit)), cell)


@pytest.mark.parametrize("form", ["Direct", "Cartesian", "Cartesian_angstrom"])
def test_abacus_in_each_of_its_forms(cell, form):
    same_crystal(read_abacus_stru(stru_text(cell, form)), cell)


def same_crystal(made, cell):
    assert [s.specie.symbol for s in made] == [s.specie.symbol for s in cell]
    np.testing.assert_allclose(made.lattice.matrix, cell.lattice.matrix, atol=1e-9)
    np.testing.assert_allclose(made.cart_coords, cell.cart_coords, atol=1e-9)
    np.testing.assert_allclose(np.array(made.site_properties["magmom"])[:, 2], cell.site_properties["magmom"])


def test_abinit_is_read_as_ase_reads_it(cell, tmp_path):
    (tmp_path / "a.abi").write_text(abinit_text(cell))
    theirs, ours = ase.io.read(tmp_path / "a.abi", format="abinit-in"), read_structure_file(tmp_path / "a.abi")
    assert theirs.get_chemical_symbols() == [s.specie.symbol for s in ours]
    np.testing.assert_allclose(ours.cart_coords, theirs.positions, atol=1e-9)
    np.testing.assert_allclose(ours.site_properties["magmom"], theirs.get_initial_magnetic_moments())


def test_blanks_part_items_of_a_namelist_as_commas_do():
    commas = ESPRESSO.format(cell="ibrav=1, A=4.2,", spins="starting_magnetization(2) = 0.5", unit="crystal", more="")
    blanks = commas.replace("ibrav=1, A=4.2, nat = 4, ntyp = 3, ", "title='U=4 J=1'\n ibrav=1 A = 4.2 nat=4\tntyp =3 ")
    theirs, ours = read_espresso_input(commas), read_espresso_input(blanks)
    assert ours == theirs
    assert ours.site_properties["magmom"] == theirs.site_properties["magmom"]


def test_ghosts_of_siesta_are_no_atoms(cell, tmp_path):
    """Their numbers are negative; DM.InitSpin counts them."""
    text = fdf_text(cell)
    head, _, rest = text.partition("%block AtomicCoordinatesAndAtomicSpecies\n")
    ghosts = f"%block AtomicCoordinatesAndAtomicSpecies\n0.1 0.1 0.1 9\n{rest.partition('%block DM.InitSpin')[0]}"
    spins = "".join(f"{n} {m}\n" for n, m in enumerate(cell.site_properties["magmom"], 2) if m)
    head = head.replace("%endblock Chemical", " 9 -26 Fe_ghost\n%endblock Chemical")
    (tmp_path / "a.fdf").write_text(f"{head}{ghosts}%block DM.InitSpin\n{spins}%endblock DM.InitSpin\n")
    made, notes = read_with_notes(tmp_path / "a.fdf")
    assert any("1 of its atoms are ghosts" in note for note in notes)
    np.testing.assert_allclose(made.site_properties["magmom"], cell.site_properties["magmom"])
    assert made.composition == cell.composition


def test_elk_is_read_as_ase_writes_it(cell, tmp_path):
    atoms = AseAtomsAdaptor.get_atoms(cell)
    atoms.set_initial_magnetic_moments(None)
    ase.io.write(tmp_path / "plain.in", atoms, format="elk-in")
    text = (tmp_path / "plain.in").read_text()
    (tmp_path / "elk.in").write_text(
        text.replace("avec\n", "scale\n 0.5 ! of what follows\n\nscale3\n 2.0\n\navec\n\n")
    )
    plain, scaled = read_structure_file(tmp_path / "plain.in"), read_structure_file(tmp_path / "elk.in")
    assert plain.composition == cell.composition
    np.testing.assert_allclose(sorted(plain.distance_matrix[0]), sorted(cell.distance_matrix[0]), atol=1e-6)
    np.testing.assert_allclose(scaled.lattice.abc, np.array(cell.lattice.abc) * (0.5, 0.5, 1.0), atol=1e-6)


PDFFIT = """title  nickel
format pdffit
scale   1.0
spcgr  P1
cell    3.52,  3.52,  3.52, 90.0, 90.0, 90.0
ncell   {repeats}, {atoms}
atoms
{rows}"""


def test_pdffit_lists_all_atoms_of_its_cells(tmp_path):
    face_centred = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    for repeats, places in ((1, face_centred), (2, np.vstack([face_centred, np.add(face_centred, [1, 0, 0])]))):
        rows = "".join(f"NI {x} {y} {z} 0.75\n" + 5 * "   0.0  0.0  0.0 0.0\n" for x, y, z in places)
        file = tmp_path / f"{repeats}.stru"
        file.write_text(PDFFIT.format(repeats=f"{repeats}, 1, 1", atoms=len(places), rows=rows))
        made = read_structure_file(file)
        assert made.composition.get_el_amt_dict() == {"Ni": 0.75 * len(places)}
        assert made.volume / len(made) == pytest.approx(3.52**3 / 4)
        assert sorted(made.distance_matrix[0])[1] == pytest.approx(3.52 / 2**0.5)


def _supercell(rows):
    species = "%block ChemicalSpeciesLabel\n1 26 Fe\n%endblock\n"
    atoms = "%block AtomicCoordinatesAndAtomicSpecies\n0 0 0 1\n%endblock\n"
    return f"LatticeConstant 2.87 Ang\n{species}{atoms}%block SuperCell\n{rows}\n%endblock\n"


ABINIT = "natom 2 ntypat 2 znucl 12 8 typat 1 2 acell 3*7.94 xred 3*0 {place}"


def test_abinit_with_what_ase_does_not_read():
    primitive = read_abinit_input(ABINIT.format(place="1/2 0.5d0 .5 rprim 0 1/2 1/2 1/2 0 1/2 1/2 1/2 0"))
    assert primitive.lattice.volume == pytest.approx((7.94 * BOHR_A) ** 3 / 4)
    assert primitive[1].frac_coords == pytest.approx([0.5] * 3)
    cubic = read_abinit_input(ABINIT.format(place="3*0.5"))
    np.testing.assert_allclose(cubic.lattice.matrix, 7.94 * BOHR_A * np.eye(3))
    hexagonal = read_abinit_input(ABINIT.format(place="3*0.5 rprim sqrt(0.75) 0.5 0 -sqrt(0.75) 0.5 0 0 0 1"))
    assert hexagonal.lattice.angles == pytest.approx((90, 90, 120))
    by_angle = read_abinit_input(ABINIT.format(place="3*0.5 angdeg 90 90 120"))
    np.testing.assert_allclose(by_angle.distance_matrix, hexagonal.distance_matrix, atol=1e-9)
    nanometres = "natom 1 ntypat 1 znucl 26 typat 1 acell 3*0.287 nm spinat 0 2.2 0"
    assert read_abinit_input(nanometres).lattice.a == pytest.approx(2.87)
    assert read_abinit_input(nanometres).site_properties["magmom"] == [[0.0, 2.2, 0.0]]
    cartesian = "natom 2 ntypat 1 znucl 26 typat 2*1 acell 3*5 xcart 3*0 3*1 Angstrom"
    assert read_abinit_input(cartesian)[1].coords == pytest.approx([1.0] * 3)


# Data sets as section 3.4 to 3.6 of ABINIT's user guide defines them, its own second and fourth example among them.
@pytest.mark.parametrize(
    ("sets", "edge", "said"),
    [
        ("ndtset 2 acell 3*8 ecut1 10 ecut2 15", 8.0, None),
        ("ndtset 2 jdtset 4 5 acell 3*8 acell5 3*10", 8.0, "(acell5): set 4 was taken"),
        ("ndtset 2 jdtset 5 4 acell 3*8 acell5 3*10", 10.0, "(acell): set 5 was taken"),
        ("ndtset 2 acell2 3*9 acell1 3*7", 7.0, "(acell2): set 1 was taken"),
        ("ndtset 3 acell: 3*7 acell+ 3*0.5", 7.0, "(acell+): set 1 was taken"),
        ("ndtset 6 udtset 2 3 acell1? 3*10 acell2? 3*15", 10.0, "(acell2?): set 11 was taken"),
        ("ndtset 6 udtset 2 3 acell?: 3*5 acell?+ 3*1", 5.0, "(acell?+): set 11 was taken"),
        ("ndtset 6 udtset 2 3 acell?1 3*6 acell?2 3*7 acell11 3*9", 9.0, "(acell?1, acell?2): set 11 was taken"),
        ("acell 3*8 acell1 3*9", 8.0, None),
    ],
)
def test_the_first_of_abinits_data_sets_is_read(sets, edge, said, tmp_path):
    (tmp_path / "a.abi").write_text(f"{sets} natom 2 ntypat 2 znucl 12 8 typat 1 2 xred 3*0 3*0.5")
    made, notes = read_with_notes(tmp_path / "a.abi")
    assert made.lattice.abc == pytest.approx([edge * BOHR_A] * 3)
    assert not notes if said is None else said in notes[0]


def test_atoms_of_abinits_first_data_set():
    text = (
        "ndtset 2 natom 1 natom1 2 ntypat 1 znucl 26 typat1 2*1 acell 3*5 xcart 3*9 xred1 3*0 3*.5 spinat1 0 0 2 0 0 -2"
    )
    made = read_abinit_input(text)
    assert [m[2] for m in made.site_properties["magmom"]] == [2.0, -2.0]
    np.testing.assert_allclose(made.frac_coords, [[0] * 3, [0.5] * 3])


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (read_abinit_input, "natom 2 ntypat 1 znucl 26 typat 1 acell 3*5 xred 6*0", "typat has 1 numbers and needs 2"),
        (read_abinit_input, "natom 1 ntypat 1 znucl 26 typat 2 acell 3*5", "none of the 1 of znucl"),
        (read_abinit_input, "natom 2 ntypat 1 znucl 26 typat 2*1 acell 3*5", "none of xred"),
        (
            read_abinit_input,
            "ndtset 1 jdtset 2 natom 1 ntypat 1 znucl 26 typat 1 acell: 3*5 acell+ 3*1",
            "set 2 is none of the first of its series acell:",
        ),
        (read_abinit_input, 'include "cell.inc"\nnatom 1 ntypat 1 znucl 26 typat 1', "another file (include"),
        (
            read_abinit_input,
            "natom 1 ntypat 1 znucl 26 typat 1 acell 3*5 angdeg 60 60 60 xcart 1 0 0",
            "give xred, or rprim",
        ),
        (read_siesta_input, "%include other.fdf\n", "another file (%include other.fdf)"),
        (read_siesta_input, "AtomicCoordinatesAndAtomicSpecies < other.fdf\n", "another file"),
        (read_siesta_input, "LatticeConstant 1.0 Ang\n", "no block ChemicalSpeciesLabel"),
        (read_siesta_input, _supercell("2 0 0\n0 2 0"), "no matrix of 3 x 3"),
        (read_siesta_input, _supercell("1 0 0\n1 0 0\n0 0 1"), "holds 0 cells: give 1 to 1000"),
        (read_siesta_input, _supercell("99 0 0\n0 99 0\n0 0 99"), "holds 970299 cells"),
        (read_siesta_input, f"{_supercell('2 0 0')}%block DM.InitSpin\n1 2.0\n%endblock\n", "write that cell out"),
        (read_abacus_stru, "LATTICE_CONSTANT\n1.0\nATOMIC_POSITIONS\nDirect\n", "latname"),
        (read_abacus_stru, "ATOMIC_POSITIONS\nDirect\n", "no LATTICE_CONSTANT"),
        (read_espresso_input, " &system\n nat=1, ntyp=1\n /\n", "has no ibrav"),
        (read_espresso_input, " &system\n ibrav=1, A=4, nat=1, ntyp=1\n /\n", "no ATOMIC_POSITIONS"),
    ],
)
def test_what_is_missing_is_named(read, text, said):
    with pytest.raises(ValueError) as refused:
        read(text)
    assert said in str(refused.value)


def test_signs_and_angles_of_siesta(cell):
    text = fdf_text(cell).partition("%block DM.InitSpin")[0]
    iron = [n for n, s in enumerate(cell, 1) if s.specie.symbol == "Fe"][:3]
    rows = f"{iron[0]} +\n{iron[1]} -\n{iron[2]} 4.0 90. 0.\n"
    moments = read_siesta_input(f"{text}\n%block DM.InitSpin\n{rows}%endblock DM.InitSpin\n").site_properties["magmom"]
    np.testing.assert_allclose([moments[n - 1] for n in iron], [[0, 0, 4], [0, 0, -4], [4, 0, 0]], atol=1e-12)


def test_moments_of_one_atom_of_abacus():
    head = "LATTICE_CONSTANT\n2.0\nLATTICE_VECTORS\n3 0 0\n0 3 0\n0 0 3\nATOMIC_POSITIONS\nDirect\nFe1\n2.5\n4\n"
    rows = ["0 0 0 m 1 1 1", "0 0 .5 1 1 1 mag -1.5", "0 .5 .5 magmom 1 2 2", ".5 .5 .5 mag 2 angle1 90 angle2 90"]
    moments = read_abacus_stru(head + "\n".join(rows)).site_properties["magmom"]
    np.testing.assert_allclose(moments, [[0, 0, 2.5], [0, 0, -1.5], [1, 2, 2], [0, 2, 0]], atol=1e-12)


@pytest.mark.parametrize("name", ["mine.fdf", "STRU", "STRU_ION_D", "mine.stru", "mine.in"])
def test_names_say_the_program_and_moments_are_said_to_be_starts(cell, name, tmp_path):
    text = fdf_text if name.endswith("fdf") else abinit_text if name == "mine.in" else stru_text
    (tmp_path / name).write_text(text(cell))
    made, notes = read_with_notes(tmp_path / name)
    assert made.composition == cell.composition
    assert any("a calculation starts from" in note for note in notes)


@pytest.mark.parametrize("name", ["STRUCTURE.dat", "STRU.gz", "structure.txt"])
def test_other_names_are_not_taken_for_abacus(cell, name, tmp_path):
    (tmp_path / name).write_text(stru_text(cell))
    with pytest.raises(ValueError, match=r"no known structure format|packed"):
        read_structure_file(tmp_path / name)


def test_numbers_that_no_memory_holds_are_refused_at_once(tmp_path):
    (tmp_path / "a.abi").write_text("natom 900000000 ntypat 1 znucl 26 typat 900000000*1 acell 3*5 xred 900000000*0\n")
    with pytest.raises(ValueError, match="announces 900000000 atoms"):
        read_structure_file(tmp_path / "a.abi")
