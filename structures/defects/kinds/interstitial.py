"""An interstitial: an ion is put into an empty polyhedron of the anions; hydrogen is put to an anion."""

from __future__ import annotations

import re

from pymatgen.core import Structure

from ..insertion import insertion_sites
from ..interstitial_hops import interstitial_labels
from ..interstitials import with_interstitial
from ..kind import KindOfDefect, PlacedDefect

_TEXT = re.compile(r"([A-Z][a-z]?)([0-9]*)\+_i")


class Interstitial(KindOfDefect):
    """``Li+_i``: in every distinct empty polyhedron."""

    name = "interstitial"
    example = "Li+_i"

    def reads(self, text: str) -> bool:
        """An ion with its charge, and ``_i``."""
        return _TEXT.fullmatch(text.strip()) is not None

    def distinct(self, cell: Structure, text: str) -> list[PlacedDefect]:
        """One for each orbit of its places."""
        match = _TEXT.fullmatch(text.strip())
        assert match is not None
        ion, valence = match[1], float(match[2] or 1)
        try:
            sites = insertion_sites(cell, ion, valence)
        except ValueError as error:
            raise ValueError(f"{text}: {error}") from None
        return [
            PlacedDefect(
                self.name,
                f"{ion}_{label}",
                ion,
                label,
                {ion: -1},
                site.multiplicity,
                {"position": [float(x) for x in site.position], "valence": valence},
            )
            for site, label in zip(sites, interstitial_labels(cell, sites), strict=True)
        ]

    def built(self, cell: Structure, placed: PlacedDefect) -> Structure:
        """The cell with the ion at its end."""
        place = placed.place
        return with_interstitial(cell, place["position"], placed.element, place["valence"], placed.sublattice)


KIND = Interstitial()
