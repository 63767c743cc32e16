"""Crystals from space groups: pymatgen's own sites in its own order, and spglib's opinion of them."""

import numpy as np
import pytest
from magnetoionics.structures.space_groups import crystal
from magnetoionics.structures.symmetry import space_group_number
from pymatgen.core import Lattice, Structure

CRYSTALS = {
    # symbol: number, lattice, positions; one group of each way in which pymatgen lists them.
    "Pm-3m": (221, Lattice.cubic(4.0), [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0.5]]),
    "R-3c": (167, Lattice.hexagonal(5.04, 13.77), [[0, 0, 0.355], [0.306, 0, 0.25]]),
    "P6_3mc": (186, Lattice.hexagonal(3.25, 5.21), [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.382]]),
    "P2_1/c": (14, Lattice.monoclinic(5.0, 5.1, 5.2, 99.0), [[0.28, 0.04, 0.21], [0.07, 0.33, 0.34]]),
    "P4_332": (212, Lattice.cubic(8.3), [[0.0, 0.0, 0.1], [0.3, 0.2, 0.4]]),
    "Ia-3": (206, Lattice.cubic(9.4), [[0.25, 0.25, 0.25], [0.39, 0.15, 0.38]]),
}
NAMES = ["Fe", "O", "Li"]


@pytest.mark.parametrize("symbol", CRYSTALS)
def test_sites_are_those_of_pymatgen_in_their_order(symbol):
    number, lattice, positions = CRYSTALS[symbol]
    names = NAMES[: len(positions)]
    ours, theirs = (
        crystal(symbol, lattice, names, positions),
        Structure.from_spacegroup(symbol, lattice, names, positions),
    )
    np.testing.assert_array_equal(ours.frac_coords, theirs.frac_coords)
    assert ours.species == theirs.species
    assert space_group_number(ours) == number


def test_spinel_has_the_sites_of_the_tables():
    # International Tables A, group 227, origin choice 2: 8a, 16d and 32e.
    cell = crystal("Fd-3m:2", Lattice.cubic(8.4), ["Fe", "Co", "O"], [[0.125] * 3, [0.5] * 3, [0.255] * 3])
    assert [cell.composition[e] for e in ("Fe", "Co", "O")] == [8, 16, 32]
    assert space_group_number(cell) == 227


@pytest.mark.parametrize(
    "lattice", [Lattice.orthorhombic(4.0, 4.0, 4.001), Lattice.from_parameters(4, 4, 4, 90, 90, 90.1)]
)
def test_a_lattice_without_the_symmetry_is_refused(lattice):
    with pytest.raises(ValueError, match="have the symmetry of Pm-3m"):
        crystal("Pm-3m", lattice, ["Fe"], [[0, 0, 0]])


def test_an_unknown_group_is_refused():
    with pytest.raises(ValueError, match="'Q4' is no space group"):
        crystal("Q4", Lattice.cubic(4.0), ["Fe"], [[0, 0, 0]])
