"""SHELX instruction files (.res, .ins) as CIF text: symmetry of LATT and SYMM, occupancies of the free variables."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, SymmOp

# LATT's number and the translations of its lattice; positive numbers stand for a centre of inversion at the origin.
_CENTRINGS: dict[int, tuple[tuple[float, float, float], ...]] = {
    1: (),
    2: ((0.5, 0.5, 0.5),),
    3: ((2 / 3, 1 / 3, 1 / 3), (1 / 3, 2 / 3, 2 / 3)),
    4: ((0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0)),
    5: ((0.0, 0.5, 0.5),),
    6: ((0.5, 0.0, 0.5),),
    7: ((0.5, 0.5, 0.0),),
}
_ATOM = re.compile(r"^([A-Za-z]{1,2}[A-Za-z0-9_']{0,6})\s+(\d+)((?:\s+[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?){3,})")
_END = ("HKLF", "END")
_SAME = 1e-3
_CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")


def has_symmetry(text: str) -> bool:
    """Whether the atoms of a SHELX file are those of an asymmetric unit."""
    return (
        re.search(r"^LATT\s+-1\s*$", text, re.MULTILINE) is None
        or re.search(r"^SYMM\s", text, re.MULTILINE) is not None
    )


def shelx_as_cif(text: str) -> str:
    """CIF text of a SHELX file.

    Parameters
    ----------
    text
        As read.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If CELL, SFAC or atoms are missing, or LATT is none of 1 to 7.
    """
    lines = _whole_lines(text)
    cell = next((line.split()[2:8] for line in lines if line.startswith("CELL")), [])
    elements = [word for line in lines if line.startswith("SFAC") for word in _elements(line)]
    if len(cell) < len(_CELL) or not elements:
        raise ValueError("it has no CELL of seven numbers or no SFAC: no crystal is in it")
    operations = _operations(lines)
    free = [float(word) for line in lines if line.startswith("FVAR") for word in line.split()[1:]]
    rows = []
    for line in lines:
        if line.startswith(_END):
            break
        found = _ATOM.match(line)
        if not found or not 0 < int(found.group(2)) <= len(elements) or line[:4].upper() in ("AFIX", "PART"):
            continue
        numbers = [float(word) for word in found.group(3).split()]
        place = np.array([x - 10 if 5 < x < 15 else x for x in numbers[:3]])
        share = _occupancy(numbers[3] if len(numbers) > 3 else 11.0, free)
        # SHELX counts a site on a symmetry element by the share of it that the asymmetric unit holds.
        share *= _stabilisers(place, operations)
        rows.append(
            f"{elements[int(found.group(2)) - 1]} {found.group(1)} {' '.join(f'{x:.6f}' for x in place)} {share:.5f}"
        )
    if not rows:
        raise ValueError("it lists no atoms: no crystal is in it")
    head = ["data_shelx", *(f"_cell_{name} {value}" for name, value in zip(_CELL, cell, strict=True))]
    symmetry = ["loop_", "_symmetry_equiv_pos_as_xyz", *(f"'{op.as_xyz_str()}'" for op in operations)]
    names = ("type_symbol", "label", "fract_x", "fract_y", "fract_z", "occupancy")
    return "\n".join([*head, *symmetry, "loop_", *(f"_atom_site_{name}" for name in names), *rows]) + "\n"


def _whole_lines(text: str) -> list[str]:
    """Lines with their continuations, which an equals sign at the end asks for, without remarks."""
    joined = re.sub(r"=[ \t]*\n[ \t]*", " ", text)
    return [line.split("!")[0].rstrip() for line in joined.splitlines() if not line.startswith(("REM", " "))]


def _elements(line: str) -> list[str]:
    words = line.split()[1:]
    # The long form gives one element with its scattering factors.
    return [w.capitalize() for w in words if Element.is_valid_symbol(w.capitalize())]


def _operations(lines: list[str]) -> list[SymmOp]:
    number = int(next((line.split()[1] for line in lines if line.startswith("LATT")), "1"))
    if abs(number) not in _CENTRINGS:
        raise ValueError(f"LATT {number} is none of 1 to 7 or their negatives")
    found = [SymmOp.from_xyz_str("x, y, z")]
    found += [SymmOp.from_xyz_str(line[4:].strip().lower()) for line in lines if line.startswith("SYMM")]
    if number > 0:
        inversion = SymmOp.from_xyz_str("-x, -y, -z")
        found += [inversion * op for op in found]
    shifts = ((0.0, 0.0, 0.0), *_CENTRINGS[abs(number)])
    return [
        SymmOp.from_rotation_and_translation(op.rotation_matrix, (op.translation_vector + np.array(t)) % 1)
        for t in shifts
        for op in found
    ]


def _occupancy(word: float, free: list[float]) -> float:
    """Share of a site: 10 fixes a number, higher tens name a free variable, negative ones what it leaves to 1."""
    number = round(abs(word) / 10)
    value = abs(word) - 10 * number
    if number <= 1:
        return abs(word) - 10 * number if number else abs(word)
    variable = free[number - 1] if number <= len(free) else 1.0
    return value * (variable if word > 0 else 1 - variable)


def _stabilisers(place: NDArray[np.float64], operations: list[SymmOp]) -> int:
    images = [op.operate(place) - place for op in operations]
    return sum(bool(np.all(np.abs(image - np.round(image)) < _SAME)) for image in images)
