"""Refusals of what no guess of valences can describe: molecules, charged cells, atoms without a bond."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pymatgen.core import Composition, Element, Structure

from ..checks.geometry import StructureError
from .redox import single_valences

# In the order in which they take electrons where several are there; hydrogen only without any other.
ANIONS = ("F", "O", "N", "Cl", "Br", "S", "I", "Se", "Te", "P", "As", "C", "H")
# pymatgen's guesses from a composition are combinations over all atoms of the reduced formula: minutes for Mg7Mn16S32.
MOST_ATOMS_FOR_GUESSES = 24
# Longest bond of phosphorus, sulfur or another non-metal to oxygen or fluorine; P-O is 1.54, Te-O 1.9 A.
_OXIDE_BOND_A = 2.1
# C-H is 1.1, C-C 1.34 to 1.54 A long.
_ORGANIC_BOND_A = {"H": 1.25, "C": 1.65}
# Their ionic compounds are no metals with a share of the charge for each atom.
STRONG = {"O", "F", "Cl", "Br", "I"}
CAUSE = "atoms are missing or doubled: hydrogens that the file leaves out, split sites, rounded occupancies"
_FAR_A, _METAL_BOND_A = 10.0, 3.6
# An oxide has an oxygen for two metal atoms at least (Na2O).
_FEW = 0.25
_WHOLE = 1e-6


def refuse_molecules(structure: Structure) -> None:
    """Refuse carbon in C-H bonds, in C-C bonds of a large cell, or in those beside oxygen that is not all around it.

    The valences of such carbon are no charges of ions; carbides and oxalates have one valence of it.

    Raises
    ------
    StructureError
        Which asks for a host file by hand.
    """
    formula = structure.composition.reduced_formula
    large = sum(Composition(formula).values()) > MOST_ATOMS_FOR_GUESSES
    mixed = structure.composition["O"] > 0 and "C" not in sits_in_oxygen(structure)
    reach = {"H": _ORGANIC_BOND_A["H"]} | ({"C": _ORGANIC_BOND_A["C"]} if large or mixed else {})
    carbon = (s for s in structure if s.specie.symbol == "C")
    if any(
        n.nn_distance < reach[n.specie.symbol]
        for s in carbon
        for n in structure.get_neighbors(s, max(reach.values()))
        if n.specie.symbol in reach
    ):
        raise StructureError(
            f"{formula} holds carbon in C-C or C-H bonds, as molecules do, and valences are guessed for ions: write "
            "its host file by hand, with a role and a valence for each kind of atom"
        )


def refuse_semiconductor(structure: Structure) -> None:
    """Refuse a cell of silicon, germanium or other half-metals alone, which is no metal and holds no ions.

    Raises
    ------
    StructureError
        Naming its elements.
    """
    if not any(el.is_metal for el in structure.composition.elements):
        raise StructureError(_no_metal([el.symbol for el in structure.composition.elements]))


def _no_metal(symbols: Collection[str]) -> str:
    return f"the cell holds {' and '.join(symbols)} alone, and no metal: there is nothing magnetic or ionic to study"


def refuse_beyond(guess: Mapping[str, float], structure: Structure) -> None:
    """Refuse a guess by which a metal gives more electrons than it does in any compound.

    Raises
    ------
    StructureError
        Naming it and its highest oxidation state.
    """
    for symbol, valence in guess.items():
        most = max(Element(symbol).oxidation_states, default=0)
        if valence > most + _WHOLE and symbol not in ANIONS:
            raise StructureError(
                f"{structure.composition.reduced_formula} is not neutral: {symbol} would have to be {valence:.3g}+ and "
                f"is at most {most}+; {CAUSE}"
            )


def refuse_charge(amounts: Mapping[str, float], oxidised: Collection[str]) -> None:
    """Refuse an oxide or halide whose ions cannot be neutral, which no metal is either.

    Raises
    ------
    StructureError
        Naming the charge that is left, or the valence that an ion would need.
    """
    if not STRONG & amounts.keys():
        return
    known = single_valences(amounts, oxidised)
    left = -sum(n * known.get(el, 0.0) for el, n in amounts.items())
    open_ones = [el for el in amounts if el not in known]
    formula = Composition(amounts).reduced_formula
    if abs(left) > _WHOLE and amounts.keys() <= set(ANIONS):
        raise StructureError(_no_metal(amounts))
    if not open_ones and abs(left) > _WHOLE:
        ions = ", ".join(f"{el} {v:+g}" for el, v in known.items())
        raise StructureError(f"{formula} is not neutral: {ions} leave {-left:+.3g} e in the cell; {CAUSE}")
    most = sum(amounts[el] * max(Element(el).oxidation_states, default=0) for el in open_ones)
    if open_ones and left > most + _WHOLE:
        atoms = " and ".join(sorted(open_ones))
        raise StructureError(
            f"{formula} is not neutral: {atoms} would have to give {round(left, 2):g} electrons and can give {most:g}; "
            f"{CAUSE}"
        )


def is_among_atoms(structure: Structure, index: int) -> bool:
    """Whether a metal atom has others as near as those of a metal are to each other."""
    near = structure.get_neighbors(structure[index], _METAL_BOND_A)
    return bool(Element(structure[index].specie.symbol).is_metal) and any(
        Element(n.specie.symbol).is_metal for n in near
    )


def has_few_strong_anions(structure: Structure) -> bool:
    """Whether oxygen or halogens are so few beside the metal atoms that they stand on a surface or in a void."""
    strong = sum(s.specie.symbol in STRONG for s in structure)
    return strong < _FEW * sum(bool(Element(s.specie.symbol).is_metal) for s in structure)


def why_unbonded(structure: Structure, anions: tuple[str, ...], index: int | None = None) -> str:
    """Words for atoms without an anion at a bond length: all of them, or one of a crystal of ions."""
    words = " or ".join(anions)
    cations = [i for i, s in enumerate(structure) if s.specie.symbol not in anions]
    if not cations:
        return _no_metal(anions)
    one = cations[0] if index is None else index
    near = min(
        (float(n.nn_distance) for n in structure.get_neighbors(structure[one], _FAR_A) if n.specie.symbol in anions),
        default=None,
    )
    nearest = "farther than 10 A" if near is None else f"at {near:.2f} A"
    who = "no atom of the cell" if index is None else f"atom {one} ({structure[one].specie.symbol}) has no bond, and"
    return (
        f"no atom of the cell is bonded to {words}, the nearest to {structure[one].specie.symbol} stands {nearest}: "
        if index is None
        else f"{who} its nearest {words} stands {nearest}: "
    ) + "check the lengths (Bohr for A), the coordinates and the space-group setting"


def sits_in_oxygen(structure: Structure) -> set[str]:
    """Elements other than O and F of which every atom's nearest neighbour is one of these, at a bond length."""
    elements = set()
    for symbol in {s.specie.symbol for s in structure} - {"O", "F", "H"}:
        if symbol not in ANIONS:
            continue
        inside = []
        for site in (s for s in structure if s.specie.symbol == symbol):
            near = min(structure.get_neighbors(site, _OXIDE_BOND_A), key=lambda n: float(n.nn_distance), default=None)
            inside.append(near is not None and near.specie.symbol in ("O", "F"))
        if all(inside):
            elements.add(symbol)
    return elements
