"""Where a sum over bands may end, and which orbital moment a map needs; no GPAW is asked."""

import numpy as np
import pytest
from magnetoionics.analysis.magnetism.anisotropy import AnisotropyMap, EXACT_meV
from magnetoionics.analysis.magnetism.directions import lebedev_directions
from magnetoionics.analysis.results.checks import invalid_because
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.evaluation.guards import odd_part_is_noise, open_t2g_shells, orbital_moment_of_open_shells
from magnetoionics.workflows.gpaw.spin_orbit import whole_levels

NAME = "orbital moment of open t2g shells"


def levels(*rows):
    return np.array([rows, rows], dtype=float)


def test_each_point_and_spin_ends_at_its_own_last_whole_level():
    # Filled up to 0. The second point's last two bands are one level, and so may be the last one of any point.
    first = [-3, -2, -1, 2.0, 3.0, 4.0, 5.0, 5.5]
    second = [-3.1, -2.2, -1, 2.1, 3.2, 4.2, 5.1, 5.1]
    assert whole_levels(levels(first, second), 0.0).tolist() == [[7, 6], [7, 6]]
    both = levels(first, second)
    both[1, 0, 6] = both[1, 0, 5] = 5.49
    assert whole_levels(both, 0.0).tolist() == [[7, 6], [5, 6]]


def test_levels_above_a_bound_are_left_out_whole():
    rows = [-3, -1, 2.0, 3.0, 3.01, 4.0, 5.0]
    assert whole_levels(levels(rows), 0.0, up_to_eV=3.5).tolist() == [[5], [5]]
    # The bound lies between two bands of one level: it stays out whole.
    assert whole_levels(levels(rows), 0.0, up_to_eV=3.005).tolist() == [[3], [3]]


def test_filled_levels_and_those_just_above_are_never_left_out():
    """Bands of a metal cross the Fermi level anywhere; the sum takes all within 1 eV above it, at every point."""
    rows = [-3, -2, -1, 0.5, 0.9, 2.0, 2.5]
    assert whole_levels(levels(rows), 0.0, up_to_eV=-2.5).tolist() == [[5], [5]]


def test_without_a_level_that_ends_all_bands_stay():
    assert whole_levels(levels([-1, 2, 2, 2], [-1, -0.5, 0.5, 0.9]), 0.0).tolist() == [[1, 4], [1, 4]]


def test_octahedral_cobalt_is_found_and_iron_3_is_not():
    cell = get_host("cofe2o4").structure("Imma")
    found = open_t2g_shells(cell)
    assert list(found.values()) == [7] * 8
    assert {cell[i].specie.symbol for i in found} == {"Co"}
    # In the normal order Co2+ sits in tetrahedra: e is full there and t2 half full.
    assert open_t2g_shells(get_host("cofe2o4").structure("normal")) == {}
    assert open_t2g_shells(get_host("nio").structure()) == {}
    assert len(open_t2g_shells(get_host("coo").structure())) > 0


def test_quenched_cobalt_is_said_to_be_of_second_order_and_stays_usable():
    """0.06 muB of a default GPAW state, 0.5 measured."""
    cell = get_host("cofe2o4").structure("Imma")
    for size, passed in ((0.06, False), (0.5, True)):
        orbital = np.zeros((6, len(cell)))
        orbital[2, list(open_t2g_shells(cell))] = -size
        (check,) = orbital_moment_of_open_shells(cell, orbital)
        assert (check.name, check.passed, check.value) == (NAME, passed, size)
        assert ("no K1" in check.note) is not passed
        assert invalid_because([check]) == []
    # One quenched ion among eight is enough.
    orbital[2, list(open_t2g_shells(cell))[3]] = 0.1
    assert orbital_moment_of_open_shells(cell, orbital)[0].passed is False
    assert orbital_moment_of_open_shells(cell, None)[0].passed is None
    assert orbital_moment_of_open_shells(cell, None, method="crystal field of the hole") == []
    assert orbital_moment_of_open_shells(get_host("nio").structure(), None) == []


def test_one_bound_of_the_odd_part():
    """The verdict on a map holds it against the bound of its own guard, not against another."""
    vectors = lebedev_directions(7).vectors
    energies = vectors[:, 2] ** 2 + 0.02 * vectors[:, 2]
    check = odd_part_is_noise(vectors.tolist(), energies, None)
    map_ = AnisotropyMap(
        state="before", directions=vectors.tolist(), energies_meV=(energies - energies.min()).tolist(),
        cell_volume_A3=1.0, formula_units=1.0, ions="", checks=[check], provenance=get_engine("local").provenance(),
    )  # fmt: skip
    assert check.passed
    assert map_.odd_limit_meV == check.limit == pytest.approx(0.05 * np.ptp(energies))
    assert map_.model_copy(update={"checks": []}).odd_limit_meV == EXACT_meV
