"""The table of elements against what it can be read from elsewhere."""

import pytest
from magnetoionics.structures.elements import ELEMENTS, hubbard_shell, materials_project_U_eV, pbe_hubbard_U_eV
from magnetoionics.structures.host import get_host, host_keys
from magnetoionics.structures.spins import high_spin_moment, low_spin_moment
from pymatgen.core import Element
from pymatgen.io.vasp.sets import MPRelaxSet


def test_u_is_that_of_the_materials_project():
    theirs = MPRelaxSet.CONFIG["INCAR"]["LDAUU"]["O"]
    ours = pbe_hubbard_U_eV()
    assert set(ours) == {"Fe", "Co", "Ni"}
    assert ours == {e: pytest.approx(theirs[e]) for e in ours}


def test_u_acts_on_the_open_shell_of_the_ion():
    theirs = MPRelaxSet.CONFIG["INCAR"]["LDAUL"]["O"]
    assert {e: hubbard_shell(e) for e in theirs} == theirs
    assert {e: hubbard_shell(e) for e in ("Gd", "Ce", "U", "O", "N", "Zn")} == {
        "Gd": 3, "Ce": 3, "U": 3, "O": 1, "N": 1, "Zn": 2,
    }  # fmt: skip


def test_valences_are_oxidation_states_of_the_element():
    for symbol, data in ELEMENTS.items():
        known = Element(symbol).oxidation_states
        assert {v for v in (data.valence, *data.valences) if v is not None} <= set(known), symbol


@pytest.mark.parametrize("symbol", [e for e, d in ELEMENTS.items() if d.free_atom_moment_muB is not None])
def test_free_atoms_follow_hunds_rules(symbol):
    """Largest spin of the ground configuration, read from pymatgen's table of atoms."""
    places = {"s": 2, "p": 6, "d": 10}
    unpaired = sum(min(n, places[k] - n) for _, k, n in Element(symbol).full_electronic_structure)
    assert ELEMENTS[symbol].free_atom_moment_muB == unpaired


def test_low_spin_is_another_state_than_high_spin():
    for symbol, data in ELEMENTS.items():
        if data.low_spin is not None:
            assert low_spin_moment(symbol, data.low_spin) < high_spin_moment(symbol, data.low_spin)


def test_hosts_take_u_of_the_table():
    for key in host_keys():
        host = get_host(key)
        stated = {element: u for element, u in host.hubbard_U_eV.items() if u}
        assert stated == materials_project_U_eV(stated), key
