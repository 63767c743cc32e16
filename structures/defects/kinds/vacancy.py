"""A vacancy: one atom is taken out."""

from __future__ import annotations

import re

from pymatgen.core import Structure

from ..kind import KindOfDefect, PlacedDefect
from ..vacancies import distinct_vacancies, remove_site

_TEXT = re.compile(r"V_([A-Z][a-z]?)(?:\(([^()+]+)\))?")


class Vacancy(KindOfDefect):
    """``V_O``, ``V_Fe(B)``."""

    name = "vacancy"
    example = "V_Fe(B)"

    def reads(self, text: str) -> bool:
        """One member that begins with V."""
        return _TEXT.fullmatch(text.strip()) is not None

    def distinct(self, cell: Structure, text: str) -> list[PlacedDefect]:
        """One for each orbit of the sites."""
        match = _TEXT.fullmatch(text.strip())
        assert match is not None
        element, sublattice = match[1], match[2] or match[1]
        return [
            PlacedDefect(self.name, v.label, element, sublattice, {element: 1}, v.multiplicity, {"site": v.index})
            for v in distinct_vacancies(cell, element, sublattice)
        ]

    def built(self, cell: Structure, placed: PlacedDefect) -> Structure:
        """The cell without the site."""
        return remove_site(cell, placed.place["site"])


KIND = Vacancy()
