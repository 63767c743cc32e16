"""By how much an anisotropy energy is uncertain, source by source; one that was not measured is named, not zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..results.document import Document
from .directions import antipodes

if TYPE_CHECKING:
    from .anisotropy import AnisotropyMap
    from .harmonics import HarmonicFit

ODD = "odd part"
FIT = "fit"
K_MESH = "k mesh"
EMPTY_BANDS = "empty bands"
STARTS = "electronic starts"
PARAMETERS = "assumed parameters"
ORBITAL_STATE = "orbital state"
# What the energies of an engine with electrons rest on.
_OF_ELECTRONS = (K_MESH, STARTS)
# K1 = 4 (E110 - E100) of the averaged map.
K1_PER_DIFFERENCE = 4.0


class ErrorPart(Document):
    """One source of error.

    Attributes
    ----------
    source
        In words.
    value_meV
        Of a difference between two directions of the cell; None if it was not measured.
    K1_meV
        Of K1 of the cell, where it was measured by itself.
    note
        How it was measured, or why not.
    """

    source: str
    value_meV: float | None = None
    K1_meV: float | None = None
    note: str = ""


def errors_of(map_: AnisotropyMap, fit: HarmonicFit | None = None) -> list[ErrorPart]:
    """What is known of the errors of a map: its own odd part and fit, what its engine measured, and what nobody did.

    Parameters
    ----------
    map_
        With `error_parts` of its engine.
    fit
        Of its even part, where its error counts.
    """
    energies, opposite = map_.energies, antipodes(map_.directions)
    odd = float(np.max(np.abs(energies - energies[opposite]))) / 2
    error_parts = [ErrorPart(source=ODD, value_meV=odd, note="largest |E(n) - E(-n)|/2")]
    if fit is not None:
        even = (energies + energies[opposite]) / 2
        left = float(np.sqrt(np.mean((even - fit(map_.vectors)) ** 2)))
        error_parts.append(ErrorPart(source=FIT, value_meV=left, note="root mean square that the harmonics leave"))
    if map_.restriction_error_meV is not None:
        error_parts.append(
            ErrorPart(source="ions left out", value_meV=map_.restriction_error_meV, note="their own spread")
        )
    error_parts += map_.error_parts
    known = {part.source for part in error_parts}
    # A sum over single ions says which ions; energies of electrons do not.
    asked = (PARAMETERS,) if map_.ion_sites is not None else _OF_ELECTRONS
    error_parts += [ErrorPart(source=source, note="not measured") for source in asked if source not in known]
    for check in map_.checks:
        if check.name.startswith("orbital moment of open") and check.passed is not True:
            error_parts.append(ErrorPart(source=ORBITAL_STATE, note=check.note))
    return error_parts


def total_meV(parts: Sequence[ErrorPart]) -> float | None:
    """Root of the sum of the squares of what was measured, meV; None where that is the map's own rounding alone."""
    if not _measured(parts):
        return None
    return float(np.sqrt(sum(part.value_meV**2 for part in parts if part.value_meV is not None)))


def total_of_K1_meV(parts: Sequence[ErrorPart]) -> float | None:
    """The same for K1 of the cell: a part without its own value counts four times, as in K1 = 4 (E110 - E100).

    What harmonics leave of the map is not in K1, which is had from the averaged energies.
    """
    if not _measured(parts):
        return None
    sizes = [
        K1_PER_DIFFERENCE * part.value_meV if part.K1_meV is None and part.value_meV is not None else part.K1_meV
        for part in parts
        if part.source != FIT
    ]
    return float(np.sqrt(sum(size**2 for size in sizes if size is not None)))


def _measured(parts: Sequence[ErrorPart]) -> bool:
    return any(part.value_meV is not None for part in parts if part.source not in (ODD, FIT))


def not_measured(parts: Sequence[ErrorPart]) -> list[str]:
    """Sources of error without a number, and why."""
    return [f"{p.source} ({p.note})" if p.note else p.source for p in parts if p.value_meV is None]


def errors_in_words(parts: Sequence[ErrorPart]) -> str:
    """E.g. ``k mesh 0.02, fit 1e-05 meV; not known: electronic starts (not measured)``."""
    known = ", ".join(f"{p.source} {p.value_meV:.2g}" for p in parts if p.value_meV is not None)
    missing = not_measured(parts)
    return f"{known} meV" + (f"; not known: {', '.join(missing)}" if missing else "")
