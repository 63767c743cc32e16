"""Structures of CASTEP, CRYSTAL, PDB and CSSR files, whose readers elsewhere leave out symmetry, shares or spins."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice, Structure

from ..units import BOHR_A
from .cif import read_cif

_UNITS_A = {"ang": 1.0, "bohr": BOHR_A, "a0": BOHR_A, "nm": 10.0, "pm": 0.01, "m": 1e10, "cm": 1e8}
_BLOCK = re.compile(r"^\s*%block\s+(\w+)\s*\n(.*?)^\s*%endblock", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_SPIN = re.compile(r"(?:spin|magmom)\s*[=:]?\s*([-+]?\d*\.?\d+)", re.IGNORECASE)
_MIXTURE = re.compile(r"mixture\s*[=:]?\s*\(\s*\d+\s+(\d*\.?\d+)\s*\)", re.IGNORECASE)
_SAME_A = 0.05
# CRYSTAL adds 200 to the number of an atom with a pseudopotential.
_PSEUDO = 200
_CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
_COLUMNS = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")
FloatArray = NDArray[np.float64]


def read_castep_cell(text: str) -> Structure:
    """Structure of a CASTEP .cell file: all atoms of a cell, with SPIN as moments and MIXTURE as occupancies.

    Raises
    ------
    ValueError
        If the blocks of the lattice or of the positions are missing.
    """
    plain = re.sub(r"[!#].*", "", text)
    blocks = {
        name.lower(): [line for line in body.splitlines() if line.strip()] for name, body in _BLOCK.findall(plain)
    }
    where = next((name for name in ("positions_frac", "positions_abs") if name in blocks), None)
    what = next((name for name in ("lattice_cart", "lattice_abc") if name in blocks), None)
    if where is None or what is None:
        raise ValueError("it has no block of LATTICE_CART or LATTICE_ABC, or none of POSITIONS_FRAC or POSITIONS_ABS")
    unit, rows = _unit(blocks[what])
    numbers = np.array([[float(w) for w in row.split()[:3]] for row in rows], dtype=float)
    lattice = (
        Lattice(unit * numbers)
        if what == "lattice_cart"
        else Lattice.from_parameters(*(unit * numbers[0]), *numbers[1])
    )
    unit, rows = _unit(blocks[where])
    places: dict[tuple[float, ...], dict[str, float]] = {}
    spins: dict[tuple[float, ...], float] = {}
    for row in rows:
        words = row.split()
        place = tuple(float(w) for w in words[1:4])
        share = _MIXTURE.search(row)
        spin = _SPIN.search(row)
        places.setdefault(place, {})[element_of_label(words[0])] = float(share.group(1)) if share else 1.0
        spins[place] = float(spin.group(1)) if spin else spins.get(place, 0.0)
    cartesian = where == "positions_abs"
    coords = np.array(list(places)) * (unit if cartesian else 1.0)
    properties = {"magmom": list(spins.values())} if any(spins.values()) else {}
    return Structure(lattice, list(places.values()), coords, coords_are_cartesian=cartesian, site_properties=properties)


def read_crystal_gui(text: str) -> Structure:
    """Structure of CRYSTAL's .gui or fort.34: Cartesian operations act on the atoms that it lists.

    Raises
    ------
    ValueError
        If it is no crystal of three dimensions.
    """
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if lines[0][0] != "3":
        raise ValueError(f"it has {lines[0][0]} periodic dimensions, and a crystal has 3")
    lattice = Lattice([[float(w) for w in line[:3]] for line in lines[1:4]])
    count = int(lines[4][0])
    body = np.array([[float(w) for w in line[:3]] for line in lines[5 : 5 + 4 * count]]).reshape(count, 4, 3)
    start = 6 + 4 * count
    atoms = lines[start : start + int(lines[start - 1][0])]
    symbols: list[str] = []
    coords: list[FloatArray] = []
    for number, *place in atoms:
        symbol = Element.from_Z(int(number) % _PSEUDO).symbol
        for operation in body:
            image = lattice.get_fractional_coords(operation[:3] @ np.array(place[:3], dtype=float) + operation[3]) % 1
            if not any(
                s == symbol and np.linalg.norm(lattice.get_cartesian_coords(image - c - np.round(image - c))) < _SAME_A
                for s, c in zip(symbols, coords, strict=True)
            ):
                symbols.append(symbol)
                coords.append(image)
    return Structure(lattice, symbols, coords)


def read_pdb(text: str, name: str) -> Structure:
    """Structure of a PDB file with a CRYST1 line, whose space group makes the other atoms.

    Raises
    ------
    ValueError
        If it has no unit cell.
    """
    head = next((line for line in text.splitlines() if line.startswith("CRYST1")), "")
    cell = [head[a:b] for a, b in ((6, 15), (15, 24), (24, 33), (33, 40), (40, 47), (47, 54))]
    if not head or float(cell[0]) <= 1.0:
        raise ValueError("it has no CRYST1 line with a unit cell: a molecule, and no crystal")
    lattice = Lattice.from_parameters(*(float(w) for w in cell))
    rows = []
    for n, line in enumerate(line for line in text.splitlines() if line.startswith(("ATOM", "HETATM"))):
        symbol = element_of_label(line[76:78].strip() or line[12:16].strip())
        place = lattice.get_fractional_coords([float(line[a : a + 8]) for a in (30, 38, 46)])
        share = float(line[54:60].strip() or 1.0) or 1.0
        rows.append((f"{symbol}{n}", symbol, *place, share))
        if line.startswith("ENDMDL"):
            break
    return _by_cif(lattice, head[55:66].strip() or "P 1", rows, name)


def read_cssr(text: str, name: str) -> Structure:
    """Structure of a CSSR file, whose space group makes the other atoms.

    Raises
    ------
    ValueError
        If its four lines of heading are not there.
    """
    lines = text.splitlines()
    lengths = [float(w) for w in lines[0].split()[-3:]]
    angles = re.match(r"\s*(\S+)\s+(\S+)\s+(\S+)\s*(?:SPGR\s*=\s*\d+\s+(.*?))?\s*(?:OPT.*)?$", lines[1])
    counts = lines[2].split()
    if len(lengths) < 3 or angles is None or not counts:
        raise ValueError("its first lines hold no cell: lengths, then angles with SPGR, then the number of atoms")
    lattice = Lattice.from_parameters(*lengths, *(float(w) for w in angles.groups()[:3]))
    rows = []
    for n, line in enumerate(lines[4 : 4 + int(counts[0])]):
        words = line.split()
        place = np.array([float(w) for w in words[2:5]])
        if len(counts) > 1 and counts[1] == "1":
            place = lattice.get_fractional_coords(place)
        symbol = element_of_label(words[1])
        rows.append((f"{symbol}{n}", symbol, *place, 1.0))
    return _by_cif(lattice, (angles.group(4) or "P 1").strip(), rows, name)


def _by_cif(lattice: Lattice, group: str, rows: list[tuple[str | float, ...]], name: str) -> Structure:
    """The crystal that a CIF with these atoms and this space group holds."""
    head = [f"_cell_{what} {value:.6f}" for what, value in zip(_CELL, lattice.parameters, strict=True)]
    body = [" ".join(w if isinstance(w, str) else f"{w:.6f}" for w in row) for row in rows]
    text = [
        "data_file",
        f"_symmetry_space_group_name_H-M '{group}'",
        *head,
        "loop_",
        *(f"_atom_site_{c}" for c in _COLUMNS),
    ]
    return read_cif("\n".join([*text, *body]) + "\n", name)


def read_pdffit(text: str) -> Structure:
    """Structure of a PDFfit file (.stru of PDFgui): every atom of its cells with its occupancy.

    Raises
    ------
    ValueError
        If it has no cell or no atoms.
    """
    head, _, body = text.partition("\natoms")
    entries = {words[0].lower(): words[1:] for line in head.splitlines() if (words := line.replace(",", " ").split())}
    if "cell" not in entries or not body.strip():
        raise ValueError("it has no line cell, or none of atoms")
    repeats = np.array([float(word) for word in entries.get("ncell", ["1", "1", "1"])[:3]])
    a, b, c, *angles = (float(word) for word in entries["cell"][:6])
    lengths = repeats * (a, b, c)
    # Behind each atom stand five lines of displacements and deviations.
    rows = [line.split() for line in body.splitlines() if line.strip() and line.strip()[0].isalpha()]
    shares = [{element_of_label(row[0]): float(row[4])} for row in rows]
    places = np.array([[float(word) for word in row[1:4]] for row in rows]) / repeats
    return Structure(Lattice.from_parameters(*lengths, *angles), shares, places)


def is_pdffit(text: str) -> bool:
    """Whether a file called ``.stru`` is one of PDFfit and none of ABACUS."""
    return re.search(r"^\s*format\s+pdffit", text, re.IGNORECASE | re.MULTILINE) is not None


def _unit(rows: list[str]) -> tuple[float, list[str]]:
    """Unit in A that the first row of a block may name, and the other rows."""
    word = rows[0].strip().lower() if rows else ""
    return (_UNITS_A[word], rows[1:]) if word in _UNITS_A else (1.0, rows)


def element_of_label(word: str) -> str:
    """Element of a label such as Fe, FE1, Fe:up or Fe2+.

    Raises
    ------
    ValueError
        If there is none.
    """
    letters = re.match(r"[A-Za-z]{1,2}", word.strip("0123456789 "))
    for size in (2, 1):
        symbol = letters.group()[:size].capitalize() if letters else ""
        if symbol and Element.is_valid_symbol(symbol):
            return symbol
    raise ValueError(f"{word!r} names no element")
