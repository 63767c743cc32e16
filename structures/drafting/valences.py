"""Formal valences guessed from the composition, from bond valences, or as those of a metal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from pymatgen.analysis.bond_valence import BVAnalyzer, calculate_bv_sum
from pymatgen.core import Composition, Element, Structure

from ..checks.geometry import StructureError, bonded_anions, coordination_number
from ..symmetry import orbits
from .cyanides import cyanide_valences
from .redox import OPEN_METALS, by_balance, by_common_states, by_redox, in_dichalcogenide, single_valences

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
# Bonds that a bond-valence sum counts; longer ones add less than a hundredth of a valence unit.
_BOND_SUM_A = 3.2
# No cation of an ionic crystal has less: fewer electrons than anions take are those of a metal.
_IONIC_VALENCE = 1.0
# Longest bond of phosphorus, sulfur or another non-metal to oxygen or fluorine; P-O is 1.54, Te-O 1.9 A.
_OXIDE_BOND_A = 2.1
# C-H is 1.1, C-C 1.34 to 1.54 A long.
_ORGANIC_BOND_A = {"H": 1.25, "C": 1.65}
# Longest single bond of two like anions; O-O of a peroxide is 1.45 to 1.55, S-S of pyrites 2.1 to 2.2 A.
_PAIR_BOND_A = {"O": 1.6, "S": 2.4, "Se": 2.6}
_CAUSE = "atoms are missing or doubled: hydrogens that the file leaves out, split sites, rounded occupancies"


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
    cyanide
        Whether the anions are CN, half a charge on each of its atoms.
    """

    per_site: list[float]
    anions: tuple[str, ...]
    reason: str
    metal: bool
    mixed: dict[str, float]
    cyanide: bool = False


def guess_valences(structure: Structure, stated: list[float] | None = None) -> GuessedValences:
    """Valences of every site of an ordered cell.

    A cell without anions is a metal of neutral atoms. What the file states is taken if it is neutral. Else the
    composition says most: of several 3d metals those that are oxidised first give their electrons (`redox`), else
    pymatgen ranks the neutral assignments by how often ions occur; one in which phosphorus that sits in oxygen is
    negative is none. Where the composition gives an element a mean valence on sites of several kinds, bond valences
    tell the kinds apart if they can. What has no neutral assignment, or atoms without an anion at a bond length, is a
    metal.

    Parameters
    ----------
    structure
        Elements on sites.
    stated
        Oxidation states of the file, in site order.

    Raises
    ------
    StructureError
        For molecules, and for oxides and fluorides that cannot be neutral.
    """
    symbols = [s.specie.symbol for s in structure]
    present = [el for el in ANIONS if el in symbols]
    if not present:
        main = max(dict.fromkeys(symbols), key=lambda el: float(structure.composition[el]))
        words = f"a metal of neutral atoms: none of {', '.join(ANIONS)} is there to be an anion"
        return GuessedValences([0.0] * len(structure), (main,), words, metal=True, mixed={})
    if stated is not None and _is_credible(stated, symbols):
        return _as_stated(structure, stated)
    if (ends := cyanide_valences(structure)) is not None:
        words = (
            "C-N of 1.2 A at most is cyanide, half of its charge on each atom; a metal in carbon has the lower valence"
        )
        own = dict.fromkeys(el for el, v in zip(symbols, ends, strict=True) if v > 0 and abs(v - round(v)) > _WHOLE)
        means = {el: float(np.mean([v for s, v in zip(symbols, ends, strict=True) if s == el])) for el in own}
        return GuessedValences(ends, ("N", "C"), words, metal=False, mixed=means, cyanide=True)
    _refuse_molecules(structure)
    guess, reason = _by_elements(structure)
    if guess is not None:
        anions = _main_first([el for el, v in guess.items() if v < 0], structure)
        _refuse_beyond(guess, structure)
        if all(_is_bonded(structure, anions)):
            return _ionic(structure, guess, anions, reason)
    _refuse_charge({str(el): float(n) for el, n in structure.composition.items()}, _sits_in_oxygen(structure))
    anions = tuple(el for el in present if Element(el).X >= Element("N").X or len(present) == 1) or (present[0],)
    return _metallic(structure, _main_first(list(anions), structure))


def _refuse_molecules(structure: Structure) -> None:
    """Refuse carbon in C-H bonds, in C-C bonds of a large cell, or in those beside oxygen that is not all around it.

    The valences of such carbon are no charges of ions; carbides and oxalates have one valence of it.

    Raises
    ------
    StructureError
        Which asks for a host file by hand.
    """
    formula = structure.composition.reduced_formula
    large = sum(Composition(formula).values()) > _MOST_ATOMS_FOR_GUESSES
    mixed = structure.composition["O"] > 0 and "C" not in _sits_in_oxygen(structure)
    reach = {"H": _ORGANIC_BOND_A["H"]} | ({"C": _ORGANIC_BOND_A["C"]} if large or mixed else {})
    carbon = (s for s in structure if s.specie.symbol == "C")
    if any(
        n.nn_distance < reach[n.specie.symbol]
        for s in carbon
        for n in structure.get_neighbors(s, max(reach.values()))
        if n.specie.symbol in reach
    ):
        raise StructureError(
            f"{formula} holds carbon in C-C or C-H bonds, as molecules do, and valences are guessed for ions: write "
            "its host file by hand, with a role and a valence for each kind of atom"
        )


def _refuse_beyond(guess: Mapping[str, float], structure: Structure) -> None:
    """Refuse a guess by which a metal gives more electrons than it does in any compound.

    Raises
    ------
    StructureError
        Naming it and its highest oxidation state.
    """
    for symbol, valence in guess.items():
        most = max(Element(symbol).oxidation_states, default=0)
        if valence > most + _WHOLE and symbol not in ANIONS:
            raise StructureError(
                f"{structure.composition.reduced_formula} is not neutral: {symbol} would have to be {valence:.3g}+ and "
                f"is at most {most}+; {_CAUSE}"
            )


def _refuse_charge(amounts: Mapping[str, float], oxidised: Collection[str]) -> None:
    """Refuse an oxide or fluoride whose ions cannot be neutral, which no metal is either.

    Raises
    ------
    StructureError
        Naming the charge that is left, or the valence that an ion would need.
    """
    if not {"O", "F"} & amounts.keys():
        return
    known = single_valences(amounts, oxidised)
    left = -sum(n * known.get(el, 0.0) for el, n in amounts.items())
    open_ones = [el for el in amounts if el not in known]
    formula = Composition(amounts).reduced_formula
    if not open_ones and abs(left) > _WHOLE:
        ions = ", ".join(f"{el} {v:+g}" for el, v in known.items())
        raise StructureError(f"{formula} is not neutral: {ions} leave {-left:+.3g} e in the cell; {_CAUSE}")
    most = sum(amounts[el] * max(Element(el).oxidation_states, default=0) for el in open_ones)
    if open_ones and left > most + _WHOLE:
        atoms = " and ".join(sorted(open_ones))
        raise StructureError(
            f"{formula} is not neutral: {atoms} would have to give {left:.3g} electrons and can give {most:g}; {_CAUSE}"
        )


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
    if intercalated := in_dichalcogenide(amounts):
        return intercalated, "a 3d metal of 2+ between the layers of a dichalcogenide, whose metal has what is left"
    ordered = by_redox(amounts)
    words = "the 3d metals that are oxidised first give the electrons that the anions take"
    if ordered is not None and len(OPEN_METALS & amounts.keys()) > 1:
        return ordered, words
    if sum(Composition(structure.composition.reduced_formula).values()) > _MOST_ATOMS_FOR_GUESSES:
        balance = by_balance(amounts)
        if balance is not None:
            return balance, "one element takes what charge the others leave"
        whole = by_common_states(amounts, _sits_in_oxygen(structure))
        return (whole, "the most common valences that are neutral") if whole else (ordered, words)
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
    fitting = [g for g in guesses if _is_ionic(g) and all(g[el] > 0 for el in positive)]
    single = single_valences(structure.composition.get_el_amt_dict(), positive)
    fitting = [g for g in fitting if all(g[el] == v for el, v in single.items() if el in g)] or fitting
    # Two elements of mean valences are more than one crystal has: stannite is Cu+ Fe2+ Sn4+, and not Cu1.5+ Fe3+ Sn2+.
    whole = [g for g in fitting if all(abs(v - round(v)) < _WHOLE for v in g.values())]
    return next(({str(el): float(v) for el, v in guess.items()} for guess in whole or fitting), None)


def _is_ionic(guess: Mapping[str, float]) -> bool:
    """Whether a negative N has its full charge, and only d and f metals, whose electrons hop, a mean valence."""
    cations = [v for v in guess.values() if v > 0]
    if not cations or min(guess.values()) >= 0 or 0 in guess.values() or min(cations) < _IONIC_VALENCE - _WHOLE:
        return False
    partial = 0 > guess.get("N", 0) > _LOWEST_CHARGE["N"]
    for symbol, valence in guess.items():
        el = Element(symbol)
        hops = el.is_transition_metal or el.is_lanthanoid or el.is_actinoid
        if partial or (not hops and abs(valence - round(valence)) > _WHOLE):
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
        sums = _bond_sums(bare, groups, sum(values[i] for g in groups for i in g))
        if any((means[i] - means[j]) * (sums[i] - sums[j]) < 0 for i, j in pairs):
            means = _one_kind_whole(sums, [len(g) for g in groups]) or means
        for group, mean in zip(groups, means, strict=True):
            for i in group:
                out[i] = mean
    return None if abs(sum(out)) > _WHOLE * len(out) else out


def _bond_sums(structure: Structure, groups: list[list[int]], charge: float) -> list[float]:
    """Bond-valence sum of each kind of sites of one element, scaled so that all of them carry its charge.

    The parameters of O'Keeffe and Brese (10.1021/ja00009a002) hold for no valence in particular: only ratios are used.
    """
    raw = [
        float(calculate_bv_sum(structure[g[0]], structure.get_neighbors(structure[g[0]], _BOND_SUM_A)))  # type: ignore[no-untyped-call]
        for g in groups
    ]
    total = sum(len(g) * s for g, s in zip(groups, raw, strict=True))
    return [s * charge / total for s in raw] if total > 0 else raw


def _one_kind_whole(sums: list[float], counts: list[int]) -> list[float] | None:
    """One kind of sites with a whole valence and a mean one on all others, as near to the bond-valence sums as can be.

    Magnetite: the tetrahedra, with the larger sum, hold Fe3+, and the octahedra share what is left, 2.5+. None where no
    such choice leaves every site between the two whole valences around the mean.
    """
    charge, number = sum(n * s for n, s in zip(counts, sums, strict=True)), sum(counts)
    low = np.floor(charge / number)
    choices = []
    for kind, count in enumerate(counts):
        for whole in (low, low + 1):
            rest = (charge - count * whole) / (number - count) if number > count else low - 1
            if low <= rest <= low + 1:
                valences = [float(whole if k == kind else rest) for k in range(len(counts))]
                off = sum(n * (v - s) ** 2 for n, v, s in zip(counts, valences, sums, strict=True))
                choices.append((off, valences))
    return min(choices)[1] if choices else None


def _mean_bond_A(structure: Structure, index: int) -> float:
    """Mean length of the shortest bonds of a site, up to 1.25 times the shortest."""
    near = sorted(float(n.nn_distance) for n in structure.get_neighbors(structure[index], 4.0))
    return float(np.mean([d for d in near if d < 1.25 * near[0]])) if near else 0.0


def _metallic(structure: Structure, anions: tuple[str, ...]) -> GuessedValences:
    """Anions with their usual charge, the atoms bonded to them with what that takes, all others neutral.

    Raises
    ------
    StructureError
        If no atom is bonded to an anion, or one would have to give more electrons than it has to give.
    """
    bonded = _is_bonded(structure, anions)
    negative = sum(_LOWEST_CHARGE[s.specie.symbol] for s in structure if s.specie.symbol in anions)
    others = [i for i, s in enumerate(structure) if s.specie.symbol not in anions and bonded[i]]
    if not others:
        raise StructureError(f"no atom of the cell is bonded to {' or '.join(anions)}: check the structure file")
    # Ions of one valence keep it; the electrons that are left over come from the others.
    single = single_valences(dict.fromkeys((structure[i].specie.symbol for i in others), 1.0), ())
    fixed = {i: single[symbol] for i in others if (symbol := structure[i].specie.symbol) in single}
    open_ones = [i for i in others if i not in fixed] or others
    if len(open_ones) == len(others):
        fixed = {}
    share = (-negative - sum(fixed.values())) / len(open_ones)
    _refuse_beyond({structure[i].specie.symbol: share for i in open_ones}, structure)
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
