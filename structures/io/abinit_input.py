"""Structures of ABINIT inputs: repeated and divided numbers, units, angles, and the moments of ``spinat``."""

from __future__ import annotations

import re
import warnings

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice, Structure

from ..units import BOHR_A

FloatArray = NDArray[np.float64]
_UNITS_A = {"ang": 1.0, "nm": 10.0, "boh": BOHR_A, "au": BOHR_A}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[ed][-+]?\d+)?$", re.IGNORECASE)
_ROOT = re.compile(r"([-+]?)sqrt\((.+)\)$", re.IGNORECASE)
_COORDINATES = ("xred", "xangst", "xcart")
_OF_STRUCTURE = ("natom", "typat", "acell", "rprim", "angdeg", "scalecart", *_COORDINATES, "spinat")
_ALTERNATIVES = (("rprim", "angdeg"), _COORDINATES)
_INDEXED = re.compile(rf"({'|'.join(_OF_STRUCTURE)})([\d?:+*]{{1,4}})$")


def read_abinit_input(text: str) -> Structure:
    """Structure of an ABINIT input; of several data sets that of the first, with a warning where the others differ.

    Raises
    ------
    ValueError
        If atoms or cell are not all there, or stand in another file.
    """
    plain = re.sub(r"[#!].*", "", text).replace(",", " ")
    if elsewhere := re.search(r"^\s*((?:include|structure)\s+[\"'].*?[\"'])", plain, re.IGNORECASE | re.MULTILINE):
        raise ValueError(f"part of it is in another file ({elsewhere.group(1)}): put that in its place")
    words = _of_first_data_set(plain.split())
    count, kinds = (int(_numbers(words, name, 1, default=[1.0])[0]) for name in ("natom", "ntypat"))
    nuclei = _numbers(words, "znucl", kinds)
    kind_of = [int(n) for n in _numbers(words, "typat", count, default=[1.0] if count == 1 else None)]
    if not all(1 <= n <= kinds for n in kind_of):
        raise ValueError(f"typat names a kind of atom that is none of the {kinds} of znucl")
    lattice = _lattice(words)
    name = next((name for name in _COORDINATES if _place(words, name) is not None), None)
    if name is None and count > 1:
        raise ValueError(f"it has none of {', '.join(_COORDINATES)}")
    if name in ("xcart", "xangst") and _place(words, "angdeg") is not None:
        raise ValueError(f"{name} beside angdeg depends on how ABINIT lays the cell: give xred, or rprim")
    places = np.zeros((1, 3)) if name is None else np.reshape(_numbers(words, name, 3 * count), (count, 3))
    unit = _unit(words, name, 3 * count) if name == "xcart" else 1.0
    spins = _numbers(words, "spinat", 3 * count, default=[0.0] * 3 * count)
    moments = np.reshape(spins, (count, 3)).tolist()
    return Structure(
        lattice,
        [Element.from_Z(round(nuclei[n - 1])) for n in kind_of],
        unit * places,
        coords_are_cartesian=name in ("xangst", "xcart"),
        site_properties={"magmom": moments} if any(any(m) for m in moments) else {},
    )


def _of_first_data_set(words: list[str]) -> list[str]:
    """The input as its first data set has it: the variables of that set (``xred1``, ``acell:``, ``xred?1``) by name."""
    sets, double = int(_numbers(words, "ndtset", 1, [0.0])[0]), any(_numbers(words, "udtset", 2, [0.0, 0.0]))
    if sets < 1:
        return words
    first = str(int(_numbers(words, "jdtset", 1, [11.0 if double else 1.0])[0]))
    own = _endings(first)
    indexed = {n: match for n, word in enumerate(words) if (match := _INDEXED.match(word.lower()))}
    taken: dict[str, int] = {}
    for n in sorted((n for n in indexed if indexed[n].group(2) in own), key=lambda n: own.index(indexed[n].group(2))):
        taken.setdefault(indexed[n].group(1), n)
    for match in indexed.values():
        if ":" in match.group(2) and match.group(1) not in taken:
            raise ValueError(f"set {first} is none of the first of its series {match.group()}: write that set out")
    out, others = list(words), {words[n].lower() for n in indexed if n not in taken.values()}
    for name, n in taken.items():
        hidden = next((group for group in _ALTERNATIVES if name in group), (name,))
        others |= {word.lower() for word in words if word.lower() in hidden}
        out = ["_" if word.lower() in hidden else word for word in out]
        out[n] = name
    if others and sets > 1:
        by = ", ".join(sorted(others))
        warnings.warn(
            f"it holds {sets} data sets whose cells or atoms differ ({by}): set {first} was taken", stacklevel=2
        )
    return out


def _endings(index: str) -> tuple[str, ...]:
    """Behind a variable that holds for a data set, the most particular first; of series those that begin there."""
    outer, inner = index.zfill(2)[:-1], index[-1]
    series = [ending for ending, begins in ((":", index), (":?", outer), ("?:", inner)) if begins == "1"]
    return (index, f"{outer}?", f"?{inner}", *series)


def _lattice(words: list[str]) -> Lattice:
    edges = np.array(_numbers(words, "acell", 3, default=[1.0] * 3)) * _unit(words, "acell", 3)
    if _place(words, "angdeg") is not None:
        alpha, beta, gamma = _numbers(words, "angdeg", 3)
        a, b, c = (float(edge) for edge in edges)
        return Lattice.from_parameters(a, b, c, alpha, beta, gamma)
    identity = np.eye(3).ravel().tolist()
    rows = np.reshape(_numbers(words, "rprim", 9, default=identity), (3, 3)) * edges[:, None]
    return Lattice(rows * np.array(_numbers(words, "scalecart", 3, default=[1.0] * 3)))


def _place(words: list[str], name: str) -> int | None:
    return next((n for n, word in enumerate(words) if word.lower() == name), None)


def _numbers(words: list[str], name: str, count: int, default: list[float] | None = None) -> list[float]:
    """Numbers behind a variable; ``3*0.5`` stands for three of them."""
    start = _place(words, name)
    if start is None:
        if default is None:
            raise ValueError(f"it has no {name}")
        return default
    out: list[float] = []
    for word in words[start + 1 :]:
        if len(out) >= count:
            break
        times, _, value = word.rpartition("*")
        number = _number(value)
        if number is None or (times and not times.isdigit()):
            break
        out += [number] * (min(int(times), count) if times else 1)
    if len(out) < count:
        raise ValueError(f"{name} has {len(out)} numbers and needs {count}")
    return out[:count]


def _number(word: str) -> float | None:
    """A number, a fraction, or a root of one; None for any other word."""
    root = _ROOT.match(word)
    if root:
        inner = _number(root.group(2))
        return None if inner is None or inner < 0 else float(f"{root.group(1)}1") * inner**0.5
    above, slash, below = word.partition("/")
    if slash:
        parts = _number(above), _number(below)
        return None if parts[0] is None or not parts[1] else parts[0] / parts[1]
    return float(word.lower().replace("d", "e")) if _NUMBER.match(word) else None


def _unit(words: list[str], name: str, count: int) -> float:
    """In Angstrom, by the word behind a variable's numbers; bohr if there is none."""
    start, seen = _place(words, name), 0
    if start is None:
        return BOHR_A
    for word in words[start + 1 :]:
        times, _, value = word.rpartition("*")
        if _number(value) is None:
            return next((size for begin, size in _UNITS_A.items() if word.lower().startswith(begin)), BOHR_A)
        seen += int(times) if times.isdigit() else 1
        if seen > count:
            break
    return BOHR_A
