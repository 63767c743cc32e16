"""Structures of ABACUS (STRU) with their moments."""

from __future__ import annotations

import math
import re

import numpy as np
from pymatgen.core import Lattice, Structure

from ..units import BOHR_A
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
        raise ValueError("it has no LATTICE_VECTORS: a lattice that INPUT names by latname is not read, write it out")
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
    for line in text.splitlines():
        words = re.sub(r"(#|//).*", "", line).split()
        if words and words[0].upper() in _HEADS:
            current = parts.setdefault(words[0].upper(), [])
        elif words:
            current.append(words)
    return parts


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
