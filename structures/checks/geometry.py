"""Refusals: what is wrong with a structure, said before anything is computed with it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from pymatgen.core import Element, PeriodicNeighbor, Structure

from ..symmetry import colours
from .cells import check_cell_numbers

# No two ions come closer than this; F-H and O-H, the shortest bonds there are, have 0.92 and 0.96 A.
CLOSEST_A = 0.9
# Cation to nearest anion in oxides, nitrides, halides and sulphides.
BOND_RANGE_A = (1.2, 3.0)
# O-H is 0.96 to 1.0 A long, N-H 1.01, S-H 1.34; longer ones are hydrogen bonds.
HYDROGEN_BOND_RANGE_A = (CLOSEST_A, 1.6)
# Bonds of large ions (Cs, Ba) to large anions (S, I) are longer than 3 A: up to this many sums of their ionic radii.
_LONGEST_OF_RADII = 1.3
# Alkali ions sit loosely in cages: Na in the middle of a Prussian blue's is 3.6 A from nitrogen.
_IN_CAGES = 1.5
# P3- and As3- have no radius in Shannon's table; these are Pauling's, and that of H- is from fluorides and hydrides.
_PAULING_A = {"P": 2.12, "As": 2.22, "H": 1.40}
# Ratio to the nearest anion's distance up to which an anion belongs to the coordination shell.
_SHELL = 1.25
# Atoms of a metal are 2.2 to 3.2 A apart (Be and Cs: 2.2 and 5.2); a nearer pair is overlap, not a metallic bond.
_METAL_A = (2.0, 3.6)
_DIAMOND_SPACE_GROUP = 227
# Metal to nitrogen of a nitro group: 1.9 to 2.3 A.
_NITRO_A = 2.4


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
        If two atoms are closer than `closest_A` (Angstrom), or a number of the cell is none or absurd.
    """
    try:
        check_cell_numbers(structure)
    except ValueError as error:
        raise StructureError(str(error)) from None
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


def coordination_number(structure: Structure, index: int, anion: str | Collection[str]) -> int:
    """Neighbours of the other sign in the first shell of a site.

    Parameters
    ----------
    structure
        Cell.
    index
        Of the site.
    anion
        Element or elements that are anions; around one of them cations are counted, around any other ion anions.

    Returns
    -------
    int
        Those within 1.25 times the nearest one's distance; a hydrogen bonded to an anion counts besides the others.
        0 if there is none at a bond length.
    """
    anions = _names(anion)
    own = structure[index].specie.symbol
    hydrogens, distances = 0, []
    for n in structure.get_neighbors(structure[index], _longest_reach_A(structure, anions)):
        symbol = n.specie.symbol
        if (symbol in anions) == (own in anions):
            continue
        cation, other = (symbol, own) if own in anions else (own, symbol)
        if n.nn_distance > _bond_range_A(cation, other)[1]:
            continue
        if cation == "H" and own != "H":
            hydrogens += 1
        else:
            distances.append(float(n.nn_distance))
    return hydrogens + sum(d <= _SHELL * min(distances) for d in distances)


def bonded_anions(structure: Structure, index: int, anion: str | Collection[str]) -> int:
    """Anions at a bond length of a cation; one for the nitrogen of a nitro group next to a metal without others."""
    anions = _names(anion)
    own = structure[index].specie.symbol
    near = structure.get_neighbors(structure[index], _longest_reach_A(structure, anions))
    ranges = {el: _bond_range_A(own, el) for el in anions}
    count = sum(
        n.specie.symbol in anions and ranges[n.specie.symbol][0] <= n.nn_distance <= ranges[n.specie.symbol][1]
        for n in near
    )
    return count or int(own not in anions and _is_in_nitro(near))


def check_bonds(
    structure: Structure,
    anion: str | Collection[str],
    valences: Sequence[float] | None = None,
    *,
    metallic: bool = False,
) -> None:
    """Refuse cations without a bond to an anion; name the usual cause in Fd-3m.

    Parameters
    ----------
    structure
        Cell.
    anion
        Element or elements that are anions.
    valences
        Formal charges per site, e: an atom with 0 is one of a metal and needs no anion. None takes all as ions.
    metallic
        Whether the host is a metal: an ion among metal atoms then needs no anion either.

    Raises
    ------
    StructureError
        If a cation's nearest anion is outside 1.2 to 3.0 A (hydrogen: 0.9 to 1.6 A; large ions: up to 1.3 times the
        sum of the ionic radii, 1.5 times of alkali ions).
    """
    anions = _names(anion)
    reach = _longest_reach_A(structure, anions)
    for i, site in enumerate(structure):
        own = site.specie.symbol
        if own in anions or (valences is not None and valences[i] == 0):
            continue
        near = structure.get_neighbors(site, reach)
        nearest = min((n for n in near if n.specie.symbol in anions), key=lambda n: float(n.nn_distance), default=None)
        if nearest is not None:
            shortest, longest = _bond_range_A(own, nearest.specie.symbol)
            if shortest <= nearest.nn_distance <= longest:
                continue
        if _is_in_nitro(near):
            continue
        if metallic and _is_among_metal(near, anions) and (nearest is None or nearest.nn_distance > BOND_RANGE_A[1]):
            continue
        nearest_words = f"none within {reach:.3g} A" if nearest is None else f"at {nearest.nn_distance:.2f} A"
        raise StructureError(
            f"atom {i} ({own}) has no {' or '.join(sorted(anions))} at a bond length (nearest: {nearest_words}); an "
            "atom of a metal has valence: 0" + _origin_hint(structure)
        )


def _is_in_nitro(near: Sequence[PeriodicNeighbor]) -> bool:
    """Whether the nearest neighbour is nitrogen, positive in nitro groups, at a bond length of an anion."""
    nearest = min(near, key=lambda n: float(n.nn_distance), default=None)
    return nearest is not None and nearest.specie.symbol == "N" and BOND_RANGE_A[0] < nearest.nn_distance < _NITRO_A


def _names(anion: str | Collection[str]) -> frozenset[str]:
    return frozenset([anion] if isinstance(anion, str) else anion)


def _bond_range_A(cation: str, anion: str) -> tuple[float, float]:
    if cation == "H":
        return HYDROGEN_BOND_RANGE_A
    radii = _radius_A(cation, 1) + _radius_A(anion, -1)
    loose = _IN_CAGES if Element(cation).is_alkali else _LONGEST_OF_RADII
    # B-H of a borohydride is 1.1 to 1.2 A long.
    shortest = CLOSEST_A if anion == "H" else BOND_RANGE_A[0]
    return shortest, max(BOND_RANGE_A[1], loose * radii)


def _radius_A(symbol: str, sign: int) -> float:
    """Largest ionic radius that is tabulated for a sign of the charge; 0 if there is none."""
    least = _PAULING_A.get(symbol, 0.0) if sign < 0 else 0.0
    return max((float(r) for charge, r in Element(symbol).ionic_radii.items() if charge * sign > 0), default=least)


def _longest_reach_A(structure: Structure, anions: frozenset[str]) -> float:
    symbols = {s.specie.symbol for s in structure}
    pairs = [(c, a) for c in symbols - anions for a in symbols & anions]
    return max((_bond_range_A(*pair)[1] for pair in pairs), default=BOND_RANGE_A[1])


def _is_among_metal(near: Sequence[PeriodicNeighbor], anions: frozenset[str]) -> bool:
    distances = [float(n.nn_distance) for n in near if n.specie.symbol not in anions]
    return bool(distances) and _METAL_A[0] <= min(distances) <= _METAL_A[1]


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
