"""Cells and hosts with numbers that no material has are refused in one sentence, before anything is computed."""

import dataclasses
import json

import numpy as np
import pytest
from magnetoionics.structures.checks.cells import check_cell_numbers
from magnetoionics.structures.checks.geometry import StructureError, check_no_overlap
from magnetoionics.structures.host import get_host
from magnetoionics.structures.io.untrusted_input import read_structure_file
from pymatgen.core import Lattice, Structure

CELL = Structure(Lattice.cubic(4.2), ["Ni", "Ni", "O", "O"], [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0], [0, 0.5, 0]])


def poscar(line=None, text=""):
    lines = CELL.to(fmt="poscar").splitlines()
    if line is not None:
        lines[line] = text
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("line", "text", "words"),
    [
        (8, "nan 0 0 Ni", r"atom 0 \(Ni\) stands at \[nan"),
        (9, "0 inf 0 Ni", r"atom 1 \(Ni\)"),
        (8, "1e17 0 0 Ni", "within 100 cells"),
        (2, "1e17 0 0", "up to 1000 A"),
        (2, "inf 0 0", "up to 1000 A"),
        (2, "0 0 0", "no volume"),
        (6, "1000000000000 2", "announces 1000000000002 atoms; at most 20000"),
    ],
)
def test_poscar_with_absurd_numbers(line, text, words, tmp_path):
    file = tmp_path / "POSCAR"
    file.write_text(poscar(line, text))
    with pytest.raises(ValueError, match=words):
        read_structure_file(file)


def test_sound_poscar_is_read(tmp_path):
    (tmp_path / "POSCAR").write_text(poscar())
    assert len(read_structure_file(tmp_path / "POSCAR")) == 4


def test_cif_with_more_operations_than_any_group(tmp_path):
    text = CELL.to(fmt="cif")
    assert "  1  'x, y, z'" in text
    operations = "\n".join(f"  {i}  'x+{i % 97}/97, y, z'" for i in range(2000))
    (tmp_path / "many.cif").write_text(text.replace("  1  'x, y, z'", operations))
    with pytest.raises(ValueError, match="lists 2000 symmetry operations"):
        read_structure_file(tmp_path / "many.cif")


def test_cif_of_the_largest_groups_is_read(tmp_path):
    """Fm-3m lists 192 operations."""
    from pymatgen.io.cif import CifWriter

    rocksalt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.2), ["Ni", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    CifWriter(rocksalt, symprec=1e-3).write_file(tmp_path / "nio.cif")
    assert (tmp_path / "nio.cif").read_text().count(", ") == 2 * 192
    assert read_structure_file(tmp_path / "nio.cif").composition.reduced_formula == "NiO"


def test_line_of_quotes_is_refused_at_once(tmp_path):
    (tmp_path / "quotes.cif").write_text(CELL.to(fmt="cif") + "\n" + "'" * 200_000)
    with pytest.raises(ValueError, match="a line of more than"):
        read_structure_file(tmp_path / "quotes.cif")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            "_cell_length_a   4.2",
            "_cell_length_a   1e300 #",
            "_cell_length_a 1e300 must be a number from 0.1 to 1000 A",
        ),
        ("_cell_length_b   4.2", "_cell_length_b   -4.2", "_cell_length_b -4.20000000 must be a number"),
        (
            "_cell_angle_alpha   90.0",
            "_cell_angle_alpha   nan #",
            "_cell_angle_alpha nan must be a number from 1 to 179",
        ),
        ("0.50000000  0.50000000", "1e17  0.5", "_atom_site_fract_x 1e17 of atom 1 must be a number within 100 cells"),
        ("0.50000000  0.50000000", "0.5  inf", "_atom_site_fract_y inf of atom 1"),
    ],
)
def test_cif_with_absurd_numbers(before, after, words, tmp_path):
    text = CELL.to(fmt="cif")
    assert before in text
    (tmp_path / "x.cif").write_text(text.replace(before, after, 1))
    with pytest.raises(ValueError, match=f"^x.cif.*{words}"):
        read_structure_file(tmp_path / "x.cif")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["sites"][1]["properties"].update(magmom=float("nan")), r"moment nan of atom 1 \(Ni\)"),
        (lambda d: d["sites"][0]["properties"].update(magmom=[0, 0, 1e17]), "up to 100 muB"),
        (lambda d: d.update(charge=1e300), r"charge 1e\+300 must be a number up to 10 e"),
        (lambda d: d["sites"][0].update(abc=["x", 0, 0]), "x.json cannot be read as json"),
    ],
)
def test_json_with_absurd_numbers(change, words, tmp_path):
    cell = CELL.copy(site_properties={"magmom": [2.0, -2.0, 0.0, 0.0]})
    file = tmp_path / "x.json"
    file.write_text(json.dumps(cell.as_dict()))
    assert read_structure_file(file).site_properties == cell.site_properties
    content = cell.as_dict()
    change(content)
    file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=words):
        read_structure_file(file)


def test_frames_that_declare_too_many_columns(tmp_path):
    frame = '1\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:{} pbc="T T T"\nNi 0 0 0\n'
    file = tmp_path / "x.extxyz"
    file.write_text(frame.format(3) * 90)
    assert len(read_structure_file(file)) == 1
    file.write_text(frame.format(1000000000))
    with pytest.raises(ValueError, match="announces 1000000001 columns"):
        read_structure_file(file)


def test_frames_that_declare_too_many_atoms(tmp_path):
    (tmp_path / "x.extxyz").write_text("99999999\n\nNi 0 0 0\n")
    with pytest.raises(ValueError, match="announces 99999999 atoms"):
        read_structure_file(tmp_path / "x.extxyz")


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e17])
def test_structures_made_in_python_are_checked_too(value):
    """Pymatgen's search for neighbours ends Python with a segmentation fault on NaN."""
    broken = CELL.copy()
    broken.translate_sites([0], [value, 0, 0], to_unit_cell=False)
    with pytest.raises(StructureError, match="atom 0"):
        check_no_overlap(broken)
    check_cell_numbers(CELL)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gap_eV": np.nan}, "gap_eV = nan must be a number from 0 to 20"),
        ({"gap_eV": -3.0}, "gap_eV = -3.0"),
        ({"hubbard_U_eV": {"Co": np.nan}}, "hubbard_U_eV of Co = nan"),
        ({"hubbard_U_eV": {"Cr": 3.0}}, "names Cr, which CoFe2O4 does not hold"),
        ({"hubbard_U_eV": {"Co": -1.0}}, "from 0 to 15"),
        ({"anions_per_formula": 0}, "anions_per_formula = 0"),
        ({"moment_per_formula_muB": np.inf}, "moment_per_formula_muB = inf"),
        ({"moment_by_order_muB": {"normal": np.nan}}, "moment_by_order_muB of normal = nan"),
    ],
)
def test_hosts_with_absurd_numbers(change, words):
    host = get_host("cofe2o4")
    fields = {f.name: getattr(host, f.name) for f in dataclasses.fields(host) if f.init}
    with pytest.raises(ValueError, match=words):
        type(host)(**fields | change)
    type(host)(**fields)
