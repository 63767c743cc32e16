"""Pedone's rows: every cation's oxide, relaxed, has the measured lattice; the programs that print them agree."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.filters import UnitCellFilter
from ase.optimize import BFGS
from ase.spacegroup import crystal
from magnetoionics.calculators.pedone import COMPARED, ROWS
from magnetoionics.calculators.potentials import MorseWall, potential
from magnetoionics.calculators.rigid_ion import RigidIonCalculator


def rock_salt(element, a):
    return crystal([element, "O"], [(0, 0, 0), (0.5, 0.5, 0.5)], spacegroup=225, cellpar=[a, a, a, 90, 90, 90])


def antifluorite(element, a):
    return crystal([element, "O"], [(0.25, 0.25, 0.25), (0, 0, 0)], spacegroup=225, cellpar=[a, a, a, 90, 90, 90])


def rutile(element, a, c, u):
    return crystal([element, "O"], [(0, 0, 0), (u, u, 0)], spacegroup=136, cellpar=[a, a, c, 90, 90, 90])


def wurtzite(element, a, c, u):
    return crystal(
        [element, "O"], [(1 / 3, 2 / 3, 0), (1 / 3, 2 / 3, u)], spacegroup=186, cellpar=[a, a, c, 90, 90, 120]
    )


def corundum(element, a, c, z, x):
    return crystal([element, "O"], [(0, 0, z), (x, 0, 0.25)], spacegroup=167, cellpar=[a, a, c, 90, 90, 120])


def bixbyite(element, a):
    sites = [(0.25, 0.25, 0.25), (0.968, 0, 0.25), (0.391, 0.152, 0.381)]
    return crystal([element, element, "O"], sites, spacegroup=206, cellpar=[a, a, a, 90, 90, 90])


def cuprite(element, a):
    return crystal([element, "O"], [(0, 0, 0), (0.25, 0.25, 0.25)], spacegroup=224, cellpar=[a, a, a, 90, 90, 90])


# Measured at room temperature, R. W. G. Wyckoff, Crystal Structures (1963) and the ICSD's usual entries.
OXIDES = {
    ("Li", 1): lambda: antifluorite("Li", 4.619),
    ("Na", 1): lambda: antifluorite("Na", 5.55),
    ("K", 1): lambda: antifluorite("K", 6.436),
    ("Cu", 1): lambda: cuprite("Cu", 4.2696),
    ("Ag", 1): lambda: cuprite("Ag", 4.72),
    ("Be", 2): lambda: wurtzite("Be", 2.698, 4.377, 0.378),
    ("Mg", 2): lambda: rock_salt("Mg", 4.2112),
    ("Ca", 2): lambda: rock_salt("Ca", 4.8105),
    ("Sr", 2): lambda: rock_salt("Sr", 5.1602),
    ("Ba", 2): lambda: rock_salt("Ba", 5.539),
    ("Mn", 2): lambda: rock_salt("Mn", 4.4448),
    ("Fe", 2): lambda: rock_salt("Fe", 4.332),
    ("Co", 2): lambda: rock_salt("Co", 4.260),
    ("Ni", 2): lambda: rock_salt("Ni", 4.1769),
    ("Zn", 2): lambda: wurtzite("Zn", 3.2496, 5.2065, 0.382),
    ("Sc", 3): lambda: bixbyite("Sc", 9.845),
    ("Cr", 3): lambda: corundum("Cr", 4.9607, 13.599, 0.3475, 0.306),
    ("Fe", 3): lambda: corundum("Fe", 5.038, 13.772, 0.3553, 0.306),
    ("Al", 3): lambda: corundum("Al", 4.7589, 12.991, 0.3522, 0.306),
    ("Gd", 3): lambda: bixbyite("Gd", 10.813),
    ("Er", 3): lambda: bixbyite("Er", 10.548),
    ("Ti", 4): lambda: rutile("Ti", 4.5937, 2.9587, 0.305),
    ("Ge", 4): lambda: rutile("Ge", 4.395, 2.859, 0.306),
    ("Sn", 4): lambda: rutile("Sn", 4.7373, 3.1864, 0.307),
}


# Fitted to silicates; their own oxides come out too small.
SMALL = {("Na", 1): 0.959, ("K", 1): 0.953}


@pytest.mark.parametrize("species", sorted(OXIDES), ids=lambda s: f"{s[0]}{s[1]}+")
def test_the_oxide_of_each_cation_keeps_its_measured_volume(species):
    """The paper fits structures to a per cent or two; a slip in a leading digit of D, a or r0 moves them by more."""
    measured = OXIDES[species]()
    found = relaxed(measured, species[1]).get_volume()
    length = (found / measured.get_volume()) ** (1 / 3)
    assert length == pytest.approx(SMALL.get(species, 1.0), abs=0.004 if species in SMALL else 0.025)


def relaxed(atoms, valence):
    element = next(s for s in atoms.get_chemical_symbols() if s != "O")
    moving = Atoms(atoms.get_chemical_symbols(), positions=atoms.positions, cell=atoms.cell, pbc=True)
    moving.calc = RigidIonCalculator("pedone", valences={element: valence, "O": -2})
    BFGS(UnitCellFilter(moving), logfile=None, maxstep=0.05).run(fmax=0.005, steps=120)
    return moving


def test_a_slip_of_a_digit_would_show():
    """NiO with r0 of 2.600754 for 2.500754 is 3 % too large: the test above is worth its name."""
    model = potential("pedone")
    row = ROWS["Ni", 2]._replace(minimum_A=2.600754)
    slipped = replace(model, terms={**model.terms, (("Ni", 2), ("O", -2)): MorseWall(*row)})
    cell = OXIDES["Ni", 2]()
    moving = Atoms(cell.get_chemical_symbols(), positions=cell.positions, cell=cell.cell, pbc=True)
    moving.calc = RigidIonCalculator(slipped, valences={"Ni": 2, "O": -2})
    BFGS(UnitCellFilter(moving), logfile=None, maxstep=0.05).run(fmax=0.005, steps=120)
    assert (moving.get_volume() / cell.get_volume()) ** (1 / 3) > 1.025


def test_charges_are_six_tenths_of_the_formal_ones():
    model = potential("pedone")
    assert len(ROWS) == 29
    for (symbol, valence), row in ROWS.items():
        assert model.model_charge[symbol, valence] == pytest.approx(0.6 * valence)
        assert min(row) > 0
    assert model.valences("Fe") == (2, 3)


# As a fitting tool's GULP example and a LAMMPS input for beryl print them; by authors of their own.
PRINTED_ELSEWHERE = {
    ("O", -2): (0.042395, 1.379316, 3.618701),
    ("Mg", 2): (0.038908, 2.281000, 2.586153),
    ("Ca", 2): (0.030211, 2.241334, 2.923245),
    ("Be", 2): (0.239919, 2.527420, 1.815405),
    ("Al", 3): (0.361581, 1.900442, 2.164818),
    ("Si", 4): (0.340554, 2.006700, 2.100000),
}


def test_rows_that_others_print_too_are_the_same_digit_for_digit():
    assert {species for found in COMPARED.values() for species in found} == set(PRINTED_ELSEWHERE)
    for species, morse in PRINTED_ELSEWHERE.items():
        np.testing.assert_array_equal(ROWS[species][:3], morse)


def test_an_ion_without_a_row_is_refused_with_the_ions_that_have_one():
    with pytest.raises(ValueError, match="no La; it knows Ag, Al, Ba"):
        potential("pedone").nearest_species("La", 3)
    with pytest.raises(ValueError, match=r"no Mn of valence 3; tabulated: \(2,\)"):
        potential("pedone").nearest_species("Mn", 3)
