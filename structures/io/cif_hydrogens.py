"""Hydrogens that a CIF names in its formula alone."""

from __future__ import annotations

import re

from pymatgen.core import Structure

from ..cells.missing_hydrogens import with_hydrogens_of_hydroxides
from .usual_forms import stated_formula

# What pymatgen says of such files.
MISSING_HYDROGENS = re.compile(r"Missing elements [^(]*\b[HD]\b[^(]*from PMG|implicit hydrogens")


def with_missing_hydrogens(structure: Structure, text: str, notes: list[str]) -> Structure:
    """The cell with the hydrogens of its hydroxide ions, where the file's formula has them.

    Parameters
    ----------
    structure
        As read.
    text
        Of the CIF.
    notes
        What was done is added.
    """
    formula = stated_formula(text)
    found = None if formula is None else with_hydrogens_of_hydroxides(structure, formula)
    if found is None:
        return structure
    notes.append(found[1])
    return found[0]
