"""Valences of cyanides, Prussian blue and its analogues: CN is one ion of charge 1-, with a metal at each end."""

from __future__ import annotations

import math

from pymatgen.core import Element, Structure

from .redox import by_common_states

# C-N of a cyanide is 1.13 to 1.18 A long; 1.27 and 1.47 A are a double and a single bond of molecules.
_CYANIDE_A = (1.05, 1.22)
# Metal to carbon is 1.85 to 2.1 A, and to nitrogen 1.9 to 2.3 A, with the other end a bond farther.
_METAL_END_A = 2.5
# Stands for the ion: an anion of one charge.
_ION = "Cl"


def cyanide_valences(structure: Structure) -> list[float] | None:
    """Valences by site of a crystal whose carbon and nitrogen are all in cyanide ions.

    Half a charge stands on each end. Of an element of mean valence the ions with carbon around them keep the lower one,
    as in Prussian blue: Fe2+ in carbon, Fe3+ in nitrogen.

    Parameters
    ----------
    structure
        Elements on sites.

    Returns
    -------
    list or None
        e, in site order; None where other carbon or nitrogen is there, or no usual valences are neutral.
    """
    symbols = [s.specie.symbol for s in structure]
    ends = {"C": "N", "N": "C"}
    if not ends.keys() <= set(symbols) or _ION in symbols:
        return None
    for i, symbol in enumerate(symbols):
        if symbol in ends:
            near = structure.get_neighbors(structure[i], _CYANIDE_A[1])
            if [n.specie.symbol for n in near] != [ends[symbol]] or near[0].nn_distance < _CYANIDE_A[0]:
                return None
    amounts = {el: float(symbols.count(el)) for el in dict.fromkeys(symbols) if el not in ends}
    valences = by_common_states({**amounts, _ION: float(symbols.count("C"))}, {})
    if valences is None:
        return None
    out = [-0.5 if symbol in ends else valences[symbol] for symbol in symbols]
    for element in (el for el in amounts if abs(valences[el] - round(valences[el])) > 1e-6):
        inner = [i for i, el in enumerate(symbols) if el == element and holds_carbon(structure, i)]
        outer = [i for i, el in enumerate(symbols) if el == element and i not in inner]
        low = math.floor(valences[element])
        rest = (valences[element] * amounts[element] - low * len(inner)) / len(outer) if outer else -1.0
        if inner and low <= rest <= low + 1:
            for i in (*inner, *outer):
                out[i] = float(low) if i in inner else rest
    return out


def holds_carbon(structure: Structure, index: int) -> bool:
    """Whether the nearest neighbour of a metal is carbon, whose field pairs the spins of d ions."""
    if not Element(structure[index].specie.symbol).is_metal:
        return False
    near = structure.get_neighbors(structure[index], _METAL_END_A)
    return bool(near) and str(min(near, key=lambda n: float(n.nn_distance)).specie.symbol) == "C"
