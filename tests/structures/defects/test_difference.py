"""What a defect's cell removes and adds is read from the structures alone, however they are ordered and displaced."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from magnetoionics.structures.defects.difference import UnlikeCellsError, cell_difference, name_defect
from pymatgen.core import Lattice, Structure


@pytest.fixture
def rock_salt() -> Structure:
    """64 atoms of MgO."""
    cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.21), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    return cell.make_supercell((2, 2, 2), in_place=False)


def disordered(cell: Structure, drift_A: tuple[float, float, float] = (0.0, 0.0, 0.0), by_A: float = 0.1) -> Structure:
    """The same atoms displaced, shifted and listed in another order."""
    random = np.random.default_rng(3)
    moves = random.uniform(-by_A, by_A, (len(cell), 3)) + drift_A
    order = random.permutation(len(cell))
    coords = (cell.cart_coords + moves)[order]
    return Structure(cell.lattice, [cell[i].specie for i in order], coords, coords_are_cartesian=True)


def first(cell: Structure, element: str) -> int:
    return next(i for i, s in enumerate(cell) if s.specie.symbol == element)


@pytest.mark.parametrize("drift", [(0.0, 0.0, 0.0), (0.4, -0.2, 0.3), (2.105, 0.9, 1.4)])
def test_vacancy_of_a_displaced_and_drifted_cell(rock_salt: Structure, drift: tuple[float, float, float]) -> None:
    place = first(rock_salt, "O")
    cell = rock_salt.copy()
    cell.remove_sites([place])
    found = cell_difference(rock_salt, disordered(cell, drift))
    assert found.removed == {"O": 1}
    if drift[0] < 1:
        # A drift by half of the lattice's own vectors is another site of the same crystal.
        assert [c.site for c in found.changes] == [place]
        assert np.allclose(found.drift_A, drift, atol=0.1)
    name = name_defect(rock_salt, found)
    assert (name.label, name.kind, name.multiplicity) == ("V_O", "vacancy", 32)
    assert found.largest_A < 0.35


def test_antisite_interstitial_substitution_and_complex(rock_salt: Structure) -> None:
    oxygen, metal = first(rock_salt, "O"), first(rock_salt, "Mg")
    antisite = rock_salt.copy()
    antisite.replace(oxygen, "Mg")
    found = cell_difference(rock_salt, disordered(antisite))
    assert found.removed == {"Mg": -1, "O": 1}
    assert (found.kind(["Mg", "O"]), name_defect(rock_salt, found).label) == ("antisite", "Mg_O")

    hole = [0.125, 0.125, 0.125]
    interstitial = rock_salt.copy()
    interstitial.append("F", hole)
    found = cell_difference(rock_salt, disordered(interstitial, by_A=0.02))
    name = name_defect(rock_salt, found)
    assert (name.label, name.kind, found.removed) == ("F_i", "interstitial", {"F": -1})
    # Eight tetrahedra in each of the eight cubes.
    assert name.multiplicity == 64
    assert np.allclose(found.changes[0].position, hole, atol=0.01)

    both = rock_salt.copy()
    both.replace(metal, "Al")
    both.remove_sites([oxygen])
    found = cell_difference(rock_salt, disordered(both))
    assert found.removed == {"Al": -1, "Mg": 1, "O": 1}
    assert (found.kind(["Mg", "O"]), name_defect(rock_salt, found).label) == ("complex", "Al_Mg+V_O")


def test_perfect_cell_has_no_defect(rock_salt: Structure) -> None:
    found = cell_difference(rock_salt, disordered(rock_salt))
    assert found.changes == []
    assert found.kind(["Mg", "O"]) == "none"
    with pytest.raises(ValueError, match="no defect"):
        name_defect(rock_salt, found)


def test_an_ion_that_left_its_site_is_a_pair(rock_salt: Structure) -> None:
    """A Frenkel pair has the host's atoms and is no perfect cell."""
    cell = rock_salt.copy()
    cell.translate_sites([first(cell, "Mg")], [0.375, 0.375, 0.375])
    found = cell_difference(rock_salt, cell)
    assert found.removed == {}
    assert name_defect(rock_salt, found).label == "Mg_i+V_Mg"


def test_other_size_and_other_material_are_refused_by_name(rock_salt: Structure) -> None:
    larger = rock_salt.make_supercell((2, 1, 1), in_place=False)
    larger.remove_sites([0])
    with pytest.raises(UnlikeCellsError, match=r"Mg63 O64 .*another size of supercell"):
        cell_difference(rock_salt, larger)
    other = rock_salt.copy()
    other.replace_species({"Mg": "Ca"})
    with pytest.raises(UnlikeCellsError, match=r"Ca32 O32 differs from Mg32 O32 at 32 of 64"):
        cell_difference(rock_salt, other)


def test_labels_say_the_sublattice_and_the_orbit(rock_salt: Structure) -> None:
    cell = rock_salt.copy()
    half = [i for i, s in enumerate(cell) if s.specie.symbol == "Mg" and s.frac_coords[2] < 0.4]
    cell.add_site_property("sublattice", ["B" if s.specie.symbol == "Mg" else "O" for s in cell])
    cell.replace(first(cell, "O"), "O", properties={"sublattice": "O"})
    cell[half[0]].species = "Zn"
    site = next(i for i, s in enumerate(cell) if s.specie.symbol == "Mg")
    defect = cell.copy()
    defect.remove_sites([site])
    label = name_defect(cell, cell_difference(cell, defect)).label
    assert label.startswith("V_Mg(B,")


REAL = {
    "defect_group1_q=n3_sp": ("V_Ga", {"Ga": 1}),
    "defect_group2_q=p0_sp": ("Bi_As+V_Ga", {"As": 1, "Bi": -1, "Ga": 1}),
    "defect_group3_q=p2_sp": ("As_Ga", {"As": -1, "Ga": 1}),
}


@pytest.mark.parametrize("folder", REAL)
def test_relaxed_cells_of_other_groups(real: Path, folder: str) -> None:
    study = real / "vasp/collection/f_defects/gaas_study_5.2.2"
    host = Structure.from_file(study / "perfect_sp/POSCAR")
    found = cell_difference(host, Structure.from_file(study / folder / "POSCAR"))
    assert (name_defect(host, found).label, found.removed) == REAL[folder]
