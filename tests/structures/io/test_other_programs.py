"""Structure files of other programs: symmetry, shares and spins, and sentences for those without a crystal."""

from io import StringIO

import ase.io
import pytest
from magnetoionics.structures.io.untrusted_input import read_structure_file, read_with_notes
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.cssr import Cssr


def rutile():
    return Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.3053, 0.3053, 0]]
    )


def same(one, other):
    matcher = StructureMatcher(primitive_cell=False, scale=False, ltol=0.01, stol=0.02)
    return len(one) == len(other) and matcher.fit(one, other)


@pytest.mark.parametrize(
    ("ending", "form"),
    [
        ("cell", "castep-cell"),
        ("gui", "crystal"),
        ("pdb", "proteindatabank"),
        ("magres", "magres"),
        ("struct", "struct"),
        ("xsf", "xsf"),
    ],
)
def test_what_ase_writes_is_read(ending, form, tmp_path):
    file = tmp_path / f"rutile.{ending}"
    ase.io.write(str(file), AseAtomsAdaptor.get_atoms(rutile()), format=form)
    assert same(read_structure_file(file), rutile())


def test_siesta_and_abinit_in_bohr(tmp_path):
    cell, bohr = rutile(), 0.529177210903
    lattice = "\n".join(" ".join(f"{x / bohr:.8f}" for x in row) for row in cell.lattice.matrix)
    zeros = " 0.0 0.0 0.0"
    rows = "\n".join(f"1 {s.specie.Z} " + " ".join(f"{x / bohr:.8f}" for x in s.coords) + zeros for s in cell)
    vectors = "\n".join(line + zeros for line in lattice.splitlines())
    (tmp_path / "r.XV").write_text(f"{vectors}\n{len(cell)}\n{rows}\n")
    assert same(read_structure_file(tmp_path / "r.XV"), cell)
    kinds = " ".join("1" if s.specie.symbol == "Ti" else "2" for s in cell)
    places = "\n".join(" ".join(f"{x:.8f}" for x in row) for row in cell.frac_coords)
    (tmp_path / "r.abi").write_text(
        f"acell 1 1 1\nrprim\n{lattice}\nntypat 2\nznucl 22 8\nnatom {len(cell)}\ntypat {kinds}\nxred\n{places}\n"
    )
    assert same(read_structure_file(tmp_path / "r.abi"), cell)


def test_what_pymatgen_writes_as_cssr_is_read(tmp_path):
    (tmp_path / "rutile.cssr").write_text(str(Cssr(rutile())))
    assert same(read_structure_file(tmp_path / "rutile.cssr"), rutile())


SHELX = """TITL rutile
CELL 0.71073 4.594 4.594 2.959 90 90 90
ZERR 2 0 0 0 0 0 0
LATT 1
SYMM -X, -Y, Z
SYMM 0.5-Y, 0.5+X, 0.5+Z
SYMM 0.5+Y, 0.5-X, 0.5+Z
SYMM 0.5-X, 0.5+Y, 0.5-Z
SYMM 0.5+X, 0.5-Y, 0.5-Z
SYMM Y, X, -Z
SYMM -Y, -X, -Z
SFAC TI O
UNIT 2 4
FVAR 1.0 0.75
TI1 1 10.0 10.0 10.0 TITANIUM 0.01 0.01 =
  0.01 0 0 0
O1  2 0.3053 0.3053 10.0 OXYGEN 0.01
HKLF 4
Q1 1 0.1 0.2 0.3 11.0 0.05
END
"""


@pytest.mark.parametrize(("titanium", "share"), [("10.125", 1.0), ("20.125", 0.75), ("-20.125", 0.25)])
def test_shelx_lists_an_asymmetric_unit(titanium, share, tmp_path):
    """Ti on a site of multiplicity 2 of 16 counts 1/8, O 1/4. A free variable is the share, a minus what it leaves."""
    (tmp_path / "rutile.ins").write_text(SHELX.replace("TITANIUM", titanium).replace("OXYGEN", "10.25"))
    found = read_structure_file(tmp_path / "rutile.ins")
    assert len(found) == 6
    metal = [site.species.get("Ti", 0) for site in found if "Ti" in site.species.as_dict()]
    assert metal == pytest.approx([share] * 2, abs=1e-4)
    if share == 1.0:
        assert same(found, rutile())


GUI = """3 1 1
4.594 0 0
0 4.594 0
0 0 2.959
OPERATIONS
2
22 0.0 0.0 0.0
208 1.4026 1.4026 0.0
"""


def test_crystal_lists_the_atoms_that_its_operations_repeat(tmp_path):
    """Operations of rutile in A, as EXTPRT writes them; an atom with a pseudopotential is numbered 200 higher."""
    from pymatgen.symmetry.groups import SpaceGroup

    lines = []
    for op in SpaceGroup("P4_2/mnm").symmetry_ops:
        lines += [" ".join(f"{x:g}" for x in row) for row in op.rotation_matrix]
        lines.append(" ".join(f"{x:g}" for x in op.translation_vector * [4.594, 4.594, 2.959]))
    (tmp_path / "rutile.gui").write_text(GUI.replace("OPERATIONS", "\n".join(["16", *lines])))
    assert same(read_structure_file(tmp_path / "rutile.gui"), rutile())
    (tmp_path / "slab.gui").write_text(GUI.replace("3 1 1", "2 1 1").replace("OPERATIONS", "0"))
    with pytest.raises(ValueError, match="2 periodic dimensions"):
        read_structure_file(tmp_path / "slab.gui")


def test_space_groups_of_pdb_and_cssr_make_the_other_atoms(tmp_path):
    head = "CRYST1    4.594    4.594    2.959  90.00  90.00  90.00 P 42/m n m    2\n"
    atom = "HETATM{:5d} {:<4s} UNK     1    {:8.3f}{:8.3f}{:8.3f}  1.00  0.00          {:>2s}\n"
    (tmp_path / "r.pdb").write_text(
        head + atom.format(1, "TI", 0, 0, 0, "TI") + atom.format(2, "O", 1.4026, 1.4026, 0, "O")
    )
    assert same(read_structure_file(tmp_path / "r.pdb"), rutile())
    (tmp_path / "r.cssr").write_text(
        " 4.594 4.594 2.959\n 90.0 90.0 90.0 SPGR =136 P 42/m n m  OPT = 1\n 2 0\n 0 rutile\n"
        "1 Ti1 0.0 0.0 0.0 0 0 0 0 0 0 0 0 0.0\n2 O1 0.3053 0.3053 0.0 0 0 0 0 0 0 0 0 0.0\n"
    )
    assert same(read_structure_file(tmp_path / "r.cssr"), rutile())


CELL = """%BLOCK LATTICE_ABC
bohr   ! units
7.8801 7.8801 7.8801
90 90 90
%ENDBLOCK LATTICE_ABC
%block positions_frac
Fe:up 0 0 0 SPIN= 4
Fe 0.5 0.5 0 SPIN : -4
Mn 0.5 0 0.5 MIXTURE:(1 0.25)
Ni 0.5 0 0.5 MIXTURE:(1 0.75)
O1 0.5 0.5 0.5
%endblock positions_frac
SYMMETRY_GENERATE
"""


def test_castep_cells_hold_spins_and_mixtures(tmp_path):
    (tmp_path / "x.cell").write_text(CELL)
    found = read_structure_file(tmp_path / "x.cell")
    assert found.lattice.abc == pytest.approx([4.17] * 3, abs=1e-3)
    assert found.site_properties["magmom"][:2] == [4, -4]
    assert found[2].species.as_dict() == {"Mn": 0.25, "Ni": 0.75}
    assert [site.species_string for site in found[:2]] == ["Fe", "Fe"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "molecule.pdb",
            "HETATM    1  O   UNK     1       0.000   0.000   0.000  1.00  0.00           O\n",
            "no CRYST1",
        ),
        ("empty.cell", "KPOINT_MP_GRID 1 1 1\n", "no block of LATTICE"),
        ("empty.ins", "TITL nothing\n", "no CELL"),
        ("POSCAR.gz", "x", "packed: unpack it"),
        ("vasprun.xml", "x", "what a program wrote of its run"),
        ("odd.zzz", "x", "no known structure format"),
    ],
)
def test_a_file_without_a_crystal_says_so(name, text, words, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=words):
        read_structure_file(tmp_path / name)


@pytest.mark.parametrize("name", ["Fe3O4-POSCAR", "my_CONTCAR.txt", "POSCAR_2", "a.poscar"])
def test_poscars_go_by_many_names(name, tmp_path):
    text = StringIO()
    ase.io.write(text, AseAtomsAdaptor.get_atoms(rutile()), format="vasp")
    (tmp_path / name).write_text(text.getvalue())
    found, _ = read_with_notes(tmp_path / name)
    assert same(found, rutile())
