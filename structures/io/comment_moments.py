"""Moments that people write into the first line of a POSCAR, as in the INCAR: MAGMOM = 2*5.0 2*-5.0 6*0."""

from __future__ import annotations

import re
from typing import Any

from pymatgen.core import Structure

_MAGMOM = re.compile(r"MAGMOM\s*[=:]?\s*((?:(?:\d+\*)?[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*)+)", re.IGNORECASE)


def with_moments_of_comment(structure: Structure, text: str, notes: list[str]) -> Structure:
    """The structure with the moments of its POSCAR's first line, one number or three for each atom.

    Parameters
    ----------
    structure
        As read.
    text
        Of the POSCAR.
    notes
        What was done, or why it was not, is added here.
    """
    found = _MAGMOM.search(text.split("\n", 1)[0])
    if found is None:
        return structure
    numbers = [x for word in found.group(1).split() for x in _repeated(word)]
    atoms = len(structure)
    if len(numbers) not in (atoms, 3 * atoms):
        notes.append(
            f"MAGMOM of its first line has {len(numbers)} numbers for {atoms} atoms and is left out: give one or three "
            "for each"
        )
        return structure
    moments: list[Any] = numbers
    if len(numbers) == 3 * atoms:
        moments = [numbers[i : i + 3] for i in range(0, len(numbers), 3)]
    notes.append("moments are those of MAGMOM in its first line")
    return structure.copy(site_properties={"magmom": moments})


def _repeated(word: str) -> list[float]:
    times, _, value = word.rpartition("*")
    return [float(value)] * (int(times) if times else 1)
