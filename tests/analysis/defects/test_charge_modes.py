"""What becomes of the charge that a vacancy leaves: spread, uniform background, or ions that change their valence."""

import numpy as np
import pytest
from magnetoionics.structures.defects.charge_compensation import compensated, compensations
from magnetoionics.structures.defects.vacancies import distinct_vacancies, remove_site
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.engine import get_engine


@pytest.fixture(scope="module")
def cell():
    return get_host("cofe2o4").structure("Imma")


@pytest.fixture(scope="module")
def site(cell):
    return distinct_vacancies(cell, "Fe", "B")[0].index


def result(engine, atoms, name, mover=None):
    return engine.make_calculator(atoms, mover).get_property(name, atoms)


def test_spread_keeps_mover_and_oxygen(cell, site):
    engine, atoms = get_engine("local"), to_atoms(remove_site(cell, site))
    mover = int(np.flatnonzero(atoms.symbols == "Co")[0])
    charges = engine.charges(atoms, mover)
    assert charges.sum() == pytest.approx(0)
    assert charges[mover] == pytest.approx(1.2)
    assert np.allclose(charges[atoms.symbols == "O"], -1.2)
    others = ~(atoms.symbols == "O") & (np.arange(len(atoms)) != mover)
    excess = charges[others] - 0.6 * atoms.arrays["valence"][others]
    assert np.allclose(excess, 1.8 / others.sum())


def test_background_keeps_every_ion_and_is_still_a_derivative(cell, site):
    engine, atoms = get_engine("local", charge_mode="background", accuracy=1e-9), to_atoms(remove_site(cell, site))
    atoms.rattle(0.05, seed=1)
    assert engine.charges(atoms, None).sum() == pytest.approx(-1.8)
    assert engine.dipole_charges(atoms, None)[0].sum() == pytest.approx(0, abs=1e-9)
    forces, h, energies = result(engine, atoms, "forces"), 1e-3, []
    for sign in (1, -1):
        moved = atoms.copy()
        moved.positions[3, 1] += sign * h
        energies.append(result(engine, moved, "energy"))
    assert forces[3, 1] == pytest.approx(-(energies[0] - energies[1]) / (2 * h), abs=1e-5)
    assert result(engine, atoms, "energies").sum() == pytest.approx(result(engine, atoms, "energy"))


def test_background_energy_goes_with_the_square_of_the_charge(cell, site):
    """Net charge in a uniform background: the mean potential is zero, so the energy does not depend on the origin."""
    engine, atoms = get_engine("local", charge_mode="background"), to_atoms(remove_site(cell, site))
    moved = atoms.copy()
    moved.positions += [0.3, -1.0, 0.7]
    assert result(engine, atoms, "energy") == pytest.approx(result(engine, moved, "energy"), abs=1e-6)
    spread = result(get_engine("local"), atoms, "energy")
    assert abs(result(engine, atoms, "energy") - spread) > 0.1


def test_explicit_compensation(cell, site):
    engine = get_engine("local", charge_mode="explicit")
    modes = [m for m in compensations(cell, site) if m.charge_e == 0]
    assert modes
    energies = {}
    for mode in modes:
        atoms = to_atoms(compensated(cell, site, mode))
        charges = engine.charges(atoms, None)
        assert charges.sum() == pytest.approx(0, abs=1e-9)
        changed = np.isclose(charges, 0.6 * mode.valence) & (atoms.symbols == mode.element)
        assert changed.sum() >= mode.count
        energies[mode.element, mode.sublattice] = result(engine, atoms, "energy")
    assert len(set(np.round(list(energies.values()), 3))) == len(energies) > 1


def test_refusals(cell, site):
    atoms = to_atoms(remove_site(cell, site))
    with pytest.raises(ValueError, match="add up to -3"):
        get_engine("local", charge_mode="explicit").charges(atoms, None)
    with pytest.raises(ValueError, match="choose spread, background or explicit"):
        get_engine("local", charge_mode="smeared").charges(atoms, None)


@pytest.mark.parametrize(("element", "charge"), [("Co", 2), ("Fe", 3)])
def test_note_of_a_dipole_names_the_ion_that_moves(cell, site, element, charge):
    atoms = to_atoms(remove_site(cell, site))
    mover = int(np.flatnonzero(atoms.symbols == element)[0])
    _, note = get_engine("local").dipole_charges(atoms, mover)
    assert note == f"formal charges (z = {charge} for {element}); the missing charge is spread over the other cations"


def test_note_of_a_lithium_hop_is_of_lithium():
    lithium = get_host("life5o8").structure()
    atoms = to_atoms(remove_site(lithium, distinct_vacancies(lithium, "Fe", "B")[0].index))
    mover = int(np.flatnonzero(atoms.symbols == "Li")[0])
    assert "z = 1 for Li" in get_engine("local").dipole_charges(atoms, mover)[1]
