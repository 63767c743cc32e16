"""Hydrogen that is an anion beside oxygen: oxyhydrides such as BaTiO2.5H0.5 and SrVO2H."""

from __future__ import annotations

from pymatgen.core import Element, Structure

from .redox import single_valences

# Metal to hydride is 1.7 to 2.6 A long, O-H at most 1.2 A, a hydrogen bond 1.5 to 2.2 A.
_REACH_A = 2.7


def hydride_valences(structure: Structure) -> dict[str, float] | None:
    """Valences by element of an oxide whose hydrogens all have metals as nearest neighbours, with H 1-.

    Parameters
    ----------
    structure
        Elements on sites.

    Returns
    -------
    dict or None
        By element, a mean valence for the one d or f metal that is open. None for anything else.
    """
    symbols = [s.specie.symbol for s in structure]
    if not {"O", "H"} <= set(symbols):
        return None
    for i, symbol in enumerate(symbols):
        if symbol == "H":
            near = structure.get_neighbors(structure[i], _REACH_A)
            nearest = min(near, key=lambda n: float(n.nn_distance), default=None)
            if nearest is None or not Element(nearest.specie.symbol).is_metal:
                return None
    amounts = {el: float(symbols.count(el)) for el in dict.fromkeys(symbols)}
    known = {**single_valences(amounts, ()), "H": -1.0}
    open_ones = [el for el in amounts if el not in known]
    left = -sum(n * known[el] for el, n in amounts.items() if el in known)
    if len(open_ones) != 1:
        return None
    share = left / amounts[open_ones[0]]
    most = max(Element(open_ones[0]).oxidation_states, default=0)
    return {**known, open_ones[0]: share} if 1 <= share <= most else None
