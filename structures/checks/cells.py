"""Refuses cells that no program can hold or search: numbers that are none or absurd, and too many atoms."""

from __future__ import annotations

import re

import numpy as np
from pymatgen.core import Structure

MOST_SITES = 20_000
LONGEST_A = 1000.0
# Atoms far outside their cell are taken for wrong columns; unwrapped trajectories drift by a few cells.
FARTHEST_CELLS = 100.0
SMALLEST_VOLUME_A3 = 1.0
LARGEST_MOMENT_MUB = 100.0
# Columns that an atom may have in an extended XYZ.
MOST_COLUMNS = 200
# A space group has at most 192 operations in its largest cell, a magnetic one twice as many.
MOST_OPERATIONS = 400
LONGEST_LINE = 50_000

# Numbers of atoms and of kinds of them that inputs of other programs announce.
_COUNTS = {
    "abinit-in": re.compile(r"\b(?:natom|ntypat)\s+(\d{1,19})", re.IGNORECASE),
    "espresso-in": re.compile(r"\b(?:nat|ntyp)\s*=\s*(\d{1,19})", re.IGNORECASE),
}
_OPERATION = re.compile(r"^\s*(?:\d+\s+)?['\"]?[^'\"\n,]*[xyz][^'\"\n,]*,[^'\"\n,]*[xyz][^'\"\n,]*,", re.IGNORECASE)

_CELL_LINE = re.compile(r"^\s*_cell[_.](length_[abc]|angle_(?:alpha|beta|gamma))\s+(\S+)", re.MULTILINE | re.IGNORECASE)
_DEVIATION = re.compile(r"\(\d*\)$")
_COLUMNS = re.compile(r":[SRIL]:(\d{1,15})")


def check_cell_numbers(structure: Structure) -> None:
    """Refuse a cell that holds NaN, infinity, absurd lengths or positions, no volume, or too many sites.

    Searches for neighbours end Python or run for ever on such.

    Raises
    ------
    ValueError
        Naming the first wrong number, the range and the way out.
    """
    if len(structure) > MOST_SITES:
        raise ValueError(f"the cell has {len(structure)} atoms; at most {MOST_SITES} are taken")
    matrix = np.asarray(structure.lattice.matrix, dtype=float)
    if not (np.isfinite(matrix).all() and np.abs(matrix).max() <= LONGEST_A):
        raise ValueError(
            f"the cell's vectors {matrix.tolist()} must be numbers up to {LONGEST_A:g} A; is a unit or column wrong?"
        )
    if abs(float(np.linalg.det(matrix))) < SMALLEST_VOLUME_A3:
        raise ValueError(f"the cell's vectors {matrix.tolist()} span no volume; give three independent ones")
    charge = structure._charge
    if charge is not None and not abs(charge) <= 10 * len(structure):
        raise ValueError(
            f"the cell's charge {charge} must be a number up to 10 e for each of its {len(structure)} atoms"
        )
    for n, moment in enumerate(structure.site_properties.get("magmom", [])):
        # pymatgen's own moments hold what was checked here as numbers.
        values = np.asarray(getattr(moment, "moment", 0.0 if moment is None else moment), dtype=float)
        if not (np.abs(values) <= LARGEST_MOMENT_MUB).all():
            raise ValueError(
                f"the moment {values.tolist()} of atom {n} ({structure[n].specie}) must be a number up to "
                f"{LARGEST_MOMENT_MUB:g} muB"
            )
    places = np.asarray(structure.frac_coords, dtype=float)
    wrong = ~(np.isfinite(places) & (np.abs(places) <= FARTHEST_CELLS)).all(axis=1) if len(places) else np.array([])
    if wrong.any():
        n = int(np.argmax(wrong))
        raise ValueError(
            f"atom {n} ({structure[n].specie}) stands at {places[n].tolist()} cell vectors; positions must be numbers "
            f"within {FARTHEST_CELLS:g} cells"
        )


def check_announced_size(text: str, kind: str, name: str) -> None:
    """Refuse a file that announces more atoms, operations or longer lines than any crystal needs, before it is parsed.

    Parameters
    ----------
    text
        Content of the file.
    kind
        Its format, as `untrusted_input` names it.
    name
        Of the file, for messages.

    Raises
    ------
    ValueError
        Naming what is too much, and the limit.
    """
    if kind == "json":
        return
    lines = text.splitlines()
    if any(len(line) > LONGEST_LINE for line in lines):
        raise ValueError(f"{name} has a line of more than {LONGEST_LINE} characters; it is no {kind} file")
    announced = _announced_sites(lines, kind)
    if announced > MOST_SITES:
        raise ValueError(f"{name} announces {announced} atoms; at most {MOST_SITES} are taken")
    if kind == "cif":
        _check_cell_lines(text, name)
    columns = max((sum(map(int, _COLUMNS.findall(line))) for line in lines if "Properties=" in line), default=0)
    if kind == "extxyz" and columns > MOST_COLUMNS:
        raise ValueError(f"{name} announces {columns} columns for each atom; at most {MOST_COLUMNS} are taken")
    if kind == "cif" and (operations := sum(1 for line in lines if _OPERATION.match(line))) > MOST_OPERATIONS:
        raise ValueError(
            f"{name} lists {operations} symmetry operations, and no group has more than {MOST_OPERATIONS}; "
            "give the atoms of one cell"
        )


def _check_cell_lines(text: str, name: str) -> None:
    """Refuse lengths and angles that no cell has; a parser takes some of them for others."""
    for what, word in _CELL_LINE.findall(text):
        low, high, unit = (0.1, LONGEST_A, "A") if what.startswith("length") else (1.0, 179.0, "degrees")
        try:
            value = float(_DEVIATION.sub("", word))
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise ValueError(f"{name}: _cell_{what} {word[:40]} must be a number from {low:g} to {high:g} {unit}")


def _announced_sites(lines: list[str], kind: str) -> int:
    if kind == "poscar":
        counts = next((words for line in lines[5:7] if (words := line.split()) and words[0].isdigit()), [])
        return sum(int(word) for word in counts if word.isdigit() and len(word) < 20)
    if kind == "extxyz":
        first = lines[0].strip() if lines else ""
        return int(first) if first.isdigit() and len(first) < 20 else 0
    if kind in _COUNTS:
        return max((int(word) for line in lines for word in _COUNTS[kind].findall(line)), default=0)
    return 0
