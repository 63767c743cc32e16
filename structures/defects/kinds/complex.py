"""A complex: two or three vacancies and substitutions close together."""

from __future__ import annotations

import re

from pymatgen.core import Structure

from ..complexes import DefectComplex, distinct_complexes, members_from_text, with_complex
from ..kind import KindOfDefect, PlacedDefect, net_removed

_WITHIN = re.compile(r"\s+within\s+([0-9.]+)\s*A?\s*$")
NEAREST_A = 3.3


class Complex(KindOfDefect):
    """``V_Fe(B)+V_O``, its members within 3.3 A or as said: ``V_Fe(B)+V_O within 4``."""

    name = "complex"
    example = "V_Fe(B)+V_O within 3"

    def reads(self, text: str) -> bool:
        """Members joined by a plus sign."""
        return re.search(r"[A-Za-z)]\s*\+\s*(?=[A-Z][a-z]?(?:[0-9]*\+)?_)", text) is not None

    def distinct(self, cell: Structure, text: str) -> list[PlacedDefect]:
        """One for each class of placements, the most compact first."""
        match = _WITHIN.search(text)
        members = members_from_text(cell, _WITHIN.sub("", text))
        defects = distinct_complexes(cell, members, float(match[1]) if match else NEAREST_A)
        gone = [m.element for m in members]
        come = [m.substitute for m in members if m.substitute is not None]
        return [
            PlacedDefect(
                self.name,
                one.label if len(defects) == 1 else f"{one.label},{n}",
                members[0].element,
                members[0].sublattice,
                net_removed(gone, come),
                one.multiplicity,
                {"complex": one},
            )
            for n, one in enumerate(defects, start=1)
        ]

    def built(self, cell: Structure, placed: PlacedDefect) -> Structure:
        """The cell with all members."""
        defect: DefectComplex = placed.place["complex"]
        return with_complex(cell, defect)


KIND = Complex()
