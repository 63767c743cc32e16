"""Atoms that share electrons with their like: peroxides, pyrites, arsenopyrites, skutterudites; P2S6 and Ge2Te6."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Element, Structure

from .redox import single_valences

# Charge of an anion that has no bond to another one.
_ALONE = {"O": -2, "S": -2, "Se": -2, "Te": -2, "P": -3, "As": -3}
# Longest single bond of two such anions, in sums of covalent radii: S-S of pyrites is 2.1 to 2.2 A for 2.10 A.
_LONGEST = 1.14
# O-O of a peroxide is 1.45 to 1.55 A, O...O of a water molecule or a polyhedron more than 2.2 A.
_PEROXIDE_A = 1.6
# Chains and rings have two bonds; the square nets of RTe3 have more, and are metals.
_MOST_BONDS = 2
_WHOLE = 1e-6


def valences_in_pairs(structure: Structure) -> tuple[dict[str, float], str] | None:
    """Valences by element where every anion of a kind has the same number of bonds to others: each bond saves a charge.

    S2 of pyrite is 2-, As2 of loellingite 4-, AsS of cobaltite 3- (As 2-, S 1-), P4 and As4 of skutterudites 4-. The
    rule is that of Zintl and Klemm, 8 - N; the one cation whose valence is open takes the rest.

    Parameters
    ----------
    structure
        Elements on sites.

    Returns
    -------
    tuple or None
        Valences and words. None where anions are single, differ in their bonds or are oxidised (P in S6), or where no
        single element is left to take the rest.
    """
    symbols = [s.specie.symbol for s in structure]
    anions = [el for el in _ALONE if el in symbols]
    if not anions or ("O" in anions and len(anions) > 1):
        return None
    bonds = {i: _bonds(structure, i) for i, el in enumerate(symbols) if el in anions}
    numbers = {el: {len(own) for i, own in bonds.items() if symbols[i] == el} for el in anions}
    if any(len(found) > 1 for found in numbers.values()) or not any(max(found) for found in numbers.values()):
        return None
    mixed = any(other != symbols[i] for i, own in bonds.items() for other, _ in own)
    if max(max(found) for found in numbers.values()) > (1 if mixed else _MOST_BONDS):
        return None
    guess = {el: float(_ALONE[el] + max(numbers[el])) for el in anions}
    amounts = {str(el): float(n) for el, n in structure.composition.items()}
    guess = {**single_valences(amounts, ()), **guess}
    open_ones = [el for el in amounts if el not in guess]
    left = -sum(amounts[el] * v for el, v in guess.items())
    lengths = [length for own in bonds.values() for _, length in own]
    words = (
        f"{' and '.join(el for el in anions if max(numbers[el]))} bonded to each other, {np.mean(lengths):.2f} A apart"
    )
    if not open_ones:
        return (guess, words) if abs(left) < _WHOLE else None
    valence = left / amounts[open_ones[0]]
    if len(open_ones) > 1 or not 1 - _WHOLE <= valence <= max(Element(open_ones[0]).oxidation_states, default=0):
        return None
    return {**guess, open_ones[0]: valence}, f"{words}; {open_ones[0]} takes the rest"


def valences_of_dumbbells(structure: Structure) -> tuple[dict[str, float], str] | None:
    """Valences by element where P, Si or Ge stands in dumbbells among S, Se or Te: each atom keeps one electron.

    P2S6 is 4- (MnPS3), Ge2Te6 and Si2Te6 6-, so that CrGeTe3 and CrSiTe3 hold Cr3+, of 3 muB (general literature).

    Parameters
    ----------
    structure
        Elements on sites.

    Returns
    -------
    tuple or None
        Valences and words; None for anything else, or where no single element is left to take the rest.
    """
    symbols = [s.specie.symbol for s in structure]
    centres = [el for el in _ALONE_POSITIVE if el in symbols]
    if len(centres) != 1 or not {"S", "Se", "Te"} & set(symbols):
        return None
    reach_A = _LONGEST * 2 * _RADII_A[centres[0]]
    for i in (i for i, el in enumerate(symbols) if el == centres[0]):
        if sum(n.specie.symbol == centres[0] for n in structure.get_neighbors(structure[i], reach_A)) != 1:
            return None
    amounts = {str(el): float(n) for el, n in structure.composition.items()}
    guess = {**single_valences(amounts, ()), centres[0]: float(_ALONE_POSITIVE[centres[0]] - 1)}
    open_ones = [el for el in amounts if el not in guess]
    if len(open_ones) != 1:
        return None
    left = -sum(amounts[el] * v for el, v in guess.items()) / amounts[open_ones[0]]
    if not 1 - _WHOLE <= left <= max(Element(open_ones[0]).oxidation_states, default=0):
        return None
    words = (
        f"{centres[0]} in dumbbells, each atom of which keeps an electron for its bond; {open_ones[0]} takes the rest"
    )
    return {**guess, open_ones[0]: left}, words


def _bonds(structure: Structure, index: int) -> list[tuple[str, float]]:
    """Other anions at a bond length of one, as element and length in A."""
    own = structure[index].specie.symbol
    out = []
    for n in structure.get_neighbors(structure[index], 2 * _LONGEST * 1.4):
        other = n.specie.symbol
        if other in _ALONE and float(n.nn_distance) <= _reach_A(own, other):
            out.append((str(other), float(n.nn_distance)))
    return out


def _reach_A(one: str, other: str) -> float:
    if "O" in (one, other):
        return _PEROXIDE_A if one == other else 0.0
    return _LONGEST * float(_RADII_A[one] + _RADII_A[other])


# Covalent radii, 10.1039/b801115j.
_RADII_A = {"S": 1.05, "Se": 1.20, "Te": 1.38, "P": 1.07, "As": 1.19, "Si": 1.11, "Ge": 1.20}
# Valence without a bond to another atom of the kind.
_ALONE_POSITIVE = {"P": 5, "Si": 4, "Ge": 4}
