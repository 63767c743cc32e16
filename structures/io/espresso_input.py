"""Structures of pw.x inputs of Quantum ESPRESSO: every Bravais lattice, and moments by species.

Readers elsewhere refuse ``ibrav`` other than 0, and give all species of one element the moment of the last one, so that
an antiferromagnet (Fe1, Fe2) is read as a ferromagnet.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from typing import Any

import numpy as np
from ase.io.espresso import (
    get_atomic_positions,
    get_atomic_species,
    get_cell_parameters,
    label_to_symbol,
    read_fortran_namelist,
)
from numpy.typing import NDArray
from pymatgen.core import Element, Structure

from ..units import BOHR_A

FloatArray = NDArray[np.float64]
# As Fortran writes a number: 8.0d0 is one.
_EXPONENT = re.compile(r"(?<=[\d.])[dD](?=[-+]?\d)")
# What a coordinate may be written with, from left to right and powers first: 1/2*3^(-1/2).
_OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
# Blanks part the items of a namelist as commas do: nat=4 ntyp=2.
_NEXT_ITEM = re.compile(r"(?<=[^\s,&])[ \t]+(?=[A-Za-z]\w*(?:\([\d, ]*\))?[ \t]*=)")
_QUOTED = re.compile(r"('[^'\n]*'|\"[^\"\n]*\")")
_LONGEST_EXPRESSION = 80
_NOBLE_GASES = (0, 2, 10, 18, 36, 54, 86)


def read_espresso_input(text: str) -> Structure:
    """Structure of a pw.x input.

    Moments are the ``starting_magnetization`` of each species, a share of its valence electrons, with ``angle1`` and
    ``angle2`` where they are given.

    Raises
    ------
    ValueError
        If its lattice or its atoms are not all there.
    """
    groups, cards = read_fortran_namelist(StringIO(_EXPONENT.sub("e", _with_commas(text))))
    system = {str(name).lower(): value for name, value in groups.get("system", {}).items()}
    for name in ("ibrav", "nat", "ntyp"):
        if name not in system:
            raise ValueError(f"&SYSTEM has no {name}")
    ibrav, a = int(system["ibrav"]), _edge_A(system)
    cell = get_cell_parameters(cards, alat=a)[0] if ibrav == 0 else bravais_cell_A(ibrav, system)
    atoms = get_atomic_positions(_plain(cards, int(system["nat"])), n_atoms=int(system["nat"]), cell=cell, alat=a)
    labels = [str(atom[0]) for atom in atoms]
    species = [str(row[0]) for row in get_atomic_species(cards, n_species=int(system["ntyp"]))]
    moments = {label: _moment(system, n, label) for n, label in enumerate(species, 1)}
    unknown = sorted(set(labels) - set(moments))
    if unknown:
        raise ValueError(f"atoms {', '.join(unknown)} are none of ATOMIC_SPECIES: {', '.join(species)}")
    by_site = [moments[label] for label in labels]
    if not any(moment[0] or moment[1] for moment in by_site):
        plain: list[Any] = [moment[2] for moment in by_site]
    else:
        plain = by_site
    magnetic = any(any(moment) for moment in by_site)
    return Structure(
        cell,
        [label_to_symbol(label) for label in labels],
        [atom[1] for atom in atoms],
        coords_are_cartesian=True,
        site_properties={"magmom": plain} if magnetic else {},
    )


def _with_commas(text: str) -> str:
    """The input with a comma between items of a namelist on one line; what stands in quotes is kept."""
    parts = _QUOTED.split(text)
    return "".join(part if n % 2 else _NEXT_ITEM.sub(", ", part) for n, part in enumerate(parts))


def coordinate(text: str) -> float:
    """Value of a number or of an algebraic expression of ``ATOMIC_POSITIONS``.

    Readers elsewhere take ``6/2/3`` for 9 and know no difference.

    Parameters
    ----------
    text
        Numbers with ``+ - * / ^`` and parentheses.

    Raises
    ------
    ValueError
        If it is anything else, or has no finite value.
    """
    try:
        value = float(text)
    except ValueError:
        value = _calculated(text)
    if not math.isfinite(value):
        raise ValueError(f"coordinate {text[:_LONGEST_EXPRESSION]!r} is no finite number")
    return value


def _calculated(text: str) -> float:
    refusal = f"coordinate {text[:_LONGEST_EXPRESSION]!r} is no number and no expression of numbers with + - * / ^ ( )"
    if len(text) > _LONGEST_EXPRESSION or "**" in text:
        raise ValueError(refusal)
    try:
        value = _value(ast.parse(text.replace("^", "**"), mode="eval").body)
    except (SyntaxError, TypeError, ArithmeticError, RecursionError) as error:
        raise ValueError(refusal) from error
    if isinstance(value, complex):
        raise ValueError(refusal)
    return value


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        return _OPERATIONS[type(node.op)](_value(node.left), _value(node.right))
    raise TypeError("no expression of numbers")


def _plain(cards: Sequence[str], atoms: int) -> list[str]:
    """Cards with numbers for the expressions among the positions."""
    head = next((n for n, line in enumerate(cards) if line.upper().startswith("ATOMIC_POSITIONS")), None)
    if head is None:
        raise ValueError("it has no ATOMIC_POSITIONS")
    out = list(cards)
    for n, line in enumerate(out[head + 1 : head + 1 + atoms], head + 1):
        label, *words = line.split()
        out[n] = " ".join([label, *(repr(coordinate(word)) for word in words[:3]), *words[3:]])
    return out


def bravais_cell_A(ibrav: int, system: Mapping[str, Any]) -> FloatArray:
    """Vectors of one of pw.x's lattices, rows, Angstrom.

    Parameters
    ----------
    ibrav
        Number of the lattice, other than 0.
    system
        ``celldm(1)`` to ``celldm(6)`` (bohr, ratios and cosines), or ``a``, ``b``, ``c`` (Angstrom) and cosines.

    Raises
    ------
    ValueError
        If there is no such lattice, or a number of it is missing.
    """
    a = _edge_A(system)
    if a is None:
        raise ValueError(f"ibrav {ibrav} needs celldm(1) or A")
    b, c = _ratio(system, "b", 2, ibrav), _ratio(system, "c", 3, ibrav)
    if ibrav in _CUBIC:
        return a * np.array(_CUBIC[ibrav])
    if ibrav in (5, -5):
        return a * _trigonal(_cosine(system, 4, "cosab"), about_z=ibrav == 5)
    if ibrav == 14:
        ab, ac, bc = (_cosine(system, n, name) for n, name in ((6, "cosab"), (5, "cosac"), (4, "cosbc")))
        return a * _triclinic(b, c, ab, ac, bc)
    if ibrav in (12, 13):
        ab = _cosine(system, 4, "cosab")
        sloped = [b * ab, b * math.sqrt(1 - ab**2), 0]
        if ibrav == 12:
            return a * np.array([[1, 0, 0], sloped, [0, 0, c]])
        return a * np.array([[0.5, 0, -c / 2], sloped, [0.5, 0, c / 2]])
    if ibrav in (-12, -13):
        ac = _cosine(system, 5, "cosac")
        sloped = [c * ac, 0, c * math.sqrt(1 - ac**2)]
        base = [[1, 0, 0], [0, b, 0]] if ibrav == -12 else [[0.5, b / 2, 0], [-0.5, b / 2, 0]]
        return a * np.array([*base, sloped])
    cells = {
        4: [[1, 0, 0], [-0.5, math.sqrt(3) / 2, 0], [0, 0, c]],
        6: [[1, 0, 0], [0, 1, 0], [0, 0, c]],
        7: [[0.5, -0.5, c / 2], [0.5, 0.5, c / 2], [-0.5, -0.5, c / 2]],
        8: [[1, 0, 0], [0, b, 0], [0, 0, c]],
        9: [[0.5, b / 2, 0], [-0.5, b / 2, 0], [0, 0, c]],
        -9: [[0.5, -b / 2, 0], [0.5, b / 2, 0], [0, 0, c]],
        91: [[1, 0, 0], [0, b / 2, -c / 2], [0, b / 2, c / 2]],
        10: [[0.5, 0, c / 2], [0.5, b / 2, 0], [0, b / 2, c / 2]],
        11: [[0.5, b / 2, c / 2], [-0.5, b / 2, c / 2], [-0.5, -b / 2, c / 2]],
    }
    if ibrav not in cells:
        raise ValueError(f"ibrav {ibrav} is none of pw.x's lattices")
    return a * np.array(cells[ibrav])


_CUBIC = {
    1: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    2: [[-0.5, 0, 0.5], [0, 0.5, 0.5], [-0.5, 0.5, 0]],
    3: [[0.5, 0.5, 0.5], [-0.5, 0.5, 0.5], [-0.5, -0.5, 0.5]],
    -3: [[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]],
}
# Which lattices need b/a and c/a.
_NEEDS = {
    "b": {8, 9, -9, 91, 10, 11, 12, -12, 13, -13, 14},
    "c": {4, 6, 7, 8, 9, -9, 91, 10, 11, 12, -12, 13, -13, 14},
}


def _trigonal(cosine: float, *, about_z: bool) -> FloatArray:
    x, y, z = math.sqrt((1 - cosine) / 2), math.sqrt((1 - cosine) / 6), math.sqrt((1 + 2 * cosine) / 3)
    if about_z:
        return np.array([[x, -y, z], [0, 2 * y, z], [-x, -y, z]])
    u, v = (z - 2 * math.sqrt(2) * y) / math.sqrt(3), (z + math.sqrt(2) * y) / math.sqrt(3)
    return np.array([[u, v, v], [v, u, v], [v, v, u]])


def _triclinic(b: float, c: float, ab: float, ac: float, bc: float) -> FloatArray:
    sine = math.sqrt(1 - ab**2)
    volume = 1 + 2 * bc * ac * ab - bc**2 - ac**2 - ab**2
    if volume <= 0:
        raise ValueError(f"no cell has angles of the cosines {ab}, {ac}, {bc}")
    third = [c * ac, c * (bc - ac * ab) / sine, c * math.sqrt(volume) / sine]
    return np.array([[1, 0, 0], [b * ab, b * sine, 0], third])


def _edge_A(system: Mapping[str, Any]) -> float | None:
    if "celldm(1)" in system:
        return float(system["celldm(1)"]) * BOHR_A
    return float(system["a"]) if "a" in system else None


def _ratio(system: Mapping[str, Any], edge: str, number: int, ibrav: int) -> float:
    """Of an edge to the first one; 1 where the lattice does not need it."""
    if ibrav not in _NEEDS[edge]:
        return 1.0
    if "celldm(1)" in system and f"celldm({number})" in system:
        return float(system[f"celldm({number})"])
    if "celldm(1)" not in system and edge in system:
        return float(system[edge]) / float(system["a"])
    raise ValueError(f"ibrav {ibrav} needs celldm({number}) beside celldm(1), or {edge.upper()} beside A")


def _cosine(system: Mapping[str, Any], number: int, name: str) -> float:
    found = system.get(f"celldm({number})", 0.0) if "celldm(1)" in system else system.get(name, 0.0)
    if not -1 < float(found) < 1:
        raise ValueError(f"a cosine of {found} is no angle of a cell")
    return float(found)


def _moment(system: Mapping[str, Any], number: int, label: str) -> tuple[float, float, float]:
    """Of a species, muB, by its share of the electrons beyond the last noble gas."""
    share = float(system.get(f"starting_magnetization({number})") or 0.0)
    if number == 1 and "starting_magnetization" in system:
        share = float(system["starting_magnetization"])
    charge = Element(re.sub(r"[^A-Za-z].*", "", label_to_symbol(label))).Z
    size = share * (charge - max(core for core in _NOBLE_GASES if core < charge))
    polar, azimuth = (math.radians(float(system.get(f"angle{n}({number})", 0.0))) for n in (1, 2))
    direction = (math.sin(polar) * math.cos(azimuth), math.sin(polar) * math.sin(azimuth), math.cos(polar))
    return size * direction[0], size * direction[1], size * direction[2]
