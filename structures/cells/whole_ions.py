"""Whole numbers of ions in a cell for the shares of a crystal, neutral where that is known."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from ..elements import ANION_VALENCES, only_valence

# So many ions may be exchanged for others until the cell is neutral.
_MOST_EXCHANGES = 3
_MOST_TRIED = 20000
_NO_CHARGE = 1e-6


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
        As they are where an element has no single valence, which then takes up what charge there is, where the shares
        themselves are not neutral, or no three exchanges make them so.
    """
    same = [dict(own) for own in counts]
    elements = {symbol for own in shares for symbol in own} | set(others)
    charge = {symbol: _charge(symbol) for symbol in elements}
    if None in charge.values() or not any((charge[el] or 0) < 0 for el in elements):
        return same
    known = {symbol: float(value or 0) for symbol, value in charge.items()}
    fixed = sum(known[el] * n for el, n in others.items())
    meant = fixed + sum(known[el] * s * n for own, n in zip(shares, places, strict=True) for el, s in own.items())
    off = fixed + sum(known[el] * n for own in counts for el, n in own.items())
    # Shares are written with two or three digits, so a neutral crystal may miss by some hundredths of an ion.
    if abs(off) < _NO_CHARGE or abs(meant) > 0.5:
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


def _charge(symbol: str) -> int | None:
    return ANION_VALENCES.get(symbol, only_valence(symbol))


def _exchanged(counts: Sequence[Mapping[str, int]], moves: Sequence[tuple[int, str, str]]) -> list[dict[str, int]]:
    out = [dict(own) for own in counts]
    for kind, a, b in moves:
        for symbol, step in ((a, -1), (b, 1)):
            if symbol:
                out[kind][symbol] += step
    return out
