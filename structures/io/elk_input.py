"""Structures of Elk inputs (elk.in), whose magnetic fields in the spheres are no moments."""

from __future__ import annotations

import re

import numpy as np
from pymatgen.core import Lattice, Structure

from ..units import BOHR_A
from .other_programs import element_of_label

_SCALES = ("scale1", "scale2", "scale3")


def read_elk_input(text: str) -> Structure:
    """Structure of an elk.in that lists its cell and its atoms.

    Raises
    ------
    ValueError
        If a block is missing or too short, or it is a molecule.
    """
    lines = (re.sub(r"[:!#].*", "", line).split() for line in text.splitlines())
    rows = [words for words in lines if words]
    vectors, atoms = _behind(rows, "avec"), _behind(rows, "atoms")
    if not vectors or not atoms:
        raise ValueError(f"it has no block {'atoms' if vectors else 'avec'}")
    if _number(rows, "molecule", "f").lower().strip(".").startswith("t"):
        raise ValueError("it is a molecule, and no crystal")
    each = np.array([float(_number(rows, name, "1")) for name in _SCALES])
    scale = BOHR_A * float(_number(rows, "scale", "1")) * each[:, None]
    symbols: list[str] = []
    places: list[list[float]] = []
    (kinds, *_), *atoms = atoms
    for _ in range(int(kinds)):
        if len(atoms) < 2 or len(atoms) < 2 + int(atoms[1][0]):
            raise ValueError(f"its block atoms ends before the last of {kinds} species")
        symbol, count = element_of_label(atoms[0][0].strip("'\"").rpartition("/")[2]), int(atoms[1][0])
        symbols += [symbol] * count
        places += [[float(word) for word in row[:3]] for row in atoms[2 : 2 + count]]
        atoms = atoms[2 + count :]
    return Structure(Lattice(scale * [[float(word) for word in row[:3]] for row in vectors[:3]]), symbols, places)


def _behind(rows: list[list[str]], name: str) -> list[list[str]]:
    start = next((n for n, words in enumerate(rows) if words[0].lower() == name), len(rows))
    return rows[start + 1 :]


def _number(rows: list[list[str]], name: str, default: str) -> str:
    return next((words[0] for words in _behind(rows, name)), default)
