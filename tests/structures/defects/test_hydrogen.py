"""Inserted hydrogen: at its bond length, pointing to a neighbour; it turns about its anion and goes over."""

import numpy as np
import pytest
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.defects.hydrogen import BOND_A, at_bond_length, hydrogen_sites
from magnetoionics.structures.defects.insertion import insertion_of
from magnetoionics.structures.defects.kind import built_defect, distinct_defects
from magnetoionics.structures.host import get_host
from pymatgen.core import Lattice, Structure


@pytest.fixture(scope="module")
def perovskite():
    """Cubic, one formula unit, all spins alike."""
    symbols, places = ["Sr", "Co", "O", "O", "O"], [[0.5] * 3, [0] * 3, [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]
    properties = {"valence": [2, 4, -2, -2, -2], "sublattice": ["A", "M", "O", "O", "O"], "magmom": [0, 3, 0, 0, 0]}
    return Structure(Lattice.cubic(3.84), symbols, places, site_properties=properties)


def test_it_points_along_every_edge_of_the_octahedra(perovskite):
    """Three oxygens with eight neighbours each: 24 places, one kind."""
    (site,) = hydrogen_sites(perovskite)
    assert (site.multiplicity, site.kind, site.anion_A) == (24, "hydrogen", 0.98)
    near = perovskite.get_sites_in_sphere(perovskite.lattice.get_cartesian_coords(site.position), 1.9)
    oxygen, other = sorted((n for n in near if n.specie.symbol == "O"), key=lambda n: n.nn_distance)[:2]
    assert 0.96 <= oxygen.nn_distance <= 1.0
    assert oxygen.nn_distance + other.nn_distance == pytest.approx(np.linalg.norm(oxygen.coords - other.coords))


def test_it_goes_over_and_turns(perovskite):
    """Per formula unit: over each of the 12 edges; turns by 60 degrees, and by 90 degrees in two ways."""
    big = supercell(perovskite, (3, 3, 3))
    found = insertion_of(big, "H", 1.0).hops
    edge, bond = 3.84 / np.sqrt(2), 0.98
    expected = [
        (edge - 2 * bond, 12),
        (2 * bond * np.sin(np.pi / 6), 24),
        (2 * bond * np.sin(np.pi / 4), 12),
        (2 * bond * np.sin(np.pi / 4), 12),
    ]
    assert [(h.distance_A, h.multiplicity / 27) for h in found] == [
        (pytest.approx(length, abs=1e-6), count) for length, count in expected
    ]
    for hop in found:
        for state in (hop.initial, hop.final):
            assert min(n.nn_distance for n in state.get_neighbors(state[hop.mover], 1.5)) == pytest.approx(0.98)


def test_other_anions_have_their_own_bond_length():
    cell = Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.6954, 3.1774), ["Co", "F"], [[0, 0, 0], [0.306, 0.306, 0]]
    )
    cell.add_site_property("valence", [2 if s.specie.symbol == "Co" else -1 for s in cell])
    assert {s.anion_A for s in hydrogen_sites(cell)} == {BOND_A["F"]}


def test_the_bond_is_kept_where_the_anion_has_moved(perovskite):
    (site,) = hydrogen_sites(perovskite)
    relaxed = perovskite.copy()
    for n, shift in ((2, 0.1), (3, -0.12), (4, 0.08)):
        relaxed.translate_sites([n], [shift, -shift, shift], frac_coords=False)
    start = relaxed.lattice.get_cartesian_coords(site.position)
    near = [
        min(cell.get_sites_in_sphere(place, 1.5), key=lambda n: n.nn_distance)
        for cell, place in ((perovskite, start), (relaxed, at_bond_length(relaxed, start)))
    ]
    assert near[1].nn_distance == pytest.approx(0.98)
    assert near[0].index == near[1].index


def test_the_defect_of_that_name_starts_there():
    cell = get_host("tio2").structure()
    places = distinct_defects(cell, ["H+_i"])
    assert len(places) == len(hydrogen_sites(cell)) > 1
    for placed in places:
        made = built_defect(cell, placed)
        assert min(n.nn_distance for n in made.get_neighbors(made[-1], 1.5)) == pytest.approx(0.98)
