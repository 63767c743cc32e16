"""Hops of interstitials: counts from the Wyckoff positions of spinel, and agreement with a path finder."""

import json

import numpy as np
import pytest
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.checks.geometry import StructureError
from magnetoionics.structures.defects.hops import Hop, atom_in_the_way, distinct_hops, distinct_ways, make_hop
from magnetoionics.structures.defects.intermediate_sites import resting_places
from magnetoionics.structures.defects.interstitial_hops import interstitial_hops, interstitial_labels
from magnetoionics.structures.defects.interstitials import distinct_interstitial_sites, with_interstitial
from magnetoionics.structures.defects.vacancies import distinct_vacancies, remove_site
from magnetoionics.structures.host import get_host
from magnetoionics.structures.spins import total_moment, total_valence
from magnetoionics.structures.symmetry import operations, operations_taking
from monty.json import MontyDecoder, MontyEncoder
from pymatgen.core import Structure

SHELL_A = 3.1


def hops_into_interstitial(structure, position, label, ion, sublattice, cutoff_A):
    """Distinct hops of an ion of the host into one empty place; it leaves a vacancy behind."""
    target = structure.lattice.get_cartesian_coords(np.asarray(position, dtype=float))
    groups = distinct_ways(structure, target, label, ion, sublattice, cutoff_A)
    return [make_hop(structure, ways[0].index, ways[0].coords, target, len(ways), label) for ways in groups]


def named_interstitials(cell, *names):
    sites = distinct_interstitial_sites(cell)
    labels = interstitial_labels(cell, sites)
    return [(v, x) for v, x in zip(sites, labels, strict=True) if x[2:].split(",")[0].rstrip(")") in names]


@pytest.fixture(scope="module")
def cells():
    return {
        (key, order): get_host(key).structure(order)
        for key, order in [
            ("cofe2o4", "normal"),
            ("cofe2o4", "Imma"),
            ("life5o8", "P4_332"),
            ("gamma_fe2o3", "P4_12_12"),
            ("zn095co005o", "near"),
        ]
    }


@pytest.mark.parametrize(
    ("name", "multiplicities"),
    [
        # P4_332: 16c splits into 4a (32) and 12d (2), 8b is 8c (3), 48f two 24e
        ("16c", [4, 12]),
        ("8b", [8]),
        ("48f", [24, 24]),
    ],
)
def test_interstitial_sites_of_lithium_ferrite_are_the_wyckoff_positions_of_p4_332(cells, name, multiplicities):
    found = named_interstitials(cells["life5o8", "P4_332"], name)
    assert sorted(v.multiplicity for v, _ in found) == multiplicities


def test_lithium_enters_16c_and_8b_of_lithium_ferrite(cells):
    """8b has one Li and three Fe around it (1:3 order), 4a three Li of its six B neighbours, 12d one."""
    cell = cells["life5o8", "P4_332"]
    lengths, counts = {}, {}
    for site, label in named_interstitials(cell, "16c", "8b"):
        hops = hops_into_interstitial(cell, site.position, label, "Li", "B", SHELL_A)
        counts[label] = [h.multiplicity for h in hops]
        lengths[label] = [h.distance_A for h in hops]
        for hop in hops:
            check_ends(hop, cell)
    by_size = {v.multiplicity: counts[label] for v, label in named_interstitials(cell, "16c", "8b")}
    assert by_size == {8: [1], 4: [3], 12: [1]}
    a = cell.lattice.a
    assert lengths["i(8b)"][0] == pytest.approx(a * np.sqrt(3) / 8, rel=0.03)
    (iron,) = hops_into_interstitial(cell, named_interstitials(cell, "8b")[0][0].position, "i(8b)", "Fe", "B", 2.2)
    assert iron.multiplicity == 3


def check_ends(hop, cell):
    assert len(hop.initial) == len(hop.final) == len(cell)
    assert hop.initial.species == hop.final.species
    assert hop.initial.site_properties == hop.final.site_properties
    moved = np.linalg.norm(hop.final.cart_coords - hop.initial.cart_coords, axis=1)
    assert np.flatnonzero(moved > 1e-9).tolist() == [hop.mover]
    # The final end lies next to the start and not in another cell: interpolation never wraps.
    assert moved[hop.mover] == pytest.approx(hop.distance_A)
    shortest = hop.initial.lattice.get_all_distances(hop.initial[hop.mover].frac_coords, hop.vacancy_position)[0, 0]
    assert shortest == pytest.approx(hop.distance_A)
    for trial in hop.intermediates:
        assert trial.species == hop.initial.species


@pytest.mark.parametrize(
    ("key", "order", "pairs"), [("cofe2o4", "normal", 48), ("life5o8", "P4_332", 48), ("gamma_fe2o3", "P4_12_12", 144)]
)
def test_every_hop_between_16c_places_is_counted_once(cells, key, order, pairs):
    """16c has six 16c neighbours at a sqrt(2)/4: 48 pairs per cube."""
    cell = cells[key, order]
    hops = interstitial_hops(cell, [v for v, _ in named_interstitials(cell, "16c")], "Li", 1.0, SHELL_A)
    assert sum(h.multiplicity for h in hops) == pairs
    filled = with_interstitial(cell, named_interstitials(cell, "16c")[0][0].position, "Li", 1.0, "16c")
    for hop in hops:
        check_ends(hop, filled)
        assert total_valence(hop.initial) == pytest.approx(1.0)
        assert total_moment(hop.final) == pytest.approx(total_moment(cell))


def test_one_kind_of_hop_between_16c_of_normal_spinel_and_what_exchanges_its_ends(cells):
    """The pair's site symmetry in Fd-3m is mm2: a mirror and the twofold axis exchange the ends."""
    cell = cells["cofe2o4", "normal"]
    (hop,) = interstitial_hops(cell, [v for v, _ in named_interstitials(cell, "16c")], "Li", 1.0, SHELL_A)
    assert hop.relations == ["mirror", "twofold axis"]
    assert {label.split(",")[0] for label in hop.intermediate_labels} == {"tetrahedron"}
    for matrix in hop.relation_matrices:
        assert np.allclose(np.array(matrix) @ hop.displacement_A, -np.array(hop.displacement_A), atol=1e-6)


def test_lithium_in_maghemite_reaches_16c_and_8b_from_the_empty_octahedra(cells):
    """Each of 8 empty B sites touches two 8b and six 16c: 16 and 48 hops."""
    cell = cells["gamma_fe2o3", "P4_12_12"]
    sites = [v for v, _ in named_interstitials(cell, "16c", "16d", "8b")]
    hops = interstitial_hops(cell, sites, "Li", 1.0, SHELL_A)
    sums = {}
    for hop in hops:
        kind = (hop.from_sublattice.split(",")[0], hop.vacancy[2:-1].split(",")[0])
        sums[kind] = sums.get(kind, 0) + hop.multiplicity
    assert sums[("16d", "8b")] == 16
    assert sums[("16d", "16c")] == 48
    assert sums[("16c", "16c")] == 144


@pytest.mark.parametrize(
    ("key", "order"), [("cofe2o4", "normal"), ("cofe2o4", "Imma"), ("life5o8", "P4_332"), ("gamma_fe2o3", "P4_12_12")]
)
def test_interstitial_hops_agree_with_distinct_path_finder(cells, key, order):
    """All 16c filled: the path finder then sees the same pairs of places."""
    pathfinder = pytest.importorskip("pymatgen.analysis.diffusion.neb.pathfinder")
    cell = cells[key, order]
    sites = [v for v, _ in named_interstitials(cell, "16c")]
    filled = Structure(cell.lattice, [s.specie.symbol for s in cell], cell.frac_coords)
    for site in sites:
        places = [op.rotation @ site.position + op.translation for op in operations(cell)]
        for place in places:
            if cell.lattice.get_all_distances(place, filled.frac_coords).min() > 0.1:
                filled.append("Na", np.mod(place, 1.0))
    theirs = pathfinder.DistinctPathFinder(filled, "Na", max_path_length=SHELL_A).get_paths()
    ours = interstitial_hops(cell, sites, "Li", 1.0, SHELL_A)
    assert len(ours) == len(theirs)
    assert np.allclose([h.distance_A for h in ours], sorted(p.length for p in theirs), atol=1e-3)


@pytest.mark.parametrize("key", ["cofe2o4", "life5o8"])
def test_resting_places_of_a_b_b_hop_are_8b_and_48f(cells, key):
    """Beside the shared edge lie 8b (four B around it, one face each) and 48f (face to face with two B sites)."""
    cell = get_host(key).structure()
    ion = "Co" if key == "cofe2o4" else "Li"
    vacancy = distinct_vacancies(cell, "Fe", "B")[0]
    hop = distinct_hops(cell, vacancy.index, vacancy.label, ion, "B", 3.3)[0]
    state, mover = hop.initial, hop.initial[hop.mover]
    places = resting_places(state, hop.mover, mover.coords, mover.coords + hop.displacement_A)
    assert [p.kind for p in places] == ["tetrahedron", "tetrahedron"]
    sites = [(np.array(v.position), label) for v, label in named_interstitials(cell, "8b", "48f")]
    ops, names = operations(cell), []
    for place in places:
        fractional = cell.lattice.get_fractional_coords(place.position_A)
        corners = state.get_sites_in_sphere(place.position_A, 2.4)
        assert sum(n.specie.symbol == "O" for n in corners) == 4
        for position, label in sites:
            images = [op.rotation @ position + op.translation for op in ops]
            if cell.lattice.get_all_distances(fractional, images).min() < 0.05:
                names.append(label[2:].split(",")[0].rstrip(")"))
    assert sorted(names) == ["48f", "8b"]


def test_an_oxygen_of_zinc_oxide_rests_between_cations(cells):
    """Wurtzite: oxygen leaves its Zn4 for the empty Zn4 that shares a face with it, (1/4) c away."""
    cell = cells["zn095co005o", "near"]
    vacancy = distinct_vacancies(cell, "O", "O")[0]
    hops = distinct_hops(cell, vacancy.index, vacancy.label, "O", "O", 3.4)
    labels = [label for hop in hops for label in hop.intermediate_labels]
    assert labels
    assert all("nearest anion" in label for label in labels)
    for hop in hops:
        for trial in hop.intermediates:
            near = trial.get_neighbors(trial[hop.mover], 2.6)
            assert sum(n.specie.symbol in ("Zn", "Co") for n in near) in (4, 6)


def test_zinc_enters_the_octahedral_channel(cells):
    cell = cells["zn095co005o", "near"]
    site = next(v for v in distinct_interstitial_sites(cell) if v.kind == "octahedron")
    hops = hops_into_interstitial(cell, site.position, "i(octahedron)", "Zn", "T", SHELL_A)
    assert sum(h.multiplicity for h in hops) >= 4
    for hop in hops:
        check_ends(hop, cell)


def test_operations_through_points_are_those_of_the_whole_space_group(cells):
    """Against spglib's full list, for stabilisers and for exchanges, defects included."""
    for cell in cells.values():
        lattice = cell.lattice.matrix
        for index in range(0, len(cell), 11):
            here = cell[index].frac_coords
            for state in (cell, remove_site(cell, index)):
                whole = []
                for op in operations(state):
                    off = op.rotation @ here + op.translation - here
                    if np.linalg.norm((off - np.rint(off)) @ lattice) < 0.05:
                        whole.append(op.cartesian)
                ours = [op.cartesian for op in operations_taking(state, here[None], here[None])]
                assert sorted(np.round(m, 5).ravel().tolist() for m in whole) == sorted(
                    np.round(m, 5).ravel().tolist() for m in ours
                )


def test_hops_do_not_depend_on_where_the_cell_begins(cells):
    """Minimum image: a cell cut elsewhere, with the mover beyond the border, has the same hops."""
    cell = cells["life5o8", "P4_332"]
    site, label = named_interstitials(cell, "8b")[0]
    first = hops_into_interstitial(cell, site.position, label, "Fe", "B", 2.2)
    shift = np.array([0.31, 0.47, 0.83])
    moved = cell.copy()
    moved.translate_sites(range(len(moved)), shift, to_unit_cell=True)
    second = hops_into_interstitial(moved, np.mod(site.position + shift, 1.0), label, "Fe", "B", 2.2)
    assert [h.multiplicity for h in first] == [h.multiplicity for h in second]
    assert np.allclose([h.distance_A for h in first], [h.distance_A for h in second])
    for hop in second:
        check_ends(hop, moved)


def test_an_interstitial_hop_travels(cells):
    cell = cells["life5o8", "P4_332"]
    site, label = named_interstitials(cell, "8b")[0]
    (hop,) = hops_into_interstitial(cell, site.position, label, "Li", "B", 2.2)
    again = json.loads(json.dumps(hop, cls=MontyEncoder), cls=MontyDecoder)
    assert isinstance(again, Hop)
    assert again.as_dict() == hop.as_dict()


def test_what_cannot_be_is_refused(cells):
    cell = cells["life5o8", "P4_332"]
    site, label = named_interstitials(cell, "8b")[0]
    with pytest.raises(ValueError, match=r"no Li\(B\) within 1\.0 A of i\(8b\)"):
        hops_into_interstitial(cell, site.position, label, "Li", "B", 1.0)
    with pytest.raises(StructureError, match=r"no two places within 0\.5 A"):
        interstitial_hops(cell, [site], "Li", 1.0, 0.5)
    with pytest.raises(StructureError, match="take the interstitial sites of this very cell"):
        interstitial_hops(supercell(cell, (1, 1, 2)), [site], "Li", 1.0, 3.0)
    with pytest.raises(StructureError, match="use a supercell"):
        interstitial_hops(cell, [site], "Li", 1.0, 8.5)


@pytest.mark.parametrize("order", ["normal", "Imma"])
def test_a_hop_through_another_atom_is_refused(cells, order):
    """The 8b places form a diamond lattice with a B cation in the middle of every bond, a sqrt(3)/4 long."""
    cell = cells["cofe2o4", order]
    places = [v for v, _ in named_interstitials(cell, "8b")]
    with pytest.raises(StructureError, match="pass through another atom"):
        interstitial_hops(cell, places, "Li", 1.0, 0.45 * cell.lattice.a)
    start = cell.lattice.get_cartesian_coords(places[0].position)
    blocking = next(n for n in cell.get_sites_in_sphere(start, 2.0) if n.properties["sublattice"] == "B")
    beyond = 2 * blocking.coords - start
    assert atom_in_the_way(cell, start, beyond) == blocking.index
