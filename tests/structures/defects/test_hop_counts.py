"""Hops in the hosts: coordination known from the Wyckoff positions, agreement with a path finder."""

import numpy as np
import pytest
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.defects.hops import distinct_hops
from magnetoionics.structures.defects.vacancies import distinct_vacancies
from magnetoionics.structures.host import get_host
from magnetoionics.structures.spins import total_moment
from magnetoionics.structures.symmetry import operations, operations_swapping, operations_taking, stabiliser
from pymatgen.core import Structure


def hops(key, order, vacancy, ion, cutoff=3.3):
    cell = get_host(key).structure(order)
    found = distinct_vacancies(cell, *vacancy)[0]
    return distinct_hops(cell, found.index, found.label, *ion, cutoff)


@pytest.mark.parametrize(
    ("key", "order", "vacancy", "ion", "orbits"),
    [
        # 16d of Fd-3m: six neighbours, one orbit of -3m
        ("cofe2o4", "normal", ("Fe", "B"), ("Fe", "B"), [6]),
        # 2/m of Imma: four Co along two lines
        ("cofe2o4", "Imma", ("Fe", "B"), ("Co", "B"), [4]),
        # site symmetry 2 of P4_122: four Co in two orbits
        ("cofe2o4", "P4_122", ("Fe", "B"), ("Co", "B"), [2, 2]),
        # 12d of P4_332 (site symmetry 2): two Li, and four Fe in two orbits
        ("life5o8", "P4_332", ("Fe", "B"), ("Li", "B"), [2]),
        ("life5o8", "P4_332", ("Fe", "B"), ("Fe", "B"), [2, 2]),
        # 4b of P4_332 (site symmetry 32): six Fe in one orbit
        ("life5o8", "P4_332", ("Li", "B"), ("Fe", "B"), [6]),
    ],
)
def test_orbits_of_hops(key, order, vacancy, ion, orbits):
    found = hops(key, order, vacancy, ion)
    assert sorted(h.multiplicity for h in found) == orbits
    for hop in found:
        assert hop.initial.species == hop.final.species
        assert hop.initial.site_properties == hop.final.site_properties
        assert total_moment(hop.initial) == total_moment(hop.final)
        assert np.linalg.norm(hop.displacement_A) < 3.3


def test_lithium_has_no_direct_hop_to_a_lithium_vacancy():
    with pytest.raises(ValueError, match=r"no Li\(B\) within 5\.1 A"):
        hops("life5o8", "P4_332", ("Li", "B"), ("Li", "B"), 5.1)
    (through_iron,) = hops("life5o8", "P4_332", ("Fe", "B"), ("Li", "B"))
    assert 2.8 < through_iron.distance_A < 2.95


@pytest.mark.parametrize(
    ("order", "vacancy", "count"), [("normal", ("Fe", "B"), 1), ("Imma", ("Co", "B"), 1), ("P4_122", ("Co", "B"), 1)]
)
def test_agrees_with_distinct_path_finder(order, vacancy, count):
    """Both count the hops of one element among its own sites; ours tells spins apart, these cells have no such case."""
    pathfinder = pytest.importorskip("pymatgen.analysis.diffusion.neb.pathfinder")
    cell = get_host("cofe2o4").structure(order)
    bare = Structure(cell.lattice, [s.specie.symbol for s in cell], cell.frac_coords)
    theirs = pathfinder.DistinctPathFinder(bare, vacancy[0], max_path_length=3.3).get_paths()
    ours = hops("cofe2o4", order, vacancy, vacancy)
    assert len(ours) == len(theirs)
    assert len(ours) == count


def undirected(cell, element, cutoff):
    """Distinct hops of one element among its own sites, a hop and its reverse counted as one."""
    sublattices = sorted({s.properties["sublattice"] for s in cell if s.specie.symbol == element})
    (sublattice,) = sublattices
    directed = [
        (cell[v.index], hop)
        for v in distinct_vacancies(cell, element, sublattice)
        for hop in distinct_hops(cell, v.index, v.label, element, sublattice, cutoff)
    ]
    own_reverse = 0
    for site, hop in directed:
        start = cell.lattice.get_fractional_coords(site.coords - hop.displacement_A)
        own_reverse += bool(operations_swapping(cell, np.array(site.frac_coords), start))
    return (len(directed) + own_reverse) // 2


@pytest.mark.parametrize(
    ("key", "order", "element", "cutoff"),
    [
        ("cofe2o4", "normal", "O", 3.3),
        ("cofe2o4", "Imma", "O", 3.3),
        ("cofe2o4", "P4_122", "O", 3.3),
        ("life5o8", "P4_332", "O", 3.3),
        ("zn095co005o", "near", "Co", 3.3),
    ],
)
def test_hops_of_anions_and_of_far_cations_agree_with_distinct_path_finder(key, order, element, cutoff):
    """Several kinds of sites and of hops between them."""
    pathfinder = pytest.importorskip("pymatgen.analysis.diffusion.neb.pathfinder")
    cell = get_host(key).structure(order)
    bare = Structure(cell.lattice, [s.specie.symbol for s in cell], cell.frac_coords)
    theirs = pathfinder.DistinctPathFinder(bare, element, max_path_length=cutoff).get_paths()
    assert undirected(cell, element, cutoff) == len(theirs)


# Wyckoff positions that the ordered cell fills, by the literature's space group; the 56-atom cube holds two Imma or
# P4_122 cells and one of the others.
WYCKOFF = {
    ("cofe2o4", "normal"): {("Co", "A"): [8], ("Fe", "B"): [16], ("O", "O"): [32]},
    ("cofe2o4", "Imma"): {("Fe", "A"): [8], ("Fe", "B"): [8], ("Co", "B"): [8], ("O", "O"): [16, 16]},
    ("cofe2o4", "P4_122"): {("Fe", "A"): [8], ("Fe", "B"): [8], ("Co", "B"): [8], ("O", "O"): [16, 16]},
    ("life5o8", "P4_332"): {("Fe", "A"): [8], ("Fe", "B"): [12], ("Li", "B"): [4], ("O", "O"): [8, 24]},
    ("life5o8", "P4_132"): {("Fe", "A"): [8], ("Fe", "B"): [12], ("Li", "B"): [4], ("O", "O"): [8, 24]},
}


@pytest.mark.parametrize(("key", "order"), list(WYCKOFF))
def test_vacancies_are_the_wyckoff_positions(key, order):
    cell = get_host(key).structure(order)
    for kind, sizes in WYCKOFF[key, order].items():
        assert sorted(v.multiplicity for v in distinct_vacancies(cell, *kind)) == sizes
    assert sum(sum(sizes) for sizes in WYCKOFF[key, order].values()) == len(cell)


@pytest.mark.parametrize(("key", "order"), [*WYCKOFF, ("gamma_fe2o3", None), ("zn095co005o", "near")])
def test_orbits_and_stabilisers_of_vacancies_and_hops(key, order):
    """Orbit times stabiliser is the group: once for the sites of a cell, once for the ways into a site."""
    host = get_host(key)
    cell = host.structure(order)
    group = len(operations(cell))
    for element, sublattice in sorted({(s.specie.symbol, s.properties["sublattice"]) for s in cell}):
        for vacancy in distinct_vacancies(cell, element, sublattice):
            here = np.array(cell[vacancy.index].frac_coords)
            assert vacancy.multiplicity * len(stabiliser(cell, here)) == group
        # The hops of the first three tell as much as those of all.
        for vacancy in distinct_vacancies(cell, element, sublattice)[:3]:
            here = np.array(cell[vacancy.index].frac_coords)
            for hop in _hops_if_any(cell, vacancy, element, sublattice):
                start = cell.lattice.get_fractional_coords(cell[vacancy.index].coords - hop.displacement_A)
                points = np.array([here, start])
                assert hop.multiplicity * len(operations_taking(cell, points, points)) == len(stabiliser(cell, here))


def _hops_if_any(cell, vacancy, element, sublattice):
    near = cell.get_neighbors(cell[vacancy.index], 3.3)
    if not any((n.specie.symbol, n.properties["sublattice"]) == (element, sublattice) for n in near):
        return []
    return distinct_hops(cell, vacancy.index, vacancy.label, element, sublattice, 3.3)


def test_a_lithium_hop_to_the_next_lithium_site_agrees_with_distinct_path_finder():
    """Six Li at a sqrt(6)/4 = 5.10 A; in the cube alone an ion and its image both reach the vacancy."""
    pathfinder = pytest.importorskip("pymatgen.analysis.diffusion.neb.pathfinder")
    cell = supercell(get_host("life5o8").structure("P4_332"), (2, 2, 2))
    vacancy = distinct_vacancies(cell, "Li", "B")[0]
    ours = distinct_hops(cell, vacancy.index, vacancy.label, "Li", "B", 5.2)
    bare = Structure(cell.lattice, [s.specie.symbol for s in cell], cell.frac_coords)
    theirs = pathfinder.DistinctPathFinder(bare, "Li", max_path_length=5.2).get_paths()
    assert sum(h.multiplicity for h in ours) == 6
    assert len(ours) == len(theirs)


@pytest.mark.parametrize("order", ["P4_332", "P4_132"])
def test_shortest_distance_between_lithium_ions(order):
    """Second shell of the B sublattice and beyond: no two Li of LiFe5O8 closer than 5.1 A, so no direct Li hop."""
    cell = get_host("life5o8").structure(order)
    lithium = [i for i, s in enumerate(cell) if s.specie.symbol == "Li"]
    others = cell.lattice.get_all_distances(cell.frac_coords[lithium], cell.frac_coords[lithium])
    assert others[others > 0.1].min() >= 5.1
    assert others[others > 0.1].min() == pytest.approx(cell.lattice.a * np.sqrt(6) / 4, abs=1e-3)
