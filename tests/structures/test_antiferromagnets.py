"""Antiferromagnets: a reversal of all spins costs nothing, so that spin up and spin down are one class."""

import numpy as np
import pytest
from magnetoionics.structures.cells.binary_oxides import reference_phase
from magnetoionics.structures.defects.collinear_pairs import collinear_pairs
from magnetoionics.structures.defects.complexes import PointDefect, distinct_complexes
from magnetoionics.structures.defects.hops import distinct_hops
from magnetoionics.structures.defects.vacancies import distinct_vacancies
from magnetoionics.structures.host import get_host
from magnetoionics.structures.symmetry import operations, orbits, space_group_symbol

NICKEL, OXYGEN = PointDefect("Ni", "B"), PointDefect("O", "O")


@pytest.fixture(scope="module")
def nickel_oxide():
    """Type II: sheets (111) of parallel moments, neighbouring sheets antiparallel; 64 atoms."""
    cell = reference_phase("NiO")
    cell.make_supercell(2)
    is_nickel = [s.specie.symbol == "Ni" for s in cell]
    sheet = np.rint(cell.cart_coords.sum(axis=1) / 4.177).astype(int)
    moments = [2.0 * (-1) ** int(n) if metal else 0.0 for metal, n in zip(is_nickel, sheet, strict=True)]
    cell.add_site_property("sublattice", ["B" if metal else "O" for metal in is_nickel])
    cell.add_site_property("magmom", moments)
    assert sum(moments) == 0
    return cell


@pytest.fixture(scope="module")
def ferrimagnetic(nickel_oxide):
    """The same, but one kind of moment is smaller: up and down are two ions now."""
    moments = [m if m > 0 else 0.5 * m for m in nickel_oxide.site_properties["magmom"]]
    return nickel_oxide.copy(site_properties={**nickel_oxide.site_properties, "magmom": moments})


def test_operations_come_in_two_halves(nickel_oxide, ferrimagnetic):
    ops = operations(nickel_oxide)
    assert space_group_symbol(nickel_oxide) == "R-3m"
    assert [op.reverses_spins for op in ops] == [False] * (len(ops) // 2) + [True] * (len(ops) // 2)
    places, moments = nickel_oxide.frac_coords, np.array(nickel_oxide.site_properties["magmom"])
    for op in ops[:: len(ops) // 24]:
        off = (places @ op.rotation.T + op.translation)[:, None] - places[None]
        image = np.linalg.norm(off - np.rint(off), axis=2).argmin(axis=1)
        assert np.array_equal(moments[image], -moments if op.reverses_spins else moments)
    assert not any(op.reverses_spins for op in operations(ferrimagnetic))


def test_a_vacancy_is_listed_once(nickel_oxide, ferrimagnetic):
    assert [v.multiplicity for v in distinct_vacancies(nickel_oxide, "Ni", "B")] == [32]
    assert [v.multiplicity for v in distinct_vacancies(ferrimagnetic, "Ni", "B")] == [16, 16]
    assert [len(g) for g in orbits(nickel_oxide)] == [32, 32]


def test_two_sublattices_are_listed_one_by_one(nickel_oxide):
    labels = ["O" if m == 0 else "up" if m > 0 else "down" for m in nickel_oxide.site_properties["magmom"]]
    named = nickel_oxide.copy(site_properties={**nickel_oxide.site_properties, "sublattice": labels})
    for label in ("up", "down"):
        assert [v.multiplicity for v in distinct_vacancies(named, "Ni", label)] == [16]


def test_hops_of_oxygen(nickel_oxide, ferrimagnetic):
    """Site symmetry -3m of O with the reversal and 3m without: 6 + 6 ways, or 6 + 3 + 3."""
    for cell, ways in ((nickel_oxide, [6, 6]), (ferrimagnetic, [3, 3, 6])):
        (vacancy,) = distinct_vacancies(cell, "O", "O")
        hops = distinct_hops(cell, vacancy.index, vacancy.label, "O", "O", 3.1)
        assert sorted(h.multiplicity for h in hops) == ways


def test_pairs_of_vacancies(nickel_oxide, ferrimagnetic):
    """192 bonds Ni-O, all alike; two halves where up and down differ."""
    for cell, bonds in ((nickel_oxide, [192]), (ferrimagnetic, [96, 96])):
        found = distinct_complexes(cell, [NICKEL, OXYGEN], 2.2)
        assert [c.multiplicity for c in found] == bonds


def test_relations_of_pairs_leave_spins_as_they_are(nickel_oxide):
    """Inversion at O takes up to down: it makes pairs alike but relates no right and left of equal spin."""
    (vacancy,) = distinct_vacancies(nickel_oxide, "O", "O")
    pairs = collinear_pairs(nickel_oxide, vacancy.index, "O", cutoff_A=3.1)
    assert sum(p.multiplicity for p in pairs) == 6
    assert "inversion" not in {kind for p in pairs for kind in p.relations}


def test_ferrimagnets_have_no_reversal():
    for key in ("cofe2o4", "life5o8"):
        assert not any(op.reverses_spins for op in operations(get_host(key).structure()))
