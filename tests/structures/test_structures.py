"""Structures: space groups, moments, distinct vacancies and hops, known from group theory."""

import numpy as np
import pytest
from magnetoionics.structures.cells.binary_oxides import reference_phase, reference_phases
from magnetoionics.structures.cells.spinel import inverse_spinel, parent_spinel
from magnetoionics.structures.cells.supercell import repeats_for_distance, supercell
from magnetoionics.structures.defects.hops import distinct_hops
from magnetoionics.structures.defects.vacancies import distinct_vacancies, remove_site, same_site_in
from magnetoionics.structures.host import UnknownHostError, get_host, host_keys
from magnetoionics.structures.spins import (
    high_spin_moment,
    set_collinear_moments,
    total_moment,
    total_valence,
)
from magnetoionics.structures.symmetry import orbits, space_group_symbol

ORDERS = ["Imma", "P4_122", "normal"]


@pytest.fixture(scope="module")
def cfo():
    return get_host("cofe2o4").structure("Imma")


@pytest.mark.parametrize(("order", "symbol"), [("Imma", "Imma"), ("P4_122", "P4_122"), ("normal", "Fd-3m")])
def test_space_group_is_what_the_order_says(order, symbol):
    assert space_group_symbol(get_host("cofe2o4").structure(order)) == symbol


def test_neel_moment_is_three_per_formula_for_inverse_and_seven_for_normal():
    host = get_host("cofe2o4")
    assert host.moment_per_formula(host.structure("Imma")) == pytest.approx(3.0, abs=1e-12)
    assert host.moment_per_formula(host.structure("P4_122")) == pytest.approx(3.0, abs=1e-12)
    # Neel: 3 + 4 (1 - i) with inversion degree i = 0
    assert host.moment_per_formula(host.structure("normal")) == pytest.approx(7.0, abs=1e-12)


@pytest.mark.parametrize("order", ORDERS)
def test_cell_is_neutral_and_stoichiometric(order):
    cell = get_host("cofe2o4").structure(order)
    assert total_valence(cell) == 0
    assert cell.composition.reduced_formula == "Fe2CoO4"
    assert len(cell) == 56


def test_bond_lengths_follow_lattice_and_oxygen_parameter(cfo):
    a, u = 8.392, 0.381
    tetrahedral = a * np.sqrt(3) * (u - 0.25)
    octahedral = a * np.sqrt((0.625 - u) ** 2 + 2 * (u - 0.375) ** 2)
    for label, expected, count in (("A", tetrahedral, 4), ("B", octahedral, 6)):
        site = next(s for s in cfo if s.properties["sublattice"] == label)
        distances = sorted(n.nn_distance for n in cfo.get_neighbors(site, 2.4))[:count]
        assert np.allclose(distances, expected, atol=1e-9)


@pytest.mark.parametrize(
    ("element", "valence", "moment"),
    [("Fe", 3, 5), ("Fe", 2, 4), ("Co", 2, 3), ("Co", 3, 4), ("Li", 1, 0), ("O", -2, 0)],
)
def test_high_spin_moments_follow_hund(element, valence, moment):
    assert high_spin_moment(element, valence) == moment


def test_fractional_valence_has_no_high_spin_moment():
    with pytest.raises(ValueError, match=r"2\.5"):
        high_spin_moment("Fe", 2.5)


def test_magnetic_sublattice_without_sense_is_refused(cfo):
    with pytest.raises(ValueError, match="'A'"):
        set_collinear_moments(cfo, {"B": 1})
    with pytest.raises(ValueError, match="spin sense"):
        set_collinear_moments(cfo, {"A": -1, "B": 2})


@pytest.mark.parametrize("order", ORDERS)
def test_multiplicities_sum_to_the_site_count(order):
    cell = get_host("cofe2o4").structure(order)
    assert sum(len(g) for g in orbits(cell)) == len(cell)


def test_distinct_vacancies_of_imma(cfo):
    found = {
        (e, s): [v.multiplicity for v in distinct_vacancies(cfo, e, s)]
        for e, s in (("Fe", "A"), ("Fe", "B"), ("Co", "B"), ("O", "O"))
    }
    # Imma splits the oxygens in two sets and keeps each cation kind of the 56-atom cube equivalent.
    assert found == {("Fe", "A"): [8], ("Fe", "B"): [8], ("Co", "B"): [8], ("O", "O"): [16, 16]}


def test_every_fe_b_has_four_co_and_two_fe_neighbours_in_both_orders():
    for order in ("Imma", "P4_122"):
        (vacancy,) = distinct_vacancies(get_host("cofe2o4").structure(order), "Fe", "B")
        assert vacancy.near_cations == {"Co": 4, "Fe": 2}


def test_spins_distinguish_sites_that_chemistry_does_not():
    cell = get_host("cofe2o4").structure("normal")
    assert len(distinct_vacancies(cell, "Fe", "B")) == 1
    flipped = cell.copy()
    first = next(i for i, s in enumerate(cell) if s.specie.symbol == "Fe")
    flipped[first].properties["magmom"] *= -1
    assert len(distinct_vacancies(flipped, "Fe", "B")) > 1


def test_missing_element_is_refused(cfo):
    with pytest.raises(ValueError, match="no Li"):
        distinct_vacancies(cfo, "Li", "B")


def test_moments_travel_through_supercell_and_vacancy(cfo):
    big = supercell(cfo, (2, 2, 2))
    assert len(big) == 448
    assert total_moment(big) == pytest.approx(8 * total_moment(cfo))
    (vacancy,) = distinct_vacancies(cfo, "Fe", "B")
    index = same_site_in(big, cfo, vacancy.index)
    assert np.allclose(big[index].coords, cfo[vacancy.index].coords)
    assert total_moment(remove_site(big, index)) == pytest.approx(total_moment(big) - 5.0)


def test_hops_of_cobalt_into_the_octahedral_iron_vacancy(cfo):
    (vacancy,) = distinct_vacancies(cfo, "Fe", "B")
    hops = distinct_hops(cfo, vacancy.index, vacancy.label, "Co", "B", 3.3)
    assert sum(h.multiplicity for h in hops) == 4
    for hop in hops:
        assert hop.distance_A == pytest.approx(8.392 * np.sqrt(2) / 4, abs=1e-6)
        assert hop.initial.species == hop.final.species
        moved = np.linalg.norm(hop.final.cart_coords - hop.initial.cart_coords, axis=1)
        assert np.flatnonzero(moved > 1e-9).tolist() == [hop.mover]
        assert hop.final.site_properties == hop.initial.site_properties
        assert len(hop.intermediates) == 2


def test_intermediate_sits_in_an_oxygen_tetrahedron_off_the_line(cfo):
    (vacancy,) = distinct_vacancies(cfo, "Fe", "B")
    hop = distinct_hops(cfo, vacancy.index, vacancy.label, "Co", "B", 3.3)[0]
    middle = (hop.initial[hop.mover].coords + hop.final[hop.mover].coords) / 2
    for trial in hop.intermediates:
        site = trial[hop.mover]
        oxygens = [n for n in trial.get_neighbors(site, 2.3) if n.specie.symbol == "O"]
        assert len(oxygens) == 4
        assert np.linalg.norm(site.coords - middle) == pytest.approx(8.392 / 8, abs=0.15)
        assert abs(np.dot(site.coords - middle, hop.displacement_A)) < 0.05


def test_exchange_of_before_and_after_is_a_mirror_or_a_twofold_axis_without_cation_order():
    """In the normal spinel all octahedral ions are Fe, so the two ends of a hop are the same state."""
    cell = get_host("cofe2o4").structure("normal")
    (vacancy,) = distinct_vacancies(cell, "Fe", "B")
    hop = distinct_hops(cell, vacancy.index, vacancy.label, "Fe", "B", 3.3)[0]
    assert hop.multiplicity == 6
    # The pair's site group is mm2: its two elements that exchange the ends.
    assert hop.relations == ["mirror", "twofold axis"]


def test_cation_order_breaks_the_exchange_in_imma(cfo):
    (vacancy,) = distinct_vacancies(cfo, "Fe", "B")
    assert distinct_hops(cfo, vacancy.index, vacancy.label, "Co", "B", 3.3)[0].relations == []


def test_no_mover_in_reach_is_refused(cfo):
    (vacancy,) = distinct_vacancies(cfo, "Fe", "B")
    with pytest.raises(ValueError, match=r"2\.0"):
        distinct_hops(cfo, vacancy.index, vacancy.label, "Co", "B", 2.0)


def test_supercell_from_image_distance(cfo):
    assert repeats_for_distance(cfo, 8.0) == (1, 1, 1)
    assert repeats_for_distance(cfo, 16.0) == (2, 2, 2)
    with pytest.raises(ValueError, match="-1"):
        repeats_for_distance(cfo, -1)


def test_wrong_origin_of_the_oxygen_parameter_is_refused():
    with pytest.raises(ValueError, match="-43m origin"):
        parent_spinel(8.392, 0.256)
    with pytest.raises(ValueError, match="outside 7 to 10"):
        parent_spinel(0.8392, 0.381)


def test_unknown_order_and_host_name_what_is_known():
    with pytest.raises(ValueError, match="Imma"):
        inverse_spinel(8.392, 0.381, "Co", "Fe", "Pnma")
    with pytest.raises(UnknownHostError, match="cofe2o4"):
        get_host("unobtainium")
    assert "cofe2o4" in host_keys()


def test_structure_round_trips_with_its_site_properties(cfo, tmp_path):
    from pymatgen.core import Structure

    again = Structure.from_dict(cfo.as_dict())
    assert again == cfo
    assert again.site_properties == cfo.site_properties


@pytest.mark.parametrize(
    ("formula", "shell", "count"), [("CoO", 2.3, 6), ("Fe2O3", 2.3, 6), ("Li2O", 2.1, 4), ("FeO", 2.3, 6)]
)
def test_reference_oxides_have_their_coordination(formula, shell, count):
    cell = reference_phase(formula)
    assert cell.composition.reduced_formula == formula
    site = next(s for s in cell if s.specie.symbol != "O")
    assert sum(1 for n in cell.get_neighbors(site, shell) if n.specie.symbol == "O") == count


def test_unknown_reference_phase_lists_the_known():
    assert {"CoO", "Co3O4", "Fe2O3", "Fe3O4"} <= set(reference_phases())
    with pytest.raises(ValueError, match="Fe2O3"):
        reference_phase("UO2")
