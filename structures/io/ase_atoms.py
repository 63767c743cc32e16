"""Structures that ASE wrote or read: its JSON (as of C2DB), and layers, which repeat in a plane alone."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice, Structure

_ARRAY = "__ndarray__"
_MOMENTS = ("initial_magmoms", "magmoms")


def is_ase_json(plain: Mapping[str, Any]) -> bool:
    """Whether a JSON document is a database of ASE's with one row or more."""
    return "ids" in plain and any(isinstance(row, Mapping) and "numbers" in row for row in plain.values())


def read_ase_json(plain: Mapping[str, Any], name: str) -> Structure:
    """Structure of the first row of an ASE database in JSON, with the moments of its calculation or of its start.

    Parameters
    ----------
    plain
        As decoded.
    name
        Of the file, for messages.

    Raises
    ------
    ValueError
        If it has no periodic cell, or arrays of other shapes than their atoms have.
    """
    rows = [str(key) for key in plain["ids"]]
    row = plain.get(rows[0]) if rows else None
    if not isinstance(row, Mapping):
        raise ValueError(f"{name} holds no row of atoms")
    if len(rows) > 1:
        warnings.warn(f"it holds {len(rows)} structures: the first was taken", stacklevel=2)
    numbers = _array(row["numbers"]).astype(int)
    cell = _array(row["cell"]["array"] if "array" in row["cell"] else row["cell"]).reshape(3, 3)
    check_periodic([bool(x) for x in _array(row.get("pbc", [False] * 3))], cell, name)
    moments = next((_array(row[key]) for key in reversed(_MOMENTS) if key in row), np.zeros(len(numbers)))
    return Structure(
        Lattice(cell),
        [Element.from_Z(int(number)) for number in numbers],
        _array(row["positions"]).reshape(len(numbers), 3),
        coords_are_cartesian=True,
        site_properties={"magmom": moments.tolist()} if np.any(moments) else {},
    )


def check_periodic(pbc: Sequence[bool], cell: NDArray[np.float64], name: str) -> None:
    """Refuse a molecule; a layer with a third vector for its vacuum repeats along that too, and this is said.

    Raises
    ------
    ValueError
        If fewer than two directions repeat, or the three vectors span no volume.
    """
    if sum(pbc) < 2 or abs(float(np.linalg.det(cell))) < 1.0:
        raise ValueError(f"{name} has no periodic cell")
    if not all(pbc):
        words = (
            "it repeats in a plane alone: the third vector is taken for that of a crystal of layers, with its vacuum"
        )
        warnings.warn(words, stacklevel=2)


def _array(value: Any) -> NDArray[np.float64]:
    """Of ASE's JSON: shape, type and flat numbers, or a plain list."""
    if isinstance(value, Mapping):
        shape, _, flat = value[_ARRAY]
        return np.array(flat, dtype=float).reshape([int(n) for n in shape])
    return np.array(value, dtype=float)
