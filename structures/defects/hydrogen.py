"""Places of an inserted hydrogen: bonded to an anion, pointing to a neighbour of that."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from ..symmetry import operations
from .interstitials import InterstitialSite, equivalent_places

FloatArray = NDArray[np.float64]
BOND_A = {"O": 0.98, "F": 0.92, "N": 1.01, "S": 1.34}
"""Lengths of the bond to hydrogen, general literature: O-H of solids lies between 0.96 and 1.0 A."""
KIND = "hydrogen"
# From one neighbour of its anion to another, or over to that neighbour: farther apart are two hops.
HOP_A = {anion: 1.45 * bond for anion, bond in BOND_A.items()}
# Hydrogen bonds: O...O is 2.4 A where they are strong, and 3.3 A long where they are none.
_LONGEST_A = 3.3
# A proton nearer to a cation does not stay there.
_CLOSEST_CATION_A = 1.3
_FREE_A = 0.7


def hydrogen_sites(structure: Structure) -> list[InterstitialSite]:
    """Distinct places of a hydrogen at a bond length of an anion, on the line to a neighbouring anion.

    Parameters
    ----------
    structure
        Cell with the site property ``valence``; anions are its negative ions of `BOND_A`.

    Returns
    -------
    list of InterstitialSite
        The farthest from any cation first; empty where no anion has room.
    """
    interstitial_sites: list[InterstitialSite] = []
    taken: list[FloatArray] = []
    ops = operations(structure)
    for index in _anions(structure):
        for position, cation_A in _around(structure, index):
            if taken and structure.lattice.get_all_distances(position, taken).min() < _FREE_A / 2:
                continue
            images = equivalent_places(structure, position, ops)
            taken += images
            place = [float(x) for x in position]
            interstitial_sites.append(
                InterstitialSite(KIND, place, len(images), BOND_A[structure[index].specie.symbol], cation_A)
            )
    return sorted(interstitial_sites, key=lambda v: (-round(v.cation_A, 4), v.multiplicity, v.position))


def at_bond_length(structure: Structure, position: FloatArray) -> FloatArray:
    """A hydrogen's place (Cartesian, Angstrom) put to its bond length from the nearest anion."""
    near = [
        n
        for n in structure.get_sites_in_sphere(position, _LONGEST_A)
        if n.properties["valence"] < 0 and n.specie.symbol in BOND_A and n.nn_distance > _FREE_A / 2
    ]
    if not near:
        return position
    anion = min(near, key=lambda n: n.nn_distance)
    return np.asarray(anion.coords + BOND_A[anion.specie.symbol] * (position - anion.coords) / anion.nn_distance)


def _anions(structure: Structure) -> list[int]:
    return [i for i, s in enumerate(structure) if s.properties["valence"] < 0 and s.specie.symbol in BOND_A]


def _around(structure: Structure, index: int) -> list[tuple[FloatArray, float]]:
    """Free places around one anion, fractional, with the distance of the nearest cation in Angstrom."""
    site, out = structure[index], []
    for other in structure.get_neighbors(site, _LONGEST_A):
        if other.properties["valence"] >= 0 or other.specie.symbol not in BOND_A:
            continue
        place = site.coords + BOND_A[site.specie.symbol] * (other.coords - site.coords) / other.nn_distance
        near = [n for n in structure.get_sites_in_sphere(place, _LONGEST_A) if n.index != index]
        cation_A = min((n.nn_distance for n in near if n.properties["valence"] >= 0), default=_LONGEST_A)
        if min(n.nn_distance for n in near) > _FREE_A and cation_A > _CLOSEST_CATION_A:
            out.append((np.mod(structure.lattice.get_fractional_coords(place), 1.0) % 1.0, float(cation_A)))
    return out
