"""Uniform field on top of a calculator: derivatives, work and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from magnetoionics.calculators.field import UniformFieldCalculator
from magnetoionics.calculators.rigid_ion import RigidIonCalculator
from magnetoionics.structures.units import V_PER_A_TO_V_PER_M, V_PER_M_TO_V_PER_A
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
FIELD = np.array([0.03, -0.05, 0.1])


def rocksalt() -> tuple[Atoms, FloatArray]:
    atoms = bulk("CoO", "rocksalt", a=4.26, cubic=True)
    atoms.rattle(0.05, seed=2)
    return atoms, np.where(atoms.symbols == "Co", 1.2, -1.2)


def in_field(atoms: Atoms, charges: FloatArray, field: ArrayLike = FIELD, **kwargs: bool) -> UniformFieldCalculator:
    inner = RigidIonCalculator(accuracy=1e-12)
    return UniformFieldCalculator(inner, field, charges, atoms.positions.copy(), **kwargs)


def test_units() -> None:
    assert pytest.approx(0.1) == 1e9 * V_PER_M_TO_V_PER_A
    assert pytest.approx(1.0) == V_PER_M_TO_V_PER_A * V_PER_A_TO_V_PER_M


def test_half_work_of_a_cobalt_hop() -> None:
    # numbers.md: z = 2, d = 2.967 A, half-work 29.7 meV at 1e8 V/m.
    field = 1e8 * V_PER_M_TO_V_PER_A
    assert 0.5 * 2 * field * 2.967 * 1e3 == pytest.approx(29.7, abs=0.05)


def test_forces_are_derivatives() -> None:
    atoms, charges = rocksalt()
    calculator = in_field(atoms, charges)
    atoms.rattle(0.03, seed=5)
    forces = calculator.get_property("forces", atoms)
    step = 2e-4
    for ion, axis in ((0, 0), (3, 2), (5, 1)):
        energies = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[ion, axis] += sign * step
            energies.append(calculator.get_property("energy", moved))
        assert forces[ion, axis] == pytest.approx(-(energies[0] - energies[1]) / (2 * step), abs=1e-6)
    assert np.abs(forces.sum(axis=0)).max() < 1e-9


def test_work_identity() -> None:
    atoms, charges = rocksalt()
    free = RigidIonCalculator(accuracy=1e-12)
    calculator = in_field(atoms, charges)
    moved = atoms.copy()
    moved.positions[0] += [1.0, 0.2, -0.4]
    change = calculator.get_property("energy", moved) - calculator.get_property("energy", atoms)
    bare = free.get_property("energy", moved) - free.get_property("energy", atoms)
    work = 1.2 * FIELD @ [1.0, 0.2, -0.4]
    assert change - bare == pytest.approx(-work, abs=1e-9)
    assert calculator.field_energy(moved.positions) == pytest.approx(-work, abs=1e-14)
    # Reversed field: the mean of both signs is the field-free difference.
    reverse = in_field(atoms, charges, -FIELD)
    back = reverse.get_property("energy", moved) - reverse.get_property("energy", atoms)
    assert 0.5 * (change + back) == pytest.approx(bare, abs=1e-9)


def test_work_is_the_dipole_change() -> None:
    atoms, charges = rocksalt()
    free = RigidIonCalculator()
    calculator = in_field(atoms, charges)
    start = free.get_property("dipole", atoms).copy()
    atoms.rattle(0.1, seed=8)
    change = free.get_property("dipole", atoms) - start
    assert calculator.field_energy(atoms.positions) == pytest.approx(-FIELD @ change, abs=1e-12)


def test_neutral_cell_has_no_origin() -> None:
    atoms, charges = rocksalt()
    calculator = in_field(atoms, charges)
    energy = calculator.get_property("energy", atoms)
    atoms.positions += [0.7, 0.1, -2.0]
    assert calculator.get_property("energy", atoms) == pytest.approx(energy, abs=1e-8)


def test_stress_and_free_energy_pass() -> None:
    atoms, charges = rocksalt()
    calculator = in_field(atoms, charges)
    np.testing.assert_allclose(
        calculator.get_property("stress", atoms),
        RigidIonCalculator(accuracy=1e-12).get_property("stress", atoms),
        atol=1e-12,
    )
    moved = atoms.copy()
    moved.positions[0, 2] += 0.2
    energy = calculator.get_property("energy", moved)
    assert calculator.get_property("free_energy", moved) == pytest.approx(energy, abs=1e-12)


def test_wraps_any_ase_calculator() -> None:
    atoms = bulk("Cu", cubic=True)
    charges = np.array([1.0, -1.0, 0.0, 0.0])
    wrapped = UniformFieldCalculator(EMT(), FIELD, charges, atoms.positions)
    free = atoms.copy()
    free.calc = EMT()
    atoms.calc = wrapped
    np.testing.assert_allclose(atoms.get_forces() - free.get_forces(), np.outer(charges, FIELD), atol=1e-12)
    assert atoms.get_potential_energy() == pytest.approx(free.get_potential_energy(), abs=1e-12)


def test_charged_cell_is_refused_with_the_reason() -> None:
    atoms, charges = rocksalt()
    charges[0] += 1.0
    with pytest.raises(ValueError, match="origin"):
        in_field(atoms, charges)
    calculator = in_field(atoms, charges, allow_charged=True)
    assert calculator.field_energy(atoms.positions) == 0.0


def test_shapes_are_checked() -> None:
    atoms, charges = rocksalt()
    with pytest.raises(ValueError, match="shapes"):
        in_field(atoms, charges[:-1])
    with pytest.raises(ValueError, match="shapes"):
        in_field(atoms, charges, field=[0.1])
    with pytest.raises(ValueError, match="finite"):
        in_field(atoms, charges, field=[0.1, np.nan, 0.0])
    with pytest.raises(ValueError, match="reference"):
        in_field(atoms, charges).field_energy(atoms.positions[:3])
