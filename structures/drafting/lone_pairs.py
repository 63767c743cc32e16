"""Mixed valences of p metals: two valences apart by a lone pair, on sites of their own."""

from __future__ import annotations

import itertools

from pymatgen.core import Structure

from ..symmetry import orbits
from .bond_sums import bond_sums
from .redox import single_valences

# With and without the lone pair (general literature); Te and Se where oxygen oxidises them.
_WITH_AND_WITHOUT = {
    "Sn": (2, 4),
    "Pb": (2, 4),
    "Sb": (3, 5),
    "Bi": (3, 5),
    "Tl": (1, 3),
    "In": (1, 3),
    "Te": (4, 6),
    "Se": (4, 6),
}
_WHOLE = 1e-6
_MOST_KINDS = 12


def lone_pair_valences(structure: Structure, oxidised: set[str]) -> tuple[list[float], str] | None:
    """Valences by site where one p metal of two valences takes what charge the others leave.

    Pb3O4 holds two Pb2+ and one Pb4+, Sb2O4 Sb3+ and Sb5+: those with the larger bond-valence sums have lost the pair.

    Parameters
    ----------
    structure
        Elements on sites.
    oxidised
        Non-metals whose neighbours are oxygen or fluorine.

    Returns
    -------
    tuple or None
        e in site order, and words. None for anything else, or where no kinds of sites have the number that is
        asked for.
    """
    symbols = [s.specie.symbol for s in structure]
    amounts = {el: float(symbols.count(el)) for el in dict.fromkeys(symbols)}
    known = single_valences(amounts, oxidised)
    own = [el for el in amounts if el in _WITH_AND_WITHOUT and (el not in known or el in oxidised)]
    known = {el: v for el, v in known.items() if el not in own}
    if len(own) != 1 or len(known) + 1 != len(amounts) or min(known.values(), default=0.0) >= 0:
        return None
    metal = own[0]
    low, high = _WITH_AND_WITHOUT[metal]
    left = -sum(amounts[el] * v for el, v in known.items())
    without = (left - amounts[metal] * low) / (high - low)
    if abs(without - round(without)) > _WHOLE or not 0 < round(without) < amounts[metal]:
        return None
    bare = Structure(structure.lattice, symbols, structure.frac_coords)
    kinds = [group for group in orbits(bare) if symbols[group[0]] == metal]
    if len(kinds) > _MOST_KINDS:
        return None
    sums = bond_sums(bare, kinds, left)
    chosen = [
        picked
        for size in range(1, len(kinds))
        for picked in itertools.combinations(range(len(kinds)), size)
        if sum(len(kinds[k]) for k in picked) == round(without)
    ]
    if not chosen:
        return None
    best = max(chosen, key=lambda picked: sum(len(kinds[k]) * sums[k] for k in picked))
    out = [float(known.get(el, low)) for el in symbols]
    for k in best:
        for i in kinds[k]:
            out[i] = float(high)
    return (
        out,
        f"{metal}{low}+ and {metal}{high}+ on sites of their own: the larger bond-valence sums have no lone pair",
    )
