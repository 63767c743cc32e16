"""Hops in the hosts: coordination known from the Wyckoff positions, agreement with a path finder."""

import numpy as np
import pytest
from magnetoionics.structures.hops import distinct_hops
from magnetoionics.structures.host import get_host
from magnetoionics.structures.spins import total_moment
from magnetoionics.structures.vacancies import distinct_vacancies
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
