"""Formal valences guessed from the composition, from bond valences, or as those of a metal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pymatgen.analysis.bond_valence import BVAnalyzer
from pymatgen.core import Composition, Element, Structure

from ..checks.geometry import StructureError, bonded_anions, coordination_number
from ..symmetry import orbits
from .redox import OPEN_METALS, by_balance, by_redox, only_valence

# In the order in which they take electrons where several are there; hydrogen only without any other.
ANIONS = ("F", "O", "N", "Cl", "Br", "S", "I", "Se", "Te", "P", "As", "C", "H")
_LOWEST_CHARGE = {"F": -1, "O": -2, "N": -3, "Cl": -1, "Br": -1, "S": -2, "I": -1, "Se": -2, "Te": -2, "P": -3}
_LOWEST_CHARGE |= {"As": -3, "C": -4, "H": -1}
_WHOLE = 1e-6
# pymatgen's search tries every assignment of a cell.
_MOST_ATOMS_FOR_BONDS = 120
# Its guesses from a composition are combinations over all atoms of the reduced formula: minutes for Mg7Mn16S32.
_MOST_ATOMS_FOR_GUESSES = 24
# Sites of one element whose bonds differ by less than this have one valence: its electrons hop between them.
_UNLIKE_BONDS_A = 0.05
# No cation of an ionic crystal has less: fewer electrons than anions take are those of a metal.
_IONIC_VALENCE = 1.0
# Longest bond of phosphorus, sulfur or another non-metal to oxygen or fluorine; P-O is 1.54, Te-O 1.9 A.
_OXIDE_BOND_A = 2.1
# Longest single bond of two like anions; O-O of a peroxide is 1.45 to 1.55, S-S of pyrites 2.1 to 2.2 A.
_PAIR_BOND_A = {"O": 1.6, "S": 2.4, "Se": 2.6}


@dataclass(frozen=True)
class GuessedValences:
    """Valences of a cell's sites.

    Attributes
    ----------
    per_site
        e, in site order; they add up to zero.
    anions
        Elements with a negative valence, the main one first.
    reason
        How they were found, in words.
    metal
        Whether some atoms are those of a metal.
    mixed
        Elements of a mean valence, as ``{"Mn": 3.33}``.
    """

    per_site: list[float]
    anions: tuple[str, ...]
    reason: str
    metal: bool
    mixed: dict[str, float]


def guess_valences(structure: Structure, stated: list[float] | None = None) -> GuessedValences:
    """Valences of every site of an ordered cell.

    What the file states is taken if it is neutral. Else the composition says most: of several 3d metals those that are
    oxidised first give their electrons (`redox`), else pymatgen ranks the neutral assignments by how often ions occur;
    one in which phosphorus that sits in oxygen is negative is none. Where the composition gives an
    element a mean valence on sites of several kinds, bond valences tell the kinds apart if they can. What has no
    neutral assignment, or atoms without an anion at a bond length, is a metal.

    Parameters
    ----------
    structure
        Elements on sites.
    stated
        Oxidation states of the file, in site order.

    Raises
    ------
    StructureError
        If nothing in the cell can be an anion.
    """
    symbols = [s.specie.symbol for s in structure]
    present = [el for el in ANIONS if el in symbols]
    if not present:
        raise StructureError(
            f"{structure.composition.reduced_formula} holds no anion (of {', '.join(ANIONS)}), and a study moves ions: "
            "give a compound, or write the host file by hand"
        )
    if stated is not None and _is_credible(stated, symbols):
        return _as_stated(structure, stated)
    guess, reason = _by_elements(structure)
    if guess is not None:
        anions = _main_first([el for el, v in guess.items() if v < 0], structure)
        if all(_is_bonded(structure, anions)):
            return _ionic(structure, guess, anions, reason)
    anions = tuple(el for el in present if Element(el).X >= Element("N").X or len(present) == 1) or (present[0],)
    return _metallic(structure, _main_first(list(anions), structure))


def _is_credible(stated: list[float], symbols: list[str]) -> bool:
    """Whether stated valences are neutral and negative ones stand on anions alone."""
    neutral = abs(sum(stated)) < _WHOLE * len(stated) and max(stated) >= _IONIC_VALENCE - _WHOLE
    return neutral and all(v >= 0 or el in ANIONS for v, el in zip(stated, symbols, strict=True))


def _as_stated(structure: Structure, stated: list[float]) -> GuessedValences:
    symbols = [s.specie.symbol for s in structure]
    anions = _main_first(list(dict.fromkeys(el for el, v in zip(symbols, stated, strict=True) if v < 0)), structure)
    mixed = {el: v for el, v in zip(symbols, stated, strict=True) if abs(v - round(v)) > _WHOLE}
    return GuessedValences(list(stated), anions, "as the file states them", metal=False, mixed=mixed)


def _by_elements(structure: Structure) -> tuple[dict[str, float] | None, str]:
    """Valence by element and how it was found."""
    amounts = {str(el): float(n) for el, n in structure.composition.items()}
    if pairs := _in_pairs(structure):
        return pairs
    ordered = by_redox(amounts)
    words = "the 3d metals that are oxidised first give the electrons that the anions take"
    if ordered is not None and len(OPEN_METALS & amounts.keys()) > 1:
        return ordered, words
    large = sum(Composition(structure.composition.reduced_formula).values()) > _MOST_ATOMS_FOR_GUESSES
    balance = by_balance(amounts) if large else None
    if balance is not None:
        return balance, "one element takes what charge the others leave"
    usual = _by_composition(structure)
    if usual is None and ordered is not None:
        return ordered, words
    return usual, "the most frequent neutral ions of this composition (pymatgen)"


def _in_pairs(structure: Structure) -> tuple[dict[str, float], str] | None:
    """Valences of a peroxide or pyrite: each anion is bonded to one of its like, and the two share one electron pair.

    None where the anions are single, or charge is left to share among several other elements.
    """
    amounts = {str(el): float(n) for el, n in structure.composition.items()}
    for symbol, length_A in _PAIR_BOND_A.items():
        sites = [s for s in structure if s.specie.symbol == symbol]
        bonds = [
            [float(n.nn_distance) for n in structure.get_neighbors(s, length_A) if n.specie.symbol == symbol]
            for s in sites
        ]
        others = [el for el in amounts if el != symbol]
        if not sites or len(others) != 1 or any(len(own) != 1 for own in bonds):
            continue
        valence = amounts[symbol] / amounts[others[0]]
        if valence >= _IONIC_VALENCE - _WHOLE:
            words = f"{symbol} in pairs of charge 2-, {np.mean(bonds):.2f} A apart; {others[0]} takes the rest"
            return {symbol: -1.0, others[0]: valence}, words
    return None


def _sits_in_oxygen(structure: Structure) -> set[str]:
    """Elements other than O and F of which every atom's nearest neighbour is one of these, at a bond length."""
    elements = set()
    for symbol in {s.specie.symbol for s in structure} - {"O", "F", "H"}:
        if symbol not in ANIONS:
            continue
        inside = []
        for site in (s for s in structure if s.specie.symbol == symbol):
            near = min(structure.get_neighbors(site, _OXIDE_BOND_A), key=lambda n: float(n.nn_distance), default=None)
            inside.append(near is not None and near.specie.symbol in ("O", "F"))
        if all(inside):
            elements.add(symbol)
    return elements


def _by_composition(structure: Structure) -> dict[str, float] | None:
    reduced = Composition(structure.composition.reduced_formula)
    try:
        guesses = reduced.oxi_state_guesses()
    except (ValueError, KeyError):
        return None
    positive = _sits_in_oxygen(structure)
    fitting = (g for g in guesses if _is_ionic(g) and all(g[el] > 0 for el in positive))
    return next(({str(el): float(v) for el, v in guess.items()} for guess in fitting), None)


def _is_ionic(guess: Mapping[str, float]) -> bool:
    """Whether anions have their full charge and only d and f metals, whose electrons hop, a mean valence."""
    cations = [v for v in guess.values() if v > 0]
    if not cations or min(guess.values()) >= 0 or 0 in guess.values() or min(cations) < _IONIC_VALENCE - _WHOLE:
        return False
    for symbol, valence in guess.items():
        el = Element(symbol)
        hops = el.is_transition_metal or el.is_lanthanoid or el.is_actinoid
        if not hops and abs(valence - round(valence)) > _WHOLE:
            return False
    return True


def _main_first(anions: list[str], structure: Structure) -> tuple[str, ...]:
    return tuple(sorted(anions, key=lambda el: (-structure.composition[el], ANIONS.index(el))))


def _is_bonded(structure: Structure, anions: tuple[str, ...]) -> list[bool]:
    return [s.specie.symbol in anions or bonded_anions(structure, i, anions) > 0 for i, s in enumerate(structure)]


def _ionic(structure: Structure, guess: dict[str, float], anions: tuple[str, ...], reason: str) -> GuessedValences:
    values = [guess[s.specie.symbol] for s in structure]
    mixed = {el: v for el, v in guess.items() if abs(v - round(v)) > _WHOLE}
    if mixed:
        by_bonds = _by_bonds(structure, mixed, values, anions)
        if by_bonds is not None:
            values = by_bonds
            reason += "; bond valences tell the sites of " + ", ".join(sorted(mixed)) + " apart"
    left = {
        el: float(np.mean([v for v, s in zip(values, structure, strict=True) if s.specie.symbol == el]))
        for el in mixed
        if any(abs(v - round(v)) > _WHOLE for v, s in zip(values, structure, strict=True) if s.specie.symbol == el)
    }
    return GuessedValences(values, anions, reason, metal=False, mixed=left)


def _by_bonds(
    structure: Structure, mixed: dict[str, float], values: list[float], anions: tuple[str, ...]
) -> list[float] | None:
    """Valences by orbit from bond valences, kept where they differ from orbit to orbit and leave no charge."""
    bare = Structure(structure.lattice, [s.specie.symbol for s in structure], structure.frac_coords)
    if len(bare) > _MOST_ATOMS_FOR_BONDS:
        return None
    try:
        analyser = BVAnalyzer()  # type: ignore[no-untyped-call]
        valences = [float(v) for v in analyser.get_valences(bare)]
    except (ValueError, RuntimeError):
        return None
    out = list(values)
    for symbol in mixed:
        groups = [g for g in orbits(bare) if bare[g[0]].specie.symbol == symbol]
        means = [float(np.mean([valences[i] for i in g])) for g in groups]
        bonds = [_mean_bond_A(bare, g[0]) for g in groups]
        numbers = [coordination_number(bare, g[0], anions) for g in groups]
        pairs = [(i, j) for i in range(len(groups)) for j in range(i) if abs(means[i] - means[j]) > _WHOLE]
        if any(numbers[i] == numbers[j] and abs(bonds[i] - bonds[j]) < _UNLIKE_BONDS_A for i, j in pairs):
            return None
        for group, mean in zip(groups, means, strict=True):
            for i in group:
                out[i] = mean
    return None if abs(sum(out)) > _WHOLE * len(out) else out


def _mean_bond_A(structure: Structure, index: int) -> float:
    """Mean length of the shortest bonds of a site, up to 1.25 times the shortest."""
    near = sorted(float(n.nn_distance) for n in structure.get_neighbors(structure[index], 4.0))
    return float(np.mean([d for d in near if d < 1.25 * near[0]])) if near else 0.0


def _metallic(structure: Structure, anions: tuple[str, ...]) -> GuessedValences:
    """Anions with their usual charge, the atoms bonded to them with what that takes, all others neutral."""
    bonded = _is_bonded(structure, anions)
    negative = sum(_LOWEST_CHARGE[s.specie.symbol] for s in structure if s.specie.symbol in anions)
    others = [i for i, s in enumerate(structure) if s.specie.symbol not in anions and bonded[i]]
    if not others:
        raise StructureError(f"no atom of the cell is bonded to {' or '.join(anions)}: check the structure file")
    # Ions of one valence keep it; the electrons that are left over come from the others.
    fixed = {i: float(v) for i in others if (v := only_valence(structure[i].specie.symbol)) is not None}
    open_ones = [i for i in others if i not in fixed] or others
    if len(open_ones) == len(others):
        fixed = {}
    share = (-negative - sum(fixed.values())) / len(open_ones)
    values = []
    for i, site in enumerate(structure):
        symbol = site.specie.symbol
        if symbol in anions:
            values.append(float(_LOWEST_CHARGE[symbol]))
        else:
            values.append(fixed.get(i, share) if i in others else 0.0)
    reason = (
        "a metal: atoms without an anion at a bond length are neutral, those with one share the anions' charge"
        if not all(bonded)
        else "a metal: no neutral set of the usual ions fits, so the metal atoms share the anions' charge"
    )
    return GuessedValences(values, anions, reason, metal=True, mixed={})
