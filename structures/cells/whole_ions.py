"""Whole numbers of ions in a cell for the shares of a crystal, neutral where that is known."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from ..elements import ANION_VALENCES, OXIDISED_VALENCES, only_valence

# So many ions may be exchanged for others until the cell is neutral.
_MOST_EXCHANGES = 6
_MOST_TRIED = 20000
_NO_CHARGE = 1e-6
# Refined occupancies miss a neutral composition by this share: Li6.6La3Zr2O12 stands for Li7.
_ROUNDED = 0.03


def whole_counts(shares: Mapping[str, float], places: int) -> dict[str, int]:
    """Whole ions by largest remainders, no more than there are places.

    Parameters
    ----------
    shares
        Occupancy of each element on one kind of places; what they lack to 1 is empty.
    places
        How many of them the cell has.
    """
    counts = {symbol: math.floor(share * places + 1e-9) for symbol, share in shares.items()}
    total = min(places, round(sum(shares.values()) * places))
    by_remainder = sorted(shares, key=lambda s: (counts[s] - shares[s] * places, s))
    for symbol in by_remainder[: total - sum(counts.values())]:
        counts[symbol] += 1
    return counts


def deviation(shares: Mapping[str, float], counts: Mapping[str, int], places: int) -> float:
    """Largest difference of an occupancy in whole ions from its share."""
    return max(abs(counts.get(symbol, 0) / places - share) for symbol, share in shares.items())


def neutral_counts(
    shares: Sequence[Mapping[str, float]],
    counts: Sequence[Mapping[str, int]],
    places: Sequence[int],
    others: Mapping[str, int],
) -> list[dict[str, int]]:
    """Counts that leave the cell neutral, by as few exchanges as possible of those that rounding gave.

    Parameters
    ----------
    shares, counts, places
        Of each kind of partially occupied places.
    others
        Ions of the cell by element that are on full places.

    Returns
    -------
    list
        As they are where an element has a mean valence, which then takes up what charge there is, where the shares
        are farther than 3 % from neutral, or no six exchanges make them so.
    """
    same = [dict(own) for own in counts]
    meant: dict[str, float] = {symbol: float(n) for symbol, n in others.items()}
    for own, n in zip(shares, places, strict=True):
        for symbol, share in own.items():
            meant[symbol] = meant.get(symbol, 0.0) + share * n
    known = _valences(meant)
    negative = -sum(known[el] * n for el, n in meant.items() if known.get(el, 0.0) < 0)
    if len(known) < len(meant) or not negative:
        return same
    off = sum(known[el] * n for own in (*counts, others) for el, n in own.items())
    if abs(off) < _NO_CHARGE or abs(sum(known[el] * n for el, n in meant.items())) > _ROUNDED * negative:
        return same
    moves = [(kind, a, b) for kind, own in enumerate(shares) for a, b in itertools.permutations([*own, ""], 2)]
    tried = 0
    for number in range(1, _MOST_EXCHANGES + 1):
        best: tuple[float, list[dict[str, int]]] | None = None
        for chosen in itertools.combinations_with_replacement(moves, number):
            tried += 1
            if tried > _MOST_TRIED:
                break
            change = sum(known.get(b, 0.0) - known.get(a, 0.0) for _, a, b in chosen)
            if abs(off + change) > _NO_CHARGE:
                continue
            new = _exchanged(same, chosen)
            if any(min(own.values()) < 0 or sum(own.values()) > n for own, n in zip(new, places, strict=True)):
                continue
            worst = max(deviation(s, c, n) for s, c, n in zip(shares, new, places, strict=True))
            if best is None or worst < best[0] - 1e-9:
                best = worst, new
        if best is not None:
            return best[1]
    return same


def _valences(amounts: Mapping[str, float]) -> dict[str, float]:
    """Valences of the elements that have a single one; of one other it is what the shares leave, if nearly whole.

    Beside oxygen or fluorine a non-metal that is no usual anion is oxidised: phosphates, silicates, borates.
    """
    oxidised = OXIDISED_VALENCES if {"O", "F"} & amounts.keys() else {}
    single = {el: ANION_VALENCES.get(el, oxidised.get(el, only_valence(el))) for el in amounts}
    out = {symbol: float(value) for symbol, value in single.items() if value is not None}
    rest = [symbol for symbol in amounts if symbol not in out]
    if len(rest) == 1:
        mean = -sum(out[el] * n for el, n in amounts.items() if el in out) / amounts[rest[0]]
        if mean >= 1 and abs(mean - round(mean)) <= _ROUNDED * mean:
            out[rest[0]] = float(round(mean))
    return out


def _exchanged(counts: Sequence[Mapping[str, int]], moves: Sequence[tuple[int, str, str]]) -> list[dict[str, int]]:
    out = [dict(own) for own in counts]
    for kind, a, b in moves:
        for symbol, step in ((a, -1), (b, 1)):
            if symbol:
                out[kind][symbol] += step
    return out
