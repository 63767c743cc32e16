"""Energies of the emulator: rigid ions whose valences are read off the moments, and the Co2+ ligand field."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from magnetoionics.calculators.field import UniformFieldCalculator
from magnetoionics.calculators.ligand_field import cobalt_energies
from magnetoionics.calculators.potentials import potential
from magnetoionics.calculators.rigid_ion import RigidIonCalculator, model_charges, spread_charge
from pymatgen.core import Structure

VALENCE_BY_MOMENT = {"Fe": {5: 3.0, 4: 2.0}, "Co": {3: 2.0, 4: 3.0, 0: 3.0}, "Ni": {2: 2.0}, "Mn": {5: 2.0, 4: 3.0}}
FIXED_VALENCE = {"O": -2.0, "Li": 1.0, "Mg": 2.0, "Zn": 2.0}
POTENTIAL = "pedone"


def valences(symbols: list[str], moments: np.ndarray) -> np.ndarray:
    """Formal charges that fit the start moments, shape (n,)."""
    sizes = np.abs(moments) if moments.ndim == 1 else np.linalg.norm(moments, axis=1)
    out = []
    for symbol, size in zip(symbols, sizes, strict=True):
        if symbol in FIXED_VALENCE:
            out.append(FIXED_VALENCE[symbol])
        else:
            table = VALENCE_BY_MOMENT[symbol]
            wanted = table[min(table, key=lambda m: abs(m - size))]
            known = potential(POTENTIAL).valences(symbol)
            out.append(float(min(known, key=lambda v: abs(v - wanted))))
    return np.array(out)


def atoms_of(structure: Structure, moments: np.ndarray, field_V_per_A: np.ndarray | None = None) -> Atoms:
    """Atoms with a calculator; charges are spread over all cations to make the cell neutral."""
    symbols = [s.specie.symbol for s in structure]
    atoms = Atoms(symbols, positions=structure.cart_coords, cell=structure.lattice.matrix, pbc=True)
    valence = valences(symbols, moments)
    charges = np.asarray(spread_charge(model_charges(symbols, valence, potential(POTENTIAL)), valence < 0))
    atoms.set_array("valence", valence)
    calculator = RigidIonCalculator(POTENTIAL, valences=valence, charges=charges, accuracy=1e-6)
    formal = charges / potential(POTENTIAL).charge_scale
    atoms.set_array("formal", formal)
    if field_V_per_A is not None:
        calculator = UniformFieldCalculator(calculator, field_V_per_A, formal, np.zeros_like(atoms.positions))
    atoms.calc = calculator
    return atoms


def anisotropy_eV(atoms: Atoms, direction: np.ndarray) -> float:
    """Ligand-field energy of all Co2+ for one direction."""
    if not any(s == "Co" for s in atoms.get_chemical_symbols()):
        return 0.0
    return float(cobalt_energies(atoms, atoms.arrays["formal"], np.array([direction])).sum())
