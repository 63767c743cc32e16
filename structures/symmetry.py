"""Symmetry of decorated structures: element, valence and spin all count as colour."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import spglib
from numpy.typing import NDArray
from pymatgen.core import Structure
from scipy.spatial import cKDTree

FloatArray = NDArray[np.float64]
# Element, valence and moment of a site.
_Key: TypeAlias = tuple[str, float, tuple[float, ...]]
DEFAULT_SYMPREC = 1e-3
_REMEMBERED = 8
_SAMPLE = 24
# Moments count to three digits.
_NO_MOMENT_muB = 1e-3


@dataclass(frozen=True)
class Operation:
    """A space-group operation of a cell.

    Attributes
    ----------
    rotation, translation
        In fractional coordinates: ``x -> rotation @ x + translation``.
    cartesian
        Rotation part in Cartesian coordinates, shape (3, 3).
    reverses_spins
        Whether it takes the crystal to itself only together with a reversal of all spins, which costs no energy:
        this relates the two halves of an antiferromagnet.
    """

    rotation: NDArray[np.int_]
    translation: FloatArray
    cartesian: FloatArray
    reverses_spins: bool = False

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
    keys = _keys(structure)
    index = {key: n + 1 for n, key in enumerate(sorted(set(keys)))}
    return [index[key] for key in keys]


def _both_colours(structure: Structure) -> tuple[list[int], list[int]]:
    """The colour of each site, and the one that it has when all spins are reversed; 0 if no site has it now."""
    keys = _keys(structure)
    index = {key: n + 1 for n, key in enumerate(sorted(set(keys)))}
    opposite = {key: index.get(_reversed(key), 0) for key in index}
    return [index[key] for key in keys], [opposite[key] for key in keys]


def _keys(structure: Structure) -> list[_Key]:
    properties = structure.site_properties
    unset = [None] * len(structure)
    symbols = [s.specie.symbol for s in structure]
    valences = [round(v or 0.0, 6) for v in properties.get("valence", unset)]
    # A number is a vector along z, so that the two forms of one order have the same symmetry.
    vectors = [
        (0.0, 0.0, m or 0.0) if m is None or np.ndim(m) == 0 else tuple(m) for m in properties.get("magmom", unset)
    ]
    moments = np.round(np.array(vectors, dtype=float), 3) + 0.0
    return list(zip(symbols, valences, map(tuple, moments.tolist()), strict=True))


def _reversed(key: _Key) -> _Key:
    return key[0], key[1], tuple(0.0 - x for x in key[2])


def _dataset(structure: Structure, symprec: float) -> spglib.SpglibDataset:
    lattice, coords = np.ascontiguousarray(structure.lattice.matrix), np.ascontiguousarray(structure.frac_coords)
    dataset = _remembered_dataset(lattice.tobytes(), coords.tobytes(), tuple(colours(structure)), symprec)
    if dataset is None:
        raise ValueError(f"spglib finds no space group at symprec = {symprec} A; check for overlapping sites")
    return dataset


@lru_cache(maxsize=_REMEMBERED)
def _remembered_dataset(
    lattice: bytes, coords: bytes, kinds: tuple[int, ...], symprec: float
) -> spglib.SpglibDataset | None:
    """Every kind of vacancy asks about the same cell: spglib is asked once."""
    cell = (np.frombuffer(lattice).reshape(3, 3).tolist(), np.frombuffer(coords).reshape(-1, 3).tolist(), list(kinds))
    return spglib.get_symmetry_dataset(cell, symprec=symprec)


def primitive_size(structure: Structure, symprec: float = DEFAULT_SYMPREC) -> int:
    """Number of atoms of the coloured structure's primitive cell; that of the structure where spglib finds none."""
    matrix, coords = structure.lattice.matrix.tolist(), structure.frac_coords.tolist()
    found = spglib.find_primitive((matrix, coords, colours(structure)), symprec=symprec)
    return len(structure) if found is None else len(found[2])


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
    """All space-group operations of the coloured structure, pure translations included.

    Those that also reverse all spins, which only antiferromagnets have, come last.
    """
    dataset = _dataset(structure, symprec)
    lattice = structure.lattice.matrix.T
    inverse = np.linalg.inv(lattice)
    plain = [
        Operation(r, np.asarray(t), lattice @ r @ inverse)
        for r, t in zip(dataset.rotations, dataset.translations, strict=True)
    ]
    flip = _spin_reversal(structure, symprec)
    if flip is None:
        return plain
    return plain + [
        Operation(
            flip.rotation @ op.rotation,
            flip.rotation @ op.translation + flip.translation,
            flip.cartesian @ op.cartesian,
            reverses_spins=True,
        )
        for op in plain
    ]


def orbits(structure: Structure, symprec: float = DEFAULT_SYMPREC) -> list[list[int]]:
    """Site indices grouped into symmetry-equivalent sets, in order of first appearance.

    Sites that only a reversal of all spins exchanges are equivalent: a defect has the same energy on either.
    """
    dataset = _dataset(structure, symprec)
    groups: dict[int, list[int]] = {}
    for i, representative in enumerate(dataset.equivalent_atoms):
        groups.setdefault(int(representative), []).append(i)
    flip = _spin_reversal(structure, symprec)
    for first in list(groups):
        image = None if flip is None else image_of_site(structure, flip, structure.frac_coords[first])
        if image is None or first not in groups:
            continue
        equivalent = int(dataset.equivalent_atoms[image])
        if equivalent != first:
            groups[first] = sorted(groups[first] + groups.pop(equivalent))
    return list(groups.values())


def _spin_reversal(structure: Structure, symprec: float) -> Operation | None:
    """One operation that takes the structure to itself with all spins reversed; None without, or without spins."""
    moments: list[Any] = [site.properties.get("magmom") for site in structure]
    vectors = np.array([m if np.ndim(m) else (0.0, 0.0, 0.0 if m is None else m) for m in moments], dtype=float)
    if not vectors.any() or np.abs(vectors.sum(axis=0)).max() > _NO_MOMENT_muB * len(structure):
        return None
    own, opposite = _both_colours(structure)
    if own == opposite or sorted(own) != sorted(opposite):
        return None
    seed = next(i for i, (a, b) in enumerate(zip(own, opposite, strict=True)) if a != b)
    here = structure.frac_coords[seed][None]
    for i, colour in enumerate(own):
        if colour != opposite[seed]:
            continue
        symmetry_operations = operations_taking(structure, here, structure.frac_coords[i][None], symprec=symprec)
        if flips := [op for op in symmetry_operations if op.reverses_spins]:
            return flips[0]
    return None


def image_of_site(structure: Structure, operation: Operation, coords: FloatArray, tol_A: float = 0.05) -> int | None:
    """Index of the site onto which an operation takes a fractional position, or None."""
    target = operation.rotation @ coords + operation.translation
    delta = structure.frac_coords - target
    delta -= np.rint(delta)
    distance = np.linalg.norm(delta @ structure.lattice.matrix, axis=1)
    nearest = int(np.argmin(distance))
    return nearest if distance[nearest] < tol_A else None


def operations_taking(
    structure: Structure,
    points: FloatArray,
    images: FloatArray,
    tol_A: float = 0.05,
    symprec: float = DEFAULT_SYMPREC,
    without: int | None = None,
) -> list[Operation]:
    """Operations of a structure that take given positions to given positions (modulo the lattice).

    The first point and its image fix the translation, so that only the lattice's own rotations (48 at most) are
    tried on the atoms: much faster in a supercell than a search for its whole space group.

    Parameters
    ----------
    structure
        Cell; element, valence and spin count as colour.
    points, images
        Fractional positions, shape (n, 3), n >= 1.
    tol_A
        How far an image of a point may be off, in Angstrom.
    symprec
        How far an image of an atom may be off, in Angstrom.
    without
        Index of an atom that does not count.

    Returns
    -------
    list of Operation
        The identity comes first if the points stay where they are; with those that reverse all spins besides.
    """
    matrix = structure.lattice.matrix
    inverse = np.linalg.inv(matrix.T)
    coords = np.mod(structure.frac_coords, 1.0) % 1.0
    kinds, opposite = (np.array(values) for values in _both_colours(structure))
    if without is not None:
        coords, kinds, opposite = (np.delete(values, without, axis=0) for values in (coords, kinds, opposite))
    tree = cKDTree(coords, boxsize=np.ones(3))
    rotations = _lattice_rotations(np.ascontiguousarray(matrix).tobytes(), symprec)
    translations = images[0] - points[0] @ rotations.transpose(0, 2, 1)
    off = points @ rotations.transpose(0, 2, 1) + translations[:, None] - images
    mapped = np.all(np.linalg.norm((off - np.rint(off)) @ matrix, axis=2) <= tol_A, axis=1)
    # A few atoms refuse most rotations before all atoms are looked at.
    sample = np.unique(np.linspace(0, len(coords) - 1, min(len(coords), _SAMPLE)).astype(int))
    for chosen in (sample, np.arange(len(coords))):
        rotations, translations = rotations[mapped], translations[mapped]
        there = np.mod(coords[chosen] @ rotations.transpose(0, 2, 1) + translations[:, None], 1.0) % 1.0
        _, nearest = tree.query(there)
        gap = coords[nearest] - there
        distance = np.linalg.norm((gap - np.rint(gap)) @ matrix, axis=2)
        plain = np.all(kinds[nearest] == kinds[chosen], axis=1)
        mapped = (plain | np.all(kinds[nearest] == opposite[chosen], axis=1)) & np.all(distance <= symprec, axis=1)
    return [
        Operation(rotation, translation, matrix.T @ rotation @ inverse, reverses_spins=not as_it_is)
        for rotation, translation, as_it_is in zip(rotations[mapped], translations[mapped], plain[mapped], strict=True)
    ]


@lru_cache(maxsize=_REMEMBERED)
def _lattice_rotations(lattice: bytes, symprec: float) -> NDArray[np.int_]:
    cell = (np.frombuffer(lattice).reshape(3, 3).tolist(), [[0.0, 0.0, 0.0]], [1])
    symmetry = spglib.get_symmetry(cell, symprec=symprec)
    if symmetry is None:
        raise ValueError("spglib finds no symmetry of the lattice; check the lattice parameters")
    return np.asarray(symmetry["rotations"])


def operations_swapping(
    structure: Structure, first: FloatArray, second: FloatArray, tol_A: float = 0.05, without: int | None = None
) -> list[Operation]:
    """Operations of a structure that exchange two fractional positions (modulo the lattice).

    This is how the relation of two states of a hop is found: pass the initial state without its mover
    (left out by its index `without`), and the two sites. Spins stay as they are.
    """
    both = np.array([first, second])
    swapping = operations_taking(structure, both, both[::-1], tol_A, without=without)
    return [op for op in swapping if not op.reverses_spins]


def stabiliser(structure: Structure, position: FloatArray, tol_A: float = 0.05) -> list[Operation]:
    """Operations of a structure that leave a fractional position where it is (modulo the lattice)."""
    here = np.asarray(position, dtype=float)[None]
    return operations_taking(structure, here, here, tol_A)
