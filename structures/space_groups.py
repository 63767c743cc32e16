"""Crystals from a space group and the positions of their ions, in the setting of pymatgen's symbols.

Why not `Structure.from_spacegroup` itself: it keeps the operations in a set whose hashes are all equal, so that each is
compared with each, 0.4 s for a cubic group, and forgets them. The operations are pymatgen's, and so is the order of the
sites, which stored studies refer to by index.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Lattice, Structure
from pymatgen.core.operations import SymmOp

FloatArray = NDArray[np.float64]
# Fractional: equivalent positions closer than this are one; lengths (relative) and cosines of a lattice.
_SAME = 1e-5
_METRIC = 1e-5


def operations_of_setting(hall: str = "", name: str = "", choice: str = "") -> list[str]:
    """Symmetry operations of a space group's setting, by its Hall symbol or by its name with its choice.

    Parameters
    ----------
    hall
        E.g. ``"-F 4vw 2vw 3"``; blanks and underscores do not count.
    name, choice
        Short Hermann-Mauguin symbol and spglib's choice of origin, axes or cell, e.g. ``"Fd-3m"`` and ``"2"``.

    Returns
    -------
    list of str
        As ``"x+1/2, y, -z"``; empty if spglib has no such setting.
    """
    import spglib

    number = _settings().get(_plain(hall)) if hall else None
    number = number or (_settings().get(f"{_plain(name)}:{choice.upper()}") if name else None)
    found = spglib.get_symmetry_from_database(number) if number else None
    if found is None:
        return []
    pairs = zip(found["rotations"], found["translations"], strict=True)
    return [SymmOp.from_rotation_and_translation(r, t).as_xyz_str() for r, t in pairs]


def _plain(symbol: str) -> str:
    return symbol.replace(" ", "").replace("_", "").replace("=", '"')


@lru_cache(maxsize=1)
def _settings() -> dict[str, int]:
    """Numbers of spglib's settings by Hall symbol, and by name and choice."""
    import spglib

    out: dict[str, int] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(1, 531):
            if (group := spglib.get_spacegroup_type(number)) is None:
                continue
            out[_plain(group.hall_symbol)] = number
            out[f"{_plain(group.international_short)}:{group.choice.upper()}"] = number
    return out


def crystal(
    space_group: str, lattice: Lattice, species: Sequence[str], positions: Sequence[Sequence[float]] | FloatArray
) -> Structure:
    """All ions of a crystal.

    Parameters
    ----------
    space_group
        Hermann-Mauguin symbol, e.g. ``"Fd-3m:2"`` or ``"P6_3mc"``; trigonal groups in their hexagonal setting.
    lattice
        Conventional cell.
    species
        One for each position.
    positions
        Fractional coordinates of one representative of each Wyckoff position.

    Returns
    -------
    Structure
        Sites in the order of the positions.

    Raises
    ------
    ValueError
        If there is no such group, or its operations do not keep the lattice.
    """
    operations = _operations(space_group)
    if not _keep(operations[:, :3, :3], lattice):
        raise ValueError(
            f"a lattice of a, b, c = {_listed(lattice.abc)} A and angles {_listed(lattice.angles)} degrees does not "
            f"have the symmetry of {space_group}; see to its lengths and angles"
        )
    all_species: list[str] = []
    all_positions: list[FloatArray] = []
    for name, position in zip(species, positions, strict=True):
        orbit = _orbit(operations, position)
        all_species += [name] * len(orbit)
        all_positions += orbit
    return Structure(lattice, all_species, all_positions)


def _listed(numbers: Sequence[float]) -> str:
    return ", ".join(f"{x:g}" for x in numbers)


def _orbit(operations: FloatArray, position: ArrayLike) -> list[FloatArray]:
    """Distinct images of a position in the cell, in the order of the operations."""
    point = np.append(np.asarray(position, dtype=float), 1.0)
    orbit: list[FloatArray] = []
    for operation in operations:
        image = np.mod(np.round(np.dot(operation, point)[:3], decimals=10), 1)
        if not orbit or not np.any(np.abs(np.array(orbit) - image).sum(axis=1) < _SAME):
            orbit.append(image)
    return orbit


def _keep(rotations: FloatArray, lattice: Lattice) -> bool:
    """Whether rotations of fractional coordinates change no length and no angle of a lattice."""
    metric = np.asarray(lattice.metric_tensor)
    turned = np.einsum("nki,kl,nlj->nij", rotations, metric, rotations)
    lengths = np.sqrt(np.diag(metric))
    return bool(np.abs((turned - metric) / np.outer(lengths, lengths)).max() < _METRIC)


class _Place:
    """Number of an operation; all have one hash, as pymatgen's operations do."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        return 7


@lru_cache(maxsize=32)
def _operations(symbol: str) -> FloatArray:
    """Operations as matrices of four rows, in the order that pymatgen's set of them has."""
    from pymatgen.core.operations import SymmOp
    from pymatgen.symmetry.groups import SpaceGroup

    listed = _listed_operations(SpaceGroup, symbol)
    if listed is None:
        try:
            generated = SpaceGroup(symbol).symmetry_ops
        except ValueError as error:
            raise ValueError(
                f"{symbol!r} is no space group: give its Hermann-Mauguin symbol, e.g. 'Fd-3m:2'"
            ) from error
        return np.array([operation.affine_matrix for operation in generated], dtype=np.float64)
    matrices = np.array([SymmOp.from_xyz_str(text).affine_matrix for text in listed], dtype=np.float64)
    return matrices[[place.number for place in {_Place(n) for n in range(len(matrices))}]]


def _listed_operations(groups: Any, symbol: str) -> list[str] | None:
    """Operations that pymatgen lists under a symbol; it generates those of the others."""
    name = re.sub(" ", "", symbol)
    if name[-1:] in ("H", "R") and name[-2:-1] != ":":
        name = f"{name[:-1]}:{name[-1]}"
    name = groups.abbrev_sg_mapping.get(name) or groups.full_sg_mapping.get(name) or name
    for group in groups.SYMM_OPS:
        if name in (group["hermann_mauguin"], group["universal_h_m"], group["hermann_mauguin_u"]):
            symbols: list[str] = group["symops"]
            return symbols
    return None
