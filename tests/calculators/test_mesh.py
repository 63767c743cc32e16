"""Particle mesh against the sum over wave vectors: potential, forces, virial, and what a mesh must not change."""

import numpy as np
import pytest
from magnetoionics.calculators import rigid_ion
from magnetoionics.calculators.mesh import mesh_lattice
from magnetoionics.calculators.reciprocal import reciprocal_lattice, split_at
from magnetoionics.calculators.rigid_ion import RigidIonCalculator
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms

TRICLINIC = np.array([[12, 0.5, 1], [2, 13, -1], [1, 3, 11.0]])


def charges_at_random(n=120, seed=3):
    rng = np.random.default_rng(seed)
    charges = rng.choice([-1.2, 1.2, 1.8], n)
    return rng.uniform(-1, 2, (n, 3)) @ TRICLINIC, charges - charges.mean()


@pytest.mark.parametrize("accuracy", [1e-4, 1e-6, 1e-8])
def test_mesh_reaches_its_accuracy_in_a_triclinic_cell(accuracy):
    points, charges = charges_at_random()
    split = split_at(8.0, accuracy)
    exact = reciprocal_lattice(TRICLINIC, split_at(8.0, 1e-13).__class__(split.alpha, 8.0, 3 * split.reciprocal_cutoff))
    potential, field, virial = exact.field(points, charges)
    ours = mesh_lattice(TRICLINIC, split, accuracy).field(points, charges)
    # Charges at random make fields ten times those of a crystal.
    assert np.sqrt(np.mean((ours[0] - potential) ** 2)) < 3 * accuracy
    assert np.sqrt(np.mean((charges[:, None] * (ours[1] - field)) ** 2)) < 5 * accuracy
    assert np.abs(ours[2] - virial).max() / len(charges) < 3 * accuracy
    assert np.abs(field).max() > 1.0


def test_forces_are_the_slope_of_the_mesh_energy():
    points, charges = charges_at_random(40)
    lattice, h = mesh_lattice(TRICLINIC, split_at(8.0, 1e-6), 1e-6), 1e-4
    _, field, _ = lattice.field(points, charges)
    for ion, axis in ((0, 0), (7, 1), (20, 2)):
        energies = []
        for sign in (1, -1):
            moved = points.copy()
            moved[ion, axis] += sign * h
            energies.append(0.5 * charges @ lattice.field(moved, charges)[0])
        assert -(energies[0] - energies[1]) / (2 * h) == pytest.approx(charges[ion] * field[ion, axis], abs=1e-6)


def test_an_ion_wrapped_by_a_lattice_vector_changes_nothing():
    points, charges = charges_at_random(40)
    lattice = mesh_lattice(TRICLINIC, split_at(8.0, 1e-6), 1e-6)
    before = lattice.field(points, charges)
    points[5] += 2 * TRICLINIC[0] - TRICLINIC[2]
    after = lattice.field(points, charges)
    assert after[0] == pytest.approx(before[0], abs=1e-10)
    assert after[1] == pytest.approx(before[1], abs=1e-10)


def test_calculator_with_and_without_mesh(monkeypatch):
    atoms = to_atoms(supercell(get_host("cofe2o4").structure("Imma"), (2, 2, 2)))
    atoms.rattle(0.05, seed=4)
    exact = RigidIonCalculator("pedone", accuracy=1e-9)
    monkeypatch.setattr(rigid_ion, "MESH_FROM", 100)
    meshed = RigidIonCalculator("pedone", accuracy=1e-6)
    energy = meshed.get_property("energy", atoms)
    monkeypatch.setattr(rigid_ion, "MESH_FROM", 10**9)
    assert energy == pytest.approx(exact.get_property("energy", atoms), abs=1e-6 * len(atoms))
    difference = meshed.get_property("forces", atoms) - exact.get_property("forces", atoms)
    assert np.sqrt(np.mean(difference**2)) < 1.5e-6
    assert meshed.get_property("energies", atoms).sum() == pytest.approx(energy)
    assert np.abs(meshed.get_property("stress", atoms) - exact.get_property("stress", atoms)).max() < 1e-7
