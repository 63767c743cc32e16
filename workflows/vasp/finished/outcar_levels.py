"""Eigenvalues and occupations that OUTCAR prints behind the last self-consistency loop."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from .numbers import reals

_HEAD = re.compile(r"^ *band No\. +band energies +occupation *$", re.MULTILINE)
_FERMI = re.compile(r"^ *(?:E-fermi|Fermi energy) *:", re.MULTILINE)


def levels_in(text: str) -> NDArray[np.float64] | None:
    """Eigenvalues (eV) and occupations of the last step.

    Parameters
    ----------
    text
        Of an OUTCAR.

    Returns
    -------
    ndarray or None
        Shape (n_spins, n_kpoints, n_bands, 2); None where lists are missing, as in trimmed files, or of unequal length.
    """
    marks = [m.start() for m in _FERMI.finditer(text)]
    if not marks:
        return None
    heads = [m.end() for m in _HEAD.finditer(text, marks[-1])]
    spins = 2 if re.search(r"^ *spin component +2", text[marks[-1] :], re.MULTILINE) else 1
    blocks = [_rows(text, at) for at in heads]
    lengths = {len(rows) for rows in blocks}
    if len(lengths) != 1 or 0 in lengths or len(blocks) % spins:
        return None
    return np.array(blocks, dtype=float).reshape(spins, len(blocks) // spins, lengths.pop(), 2)


def _rows(text: str, at: int) -> list[list[float]]:
    rows = []
    start = text.index("\n", at) + 1
    while start < len(text):
        end = text.find("\n", start)
        line = text[start : end if end >= 0 else len(text)]
        if not line.strip():
            break
        numbers = reals(line)
        if len(numbers) != 3:
            break
        rows.append(numbers[1:])
        start = end + 1 if end >= 0 else len(text)
    return rows
