"""Texts of structure files as their readers expect them: what other programs write otherwise is put right, and said."""

from __future__ import annotations

import re
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Composition, Element

# CIFs of the newer dictionaries write _cell.length_a for _cell_length_a.
_DOTTED = re.compile(r"^(\s*_(?:cell|atom_site|space_group|symmetry))\.", re.MULTILINE)
# Programs write the head of a loop that nothing follows: no moments, no bonds.
_EMPTY_LOOP = re.compile(r"^\s*loop_[ \t]*\n(?:[ \t]*_\S+[ \t]*\n)+(?=\s*(?:loop_|data_|\Z))", re.MULTILINE)
_HEADING = re.compile(r"^\s*data_", re.MULTILINE | re.IGNORECASE)
_FORMULA = re.compile(r"^\s*_chemical_formula_sum\s+['\"]?([A-Za-z0-9. ()]+)", re.MULTILINE)
_OCCUPATION = "_atom_site_occupation"
_LABEL, _SYMBOL = "_atom_site_label", "_atom_site_type_symbol"
_LABELLED = re.compile(rf"(?<!\S){_LABEL}(?!\S)")
# Loops about atoms: their names, and their rows up to the next name, loop or block.
_LOOPS = re.compile(r"^[ \t]*loop_\s+(?:_atom_site_\S+\s+)+(?:(?![ \t]*(?:_|loop_|data_|#)).*\n?)*", re.MULTILINE)
_COORDINATE = "_atom_site_fract_x"
_FRACTION = re.compile(r"(?<=\s)(-?\d{1,3})/(\d{1,3})(?=\s)")
# What programs write for places without an atom: by the symbol, and by a label alone, where Va may be vanadium.
_DUMMIES, _DUMMY_LABELS = {"X", "Q", "Du", "Va", "Vac", "Cnt"}, {"X", "Q", "Du", "Vac", "Cnt"}
# VASP 4 has the numbers of atoms in this line, and people put the symbols into the comment.
_COUNTS = 5
_SYMBOLS = re.compile(r"([A-Z][a-z]?)([0-9]*)")
# Fortran, which reads a POSCAR, takes 4.2D+00 for a number and leaves what stands behind the numbers it looks for.
_EXPONENT, _REMARK = re.compile(r"(?<=[\d.])[dD](?=[-+]?\d)"), re.compile(r"\s*[!#].*")


def usual_cif(text: str, notes: list[str]) -> str:
    """A CIF with a heading, names without dots, labels, decimal coordinates and no empty loops.

    Parameters
    ----------
    text
        As read.
    notes
        What was put right is added here.

    Returns
    -------
    str
    """
    text = _EMPTY_LOOP.sub("", text)
    if not _HEADING.search(text):
        notes.append("no data_ heading: everything is taken as one block")
        text = "data_file\n" + text
    if _OCCUPATION in text:
        notes.append(f"{_OCCUPATION} is read as _atom_site_occupancy")
        text = text.replace(_OCCUPATION, "_atom_site_occupancy")
    if _DOTTED.search(text):
        notes.append("names with dots, such as _cell.length_a, are read as those without")
        text = _DOTTED.sub(r"\1_", text)
    if _SYMBOL in text and not _LABELLED.search(text):
        notes.append(f"atoms without labels: {_SYMBOL} is taken for {_LABEL}")
        text = text.replace(_SYMBOL, _LABEL)
    atoms = _loop_of_atoms(text)
    if atoms and (fractions := _FRACTION.search(atoms.group())):
        notes.append(f"coordinates such as {fractions.group()} are read as decimal numbers")
        text = text[: atoms.start()] + _FRACTION.sub(_decimal, atoms.group()) + text[atoms.end() :]
    return _without_dummies(text, notes)


def stated_formula(text: str) -> Composition | None:
    """Composition that a CIF states as _chemical_formula_sum; None where it has none that can be read."""
    found = _FORMULA.search(text)
    with suppress(ValueError, KeyError):
        return Composition(found.group(1)) if found else None
    return None


def _loop_of_atoms(text: str) -> re.Match[str] | None:
    """The loop that holds coordinates; those of displacements and of moments may stand before it."""
    return next((loop for loop in _LOOPS.finditer(text) if _COORDINATE in loop.group()), None)


def _without_dummies(text: str, notes: list[str]) -> str:
    """The text without rows of the atoms' loop that stand for no atom."""
    atoms = _loop_of_atoms(text)
    if atoms is None:
        return text
    lines = atoms.group().split("\n")
    names = [line.strip() for line in lines if line.strip().startswith("_atom_site_")]
    column, words = (names.index(_SYMBOL), _DUMMIES) if _SYMBOL in names else (0, _DUMMY_LABELS)
    if _SYMBOL not in names and (not names or names[0] != _LABEL):
        return text
    out, left = [], []
    for line in lines:
        row = line.split()
        letters = re.match("[A-Za-z]*", row[column]).group() if len(row) == len(names) else ""  # type: ignore[union-attr]
        if letters.capitalize() in words:
            left.append(row[0])
        else:
            out.append(line)
    if left:
        notes.append(f"left out, as no atom is meant: {', '.join(left)}")
        text = text[: atoms.start()] + "\n".join(out) + text[atoms.end() :]
    return text


def _decimal(fraction: re.Match[str]) -> str:
    above, below = int(fraction.group(1)), int(fraction.group(2))
    return f"{above / below:.12f}" if below else fraction.group()


def usual_poscar(text: str, notes: list[str]) -> str:
    """A POSCAR with its symbols above the numbers of atoms and one positive scale; arguments as `usual_cif`.

    Readers elsewhere multiply Cartesian places by a negative scale, which is a volume, and know one scale only.

    Raises
    ------
    ValueError
        If the comment in its first line is missing, so that all other lines stand one too high.
    """
    lines = text.split("\n")
    if len(lines) > 1 and _numbers(lines[0]) in (1, 3) and _numbers(lines[1]) == 3:
        raise ValueError(
            "its first line is a number, where a POSCAR has a comment, its scale in the second and the cell in the "
            "next three: put a line above it"
        )
    lines = [lines[0], *(_EXPONENT.sub("e", _REMARK.sub("", line)) for line in lines[1:])]
    lines = _with_plain_scale(lines)
    text = "\n".join(lines)
    if len(lines) < _COUNTS + 1 or not all(w.isdigit() for w in lines[_COUNTS].split()):
        return text
    named = _SYMBOLS.findall(lines[0])
    symbols, numbers = [symbol for symbol, _ in named], [number for _, number in named]
    whole = "".join(lines[0].split()) == "".join(symbol + number for symbol, number in named)
    fits = numbers == lines[_COUNTS].split() or (len(symbols) == len(lines[_COUNTS].split()) and not any(numbers))
    if not (whole and fits and all(Element.is_valid_symbol(symbol) for symbol in symbols)):
        return text
    notes.append(f"no line of symbols: {' '.join(symbols)} are taken from its first line")
    return "\n".join([*lines[:_COUNTS], " ".join(symbols), *lines[_COUNTS:]])


def _with_plain_scale(lines: list[str]) -> list[str]:
    """Lines of a POSCAR with the factor that a negative scale stands for, or with three scales carried out."""
    scales = [float(word) for word in lines[1].split()] if len(lines) > _COUNTS and _numbers(lines[1]) in (1, 3) else []
    if any(_numbers(line) != 3 for line in lines[2:_COUNTS]) or not scales or (scales[0] > 0 and len(scales) == 1):
        return lines
    vectors = np.array([line.split() for line in lines[2:_COUNTS]], dtype=float)
    if len(scales) == 1:
        volume = abs(float(np.linalg.det(vectors)))
        factor = (-scales[0] / volume) ** (1 / 3) if volume else scales[0]
        return [lines[0], f"{factor:.15g}", *lines[2:]]
    out = [lines[0], "1.0", *(_row(vector * scales) for vector in vectors), *lines[_COUNTS:]]
    counts = _COUNTS if all(word.isdigit() for word in lines[_COUNTS].split()) else _COUNTS + 1
    head = next((n for n in range(counts + 1, len(lines)) if not lines[n].strip().lower().startswith("s")), 0)
    if (
        head
        and all(word.isdigit() for word in lines[counts].split())
        and lines[head].strip().lower().startswith(("c", "k"))
    ):
        last = head + 1 + sum(int(word) for word in lines[counts].split())
        for n, line in enumerate(out[head + 1 : last], head + 1):
            words = line.split()
            if _numbers(" ".join(words[:3])) == 3:
                out[n] = " ".join([_row(np.array(words[:3], dtype=float) * scales), *words[3:]])
    return out


def _row(numbers: NDArray[np.float64]) -> str:
    return " ".join(f"{x:.15g}" for x in numbers)


def _numbers(line: str) -> int:
    """How many numbers a line holds; 0 if it holds anything else."""
    words = line.split()
    try:
        for word in words:
            float(word)
    except ValueError:
        return 0
    return len(words)
