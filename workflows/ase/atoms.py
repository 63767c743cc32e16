"""Structures to ASE Atoms and back, at the engine's edge, with all site properties."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from pymatgen.core import Structure


def to_atoms(structure: Structure) -> Atoms:
    """Atoms with continuous positions and every per-site property as an array of its own name."""
    atoms = Atoms(
        numbers=structure.atomic_numbers,
        positions=structure.cart_coords,
        cell=structure.lattice.matrix,
        pbc=True,
    )
    for name, values in structure.site_properties.items():
        if all(v is not None for v in values):
            atoms.set_array(name, np.array(values))
    return atoms


def from_atoms(atoms: Atoms, like: Structure) -> Structure:
    """Structure at the positions and in the cell of `atoms`, with the site properties of `like`.

    Raises
    ------
    ValueError
        If the atoms are not those of `like`.
    """
    if list(atoms.numbers) != list(like.atomic_numbers):
        raise ValueError("atoms and structure hold different elements or another order")
    return Structure(
        atoms.cell.array,
        like.species,
        atoms.positions,
        coords_are_cartesian=True,
        site_properties={name: list(v) for name, v in like.site_properties.items()},
    )
