"""Structures of ABACUS (STRU) with their moments."""

from __future__ import annotations

import math
import re

import numpy as np
from pymatgen.core import Lattice, Structure

from ..units import BOHR_A
from .espresso_input import bravais_cell_A
from .other_programs import element_of_label

_HEADS = (
    "ATOMIC_SPECIES",
    "NUMERICAL_ORBITAL",
    "NUMERICAL_DESCRIPTOR",
    "PAW_FILES",
    "ABFS_ORBITAL",
    "LATTICE_CONSTANT",
    "LATTICE_VECTORS",
    "LATTICE_PARAMETERS",
    "ATOMIC_POSITIONS",
)
# ABACUS's names of lattices: pw.x's number of the same axes, and which of its celldm LATTICE_PARAMETERS are in turn.
_LATTICES = {
    "sc": (1, ()),
    "fcc": (2, ()),
    "bcc": (3, ()),
    "hexagonal": (4, (3,)),
    "trigonal": (5, (4,)),
    "st": (6, (3,)),
    "bct": (7, (3,)),
    "so": (8, (2, 3)),
    "baco": (9, (2, 3)),
    "fco": (10, (2, 3)),
    "bco": (11, (2, 3)),
    "sm": (12, (2, 3, 4)),
    "bacm": (13, (2, 3, 4)),
    "triclinic": (14, (2, 3, 6, 5, 4)),
}


def with_named_lattice(text: str, control: str, notes: list[str]) -> str:
    """A STRU whose lattice the file INPUT names by ``latname``, with its vectors written out.

    Parameters
    ----------
    text
        Of the STRU file.
    control
        Of the file INPUT beside it; empty if there is none.
    notes
        What was done for it is added here.

    Raises
    ------
    ValueError
        If there is no such lattice, or a parameter of it is missing.
    """
    parts = _parts(text)
    name = next((words[1].lower() for words in _rows(control) if words[0].lower() == "latname" and len(words) > 1), "")
    if "LATTICE_VECTORS" in parts or name in ("", "none"):
        return text
    if name not in _LATTICES:
        raise ValueError(f"latname {name} of INPUT is none of ABACUS's lattices: {', '.join(_LATTICES)}")
    ibrav, numbers = _LATTICES[name]
    given = [word for row in parts.get("LATTICE_PARAMETERS", []) for word in row]
    if len(given) < len(numbers):
        raise ValueError(f"latname {name} needs {len(numbers)} LATTICE_PARAMETERS, and it has {len(given)}")
    celldm = {f"celldm({n})": float(word) for n, word in zip(numbers, given, strict=False)}
    vectors = bravais_cell_A(ibrav, {"celldm(1)": 1.0, **celldm}) / BOHR_A
    notes.append(f"its lattice is the one that INPUT names: latname {name}")
    return text + "\nLATTICE_VECTORS\n" + "\n".join(" ".join(f"{x:.15f}" for x in row) for row in vectors) + "\n"


def read_abacus_stru(text: str) -> Structure:
    """Structure of a STRU file whose lattice is written out.

    Raises
    ------
    ValueError
        If its cell or its atoms are not all there.
    """
    parts = _parts(text)
    for name in ("LATTICE_CONSTANT", "ATOMIC_POSITIONS"):
        if name not in parts:
            raise ValueError(f"it has no {name}")
    if "LATTICE_VECTORS" not in parts:
        raise ValueError(
            "it has no LATTICE_VECTORS: put the file INPUT whose latname names them beside it, or write them out"
        )
    constant = float(parts["LATTICE_CONSTANT"][0][0]) * BOHR_A
    lattice = Lattice(constant * np.array([[float(w) for w in row[:3]] for row in parts["LATTICE_VECTORS"][:3]]))
    (form, *_), *rows = parts["ATOMIC_POSITIONS"]
    unit = {"direct": 1.0, "cartesian": constant, "cartesian_angstrom": 1.0, "cartesian_au": BOHR_A}.get(form.lower())
    if unit is None:
        raise ValueError(f"positions in {form}: write them Direct or Cartesian")
    symbols: list[str] = []
    places: list[list[float]] = []
    moments: list[list[float]] = []
    while rows:
        symbol, moment, count = element_of_label(rows[0][0]), float(rows[1][0]), int(rows[2][0])
        atoms, rows = rows[3 : 3 + count], rows[3 + count :]
        if len(atoms) < count:
            raise ValueError(f"{symbol} has {len(atoms)} of {count} atoms")
        for row in atoms:
            symbols.append(symbol)
            places.append([float(w) for w in row[:3]])
            moments.append(_moment(row[3:], moment))
    return Structure(
        lattice,
        symbols,
        unit * np.array(places),
        coords_are_cartesian=form.lower() != "direct",
        site_properties={"magmom": moments} if any(any(m) for m in moments) else {},
    )


def _parts(text: str) -> dict[str, list[list[str]]]:
    """Rows of each section, without comments."""
    parts: dict[str, list[list[str]]] = {}
    current: list[list[str]] = []
    for words in _rows(text):
        if words[0].upper() in _HEADS:
            current = parts.setdefault(words[0].upper(), [])
        else:
            current.append(words)
    return parts


def _rows(text: str) -> list[list[str]]:
    lines = (re.sub(r"(#|//).*", "", line).split() for line in text.splitlines())
    return [words for words in lines if words]


def _moment(words: list[str], of_species: float) -> list[float]:
    """Of one atom, muB: behind ``mag``, with ``angle1`` and ``angle2`` (degrees), or its species' along z."""
    size, angles = of_species, {"angle1": 0.0, "angle2": 0.0}
    lower = [w.lower() for w in words]
    for name in ("mag", "magmom"):
        if name in lower:
            values = _leading_numbers(words[lower.index(name) + 1 :])
            if len(values) >= 3:
                return values[:3]
            size = values[0] if values else of_species
    for name in angles:
        if name in lower:
            angles[name] = math.radians(float(words[lower.index(name) + 1]))
    polar, azimuth = angles["angle1"], angles["angle2"]
    return [
        size * math.sin(polar) * math.cos(azimuth),
        size * math.sin(polar) * math.sin(azimuth),
        size * math.cos(polar),
    ]


def _leading_numbers(words: list[str]) -> list[float]:
    out = []
    for word in words:
        try:
            out.append(float(word))
        except ValueError:
            break
    return out
