"""Nitrogen of nitrates, nitro groups, ammonia and ammonium in one crystal: its valence by what is bonded to it."""

from __future__ import annotations

from collections import Counter

from pymatgen.core import Element, Structure

from ..checks.geometry import StructureError
from .redox import single_valences

# N-O is 1.15 to 1.35 A, N-H 1.0, N-N 1.1 to 1.45, C-N up to 1.5 A long; a metal stands at 1.7 A or more.
_REACH_A = {"O": 1.45, "H": 1.2, "N": 1.5, "C": 1.55}
_METAL_A = 2.4
_BY_OXYGENS = {2: 3.0, 3: 5.0}
_AMMONIA = -3.0
_WHOLE = 1e-6


def nitrogen_valences(structure: Structure) -> tuple[list[float], str] | None:
    """Valences by site where N is bonded to O or H: 3+ in NO2, 5+ in NO3, 3- in NH3 and NH4.

    Parameters
    ----------
    structure
        Elements on sites.

    Returns
    -------
    tuple or None
        e in site order, and words. None where all N has one valence, or several elements besides are open.

    Raises
    ------
    StructureError
        For N in NO, in N-N bonds or in parts of such groups, whose charge no rule of ions gives.
    """
    symbols = [s.specie.symbol for s in structure]
    own: dict[int, float] = {}
    for i in (i for i, el in enumerate(symbols) if el == "N"):
        bonded = _bonded(structure, i)
        if not bonded["O"] and not bonded["N"]:
            if bonded["C"]:
                return None
            own[i] = _AMMONIA
        elif bonded["O"] in _BY_OXYGENS and not bonded["H"] and not bonded["N"] and not bonded["C"]:
            own[i] = _BY_OXYGENS[bonded["O"]]
        else:
            groups = "".join(f"{el}{n}" for el, n in sorted(bonded.items()) if n)
            raise StructureError(
                f"atom {i} (N) is bonded to {groups}, and valences are guessed for NO2, NO3, NH3 and NH4 alone: write "
                "its host file by hand, with a role and a valence for each kind of atom"
            )
    if len(set(own.values())) < 2:
        return None
    known = single_valences({el: 1.0 for el in dict.fromkeys(symbols) if el != "N"}, ())
    open_ones = {el for el in symbols if el not in known and el != "N"}
    if len(open_ones) != 1:
        return None
    metal = open_ones.pop()
    left = -sum(own.values()) - sum(known[el] for el in symbols if el in known and el != "N")
    share = left / symbols.count(metal)
    if not 1 <= share <= max(Element(metal).oxidation_states, default=0):
        return None
    values = [own[i] if el == "N" else share if el == metal else known[el] for i, el in enumerate(symbols)]
    return values, f"N is 3+ in NO2, 5+ in NO3 and 3- in NH3 and NH4; {metal} takes the rest"


def holds_nitro(structure: Structure, index: int) -> bool:
    """Whether the atom nearest to a metal is the nitrogen of a nitro group, whose field pairs the spins of d ions."""
    if not Element(structure[index].specie.symbol).is_transition_metal:
        return False
    near = min(structure.get_neighbors(structure[index], _METAL_A), key=lambda n: float(n.nn_distance), default=None)
    return near is not None and near.specie.symbol == "N" and _bonded(structure, near.index)["O"] == 2


def _bonded(structure: Structure, index: int) -> Counter[str]:
    near = structure.get_neighbors(structure[index], max(_REACH_A.values()))
    return Counter(str(n.specie.symbol) for n in near if n.nn_distance <= _REACH_A.get(n.specie.symbol, 0.0))
