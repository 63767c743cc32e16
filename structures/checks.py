"""Refusals: what is wrong with a structure, said before anything is computed with it."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Structure

from .symmetry import colours

# No two ions of an oxide come closer than this; O-H, the shortest bond there is, is 0.96 A.
CLOSEST_A = 0.9
# Cation to nearest anion in oxides, halides and sulphides.
BOND_RANGE_A = (1.2, 3.0)
# Ratio to the nearest anion's distance up to which an anion belongs to the coordination shell.
_SHELL = 1.25
_DIAMOND_SPACE_GROUP = 227


class StructureError(ValueError):
    """A structure that cannot be what it says; the message gives the reason and the way out."""


def check_site_index(structure: Structure, index: int) -> None:
    """Refuse an index that no site has; a negative one would silently count from the end.

    Raises
    ------
    ValueError
        If the index is out of range.
    """
    if not 0 <= index < len(structure):
        raise ValueError(f"site index {index} is outside 0 to {len(structure) - 1}")


def check_no_overlap(structure: Structure, closest_A: float = CLOSEST_A) -> None:
    """Refuse atoms on top of each other.

    Raises
    ------
    StructureError
        If two atoms are closer than `closest_A` (Angstrom).
    """
    first, second, _, distance = structure.get_neighbor_list(closest_A)
    if len(distance):
        n = int(np.argmin(distance))
        i, j = int(first[n]), int(second[n])
        raise StructureError(
            f"atoms {i} ({structure[i].specie.symbol}) and {j} ({structure[j].specie.symbol}) overlap: "
            f"{float(distance[n]):.3f} A apart" + _origin_hint(structure)
        )


def check_handedness(structure: Structure) -> None:
    """Refuse a cell whose vectors a, b, c are left-handed: POSCAR files of it hold the inverted crystal.

    Raises
    ------
    StructureError
        If the determinant of the lattice is negative.
    """
    if np.linalg.det(structure.lattice.matrix) < 0:
        raise StructureError(
            "the cell's vectors are left-handed, which VASP refuses and other programs invert: exchange two of them, "
            "and the coordinates with them"
        )


def coordination_number(structure: Structure, index: int, anion: str) -> int:
    """Anions within 1.25 times the nearest anion's distance of a site; 0 if there is none within 3 A."""
    distances = [
        n.nn_distance for n in structure.get_neighbors(structure[index], BOND_RANGE_A[1]) if n.specie.symbol == anion
    ]
    return sum(d <= _SHELL * min(distances) for d in distances)


def check_bonds(structure: Structure, anion: str) -> None:
    """Refuse cations without a bond to an anion; name the usual cause in Fd-3m.

    Raises
    ------
    StructureError
        If a cation's nearest anion is outside 1.2 to 3.0 A.
    """
    for i, site in enumerate(structure):
        if site.specie.symbol == anion:
            continue
        distances = [n.nn_distance for n in structure.get_neighbors(site, BOND_RANGE_A[1]) if n.specie.symbol == anion]
        nearest = min(distances, default=None)
        if nearest is None or nearest < BOND_RANGE_A[0]:
            found = f"none within {BOND_RANGE_A[1]} A" if nearest is None else f"at {nearest:.2f} A"
            raise StructureError(
                f"atom {i} ({site.specie.symbol}) has no {anion} at a bond length (nearest: {found})"
                + _origin_hint(structure)
            )


def _origin_hint(structure: Structure) -> str:
    if _space_group_of_elements(structure) != _DIAMOND_SPACE_GROUP:
        return "; check the lattice parameters, the coordinates and the space-group setting, remove duplicates"
    return (
        "; the structure is Fd-3m, which has two origin choices: the coordinates are most likely written for the "
        "other one. Give a file with all atoms, or one that lists its symmetry operations"
    )


def _space_group_of_elements(structure: Structure) -> int:
    import spglib

    bare = Structure(structure.lattice, [s.specie.symbol for s in structure], structure.frac_coords)
    cell = (bare.lattice.matrix.tolist(), bare.frac_coords.tolist(), colours(bare))
    dataset = spglib.get_symmetry_dataset(cell, symprec=1e-2)
    return 0 if dataset is None else int(dataset.number)
