"""JSON of ASE and layers, as ASE writes them; scales of a POSCAR beside the same cell written out and beside ASE."""

import ase.io
import numpy as np
import pytest
from ase.spacegroup import crystal
from magnetoionics.structures.io.untrusted_input import read_structure_file, read_with_notes


@pytest.fixture
def triiodide():
    """CrI3 of rhombohedral layers."""
    atoms = crystal(
        ["Cr", "I"], [(0, 0, 1 / 3), (0.65, 0, 0.4211)], spacegroup=148, cellpar=[6.867, 6.867, 19.807, 90, 90, 120]
    )
    atoms.set_initial_magnetic_moments([3.0 if s == "Cr" else 0.0 for s in atoms.get_chemical_symbols()])
    return atoms


def same(made, atoms):
    assert [s.specie.symbol for s in made] == atoms.get_chemical_symbols()
    np.testing.assert_allclose(made.lattice.matrix, atoms.cell.array, atol=1e-8)
    np.testing.assert_allclose(made.cart_coords, atoms.positions, atol=1e-8)


def test_json_of_ase_is_read_with_its_moments(triiodide, tmp_path):
    file = tmp_path / "structure.json"
    triiodide.write(file)
    made = read_structure_file(file)
    same(made, triiodide)
    np.testing.assert_allclose(made.site_properties["magmom"], triiodide.get_initial_magnetic_moments())


def test_of_several_rows_the_first_is_read(triiodide, tmp_path):
    file = tmp_path / "rows.json"
    ase.io.write(file, [triiodide, triiodide * (2, 1, 1)])
    made, notes = read_with_notes(file)
    same(made, triiodide)
    assert any("2 structures: the first was taken" in note for note in notes)


@pytest.mark.parametrize("name", ["layer.json", "layer.extxyz"])
def test_a_layer_with_its_vacuum_is_a_cell_and_a_molecule_is_none(name, triiodide, tmp_path):
    triiodide.pbc = (True, True, False)
    triiodide.write(tmp_path / name)
    made, notes = read_with_notes(tmp_path / name)
    same(made, triiodide)
    assert any("repeats in a plane alone" in note for note in notes)
    triiodide.pbc = False
    triiodide.write(tmp_path / name)
    with pytest.raises(ValueError, match="has no periodic cell"):
        read_structure_file(tmp_path / name)


def test_json_of_ase_without_atoms_is_refused(tmp_path):
    (tmp_path / "a.json").write_text(
        '{"1": {"numbers": [26], "positions": [[0, 0, 0]], "cell": [[3, 0, 0]]}, "ids": [1]}'
    )
    with pytest.raises(ValueError, match=r"a\.json cannot be read as json"):
        read_structure_file(tmp_path / "a.json")


POSCAR = """iron oxide
{scale}
{rows}
Fe O
1 1
{selective}{form}
{places}
"""
LATTICE, PLACES = np.array([[2.0, 0.2, 0], [0, 2.2, 0.1], [0.3, 0, 2.1]]), np.array([[0.1, 0, 0], [1.0, 1.1, 1.05]])


def poscar(scale, lattice, places, form, selective=False):
    flags = " T T F" if selective else ""
    return POSCAR.format(
        scale=scale,
        rows="\n".join(" ".join(map(str, row)) for row in lattice),
        selective="Selective dynamics\n" if selective else "",
        form=form,
        places="\n".join(" ".join(map(str, row)) + flags for row in places),
    )


@pytest.mark.parametrize("selective", [False, True])
@pytest.mark.parametrize("form", ["Cartesian", "Direct"])
@pytest.mark.parametrize("volume", [False, True])
def test_scales_of_a_poscar(volume, form, selective, tmp_path):
    """VASP's manual: one negative number is the volume of the cell, three scale x, y and z of vectors and places."""
    scales = np.full(3, 2.05) if volume else np.array([2.0, 2.1, 2.2])
    whole, places = LATTICE * scales, PLACES * scales
    given = PLACES if form == "Cartesian" else PLACES @ np.linalg.inv(LATTICE)
    scale = -abs(np.linalg.det(whole)) if volume else "2.0 2.1 2.2"
    (tmp_path / "POSCAR").write_text(poscar(scale, LATTICE, given, form, selective))
    (tmp_path / "POSCAR_plain").write_text(poscar(1.0, whole, places, "Cartesian"))
    made, plain = read_structure_file(tmp_path / "POSCAR"), read_structure_file(tmp_path / "POSCAR_plain")
    np.testing.assert_allclose(made.lattice.matrix, whole, atol=1e-9)
    np.testing.assert_allclose(made.cart_coords, plain.cart_coords, atol=1e-9)
    if volume:
        theirs = ase.io.read(tmp_path / "POSCAR", format="vasp")
        np.testing.assert_allclose(made.cart_coords, theirs.positions, atol=1e-9)


def test_what_fortran_reads_of_a_poscar(tmp_path):
    """Exponents with D, and remarks behind the numbers."""
    plain = poscar(1.0, LATTICE * 2, PLACES, "Direct", selective=True)
    (tmp_path / "POSCAR").write_text(plain)
    written = plain.replace("0.1", "1.0D-1").replace("1.0\n", "1.0 ! scale\n", 1).replace("1 1\n", "1 1 # numbers\n")
    assert written.count("D-1") == 1
    assert written.count("#") == written.count("!") == 1
    (tmp_path / "POSCAR_fortran").write_text(written)
    made, theirs = read_structure_file(tmp_path / "POSCAR_fortran"), read_structure_file(tmp_path / "POSCAR")
    assert made == theirs
