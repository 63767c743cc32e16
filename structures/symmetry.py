"""Symmetry of decorated structures: element, valence and spin all count as colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import spglib
from numpy.typing import NDArray
from pymatgen.core import Structure

FloatArray = NDArray[np.float64]
DEFAULT_SYMPREC = 1e-3


@dataclass(frozen=True)
class Operation:
    """A space-group operation of a cell.

    Attributes
    ----------
    rotation, translation
        In fractional coordinates: ``x -> rotation @ x + translation``.
    cartesian
        Rotation part in Cartesian coordinates, shape (3, 3).
    """

    rotation: NDArray[np.int_]
    translation: FloatArray
    cartesian: FloatArray

    @property
    def kind(self) -> str:
        """Name of the point operation: identity, inversion, mirror, twofold axis, ..."""
        return operation_kind(self.cartesian)


def operation_kind(rotation: FloatArray) -> str:
    """Name of a point operation given as an orthogonal 3x3 matrix.

    Raises
    ------
    ValueError
        If the matrix is not a crystallographic point operation.
    """
    key = (round(float(np.linalg.det(rotation))), round(float(np.trace(rotation))))
    names = {
        (1, 3): "identity",
        (1, -1): "twofold axis",
        (1, 0): "threefold axis",
        (1, 1): "fourfold axis",
        (1, 2): "sixfold axis",
        (-1, -3): "inversion",
        (-1, 1): "mirror",
        (-1, 0): "threefold rotoinversion",
        (-1, -1): "fourfold rotoinversion",
        (-1, -2): "sixfold rotoinversion",
    }
    if key not in names:
        raise ValueError(f"determinant and trace {key} belong to no crystallographic point operation")
    return names[key]


def colours(structure: Structure) -> list[int]:
    """One integer per site, equal for sites of equal element, valence and moment."""
    keys = []
    for site in structure:
        p = site.properties
        moment = p.get("magmom") or 0.0
        keys.append((site.specie.symbol, round(p.get("valence") or 0.0, 6), tuple(np.round(np.atleast_1d(moment), 3))))
    index = {key: n + 1 for n, key in enumerate(sorted(set(keys)))}
    return [index[key] for key in keys]


def _cell(structure: Structure) -> tuple[list[list[float]], list[list[float]], list[int]]:
    return structure.lattice.matrix.tolist(), structure.frac_coords.tolist(), colours(structure)


def _dataset(structure: Structure, symprec: float) -> spglib.SpglibDataset:
    dataset = spglib.get_symmetry_dataset(_cell(structure), symprec=symprec)
    if dataset is None:
        raise ValueError(f"spglib finds no space group at symprec = {symprec} A; check for overlapping sites")
    return dataset


def space_group_number(structure: Structure, symprec: float = DEFAULT_SYMPREC) -> int:
    """International number of the space group of the coloured structure.

    Raises
    ------
    ValueError
        If spglib finds none.
    """
    return int(_dataset(structure, symprec).number)


def space_group_symbol(structure: Structure, symprec: float = DEFAULT_SYMPREC) -> str:
    """Hermann-Mauguin symbol of the coloured structure, e.g. ``"Imma"``."""
    return str(_dataset(structure, symprec).international)


def operations(structure: Structure, symprec: float = DEFAULT_SYMPREC) -> list[Operation]:
    """All space-group operations of the coloured structure, pure translations included."""
    found = _dataset(structure, symprec)
    lattice = structure.lattice.matrix.T
    inverse = np.linalg.inv(lattice)
    return [
        Operation(r, np.asarray(t), lattice @ r @ inverse)
        for r, t in zip(found.rotations, found.translations, strict=True)
    ]


def orbits(structure: Structure, symprec: float = DEFAULT_SYMPREC) -> list[list[int]]:
    """Site indices grouped into symmetry-equivalent sets, in order of first appearance."""
    dataset = _dataset(structure, symprec)
    groups: dict[int, list[int]] = {}
    for i, representative in enumerate(dataset.equivalent_atoms):
        groups.setdefault(int(representative), []).append(i)
    return list(groups.values())


def image_of_site(structure: Structure, operation: Operation, coords: FloatArray, tol_A: float = 0.05) -> int | None:
    """Index of the site onto which an operation takes a fractional position, or None."""
    target = operation.rotation @ coords + operation.translation
    delta = structure.frac_coords - target
    delta -= np.rint(delta)
    distance = np.linalg.norm(delta @ structure.lattice.matrix, axis=1)
    nearest = int(np.argmin(distance))
    return nearest if distance[nearest] < tol_A else None


def operations_swapping(
    structure: Structure, first: FloatArray, second: FloatArray, tol_A: float = 0.05
) -> list[Operation]:
    """Operations of a structure that exchange two fractional positions (modulo the lattice).

    This is how the relation of two states of a hop is found: pass the structure with both
    sites empty and the two sites.
    """
    lattice = structure.lattice.matrix
    out = []
    for op in operations(structure):
        there = op.rotation @ first + op.translation - second
        back = op.rotation @ second + op.translation - first
        if all(np.linalg.norm((d - np.rint(d)) @ lattice) < tol_A for d in (there, back)):
            out.append(op)
    return out


def stabiliser(structure: Structure, position: FloatArray, tol_A: float = 0.05) -> list[Operation]:
    """Operations of a structure that leave a fractional position where it is (modulo the lattice)."""
    return operations_swapping(structure, position, position, tol_A)
