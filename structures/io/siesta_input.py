"""Structures of SIESTA inputs (.fdf) with the moments of ``DM.InitSpin``."""

from __future__ import annotations

import math
import re
import warnings

import numpy as np
from pymatgen.core import Element, Lattice, Structure

from ..elements import element
from ..units import BOHR_A

_BLOCK = re.compile(r"^\s*%block\s+(\S+)[^\n]*\n(.*?)^\s*%endblock", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_MOST_REPEATS = 1000
# SIESTA adds it to the number of an atom whose pseudopotential is a mixture.
_SYNTHETIC = 200
_UNITS_A = {"ang": 1.0, "bohr": BOHR_A, "nm": 10.0}
_FORMATS = {
    "bohr": "bohr",
    "notscaledcartesianbohr": "bohr",
    "ang": "ang",
    "notscaledcartesianang": "ang",
    "lattice_constant": "scaled",
    "scaledcartesian": "scaled",
    "fractional": "fractional",
    "scaledbylatticevectors": "fractional",
}


def read_siesta_input(text: str) -> Structure:
    """Structure of one .fdf file that includes no other.

    Raises
    ------
    ValueError
        If its cell or its atoms are not all there, or lie in another file.
    """
    plain = re.sub(r"[#;!].*", "", text)
    if elsewhere := re.search(r"^\s*(%include\b.*|.*<\s*\S+\s*)$", plain, re.IGNORECASE | re.MULTILINE):
        raise ValueError(f"part of it is in another file ({elsewhere.group(1).strip()}): put that in its place")
    blocks = {_key(name): _rows(body) for name, body in _BLOCK.findall(plain)}
    values = {
        _key(words[0]): words[1:]
        for line in _BLOCK.sub("", plain).splitlines()
        if len(words := line.replace("=", " ").split()) > 1
    }
    for name in ("ChemicalSpeciesLabel", "AtomicCoordinatesAndAtomicSpecies"):
        if _key(name) not in blocks:
            raise ValueError(f"it has no block {name}")
    elements = {row[0]: _element(row[1]) for row in blocks["chemicalspecieslabel"]}
    rows = blocks["atomiccoordinatesandatomicspecies"]
    constant = _length_A(values.get("latticeconstant"))
    form = _FORMATS.get(_key(values.get("atomiccoordinatesformat", ["Bohr"])[0], keep="_").lower())
    if form is None:
        raise ValueError(f"AtomicCoordinatesFormat {values['atomiccoordinatesformat'][0]} is none that SIESTA knows")
    places = np.array([[float(w) for w in row[:3]] for row in rows])
    if form == "scaled" and constant is None:
        raise ValueError("ScaledCartesian needs a LatticeConstant")
    unit = {"bohr": BOHR_A, "ang": 1.0, "scaled": constant or 1.0, "fractional": 1.0}[form]
    symbols = [elements[row[3]] for row in rows]
    real = [n for n, symbol in enumerate(symbols) if symbol]
    if len(real) < len(symbols):
        warnings.warn(f"{len(symbols) - len(real)} of its atoms are ghosts, orbitals alone: left away", stacklevel=2)
    counted = _moments(blocks.get("dminitspin", []), symbols)
    moments = [counted[n] for n in real]
    made = Structure(
        _lattice(blocks, constant),
        [symbols[n] for n in real],
        unit * places[real],
        coords_are_cartesian=form != "fractional",
        site_properties={"magmom": moments} if any(any(m) for m in moments) else {},
    )
    if "supercell" in blocks:
        made.make_supercell(_repeats(blocks["supercell"], spins="dminitspin" in blocks))
    return made


def _repeats(rows: list[list[str]], *, spins: bool) -> list[list[int]]:
    """Vectors of the supercell, rows, in those of the cell.

    In which order ``DM.InitSpin`` counts the atoms of a supercell is not known here.
    """
    if spins:
        raise ValueError("it has DM.InitSpin beside a block SuperCell: write that cell out, or leave the block away")
    matrix = [[int(word) for word in row[:3]] for row in rows]
    if [len(row) for row in matrix] != [3, 3, 3]:
        raise ValueError("its block SuperCell is no matrix of 3 x 3 integers")
    if not (volume := round(abs(np.linalg.det(matrix)))) or volume > _MOST_REPEATS:
        raise ValueError(f"its block SuperCell holds {volume} cells: give 1 to {_MOST_REPEATS}")
    return matrix


def _lattice(blocks: dict[str, list[list[str]]], constant_A: float | None) -> Lattice:
    if constant_A is None:
        raise ValueError("it has no LatticeConstant: a crystal has a cell")
    if "latticeparameters" in blocks:
        a, b, c, *angles = (float(w) for w in blocks["latticeparameters"][0][:6])
        cell = Lattice.from_parameters(constant_A * a, constant_A * b, constant_A * c, *angles)
    else:
        rows = blocks.get("latticevectors", [["1", "0", "0"], ["0", "1", "0"], ["0", "0", "1"]])
        cell = Lattice(constant_A * np.array([[float(w) for w in row[:3]] for row in rows]))
    return cell


def _moments(rows: list[list[str]], symbols: list[str]) -> list[list[float]]:
    """Vectors by atom, muB; a bare ``+`` or ``-`` is the moment of the free atom."""
    out = [[0.0, 0.0, 0.0] for _ in symbols]
    for row in rows:
        atom = int(row[0])
        if not 1 <= atom <= len(symbols):
            raise ValueError(f"DM.InitSpin names atom {atom} of {len(symbols)}")
        bare = row[1] in ("+", "-")
        size = float(f"{row[1]}{element(symbols[atom - 1]).free_atom_moment_muB or 1.0}" if bare else row[1])
        polar, azimuth = (math.radians(float(w)) for w in (row[2:4] if len(row) >= 4 else ("0", "0")))
        out[atom - 1] = [
            size * math.sin(polar) * math.cos(azimuth),
            size * math.sin(polar) * math.sin(azimuth),
            size * math.cos(polar),
        ]
    return out


def _key(name: str, keep: str = "") -> str:
    """Labels of fdf count neither capitals nor ``-``, ``_`` and ``.``."""
    return "".join(letter for letter in name if letter in keep or letter not in "-_.").lower()


def _rows(body: str) -> list[list[str]]:
    return [line.split() for line in body.splitlines() if line.strip()]


def _element(number: str) -> str:
    """Empty for negative numbers, which are ghosts: orbitals without an atom."""
    charge = int(number)
    return str(Element.from_Z(charge % _SYNTHETIC).symbol) if charge > 0 else ""


def _length_A(words: list[str] | None) -> float | None:
    if not words:
        return None
    unit = words[1].lower() if len(words) > 1 else "bohr"
    if unit not in _UNITS_A:
        raise ValueError(f"LatticeConstant in {words[1]}: give Ang, Bohr or nm")
    return float(words[0]) * _UNITS_A[unit]
