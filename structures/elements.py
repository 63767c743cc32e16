"""The one table of elements: what the package knows of each beyond pymatgen's periodic table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pymatgen.core import Element


@dataclass(frozen=True)
class ElementData:
    """One element in oxides.

    Attributes
    ----------
    valence
        Formal valence from which a cell of mean valences starts, e.
    valences
        Formal valences of a 3d ion in oxides, the usual ones first to last; none where they do not change.
    low_spin
        Valence whose octahedral low-spin state lies low enough to be tried beside the high-spin one, if any.
    pbe_U_eV
        The Materials Project's U for PBE, fitted to enthalpies of oxidation (10.1103/PhysRevB.84.045115); 0 without.
    free_atom_moment_muB
        By Hund's rules, s electrons counted (Cr 3d5 4s1, Cu 3d10 4s1); None where nothing needs it.
    metal_moment_muB
        Measured moment of the ferromagnetic metal, from which its calculation starts; 0 without.
    colour
        What the viewer of reports calls the element's colour; empty where it is not named.
    """

    valence: float | None = None
    valences: tuple[int, ...] = ()
    low_spin: int | None = None
    pbe_U_eV: float = 0.0
    free_atom_moment_muB: float | None = None
    metal_moment_muB: float = 0.0
    colour: str = ""


ELEMENTS: Mapping[str, ElementData] = {
    "Li": ElementData(valence=1.0, colour="violet"),
    "O": ElementData(valence=-2.0, colour="red"),
    "Mg": ElementData(valence=2.0, colour="yellow-green"),
    "Cr": ElementData(free_atom_moment_muB=6.0),
    "Mn": ElementData(valence=2.0, valences=(2, 3, 4), free_atom_moment_muB=5.0, colour="lilac"),
    "Fe": ElementData(
        valence=3.0, valences=(2, 3, 4), pbe_U_eV=5.3, free_atom_moment_muB=4.0, metal_moment_muB=2.2, colour="brown"
    ),
    "Co": ElementData(
        valence=2.0,
        valences=(2, 3, 4),
        low_spin=3,
        pbe_U_eV=3.32,
        free_atom_moment_muB=3.0,
        metal_moment_muB=1.7,
        colour="pink",
    ),
    "Ni": ElementData(
        valence=2.0,
        valences=(2, 3, 4),
        low_spin=3,
        pbe_U_eV=6.2,
        free_atom_moment_muB=2.0,
        metal_moment_muB=0.6,
        colour="light green",
    ),
    "Cu": ElementData(free_atom_moment_muB=1.0),
    "Zn": ElementData(valence=2.0, colour="slate blue"),
}
_NOTHING = ElementData()


def element(symbol: str) -> ElementData:
    """Entry of an element; empty for one that the table does not have."""
    return ELEMENTS.get(symbol, _NOTHING)


def pbe_hubbard_U_eV(*symbols: str) -> dict[str, float]:
    """The Materials Project's U for PBE of these elements (of all that have one by default), in eV."""
    return {s: element(s).pbe_U_eV for s in symbols or ELEMENTS if element(s).pbe_U_eV}


def hubbard_shell(symbol: str) -> int:
    """Angular momentum of the shell that U of an element acts on: 2, but 1 in the p block (O, N, S) and 3 of f ions."""
    return {"p": 1, "f": 3}.get(str(Element(symbol).block), 2)


# Elements whose U only a host that holds them takes: engines' own defaults stay what they were.
_MORE_PBE_U_eV = {"V": 3.25, "Cr": 3.7, "Mn": 3.9, "Mo": 4.38, "W": 6.2}


MATERIALS_PROJECT_U_eV = {**_MORE_PBE_U_eV, **pbe_hubbard_U_eV()}
"""U of the Materials Project for PBE of oxides and fluorides, eV (10.1103/PhysRevB.84.045115, as in MPRelaxSet)."""


def materials_project_U_eV(symbols: Iterable[str]) -> dict[str, float]:
    """The Materials Project's U for PBE of these elements in oxides and fluorides, in eV: 0 for other d metals."""
    known = MATERIALS_PROJECT_U_eV
    return {s: known.get(s, 0.0) for s in sorted(set(symbols)) if s in known or Element(s).is_transition_metal}


# Steps of oxidation in oxides and fluorides, the easiest first: element, and its valence before the step. The upper
# ones are the order of the voltages of LiM_xMn_(2-x)O4 spinels and of layered LiMO2 (Mn3+ 4.1 V, Ni2+ 4.7, Cr3+ 4.8,
# Cu2+ 4.9, Fe3+ 5.0, Co3+ 5.1); the lower ones follow from which pairs are found together: Fe2+ beside Ti4+, V3+ and
# Cr3+, Mn2+ beside Fe3+, Co2+ beside Mn3+ and Mn4+, Cu+ beside Fe3+. General literature.
OXIDATION_STEPS: tuple[tuple[str, int], ...] = (
    ("Ti", 2),
    ("Ti", 3),
    ("V", 2),
    ("Cr", 2),
    ("V", 3),
    ("Fe", 2),
    ("Mn", 2),
    ("Cu", 1),
    ("V", 4),
    ("Mn", 3),
    ("Co", 2),
    ("Ni", 2),
    ("Cr", 3),
    ("Ni", 3),
    ("Cu", 2),
    ("Fe", 3),
    ("Co", 3),
)


def valences_of(symbol: str) -> tuple[int, ...]:
    """Formal valences of a 3d ion in oxides: those of the table, else those between which `OXIDATION_STEPS` leads."""
    steps = {v + more for el, v in OXIDATION_STEPS if el == symbol for more in (0, 1)}
    return element(symbol).valences or tuple(sorted(steps))


# Of non-metals whose neighbours are oxygen or fluorine.
OXIDISED_VALENCES = {"P": 5, "As": 5, "S": 6, "C": 4, "N": 5, "Si": 4, "Ge": 4, "B": 3, "H": 1}
ANION_VALENCES = {"O": -2, "F": -1, "N": -3, "S": -2, "Se": -2, "Te": -2, "Cl": -1, "Br": -1, "I": -1}


def only_valence(symbol: str) -> int | None:
    """The valence of an element that has one in compounds: alkali, alkaline earth and rare earth metals."""
    el = Element(symbol)
    states = el.common_oxidation_states
    return int(states[0]) if len(states) == 1 and not (el.is_transition_metal and el.row == 4) else None
