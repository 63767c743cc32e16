"""Supercells: repeats of a cell with all site properties kept."""

from __future__ import annotations

import math

from pymatgen.core import Structure


def repeats_for_distance(structure: Structure, min_image_distance_A: float) -> tuple[int, int, int]:
    """Smallest diagonal repeats whose periodic images are at least a distance apart.

    Parameters
    ----------
    structure
        Cell to repeat.
    min_image_distance_A
        Wanted distance between the faces of the supercell, in Angstrom.

    Returns
    -------
    tuple of int
        Repeats along a, b, c.

    Raises
    ------
    ValueError
        If the distance is not positive.
    """
    if min_image_distance_A <= 0:
        raise ValueError(f"image distance {min_image_distance_A} A must be positive")
    lattice = structure.lattice
    heights = [lattice.d_hkl(hkl) for hkl in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
    slack = 1e-6
    n = [max(1, math.ceil(min_image_distance_A / h - slack)) for h in heights]
    return n[0], n[1], n[2]


def supercell(structure: Structure, repeats: tuple[int, int, int]) -> Structure:
    """Repeated copy of a structure, coordinates in [0, 1), site properties kept.

    Raises
    ------
    ValueError
        If a repeat is not a positive whole number.
    """
    if any(n < 1 or n != int(n) for n in repeats):
        raise ValueError(f"repeats {repeats} must be whole numbers >= 1")
    out = structure.copy()
    out.make_supercell(repeats, to_unit_cell=True)
    return out
