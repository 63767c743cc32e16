"""Energies of the emulator: rigid ions whose valences are read off the moments, and the Co2+ ligand field."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from cobalt_model import cobalt_energies
from magnetoionics.calculators.ewald import ewald_sum
from magnetoionics.calculators.field import UniformFieldCalculator
from magnetoionics.calculators.potentials import potential
from magnetoionics.calculators.rigid_ion import RigidIonCalculator, model_charges, spread_charge
from magnetoionics.structures.units import COULOMB_eV_A
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


# Permittivity of the emulated oxide: electrons and ions.
ELECTRONIC, IONIC = 5.0, 7.0
# Width (A) of the ions' charge in the local potential.
ION_WIDTH_A = 0.5


def atoms_of(
    structure: Structure, moments: np.ndarray, field_V_per_A: np.ndarray | None = None, charge: float = 0.0
) -> Atoms:
    """Atoms with a calculator; charges are spread over all cations to give the cell its charge."""
    symbols = [s.specie.symbol for s in structure]
    atoms = Atoms(symbols, positions=structure.cart_coords, cell=structure.lattice.matrix, pbc=True)
    valence = valences(symbols, moments)
    scale = potential(POTENTIAL).charge_scale
    bare = model_charges(symbols, valence, potential(POTENTIAL))
    charges = np.asarray(spread_charge(bare, valence < 0, charge * scale))
    atoms.set_array("valence", valence)
    calculator = RigidIonCalculator(POTENTIAL, valences=valence, charges=charges, accuracy=1e-6)
    formal = charges / scale
    atoms.set_array("formal", formal)
    if field_V_per_A is not None:
        calculator = UniformFieldCalculator(calculator, field_V_per_A, formal, np.zeros_like(atoms.positions))
    atoms.calc = calculator
    return atoms


def site_potentials_V(atoms: Atoms) -> np.ndarray:
    """Potential that a positive charge feels at each ion, of the other ions screened by the permittivity."""
    found = ewald_sum(atoms.cell.array, atoms.positions, atoms.arrays["formal"], accuracy=1e-8)
    return np.asarray(found.potential) / (ELECTRONIC + IONIC)


def local_potential_eV(atoms: Atoms, grid: tuple[int, int, int]) -> np.ndarray:
    """Potential energy of an electron on a grid, shape `grid`: Gaussian ions in a screening medium."""
    index = [np.fft.fftfreq(n, 1 / n) for n in grid]
    waves = np.stack(np.meshgrid(*index, indexing="ij"), axis=-1) @ (2 * np.pi * atoms.cell.reciprocal().array)
    square = np.einsum("...i,...i->...", waves, waves)
    square[0, 0, 0] = 1.0
    density = np.zeros(grid, dtype=complex)
    for place, charge in zip(atoms.positions, atoms.arrays["formal"], strict=True):
        density += charge * np.exp(-1j * (waves @ place))
    volume = atoms.get_volume()
    potential_G = 4 * np.pi * COULOMB_eV_A / volume * density * np.exp(-square * ION_WIDTH_A**2 / 2) / square
    potential_G[0, 0, 0] = 0.0
    values = np.fft.ifftn(potential_G).real * np.prod(grid)
    return -values / (ELECTRONIC + IONIC)


def anisotropy_eV(atoms: Atoms, direction: np.ndarray) -> float:
    """Ligand-field energy of all Co2+ for one direction."""
    if not any(s == "Co" for s in atoms.get_chemical_symbols()):
        return 0.0
    return float(cobalt_energies(atoms, atoms.arrays["formal"], np.array([direction])).sum())
