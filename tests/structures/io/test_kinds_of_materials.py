"""What a host may be: mean valences, metals, hydroxides, f ions, anions with roles of their own, two anions."""

import numpy as np
import pytest
from magnetoionics.structures.checks.geometry import StructureError, check_bonds, coordination_number
from magnetoionics.structures.defects.inventory import take_inventory
from magnetoionics.structures.host import get_host
from magnetoionics.structures.io.host_entries import HostFileError
from magnetoionics.structures.io.host_files import HostReference, with_roles
from magnetoionics.structures.spins import high_spin_moment, largest_moment, low_spin_moment, mean_moment
from pymatgen.core import Lattice, Structure

CASES = {
    "h04-latin1-mcif/nio.yaml": (64, 0.0),
    "h05-mixed-valence/lsmo.yaml": (15, 11.0),
    "h06-metal-atoms/co_o2.yaml": (6, 8.5),
    "h06-metal-atoms/fe4n.yaml": (5, 8.8),
    "h07-hydrogen/nioh2b.yaml": (5, 2.0),
    "h08-f-spin/gd2o3.yaml": (80, 14.0),
    "h09-anion-role/hfo2.yaml": (12, 0.0),
    "h10-zero-gap/conr2.yaml": (8, 0.0),
}


@pytest.mark.parametrize("case", list(CASES))
def test_public_cases_are_hosts(real, case):
    atoms, moment = CASES[case]
    host = get_host(str(real / "structures" / case))
    cell = host.structure()
    assert len(cell) == atoms
    assert abs(host.moment_per_formula(cell)) == pytest.approx(moment, abs=1e-5)
    assert sum(cell.site_properties["valence"]) == pytest.approx(0, abs=1e-9)
    assert take_inventory(host).vacancies


@pytest.mark.parametrize(
    ("element", "valence", "moment"),
    [
        ("Gd", 3, 7),
        ("Eu", 2, 7),
        ("Eu", 3, 6),
        ("Tb", 3, 6),
        ("Dy", 3, 5),
        ("Yb", 3, 1),
        ("Lu", 3, 0),
        ("La", 3, 0),
        ("Ce", 4, 0),
        ("Ce", 3, 1),
        ("U", 4, 2),
        ("Co", 0, 1.7),
        ("Mo", 4, 0),
        ("Zn", 2, 0),
        ("Ti", 4, 0),
    ],
)
def test_moments_of_f_shells_and_metals(element, valence, moment):
    """2S of the shell, spin only: 4f^n from half filling down again."""
    assert high_spin_moment(element, valence) == pytest.approx(moment)


def test_low_spin_of_heavier_d_ions_and_of_f_ions():
    assert low_spin_moment("Ru", 4) == 2
    assert low_spin_moment("Ir", 4) == 1
    assert low_spin_moment("Gd", 3) == 7


def test_a_mean_valence_needs_a_spin_and_the_message_names_one():
    assert mean_moment("Mn", 10 / 3) == pytest.approx(11 / 3)
    assert mean_moment("Fe", 3) == 5
    with pytest.raises(ValueError, match=r"whole number from 0 to 10.*spin: 3\.667"):
        high_spin_moment("Mn", 10 / 3)
    with pytest.raises(ValueError, match="f electrons"):
        high_spin_moment("Gd", 2.5)
    assert largest_moment("Mn", 10 / 3) == 4
    assert largest_moment("Fe", 0.75) == 5


def mixed(moment, spin):
    """Cubic perovskite of La and Sr 2:1 along c, Mn of mean valence."""
    cell = Structure.from_spacegroup(
        "Pm-3m", Lattice.cubic(3.87), ["La", "Mn", "O"], [[0, 0, 0], [0.5] * 3, [0.5, 0.5, 0]]
    )
    cell.make_supercell((1, 1, 3))
    cell.replace(next(i for i, s in enumerate(cell) if s.specie.symbol == "La"), "Sr")
    roles = [
        {"element": "La", "sublattice": "A", "valence": 3},
        {"element": "Sr", "sublattice": "A", "valence": 2},
        {"element": "Mn", "sublattice": "B", "valence": 3.333, "spin": spin},
        {"element": "O", "sublattice": "O", "valence": -2},
    ]
    return with_roles(cell, roles), moment


def test_rounded_mean_valences_leave_no_charge():
    cell, _ = mixed(11, 3.667)
    assert sum(cell.site_properties["valence"]) == pytest.approx(0, abs=1e-12)
    manganese = {s.properties["valence"] for s in cell if s.specie.symbol == "Mn"}
    assert list(manganese) == pytest.approx([10 / 3])


FE4N = Structure.from_spacegroup(
    "Pm-3m", Lattice.cubic(3.795), ["Fe", "Fe", "N"], [[0, 0, 0], [0.5, 0.5, 0], [0.5] * 3]
)
METAL_ROLES = [
    {"element": "Fe", "sublattice": "M", "valence": 0.75, "spin": 2.2},
    {"element": "N", "sublattice": "N", "valence": -3},
]


def test_atoms_of_a_metal_need_no_anion():
    cell = with_roles(FE4N, METAL_ROLES, "N", metallic=True)
    assert sum(cell.site_properties["valence"]) == pytest.approx(0)
    with pytest.raises(StructureError, match=r"Fe\) has no N at a bond length.*valence: 0"):
        with_roles(FE4N, METAL_ROLES, "N")
    lone = Structure(Lattice.cubic(12), ["Fe", "Fe", "O"], [[0, 0, 0], [0.5] * 3, [0.16, 0, 0]])
    with pytest.raises(StructureError, match="no O at a bond length"):
        check_bonds(lone, "O", metallic=True)
    check_bonds(lone, "O", [2.0, 0.0, -2.0])


def hydroxide(bond_A):
    """Brucite type with O-H along c."""
    c = 4.605
    coords = [[0, 0, 0], [1 / 3, 2 / 3, 0.24], [2 / 3, 1 / 3, 0.76]]
    coords += [[1 / 3, 2 / 3, 0.24 + bond_A / c], [2 / 3, 1 / 3, 0.76 - bond_A / c]]
    return Structure(Lattice.hexagonal(3.126, c), ["Ni", "O", "O", "H", "H"], coords)


def test_hydrogen_is_bonded_at_its_own_length():
    cell = hydroxide(0.97)
    check_bonds(cell, "O")
    for short in (0.7, 0.85):
        with pytest.raises(StructureError, match="H"):
            check_bonds(hydroxide(short), "O")
    assert coordination_number(cell, 0, "O") == 6
    # Three Ni and the hydrogen, which stands much nearer than they do.
    assert coordination_number(cell, 1, "O") == 4
    assert coordination_number(cell, 3, "O") == 1


def test_an_anion_counts_cations():
    rutile = Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
    )
    assert {coordination_number(rutile, i, "O") for i in range(6) if rutile[i].specie.symbol == "O"} == {3}
    spinel = get_host("cofe2o4").structure("Imma")
    assert {coordination_number(spinel, i, "O") for i, s in enumerate(spinel) if s.specie.symbol == "O"} == {4}
    wurtzite = get_host("zn095co005o").structure("near")
    assert {coordination_number(wurtzite, i, "O") for i in range(len(wurtzite))} == {4}


def test_a_second_anion_is_an_anion():
    """KNiF3 with one O of three: roles say which elements are anions, each with its own coordination."""
    cell = Structure.from_spacegroup(
        "Pm-3m", Lattice.cubic(4.0), ["K", "Fe", "F"], [[0, 0, 0], [0.5] * 3, [0.5, 0.5, 0]]
    )
    cell.replace(len(cell) - 1, "O")
    roles = [
        {"element": "K", "sublattice": "A", "valence": 1},
        {"element": "Fe", "sublattice": "B", "valence": 3, "coordination": 6},
        {"element": "F", "sublattice": "X", "valence": -1, "coordination": 2},
        {"element": "O", "sublattice": "X", "valence": -2},
    ]
    assert len(with_roles(cell, roles, "F")) == 5


def test_large_ions_have_long_bonds():
    """Cs-I in CsI has 3.95 A, Ba-S in BaS 3.19 A."""
    check_bonds(Structure.from_spacegroup("Fm-3m", Lattice.cubic(6.38), ["Ba", "S"], [[0, 0, 0], [0.5] * 3]), "S")
    check_bonds(Structure.from_spacegroup("Pm-3m", Lattice.cubic(4.567), ["Cs", "I"], [[0, 0, 0], [0.5] * 3]), "I")


def test_the_message_of_a_stray_atom_counts_what_surrounds_it(real):
    """An anion that no role fits: its cations are counted."""
    text = (real / "structures" / "h09-anion-role" / "hfo2.yaml").read_text()
    path = real / "structures" / "h09-anion-role" / "hfo2.yaml"
    assert "coordination: 3" in text
    assert len(HostReference.from_file(path).host().vacancies) == 2


def test_a_wrong_moment_is_still_refused(tmp_path, real):
    folder = real / "structures" / "h05-mixed-valence"
    (tmp_path / "lsmo.vasp").write_text((folder / "lsmo.vasp").read_text())
    text = (folder / "lsmo.yaml").read_text()
    (tmp_path / "wrong.yaml").write_text(text.replace("moment_per_formula_muB: 11", "moment_per_formula_muB: 11.1"))
    with pytest.raises(HostFileError, match=r"stated are 11\.1"):
        HostReference.from_file(tmp_path / "wrong.yaml").host()
    (tmp_path / "round.yaml").write_text(text.replace("3.6666667", "3.667"))
    assert np.isclose(HostReference.from_file(tmp_path / "round.yaml").host().moment_per_formula_muB, 11)
