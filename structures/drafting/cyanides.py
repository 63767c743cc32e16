"""Valences of cyanides, Prussian blue and its analogues: CN is one ion of charge 1-, with a metal at each end."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pymatgen.core import Element, Structure

from ..checks.geometry import StructureError
from .redox import by_common_states, single_valences

# C-N of a cyanide is 1.13 to 1.18 A long; 1.27 and 1.47 A are a double and a single bond of molecules.
_CYANIDE_A = (1.05, 1.22)
# Metal to carbon is 1.85 to 2.1 A, and to nitrogen 1.9 to 2.3 A, with the other end a bond farther.
_METAL_END_A = 2.5
# Of metals in carbon that have one valence there, or nearly always one: hexacyanochromate and -cobaltate are 3-.
_IN_CARBON = {"Cr": 3, "Co": 3}
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
        e, in site order; None where other carbon or nitrogen is there.

    Raises
    ------
    StructureError
        If no valences of the metals are neutral with CN of charge 1-, with what they would have to give.
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
    ions = {**amounts, _ION: float(symbols.count("C"))}
    valences = _with_usual_centres(structure, ions) or by_common_states(ions, {})
    centres = {symbols[i] for i in range(len(symbols)) if symbols[i] in _IN_CARBON and holds_carbon(structure, i)}
    if valences is None or any(valences[el] != _IN_CARBON[el] for el in centres):
        raise StructureError(_why_not_neutral(ions))
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


def _with_usual_centres(structure: Structure, ions: Mapping[str, float]) -> dict[str, float] | None:
    """Valences where metals in carbon have their usual ones, and one other takes the rest, as V in V[Cr(CN)6]."""
    known = single_valences(ions, {})
    inner = {
        s.specie.symbol for i, s in enumerate(structure) if s.specie.symbol in _IN_CARBON and holds_carbon(structure, i)
    }
    known |= {el: float(_IN_CARBON[el]) for el in inner}
    open_ones = [el for el in ions if el not in known]
    left = -sum(n * known[el] for el, n in ions.items() if el in known)
    if not inner:
        return None
    if not open_ones:
        return known if abs(left) < 1e-6 else None
    states = [v for v in Element(open_ones[0]).oxidation_states if v > 1]
    share = left / ions[open_ones[0]]
    if len(open_ones) > 1 or not states or not min(states) <= share <= max(states):
        return None
    return {**known, open_ones[0]: share}


def _why_not_neutral(ions: Mapping[str, float]) -> str:
    metals = [el for el in ions if Element(el).is_metal]
    known = {el: v for el, v in single_valences(ions, {}).items() if el not in metals or Element(el).is_alkali}
    left = -sum(n * known[el] for el, n in ions.items() if el in known)
    rest = " and ".join(el for el in metals if el not in known) or "no metal"
    return (
        f"a cyanide whose charge no usual valences meet: with CN 1-, {rest} would have to give {round(left, 2):g} "
        "electrons in the cell; ions in its cavities or hydrogens of its water are missing, or write valences into "
        "the file (Cr3+) or a host file by hand"
    )


def holds_carbon(structure: Structure, index: int) -> bool:
    """Whether the nearest neighbour of a metal is carbon, whose field pairs the spins of d ions."""
    if not Element(structure[index].specie.symbol).is_metal:
        return False
    near = structure.get_neighbors(structure[index], _METAL_END_A)
    return bool(near) and str(min(near, key=lambda n: float(n.nn_distance)).specie.symbol) == "C"
