"""Hydrogens of hydroxides that a CIF has in its formula and leaves out of its atoms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pymatgen.analysis.bond_valence import BV_PARAMS
from pymatgen.core import Composition, Element, Structure

# Width of the exponential and radii: Brown and Altermatt, 10.1107/S0108768185002063, O'Keeffe and Brese,
# 10.1021/ja00009a002. They hold for no valence in particular, so that only ratios are used.
_WIDTH_A, _REACH_A = 0.37, 3.2
# Without its hydrogen a hydroxide ion has half the bonds of an oxide ion, a water molecule a fifth or less.
_MOST_OF_OXIDE, _LEAST_OF_OXIDE = 0.72, 0.3
_BOND_A, _NEAREST_A = 0.97, 1.3
# Length of the sum of the bonds as vectors, as a share of the sum: shorter ones point nowhere.
_LEAST_ARM = 0.2
_RATIO = 0.05
_NEGATIVE = ("O", "F", "Cl", "Br", "I")


def with_hydrogens_of_hydroxides(structure: Structure, formula: Composition) -> tuple[Structure, str] | None:
    """The cell with one hydrogen on each hydroxide ion, 0.97 A from its oxygen and away from the metals around it.

    Parameters
    ----------
    structure
        Ordered, without hydrogen.
    formula
        Of the file, with hydrogen.

    Returns
    -------
    tuple or None
        Structure, with the hydrogens last, and words. None where the formula has another ratio of the other elements,
        where the oxygens with the weakest bonds do not stand apart or are those of water, or where a hydrogen would
        stand within 1.3 A of another atom.
    """
    missing = _missing(structure, formula) if structure.is_ordered else 0
    oxygens = [i for i, s in enumerate(structure) if s.specie.symbol == "O"] if missing else []
    if not 0 < missing <= len(oxygens):
        return None
    bonds = {i: _bonds(structure, i) for i in oxygens}
    ordered = sorted(oxygens, key=lambda i: bonds[i][0])
    own, rest = ordered[:missing], ordered[missing:]
    # All of a hydroxide's oxygens are alike.
    usual = float(np.mean([bonds[i][0] for i in rest])) if rest else bonds[own[-1]][0] / _MOST_OF_OXIDE
    if bonds[own[-1]][0] > _MOST_OF_OXIDE * usual or bonds[own[0]][0] < _LEAST_OF_OXIDE * usual:
        return None
    out = structure.copy()
    moments = structure.site_properties.get("magmom", [])
    still = {"magmom": [0.0] * 3 if np.ndim(moments[0]) else 0.0} if len(moments) else {}
    for i in own:
        total, arm = bonds[i]
        length = float(np.linalg.norm(arm))
        place = structure[i].coords - _BOND_A * arm / max(length, _LEAST_ARM)
        if length < _LEAST_ARM * total or len(out.get_sites_in_sphere(place, _NEAREST_A)) != 1:
            return None
        out.append("H", place, coords_are_cartesian=True, properties=still)
    words = (
        f"{missing} hydrogens of its formula are not among its atoms: each was put on an oxygen with weak bonds, as "
        f"those of hydroxides, {_BOND_A} A from it and away from the metals"
    )
    return out, words


def _missing(structure: Structure, formula: Composition) -> int:
    """Hydrogens of the cell by the file's formula; 0 where that one has other elements in another ratio."""
    stated = {str(el): float(n) for el, n in formula.element_composition.items()}
    hydrogens = stated.pop("H", 0.0) + stated.pop("D", 0.0)
    own = {str(el): float(n) for el, n in structure.composition.element_composition.items()}
    if not stated or stated.keys() != own.keys():
        return 0
    times = [own[el] / stated[el] for el in stated]
    return round(hydrogens * sum(times) / len(times)) if max(times) <= (1 + _RATIO) * min(times) else 0


def _bonds(structure: Structure, index: int) -> tuple[float, NDArray[np.float64]]:
    """Sum of an oxygen's bond valences, and that of its bonds as vectors towards the cations."""
    total, arm = 0.0, np.zeros(3)
    one = BV_PARAMS[Element("O")]
    for n in structure.get_neighbors(structure[index], _REACH_A):
        element = Element(n.specie.symbol)
        if n.specie.symbol in _NEGATIVE or element not in BV_PARAMS:
            continue
        other = BV_PARAMS[element]
        unlike = (np.sqrt(one["c"]) - np.sqrt(other["c"])) ** 2
        bond_A = (
            one["r"] + other["r"] - one["r"] * other["r"] * unlike / (one["c"] * one["r"] + other["c"] * other["r"])
        )
        strength = float(np.exp((bond_A - n.nn_distance) / _WIDTH_A))
        total += strength
        arm += strength * (n.coords - structure[index].coords) / n.nn_distance
    return total, arm
