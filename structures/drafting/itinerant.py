"""Crystals of ions on paper whose d electrons move: they conduct, and Hund's moments of ions are not theirs."""

from __future__ import annotations

from pymatgen.core import Element, Structure

_ROW_3D = 4
# An octahedron's t2g shell, where it is filled in part.
_T2G = 6
_LATE_3D = ("Fe", "Co", "Ni")
# Metals of FeSe, FeTe, CrTe and of NiAs-type compounds are 2.6 to 3.1 A apart, of CdCr2Se4, which insulates, 3.8 A.
_METAL_BOND_A = 3.2
_HALF_FULL = 5


def is_heavy_oxide(structure: Structure, symbol: str, valence: float) -> bool:
    """Whether a 4d or 5d metal with t2g electrons is alone with oxygen.

    RuO2, IrO2, MoO2, WO2, ReO3 and NbO conduct and have no moment of ions (general literature); NbO2 has a gap of
    0.7 eV, as its ions pair, and no moment either.
    """
    el = Element(symbol)
    heavy = bool(el.is_transition_metal) and el.row > _ROW_3D and 0 < el.group - valence < _T2G
    return heavy and {s.specie.symbol for s in structure} == {symbol, "O"}


def is_metallic_chalcogenide(structure: Structure, index: int, valence: float, anions: set[str]) -> bool:
    """Whether a d metal among Se or Te alone stands so near to others that its electrons move; half-full shells do not.

    FeSe, FeTe, CrTe and NiSe conduct; MnSe and MnTe do not (general literature).
    """
    el = Element(structure[index].specie.symbol)
    electrons = el.group - valence
    if not (el.is_transition_metal and anions <= {"Se", "Te"} and 0 < electrons < 2 * _HALF_FULL):
        return False
    if electrons == _HALF_FULL:
        return False
    near = structure.get_neighbors(structure[index], _METAL_BOND_A)
    return any(Element(n.specie.symbol).is_transition_metal for n in near)


def starts_from_metal(symbol: str) -> bool:
    """Whether a metal's own moment is the better start among Se and Te: chromium and manganese keep the ion's."""
    return symbol in _LATE_3D
