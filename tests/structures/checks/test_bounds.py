"""Cells and hosts with numbers that no material has are refused in one sentence, before anything is computed."""

import dataclasses

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
