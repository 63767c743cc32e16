"""Valences of several 3d metals in one oxide: which of them gives its electrons first."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping
from itertools import groupby

from pymatgen.core import Element

from ..elements import ANION_VALENCES, OXIDATION_STEPS, OXIDISED_VALENCES, only_valence

_LOWEST = {symbol: min(v for _, v in steps) for symbol, steps in groupby(sorted(OXIDATION_STEPS), key=lambda s: s[0])}
OPEN_METALS = frozenset(_LOWEST)
_FULL_CHARGE = {"O": -2, "F": -1}
_WHOLE = 1e-6
_MOST_SETS = 5000
# Metals of double perovskites with their lowest valences, and which is oxidised before which.
_DOUBLE_3D = {"Cr": 3, "Mn": 2, "Fe": 2, "Co": 2, "Ni": 2, "Cu": 2}
_DOUBLE_HEAVY = ("Mo", "W", "Re", "Ru", "Os", "Ir")
_DOUBLE_STEPS = (
    ("W", 4), ("Mo", 4), ("Re", 4), ("Os", 4), ("W", 5), ("Fe", 2), ("Mo", 5), ("Ru", 4), ("Ir", 4), ("Re", 5),
    ("Os", 5), ("Co", 2), ("Mn", 2), ("Ru", 5), ("Ir", 5),
)  # fmt: skip
_SHARED = {("Mn", "Ru"), ("Mn", "Ir")}
# Of the 4d and 5d metals with one common valence those that have others in oxides.
_SEVERAL = frozenset(("Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au"))


def by_redox(amounts: Mapping[str, float]) -> dict[str, float] | None:
    """Valences by which the easiest ions are oxidised until the charge of oxygen and fluorine is met.

    Parameters
    ----------
    amounts
        Atoms by element, of any number of formula units.

    Returns
    -------
    dict or None
        By element, a mean valence where a step is met in part. None without oxygen or fluorine, with an element whose
        valence is not known by itself, or if no valences between the lowest and the highest are neutral.
    """
    if not _FULL_CHARGE.keys() & amounts.keys():
        return None
    valences: dict[str, float] = {}
    for symbol in amounts:
        own = _FULL_CHARGE.get(symbol, OXIDISED_VALENCES.get(symbol))
        valence = own if own is not None else _LOWEST.get(symbol, only_valence(symbol))
        if valence is None:
            return None
        valences[symbol] = float(valence)
    missing = -sum(n * valences[el] for el, n in amounts.items())
    for symbol, before in OXIDATION_STEPS:
        if symbol in amounts and missing > _WHOLE:
            share = min(1.0, missing / amounts[symbol])
            valences[symbol] = before + share
            missing -= share * amounts[symbol]
    open_ones = OPEN_METALS & amounts.keys()
    return valences if open_ones and abs(missing) < _WHOLE * sum(amounts.values()) else None


def by_balance(amounts: Mapping[str, float], oxidised: Collection[str] = ()) -> dict[str, float] | None:
    """Valences where one element alone is open: it takes what charge the others leave.

    Parameters
    ----------
    amounts
        Atoms by element.
    oxidised
        Non-metals whose neighbours are oxygen or fluorine.

    Returns
    -------
    dict or None
        By element. None if none or several are open, or what is left lies outside the element's valences.
    """
    known = {el: None if el in _SEVERAL else ANION_VALENCES.get(el, only_valence(el)) for el in amounts}
    known |= {el: OXIDISED_VALENCES.get(el) for el in oxidised}
    open_ones = [el for el, v in known.items() if v is None]
    if len(open_ones) != 1 or not ANION_VALENCES.keys() & amounts.keys():
        return None
    symbol = open_ones[0]
    left = -sum(n * float(v) for el, n in amounts.items() if (v := known[el]) is not None) / amounts[symbol]
    states = [v for v in Element(symbol).oxidation_states if v > 0]
    if not states or not min(states) - _WHOLE <= left <= max(states) + _WHOLE:
        return None
    # Electrons hop between d and f ions alone: silicon of 3.97+ is a sum of rounded occupancies.
    hops = Element(symbol).is_transition_metal or Element(symbol).is_lanthanoid or Element(symbol).is_actinoid
    if not hops and abs(left - round(left)) > _WHOLE:
        return None
    return {el: float(v) if v is not None else left for el, v in known.items()}


def in_double_perovskite(amounts: Mapping[str, float]) -> dict[str, float] | None:
    """Valences of a 3d and a 4d or 5d metal that share the octahedra of a perovskite, one of each.

    The one that is oxidised more easily gives first: Fe2+ W6+, Fe3+ Mo5+, Cr3+ W5+, Co2+ Os6+, Fe3+ Os5+, Co3+ Ir5+,
    Ni2+ Ir6+ are known (review: Vasala and Karppinen, 10.1016/j.progsolidstchem.2014.08.001).

    Parameters
    ----------
    amounts
        Atoms by element.

    Returns
    -------
    dict or None
        By element; None for anything else, with another anion, or for Mn beside Ru or Ir, which share their electrons.
    """
    light = [el for el in _DOUBLE_3D if el in amounts]
    heavy = [el for el in _DOUBLE_HEAVY if el in amounts]
    others = {el: only_valence(el) for el in amounts if el not in (*light, *heavy, "O")}
    if len(light) != 1 or len(heavy) != 1 or not others or None in others.values():
        return None
    if (light[0], heavy[0]) in _SHARED or amounts[light[0]] != amounts[heavy[0]]:
        return None
    inside = 2 * amounts[light[0]]
    if amounts.get("O") != 3 * inside or sum(amounts[el] for el in others) != inside:
        return None
    valences = {light[0]: float(_DOUBLE_3D[light[0]]), heavy[0]: 4.0}
    missing = (6 * inside - sum(amounts[el] * v for el, v in others.items() if v)) / amounts[light[0]]
    missing -= sum(valences.values())
    if missing < -_WHOLE:
        return None
    for symbol, before in _DOUBLE_STEPS:
        if missing > _WHOLE and valences.get(symbol) == before:
            valences[symbol] = before + min(1.0, missing)
            missing -= valences[symbol] - before
    known = {el: float(v) for el, v in others.items() if v is not None}
    return {**known, **valences, "O": -2.0} if abs(missing) < _WHOLE else None


def single_valences(amounts: Mapping[str, float], oxidised: Collection[str]) -> dict[str, float]:
    """Valences of those elements of a compound that can have one only.

    Parameters
    ----------
    amounts
        Atoms by element.
    oxidised
        Non-metals whose neighbours are oxygen or fluorine: they are cations.
    """
    out: dict[str, float] = {}
    for symbol in amounts:
        as_anion = None if symbol in oxidised else ANION_VALENCES.get(symbol)
        own = OXIDISED_VALENCES.get(symbol) if symbol in oxidised or symbol in ("B", "Si", "H") else as_anion
        own = only_valence(symbol) if own is None and symbol not in _SEVERAL else own
        if own is not None:
            out[symbol] = float(own)
    return out


def in_dichalcogenide(amounts: Mapping[str, float]) -> dict[str, float] | None:
    """Valences of a 3d metal between the layers of NbS2, NbSe2, TaS2 or TaSe2: it is 2+, and Nb or Ta has what is left.

    Mn(1/3)NbS2, Fe(1/3)NbS2 and Co(1/3)NbS2 hold ions of high spin 2+ (general literature).

    Parameters
    ----------
    amounts
        Atoms by element.

    Returns
    -------
    dict or None
        By element; None for anything else, or where Nb or Ta would be below 3+ or above 4+.
    """
    layer = [el for el in ("Nb", "Ta") if el in amounts]
    anion = [el for el in ("S", "Se") if el in amounts]
    between = [el for el in ("Mn", "Fe", "Co", "Ni") if el in amounts]
    if not (len(layer) == len(anion) == len(between) == 1 and len(amounts) == 3):
        return None
    left = (2 * amounts[anion[0]] - 2 * amounts[between[0]]) / amounts[layer[0]]
    if not 3 - _WHOLE <= left <= 4 + _WHOLE:
        return None
    return {between[0]: 2.0, layer[0]: float(left), anion[0]: -2.0}


def by_common_states(amounts: Mapping[str, float], oxidised: Collection[str]) -> dict[str, float] | None:
    """The most common valences, one for each element, that are neutral together; else one d or f metal has a mean one.

    Parameters
    ----------
    amounts, oxidised
        As of `single_valences`.

    Returns
    -------
    dict or None
        By element; None where no such set is neutral.
    """
    known = single_valences(amounts, oxidised)
    open_ones = [el for el in amounts if el not in known]
    states = {el: [v for v in Element(el).common_oxidation_states if v > 0] for el in open_ones}
    if not {el for el, v in known.items() if v < 0} or math.prod(len(s) for s in states.values()) > _MOST_SETS:
        return None
    left = -sum(n * known[el] for el, n in amounts.items() if el in known)
    ranked = sorted(
        itertools.product(*(enumerate(states[el]) for el in open_ones)), key=lambda chosen: sum(n for n, _ in chosen)
    )
    for chosen in ranked:
        valences = {el: float(v) for el, (_, v) in zip(open_ones, chosen, strict=True)}
        if abs(sum(amounts[el] * v for el, v in valences.items()) - left) < _WHOLE:
            return known | valences
    metals = [el for el in open_ones if Element(el).is_transition_metal or Element(el).is_lanthanoid]
    for mean, chosen in itertools.product(metals, ranked):
        valences = {el: float(v) for el, (_, v) in zip(open_ones, chosen, strict=True) if el != mean}
        share = (left - sum(amounts[el] * v for el, v in valences.items())) / amounts[mean]
        if states[mean] and min(states[mean]) <= share <= max(states[mean]):
            return known | valences | {mean: share}
    return None
