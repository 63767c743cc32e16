"""Formal valences guessed from the composition, from bond valences, or as those of a metal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from pymatgen.analysis.bond_valence import BVAnalyzer
from pymatgen.core import Composition, Element, Structure

from ..checks.geometry import StructureError, bonded_anions, coordination_number
from ..symmetry import orbits
from .anion_pairs import valences_in_pairs, valences_of_dumbbells
from .bond_sums import bond_sums
from .cyanides import cyanide_valences
from .hydrides import hydride_valences
from .lone_pairs import lone_pair_valences
from .nitrogen import nitrogen_valences
from .redox import (
    OPEN_METALS,
    by_balance,
    by_common_states,
    by_redox,
    in_dichalcogenide,
    in_double_perovskite,
    single_valences,
)
from .refusals import (
    ANIONS,
    CAUSE,
    MOST_ATOMS_FOR_GUESSES,
    STRONG,
    has_few_strong_anions,
    is_among_atoms,
    refuse_beyond,
    refuse_charge,
    refuse_molecules,
    refuse_semiconductor,
    sits_in_oxygen,
    why_unbonded,
)

_LOWEST_CHARGE = {"F": -1, "O": -2, "N": -3, "Cl": -1, "Br": -1, "S": -2, "I": -1, "Se": -2, "Te": -2, "P": -3}
_LOWEST_CHARGE |= {"As": -3, "C": -4, "H": -1}
_WHOLE = 1e-6
# pymatgen's search tries every assignment of a cell.
_MOST_ATOMS_FOR_BONDS = 120
# It takes 0.3 ms for each and stops there; the right ones of real crystals are among the first hundred.
_MOST_PERMUTATIONS = 3000
# Sites of one element whose bonds differ by less than this have one valence: its electrons hop between them.
_UNLIKE_BONDS_A = 0.05
# No cation of an ionic crystal has less: fewer electrons than anions take are those of a metal.
_IONIC_VALENCE = 1.0
# Copper and silver keep their tenth d electron in these: CuFe2S3 is Cu+ Fe2.5+, CuCr2Se4 Cu+ Cr3.5+ (general
# literature).
_COPPER_IS_ONE = {"S", "Se", "Te"}
# Valences of p metals in ionic crystals: Ge2Sb2Te5 is Ge2+ Sb3+, and not Ge4+ Sb+ (general literature).
_OF_P_METALS = {
    "Ga": (3,),
    "In": (1, 3),
    "Tl": (1, 3),
    "Ge": (2, 4),
    "Sn": (2, 4),
    "Pb": (2, 4),
    "Sb": (3, 5),
    "Bi": (3, 5),
}
# Lowest valence of an ion of these metals outside oxides: Ni3S2 and Co9S8 are metals.
_LATE_3D, _LOWEST_LATE = ("Mn", "Fe", "Co", "Ni"), 2.0


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
        refuse_semiconductor(structure)
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
    refuse_molecules(structure)
    if (parted := nitrogen_valences(structure)) is not None:
        anions = _main_first(list({el for el, v in zip(symbols, parted[0], strict=True) if v < 0}), structure)
        return GuessedValences(parted[0], anions, parted[1], metal=False, mixed={})
    guess, reason = _by_elements(structure)
    if guess is not None:
        anions = _main_first([el for el, v in guess.items() if v < 0], structure)
        refuse_beyond(guess, structure)
        if all(_is_bonded(structure, anions)) and not _is_subvalent(guess):
            return _ionic(structure, guess, anions, reason)
    if (parted := lone_pair_valences(structure, sits_in_oxygen(structure))) is not None:
        anions = _main_first(list({el for el, v in zip(symbols, parted[0], strict=True) if v < 0}), structure)
        if all(_is_bonded(structure, anions)):
            return GuessedValences(parted[0], anions, parted[1], metal=False, mixed={})
    refuse_charge({str(el): float(n) for el, n in structure.composition.items()}, sits_in_oxygen(structure))
    anions = tuple(el for el in present if Element(el).X >= Element("N").X or len(present) == 1) or (present[0],)
    if has_few_strong_anions(structure):
        anions = tuple(el for el in present if el != "H") or anions
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
    if pairs := valences_in_pairs(structure):
        return pairs
    if dumbbells := valences_of_dumbbells(structure):
        return dumbbells
    if shared := in_double_perovskite(amounts):
        return shared, "of a 3d and a heavier metal of a double perovskite the more easily oxidised one gives first"
    if hydride := hydride_valences(structure):
        return hydride, "hydrogen next to metals alone is H-; one metal takes the rest"
    if intercalated := in_dichalcogenide(amounts):
        return intercalated, "a 3d metal of 2+ between the layers of a dichalcogenide, whose metal has what is left"
    ordered = by_redox(amounts)
    words = "the 3d metals that are oxidised first give the electrons that the anions take"
    if ordered is not None and len(OPEN_METALS & amounts.keys()) > 1:
        return ordered, words
    if sum(Composition(structure.composition.reduced_formula).values()) > MOST_ATOMS_FOR_GUESSES:
        balance = by_balance(amounts, sits_in_oxygen(structure))
        if balance is not None:
            return balance, "one element takes what charge the others leave"
        whole = by_common_states(amounts, sits_in_oxygen(structure))
        return (whole, "the most common valences that are neutral") if whole else (ordered, words)
    usual = _by_composition(structure)
    if usual is None and ordered is not None:
        return ordered, words
    if usual is None and STRONG & amounts.keys():
        return _by_rest(amounts, sits_in_oxygen(structure))
    if usual is None and (rest := _by_rest(amounts, sits_in_oxygen(structure)))[0] and _is_closed(rest[0]):
        return rest
    return usual, "the most frequent neutral ions of this composition (pymatgen)"


def _is_closed(guess: Mapping[str, float]) -> bool:
    """Whether all valences are whole and leave no open d or f shell, so that not even a sulfide of them is a metal."""
    open_f = any(Element(el).is_lanthanoid or Element(el).is_actinoid for el in guess)
    d_counts = [Element(el).group - v for el, v in guess.items() if Element(el).is_transition_metal]
    return not open_f and all(v == round(v) for v in guess.values()) and all(n in (0, 10) for n in d_counts)


def _by_rest(amounts: Mapping[str, float], oxidised: Collection[str]) -> tuple[dict[str, float] | None, str]:
    """Valences that no statistics of compounds has: one element takes the rest, as Os5+ in Cd2Os2O7."""
    balance = by_balance(amounts, oxidised)
    if balance is not None and _is_ionic(balance):
        return balance, "one element takes what charge the others leave"
    whole = by_common_states(amounts, oxidised)
    return (whole if whole and _is_ionic(whole) else None), "the most common valences that are neutral"


def _by_composition(structure: Structure) -> dict[str, float] | None:
    reduced = Composition(structure.composition.reduced_formula)
    try:
        guesses = reduced.oxi_state_guesses()
    except (ValueError, KeyError):
        return None
    positive = sits_in_oxygen(structure)
    fitting = [g for g in guesses if _is_ionic(g) and all(g[el] > 0 for el in positive)]
    single = single_valences(structure.composition.get_el_amt_dict(), positive)
    fitting = [g for g in fitting if all(g[el] == v for el, v in single.items() if el in g)] or fitting
    # Two elements of mean valences are more than one crystal has: stannite is Cu+ Fe2+ Sn4+, and not Cu1.5+ Fe3+ Sn2+.
    if _COPPER_IS_ONE & {str(el) for el in reduced} and "O" not in reduced and "F" not in reduced:
        fitting = [g for g in fitting if all(g[el] == 1 for el in ("Cu", "Ag") if el in g)] or fitting
    usual = [g for g in fitting if all(g[el] in _OF_P_METALS[el] for el in _OF_P_METALS if g.get(el, -1) > 0)]
    fitting = usual or fitting
    whole = [g for g in fitting if all(abs(v - round(v)) < _WHOLE for v in g.values())]
    return next(({str(el): float(v) for el, v in guess.items()} for guess in whole or fitting), None)


def _is_ionic(guess: Mapping[str, float]) -> bool:
    """Whether a negative N has its full charge, and only d and f metals, whose electrons hop, a mean valence."""
    cations = [v for v in guess.values() if v > 0]
    if not cations or min(guess.values()) >= 0 or 0 in guess.values() or min(cations) < _IONIC_VALENCE - _WHOLE:
        return False
    if any(v < 0 and el not in ANIONS for el, v in guess.items()):
        return False
    partial = 0 > guess.get("N", 0) > _LOWEST_CHARGE["N"]
    for symbol, valence in guess.items():
        el = Element(symbol)
        hops = el.is_transition_metal or el.is_lanthanoid or el.is_actinoid
        if partial or (not hops and abs(valence - round(valence)) > _WHOLE):
            return False
    return True


def _is_subvalent(guess: Mapping[str, float]) -> bool:
    """Whether a late 3d metal has less charge than its ions have outside oxides and halides: d electrons bind it."""
    late = (v for el, v in guess.items() if el in _LATE_3D)
    return not STRONG & guess.keys() and min(late, default=_LOWEST_LATE) < _LOWEST_LATE - _WHOLE


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
        analyser = BVAnalyzer(max_permutations=_MOST_PERMUTATIONS)  # type: ignore[no-untyped-call]
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
        sums = bond_sums(bare, groups, sum(values[i] for g in groups for i in g))
        if any((means[i] - means[j]) * (sums[i] - sums[j]) < 0 for i, j in pairs):
            means = _one_kind_whole(sums, [len(g) for g in groups]) or means
        for group, mean in zip(groups, means, strict=True):
            for i in group:
                out[i] = mean
    return None if abs(sum(out)) > _WHOLE * len(out) else out


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
        raise StructureError(why_unbonded(structure, anions))
    lost = [i for i, is_bonded in enumerate(bonded) if not is_bonded and not is_among_atoms(structure, i)]
    if STRONG & set(anions) and lost:
        raise StructureError(why_unbonded(structure, anions, lost[0]))
    # Ions of one valence keep it; the electrons that are left over come from the others.
    single = single_valences(dict.fromkeys((structure[i].specie.symbol for i in others), 1.0), ())
    fixed = {i: single[symbol] for i in others if (symbol := structure[i].specie.symbol) in single}
    open_ones = [i for i in others if i not in fixed] or others
    if len(open_ones) == len(others):
        fixed = {}
    share = (-negative - sum(fixed.values())) / len(open_ones)
    # No atom takes electrons that the anions did not: HfZnN is no Hf4+ with Zn-.
    if share < 0:
        fixed, open_ones, share = {}, others, -negative / len(others)
    if STRONG & set(anions) and all(bonded) and len(fixed) > len(open_ones):
        atoms = ", ".join(sorted({structure[i].specie.symbol for i in open_ones}))
        raise StructureError(
            f"{structure.composition.reduced_formula} is not neutral with usual valences: {atoms} would have to be "
            f"{share:.3g}+ on the mean; {CAUSE}; or write their valences into the file (Fe3+)"
        )
    refuse_beyond({structure[i].specie.symbol: share for i in open_ones}, structure)
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
