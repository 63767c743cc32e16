"""Every built-in host: space group, neutrality, moment, bonds and distances against named values."""

import dataclasses

import numpy as np
import pytest
from magnetoionics.structures.cells.binary_oxides import reference_phase, reference_phases
from magnetoionics.structures.checks.geometry import coordination_number
from magnetoionics.structures.defects.inventory import take_inventory
from magnetoionics.structures.defects.vacancies import distinct_vacancies
from magnetoionics.structures.drafting.valences import guess_valences
from magnetoionics.structures.host import get_host, host_keys
from magnetoionics.structures.hosts.life5o8 import BOND_LENGTHS_A
from magnetoionics.structures.spins import total_valence
from magnetoionics.structures.symmetry import operations, orbits, space_group_symbol
from pymatgen.core import Structure

BUILT = [(key, order) for key in host_keys() for order in get_host(key).orders]
SYMBOL = {
    **{
        (k, o): s
        for k in ("cofe2o4", "nife2o4", "fe3o4", "mgfe2o4")
        for o, s in (("Imma", "Imma"), ("normal", "Fd-3m"))
    },
    ("life5o8", "P4_332"): "P4_332",
    ("life5o8", "P4_132"): "P4_132",
    ("gamma_fe2o3", "P4_12_12"): "P4_12_12",
}


# Charge orders that no bond shows: all octahedra of these cells are alike.
BY_HAND = {("fe3o4", "Imma"), ("fe3o4", "P4_122"), ("fe3o4", "normal")}


@pytest.fixture(scope="module")
def cells():
    return {(key, order): get_host(key).structure(order) for key, order in BUILT}


def bonds(cell, index, cutoff=2.6):
    return np.array(sorted(n.nn_distance for n in cell.get_neighbors(cell[index], cutoff) if n.specie.symbol == "O"))


def first(cell, element, sublattice):
    return next(i for i, s in enumerate(cell) if (s.specie.symbol, s.properties["sublattice"]) == (element, sublattice))


@pytest.mark.parametrize("built", BUILT, ids=lambda b: " ".join(b))
def test_host_is_neutral_whole_and_has_what_it_names(cells, built):
    cell, host = cells[built], get_host(built[0])
    assert total_valence(cell) == pytest.approx(0, abs=1e-12)
    # O-H is the shortest bond there is.
    assert cell.is_valid(0.95 if "H" in cell.composition else 1.5)
    host.check_moment(built[1])
    assert host.key == built[0]
    assert set(host.references) <= set(reference_phases())
    assert set(host.hubbard_U_eV) <= {s.specie.symbol for s in cell}
    for element, sublattice in host.vacancies:
        count = sum((s.specie.symbol, s.properties["sublattice"]) == (element, sublattice) for s in cell)
        if count == 0:
            assert built[1] != host.orders[0]  # the normal distribution has no Fe on A
            continue
        assert sum(v.multiplicity for v in distinct_vacancies(cell, element, sublattice)) == count
    assert sum(len(g) for g in orbits(cell)) == len(cell)


@pytest.mark.parametrize(("built", "symbol"), list(SYMBOL.items()), ids=lambda b: " ".join(b))
def test_space_group(cells, built, symbol):
    assert space_group_symbol(cells[built]) == symbol


@pytest.mark.parametrize(
    ("key", "order", "moment"),
    [
        ("life5o8", None, 5.0),
        ("gamma_fe2o3", None, 2.5),
        ("fe3o4", None, 4.0),
        ("nife2o4", None, 2.0),
        ("mgfe2o4", None, 0.0),
        ("nife2o4", "normal", 8.0),
        ("zn095co005o", "near", 0.15),
        ("zn095co005o", "far-antiparallel", 0.0),
    ],
)
def test_neel_moment(cells, key, order, moment):
    host = get_host(key)
    assert host.moment_per_formula(cells[key, order or host.orders[0]]) == pytest.approx(moment, abs=1e-12)


def test_lithium_ferrite_fills_the_wyckoff_positions_of_p4_332(cells):
    cell = cells["life5o8", "P4_332"]
    counts = {
        name: [v.multiplicity for v in distinct_vacancies(cell, *name)]
        for name in (("Li", "B"), ("Fe", "A"), ("Fe", "B"), ("O", "O"))
    }
    # 4b, 8c, 12d and 8c + 24e of P4_332
    assert {k: sorted(v) for k, v in counts.items()} == {
        ("Li", "B"): [4],
        ("Fe", "A"): [8],
        ("Fe", "B"): [12],
        ("O", "O"): [8, 24],
    }
    assert len(operations(cell)) == 24


def test_lithium_ferrite_has_the_published_bond_lengths(cells):
    """Smolentsev et al., J. Struct. Chem. 49, 985 (2008): esd 1 to 2 mA."""
    cell = cells["life5o8", "P4_332"]
    tetrahedron = bonds(cell, first(cell, "Fe", "A"))
    octahedron = bonds(cell, first(cell, "Fe", "B"))
    lithium = bonds(cell, first(cell, "Li", "B"))
    expected = list(BOND_LENGTHS_A.values())
    assert np.allclose(tetrahedron, [expected[0]] * 3 + [expected[1]], atol=1e-4)
    assert np.allclose(octahedron, np.repeat(expected[2:5], 2), atol=1e-4)
    assert np.allclose(lithium, [expected[5]] * 6, atol=1e-4)


def test_lithium_ions_are_too_far_apart_for_a_direct_hop(cells):
    cell = cells["life5o8", "P4_332"]
    lithium = cell[first(cell, "Li", "B")]
    reach = sorted(n.nn_distance for n in cell.get_neighbors(lithium, 6.0) if n.specie.symbol == "Li")
    assert reach[0] >= 5.1
    # 4b to 4b of P4_332: a sqrt(6)/4
    assert reach[0] == pytest.approx(8.3339 * np.sqrt(6) / 4, abs=1e-6)


def test_enantiomorphs_are_mirror_images(cells):
    left, right = cells["life5o8", "P4_332"], cells["life5o8", "P4_132"]
    assert np.allclose(np.sort(left.distance_matrix.ravel()), np.sort(right.distance_matrix.ravel()), atol=1e-8)


def test_maghemite_has_its_ordered_vacancies(cells):
    """Fe[Fe5/3 vac1/3]O4 in the tripled cube: 24 A, 40 B, 96 O, and 8 of 48 B sites empty."""
    cell = cells["gamma_fe2o3", "P4_12_12"]
    labels = cell.site_properties["sublattice"]
    assert [labels.count(x) for x in ("A", "B", "O")] == [24, 40, 96]
    assert cell.lattice.c / cell.lattice.a == pytest.approx(3)


def test_cobalt_in_zinc_oxide_is_five_per_cent_near_and_far(cells):
    distance = {}
    for order in ("near", "far"):
        cell = cells["zn095co005o", order]
        cobalt = [i for i, s in enumerate(cell) if s.specie.symbol == "Co"]
        assert len(cobalt) / (len(cell) / 2) == pytest.approx(0.05)
        distance[order] = cell.get_distance(*cobalt)
        assert np.allclose(bonds(cell, cobalt[0], 2.3), [1.97] * 3 + [1.99], atol=0.02)
    # the nearest cations of wurtzite are 3.21 A apart, between layers
    assert distance["near"] == pytest.approx(3.21, abs=0.01)
    assert distance["far"] > 5


def test_a_wrong_stated_moment_is_refused():
    host = dataclasses.replace(get_host("life5o8"), moment_per_formula_muB=2.5)
    with pytest.raises(RuntimeError, match=r"5 muB .* stated are 2\.5"):
        host.check_moment(host.orders[0])


@pytest.mark.parametrize(("formula", "shell", "count"), [("NiO", 2.2, 6), ("MgO", 2.2, 6), ("ZnO", 2.1, 4)])
def test_new_reference_oxides_have_their_coordination(formula, shell, count):
    cell = reference_phase(formula)
    assert cell.composition.reduced_formula == formula
    assert len(bonds(cell, first(cell, formula[:2], "cation"), shell)) == count


def magnetic_neighbours(cell, within_A=0.15):
    """Signs of the nearest magnetic neighbours against each magnetic ion, as sorted tuples."""
    moments = np.array(cell.site_properties["magmom"], dtype=float)
    out = set()
    for i in np.flatnonzero(moments):
        near = [n for n in cell.get_neighbors(cell[int(i)], 4.5) if moments[n.index]]
        shortest = min(n.nn_distance for n in near)
        signs = [int(np.sign(moments[n.index] * moments[i])) for n in near if n.nn_distance < shortest + within_A]
        out.add(tuple(sorted(signs)))
    return out


@pytest.mark.parametrize(
    ("key", "signs"),
    [
        # Type II: half of the twelve second-nearest cations are parallel, all six across O antiparallel.
        ("nio", {(-1,) * 6 + (1,) * 6}),
        ("coo", {(-1,) * 6 + (1,) * 6}),
        ("co3o4", {(-1,) * 4}),
        # One across the shared face, three in the buckled layer.
        ("alpha_fe2o3", {(-1, 1, 1, 1)}),
        ("lafeo3", {(-1,) * 6}),
        ("bifeo3", {(-1,) * 6}),
        ("srcoo25", {(-1,) * 6, (-1,) * 2}),
        ("lifepo4", {(-1,) * 4}),
        ("yig", {(-1,) * 4, (-1,) * 6}),
        ("srcoo3", {(1,) * 6}),
    ],
)
def test_magnetic_orders_are_those_of_the_literature(cells, key, signs):
    assert magnetic_neighbours(cells[key, get_host(key).orders[0]]) == signs


def test_antiferromagnetic_superexchange_of_rock_salt(cells):
    """Cations on either side of an O, a apart, are antiparallel in type II."""
    cell = cells["nio", "AFM-II"]
    moments = cell.site_properties["magmom"]
    nickel = next(i for i, m in enumerate(moments) if m)
    across = [n for n in cell.get_neighbors(cell[nickel], 4.3) if n.specie.symbol == "Ni" and n.nn_distance > 4.0]
    assert len(across) == 6
    assert all(moments[n.index] == -moments[nickel] for n in across)


@pytest.mark.parametrize(
    ("key", "numbers"),
    [
        ("hfo2", {("Hf", "M"): {7}, ("O", "O3"): {3}, ("O", "O4"): {4}}),
        ("srcoo25", {("Co", "B6"): {6}, ("Co", "B4"): {4}, ("Sr", "A"): {8}}),
        ("yig", {("Y", "c"): {8}, ("Fe", "a"): {6}, ("Fe", "d"): {4}}),
        ("lifepo4", {("Li", "M1"): {6}, ("Fe", "M2"): {6}, ("P", "T"): {4}}),
        ("gd2o3", {("Gd", "M"): {6}, ("O", "O"): {4}}),
        ("nioh2", {("Ni", "M"): {6}, ("H", "H"): {1}, ("O", "O"): {4}}),
        ("co3o4", {("Co", "A"): {4}, ("Co", "B"): {6}}),
        ("fe4n", {("Fe", "corner"): {0}, ("Fe", "face"): {2}, ("N", "N"): {6}}),
        ("con", {("Co", "M"): {4}, ("N", "N"): {4}}),
    ],
)
def test_sites_have_the_coordination_of_their_type(cells, key, numbers):
    cell = cells[key, get_host(key).orders[0]]
    anions = {s.specie.symbol for s in cell if s.properties["valence"] < 0}
    found = {}
    for i, s in enumerate(cell):
        found.setdefault((s.specie.symbol, s.properties["sublattice"]), set()).add(coordination_number(cell, i, anions))
    assert {kind: found[kind] for kind in numbers} == numbers


# R0 with B = 0.37 A of cations in oxides, from I. D. Brown's table bvparm2020 of the International Union of
# Crystallography: Brown and Altermatt (1985), Brese and O'Keeffe (1991), low-spin Co3+ of complexes.
BOND_VALENCE_R0_A = {
    **{("Li", 1): 1.466, ("Fe", 2): 1.734, ("Co", 2): 1.692, ("Ni", 2): 1.675, ("Co", 3): 1.637, ("Fe", 3): 1.759},
    **{("Y", 3): 2.019, ("La", 3): 2.172, ("Gd", 3): 2.065, ("Bi", 3): 2.094, ("Ti", 4): 1.815, ("Hf", 4): 1.923},
    ("P", 5): 1.617,
}


@pytest.mark.parametrize(
    "key",
    [
        "alpha_fe2o3",
        "bifeo3",
        "co3o4",
        "coo",
        "gd2o3",
        "hfo2",
        "lafeo3",
        "licoo2",
        "lifepo4",
        "nio",
        "nioh2",
        "tio2",
        "yig",
    ],
)
def test_bond_valences_add_up_to_those_of_the_cations(cells, key):
    """Cells and positions against lengths of bonds in other crystals: no source of the host itself.

    A cell 3 % off, a wrong sign or 0.3 A of an anion is seen; 0.1 A of it, some bonds longer and some shorter, is not.
    """
    cell = cells[key, get_host(key).orders[0]]
    for i, site in enumerate(cell):
        ion = (site.specie.symbol, round(site.properties["valence"]))
        if ion in BOND_VALENCE_R0_A:
            found = np.exp((BOND_VALENCE_R0_A[ion] - bonds(cell, i, 3.5)) / 0.37).sum()
            assert found == pytest.approx(ion[1], rel=0.12), ion


@pytest.mark.parametrize(("key", "order"), BUILT)
def test_drafts_agree_with_the_valences_of_the_hosts(key, order):
    """What the composition and the bonds say of a bare cell, and what its own file says."""
    if (key, order) in BY_HAND:
        return
    cell = get_host(key).structure(order)
    guess = guess_valences(Structure(cell.lattice, [s.specie.symbol for s in cell], cell.frac_coords))
    assert np.allclose(guess.per_site, cell.site_properties["valence"], atol=1e-6)


def test_bonds_of_magnetite_ask_for_the_inverse_order():
    """Its normal order has the measured bonds too, which are those of Fe3+ on A and of 2.5+ on B."""
    cell = get_host("fe3o4").structure("normal")
    guess = guess_valences(Structure(cell.lattice, [s.specie.symbol for s in cell], cell.frac_coords))
    by_sublattice = dict(zip(cell.site_properties["sublattice"], np.round(guess.per_site, 6), strict=True))
    assert by_sublattice == {"A": 3.0, "B": 2.5, "O": -2.0}


def test_what_is_measured_has_a_source():
    for key in host_keys():
        host = get_host(key)
        assert set(host.measured) <= set(host.sources)
        assert set(host.hubbard_U_eV) <= {str(e) for e in host.structure().composition}


def test_a_long_hop_finds_room():
    """N of Fe4N goes along the face diagonal, 5.37 A: an 8 A cell would let its image arrive too."""
    found = take_inventory(get_host("fe4n"))
    assert [round(hop.distance_A, 2) for hop in found.hops] == [5.37]
    assert not found.not_possible
