"""A substitution: another ion takes a site, of an element of the host (an antisite) or of a foreign one (a dopant)."""

from __future__ import annotations

import re

from pymatgen.core import Structure

from ...spins import along, high_spin_moment
from ..complexes import members_from_text
from ..kind import KindOfDefect, PlacedDefect, net_removed
from ..vacancies import distinct_vacancies

_TEXT = re.compile(r"(?!V_)[A-Z][a-z]?(?:[0-9]*\+)?_[A-Z][a-z]?(?:\([^()+]+\))?")


class Substitution(KindOfDefect):
    """``Co_Fe(A)``, or with its charge ``Zn2+_Fe(B)``."""

    name = "substitution"
    example = "Zn2+_Fe(B)"

    def reads(self, text: str) -> bool:
        """One member that begins with an element."""
        return _TEXT.fullmatch(text.strip()) is not None

    def distinct(self, cell: Structure, text: str) -> list[PlacedDefect]:
        """One for each orbit of the sites."""
        (member,) = members_from_text(cell, text)
        assert member.substitute is not None
        return [
            PlacedDefect(
                self.name,
                f"{member.substitute}{v.label.removeprefix('V')}",
                member.element,
                member.sublattice,
                net_removed([member.element], [member.substitute]),
                v.multiplicity,
                {"site": v.index, "substitute": member.substitute, "valence": member.valence},
            )
            for v in distinct_vacancies(cell, member.element, member.sublattice)
        ]

    def built(self, cell: Structure, placed: PlacedDefect) -> Structure:
        """The cell with the other ion on the site, its moment along the one that was there."""
        site, ion, valence = (placed.place[key] for key in ("site", "substitute", "valence"))
        properties = {**cell[site].properties, "valence": valence}
        if "magmom" in properties:
            properties["magmom"] = along(properties["magmom"], high_spin_moment(ion, valence))
        out = cell.copy()
        out.replace(site, ion, properties=properties)
        return out


KIND = Substitution()
