"""Valences of several 3d metals in one oxide: which of them gives its electrons first."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from pymatgen.core import Element

from ..elements import OXIDATION_STEPS

_LOWEST = {symbol: min(v for _, v in steps) for symbol, steps in groupby(sorted(OXIDATION_STEPS), key=lambda s: s[0])}
OPEN_METALS = frozenset(_LOWEST)
# Of non-metals whose neighbours are oxygen or fluorine.
_OXIDISED = {"P": 5, "As": 5, "S": 6, "C": 4, "N": 5, "Si": 4, "Ge": 4, "B": 3, "H": 1}
_FULL_CHARGE = {"O": -2, "F": -1}
_ANIONS = {"O": -2, "F": -1, "N": -3, "S": -2, "Se": -2, "Te": -2, "Cl": -1, "Br": -1, "I": -1}
_WHOLE = 1e-6


def only_valence(symbol: str) -> int | None:
    """The valence of an element that has one in compounds: alkali, alkaline earth and rare earth metals."""
    el = Element(symbol)
    states = el.common_oxidation_states
    return int(states[0]) if len(states) == 1 and not (el.is_transition_metal and el.row == 4) else None


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
        own = _FULL_CHARGE.get(symbol, _OXIDISED.get(symbol))
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


def by_balance(amounts: Mapping[str, float]) -> dict[str, float] | None:
    """Valences where one element alone is open: it takes what charge the others leave.

    Parameters
    ----------
    amounts
        Atoms by element.

    Returns
    -------
    dict or None
        By element. None if none or several are open, or what is left lies outside the element's valences.
    """
    known = {el: _ANIONS.get(el, only_valence(el)) for el in amounts}
    open_ones = [el for el, v in known.items() if v is None]
    if len(open_ones) != 1 or not _ANIONS.keys() & amounts.keys():
        return None
    symbol = open_ones[0]
    left = -sum(n * float(v) for el, n in amounts.items() if (v := known[el]) is not None) / amounts[symbol]
    states = [v for v in Element(symbol).oxidation_states if v > 0]
    if not states or not min(states) - _WHOLE <= left <= max(states) + _WHOLE:
        return None
    return {el: float(v) if v is not None else left for el, v in known.items()}
