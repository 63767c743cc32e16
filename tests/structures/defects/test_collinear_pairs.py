"""Ions right and left of a vacancy, charge states and compensation, against closed counts."""

import json
from itertools import combinations

import numpy as np
import pytest
from magnetoionics.structures.cells.cation_order import decorated, random_spinel, sites_on, spinel_cell
from magnetoionics.structures.defects.charge_compensation import charge_states, compensated, compensations
from magnetoionics.structures.defects.collinear_pairs import CollinearPair, collinear_pairs, count_in_line
from magnetoionics.structures.defects.vacancies import VacancySite, distinct_vacancies
from magnetoionics.structures.host import get_host
from magnetoionics.structures.spins import low_spin_moment, set_collinear_moments, total_moment, total_valence
from magnetoionics.structures.symmetry import space_group_symbol
from monty.json import MontyDecoder, MontyEncoder

NEEL = {"A": -1, "B": 1}


def octahedral_iron(structure, mover=None):
    return distinct_vacancies(structure, "Fe", "B", mover)


@pytest.fixture(scope="module")
def low_symmetry():
    """A fully inverse order of each space group in the cell of 28 atoms."""
    parent = spinel_cell(8.392, 0.381, 28)
    orders = [decorated(parent, "Co", "Fe", chosen) for chosen in combinations(sites_on(parent, "B"), 4)]
    return {space_group_symbol(cell): set_collinear_moments(cell, NEEL) for cell in orders}


@pytest.mark.parametrize(
    ("order", "relation", "sign", "pairs"), [("Imma", "inversion", 1, 2), ("P4_122", "twofold axis", -1, 1)]
)
def test_pairs_of_an_ordered_host(order, relation, sign, pairs):
    """Imma has Co on both sides along two of the three lines through V_Fe, P4_122 along one."""
    cell = get_host("cofe2o4").structure(order)
    (vacancy,) = octahedral_iron(cell)
    (pair,) = collinear_pairs(cell, vacancy.index, "Co")
    assert vacancy.pairs_in_line["Co"] == pair.multiplicity == pairs
    assert pair.relation == relation
    # Inversion keeps a magnetisation along the chain; the twofold axis across it reverses it.
    assert pair.moment_signs == [sign]
    for matrix in pair.relation_matrices:
        assert np.allclose(np.array(matrix) @ pair.axis, -np.array(pair.axis), atol=1e-6)


@pytest.mark.parametrize("symbol", ["Pma2", "P1"])
def test_low_symmetry_orders_do_not_relate_the_pair(low_symmetry, symbol):
    cell = low_symmetry[symbol]
    found = [pair for v in octahedral_iron(cell) for pair in collinear_pairs(cell, v.index, "Co")]
    assert found
    assert {pair.relation for pair in found} == {"none"}


def test_without_order_inversion_and_a_twofold_axis_exchange_the_pair():
    """Site symmetry -3m of 16d: three lines, exchanged end to end by -1 and by the twofold axis across."""
    cell = get_host("cofe2o4").structure("normal")
    (vacancy,) = octahedral_iron(cell)
    (pair,) = collinear_pairs(cell, vacancy.index, "Fe")
    assert pair.multiplicity == 3
    assert pair.relations == ["inversion", "twofold axis"]
    assert pair.moment_signs == [1, -1]


def test_reversed_spin_breaks_the_relation():
    cell = get_host("cofe2o4").structure("Imma")
    (vacancy,) = octahedral_iron(cell)
    (pair,) = collinear_pairs(cell, vacancy.index, "Co")
    cell[pair.right].properties["magmom"] *= -1
    assert {p.relation for p in collinear_pairs(cell, vacancy.index, "Co")} == {"none"}


def test_counts_of_pairs_agree_with_an_own_count_in_random_cells():
    cell = set_collinear_moments(random_spinel(spinel_cell(8.392, 0.381), "Co", "Fe", 1.0, seed=11), NEEL)
    for vacancy in octahedral_iron(cell):
        centre = cell[vacancy.index]
        vectors = [n.coords - centre.coords for n in cell.get_neighbors(centre, 3.3) if n.specie.symbol == "Co"]
        opposite = sum(np.linalg.norm(a + b) < 1e-6 for k, a in enumerate(vectors) for b in vectors[:k])
        assert vacancy.pairs_in_line["Co"] == opposite == count_in_line(cell, vacancy.index, "Co")
        assert sum(p.multiplicity for p in collinear_pairs(cell, vacancy.index, "Co")) == opposite
    # Random cells have vacancies with different numbers of Co neighbours, which the ordered ones lack.
    assert len({v.near_cations["Co"] for v in octahedral_iron(cell)}) > 1


def test_labels_of_a_vacancy_travel():
    (vacancy,) = octahedral_iron(get_host("cofe2o4").structure(), ("Co", "B"))
    assert vacancy.nearest_mover_A == pytest.approx(8.392 * np.sqrt(2) / 4)
    assert vacancy.charge_states == [-3, -2, -1, 0]
    again = json.loads(json.dumps(vacancy, cls=MontyEncoder), cls=MontyDecoder)
    assert isinstance(again, VacancySite)
    assert again == vacancy


def test_a_pair_travels():
    cell = get_host("cofe2o4").structure()
    (pair,) = collinear_pairs(cell, octahedral_iron(cell)[0].index, "Co")
    again = json.loads(json.dumps(pair, cls=MontyEncoder), cls=MontyDecoder)
    assert isinstance(again, CollinearPair)
    assert again == pair


def test_book_keeping_of_one_octahedral_iron_vacancy():
    """Neel totals of Co8Fe15O32: 19 at -3 e; neutral with 3 Co3+ low spin 10, high spin 22, 3 Fe4+ on B 16 muB."""
    cell = get_host("cofe2o4").structure()
    (vacancy,) = octahedral_iron(cell)
    modes = {m.label: m for m in compensations(cell, vacancy.index)}
    assert modes["none"].charge_e == -3
    totals = {
        "none": 19,
        "3 Co3+(B) low spin": 10,
        "3 Co3+(B) high spin": 22,
        "3 Fe4+(B)": 16,
    }
    assert {label: modes[label].total_moment_muB for label in totals} == totals
    for mode in modes.values():
        built = compensated(cell, vacancy.index, mode)
        assert total_moment(built) == pytest.approx(mode.total_moment_muB)
        assert total_valence(built) == pytest.approx(mode.charge_e)
        assert len(built) == len(cell) - 1


def test_an_oxygen_vacancy_reduces_iron():
    cell = get_host("cofe2o4").structure()
    oxygen = distinct_vacancies(cell, "O", "O")[0]
    assert charge_states(cell, oxygen.index) == [2, 1, 0]
    assert {"1 Fe2+(A)", "2 Fe2+(B)"} <= {m.label for m in compensations(cell, oxygen.index)}


@pytest.mark.parametrize(
    ("ion", "moment"), [(("Co", 3), 0), (("Fe", 3), 1), (("Co", 2), 1), (("Ni", 3), 1), (("O", -2), 0)]
)
def test_low_spin_moments(ion, moment):
    assert low_spin_moment(*ion) == moment


def test_a_site_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="outside 0 to 55"):
        collinear_pairs(get_host("cofe2o4").structure(), 56, "Co")
