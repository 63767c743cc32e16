"""Engines given moments in several directions: sizes where they know no more, else a sentence."""

import numpy as np
import pytest
from ase.calculators.calculator import Calculator
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.engine import CannotDoError, get_engine
from pymatgen.core import Lattice, Structure


class Sizes(Calculator):
    """Stands for a model that gives sizes alone."""

    def __init__(self, sizes):
        super().__init__()
        self.results = {"magmoms": sizes}


def triangle():
    """Three Mn of 3 muB at 120 degrees, and Ge."""
    angles = np.radians([0, 120, 240])
    moments = [[3 * np.cos(a), 3 * np.sin(a), 0.0] for a in angles]
    return Structure(
        Lattice.hexagonal(5.35, 4.32),
        ["Mn"] * 3 + ["Ge"],
        [[0.5, 0, 0], [0, 0.5, 0], [0.5, 0.5, 0], [0, 0, 0.5]],
        site_properties={
            "magmom": [*moments, [0.0] * 3],
            "valence": [0.0] * 4,
            "sublattice": ["Mn"] * 3 + ["Ge"],
        },
    )


@pytest.mark.parametrize(("found", "kept"), [((2.8, 2.9, 3.0), True), ((2.8, 2.9, 0.1), False)])
def test_chgnet_holds_sizes_against_vectors(found, kept):
    pytest.importorskip("chgnet")
    atoms = to_atoms(triangle())
    atoms.calc = Sizes([*found, 0.0])
    seen = get_engine("chgnet").observe(atoms)
    assert seen.site_moments_muB == [*found, 0.0]
    assert seen.checks[0].passed is kept


def test_gpaw_says_that_its_spins_stand_along_one_axis():
    pytest.importorskip("gpaw")
    with pytest.raises(CannotDoError, match="moments are vectors"):
        get_engine("gpaw").check(triangle())
