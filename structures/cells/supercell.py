"""Supercells: repeats and general 3x3 transformations of a cell, with all site properties kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure

IntMatrix = NDArray[np.int_]
# The densest packing of images: no lattice of volume V has a shortest vector above (sqrt(2) V)^(1/3).
_CLOSE_PACKING = math.sqrt(2.0)
_SAME_LENGTH_A = 1e-6


def repeats_for_distance(structure: Structure, min_image_distance_A: float) -> tuple[int, int, int]:
    """Smallest diagonal repeats whose periodic images are at least a distance apart.

    Parameters
    ----------
    structure
        Cell to repeat.
    min_image_distance_A
        Wanted distance between the faces of the supercell, in Angstrom.

    Returns
    -------
    tuple of int
        Repeats along a, b, c.

    Raises
    ------
    ValueError
        If the distance is not positive.
    """
    _check_distance(min_image_distance_A)
    lattice = structure.lattice
    heights = [lattice.d_hkl(hkl) for hkl in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
    slack = 1e-6
    n = [max(1, math.ceil(min_image_distance_A / h - slack)) for h in heights]
    return n[0], n[1], n[2]


def repeats_for_images(structure: Structure, min_image_distance_A: float) -> tuple[int, int, int]:
    """Fewest diagonal repeats that keep a point and its images a distance apart; the most cubic ones among equals.

    Parameters
    ----------
    structure
        Cell to repeat.
    min_image_distance_A
        Wanted distance between a point and its nearest image, in Angstrom.

    Returns
    -------
    tuple of int
        Repeats along a, b, c.

    Raises
    ------
    ValueError
        If the distance is not positive.
    """
    most = repeats_for_distance(structure, min_image_distance_A)
    lattice = structure.lattice

    def size(n: tuple[int, int, int]) -> tuple[int, float]:
        return math.prod(n), max(m * length for m, length in zip(n, lattice.abc, strict=True))

    for n in sorted(((i, j, k) for i in _up_to(most[0]) for j in _up_to(most[1]) for k in _up_to(most[2])), key=size):
        if image_distance_A(Lattice(np.diag(n) @ lattice.matrix)) >= min_image_distance_A - _SAME_LENGTH_A:
            return n
    return most


def supercell(structure: Structure, repeats: tuple[int, int, int]) -> Structure:
    """Repeated copy of a structure, coordinates in [0, 1), site properties kept.

    Raises
    ------
    ValueError
        If a repeat is not a positive whole number.
    """
    if any(n < 1 or n != int(n) for n in repeats):
        raise ValueError(f"repeats {repeats} must be whole numbers >= 1")
    out = structure.copy()
    out.make_supercell(repeats, to_unit_cell=True)
    return out


def general_supercell(structure: Structure, matrix: Sequence[Sequence[int]] | IntMatrix) -> Structure:
    """Supercell whose lattice vectors are whole-number combinations of the cell's.

    Parameters
    ----------
    structure
        Cell with any site properties.
    matrix
        Row i holds the coefficients of the new vector i, shape (3, 3), determinant above zero.

    Returns
    -------
    Structure
        ``det(matrix)`` times as many sites, coordinates in [0, 1), site properties kept.

    Raises
    ------
    ValueError
        If the entries are not whole numbers or the determinant is not positive.
    """
    given = np.asarray(matrix, dtype=float)
    if given.shape != (3, 3) or not np.allclose(given, np.rint(given), atol=1e-9):
        raise ValueError(f"supercell matrix {given.tolist()} must be 3x3 whole numbers")
    rounded = np.rint(given).astype(int)
    cells = round(float(np.linalg.det(rounded)))
    if cells < 1:
        raise ValueError(f"supercell matrix {rounded.tolist()} has determinant {cells}; it must be at least 1")
    out = structure.copy()
    out.make_supercell(rounded.tolist(), to_unit_cell=True)
    return out


def image_distance_A(lattice: Lattice) -> float:
    """Shortest distance between a point and its periodic images, in Angstrom."""
    reduced = lattice.get_lll_reduced_lattice().matrix
    points = _points(2)
    return float(np.linalg.norm(points @ reduced, axis=1).min())


def most_distant_images(structure: Structure, cells: int) -> IntMatrix:
    """The supercell of a given size whose images are farthest apart; the more cubic one among equals.

    Parameters
    ----------
    structure
        Cell to repeat.
    cells
        Number of cells in the supercell.

    Returns
    -------
    ndarray
        Matrix for `general_supercell`, shape (3, 3).

    Raises
    ------
    ValueError
        If `cells` is not at least 1.
    """
    if cells < 1:
        raise ValueError(f"a supercell of {cells} cells does not exist; give at least 1")
    basis = structure.lattice.get_lll_reduced_lattice().matrix
    change = np.rint(basis @ np.linalg.inv(structure.lattice.matrix)).astype(int)
    longest = (_CLOSE_PACKING * cells * structure.lattice.volume) ** (1 / 3)
    points = _points_within(basis, longest)
    lengths = np.linalg.norm(points @ basis, axis=1)
    best, images = -1.0, []
    for form in _hermite_forms(cells):
        coefficients = points @ np.linalg.inv(form)
        inside = np.all(np.abs(coefficients - np.rint(coefficients)) < 1e-6, axis=1)
        shortest = float(lengths[inside].min())
        if shortest > best + _SAME_LENGTH_A:
            best, images = shortest, [form]
        elif shortest > best - _SAME_LENGTH_A:
            images.append(form)
    reduced = [_reduce(form @ change, structure.lattice) for form in images]
    return min(reduced, key=lambda m: _elongation(m, structure.lattice))


def matrix_for_image_distance(structure: Structure, min_image_distance_A: float, max_cells: int = 64) -> IntMatrix:
    """The smallest supercell whose images are at least a distance apart, of any shape.

    Parameters
    ----------
    structure
        Cell to repeat.
    min_image_distance_A
        Wanted distance between a point and its images, in Angstrom.
    max_cells
        Where the search gives up.

    Returns
    -------
    ndarray
        Matrix for `general_supercell`, shape (3, 3).

    Raises
    ------
    ValueError
        If the distance is not positive, or needs more than `max_cells` cells.
    """
    _check_distance(min_image_distance_A)
    fewest = math.ceil(min_image_distance_A**3 / _CLOSE_PACKING / structure.lattice.volume - 1e-6)
    for cells in range(max(1, fewest), max_cells + 1):
        matrix = most_distant_images(structure, cells)
        if image_distance_A(Lattice(matrix @ structure.lattice.matrix)) >= min_image_distance_A - _SAME_LENGTH_A:
            return matrix
    raise ValueError(
        f"images {min_image_distance_A} A apart need more than {max_cells} cells; raise max_cells or lower the distance"
    )


def _check_distance(distance_A: float) -> None:
    if distance_A <= 0:
        raise ValueError(f"image distance {distance_A} A must be positive")


def _points(reach: int) -> IntMatrix:
    axis = np.arange(-reach, reach + 1)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(points[np.any(points != 0, axis=1)])


def _points_within(basis: NDArray[np.float64], radius: float) -> IntMatrix:
    """Lattice points other than the origin within a radius, shape (n, 3)."""
    heights = 1 / np.linalg.norm(np.linalg.inv(basis), axis=0)
    reach = np.ceil(radius / heights - 1e-9).astype(int)
    grids = np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij")
    points = np.stack(grids, axis=-1).reshape(-1, 3)
    length = np.linalg.norm(points @ basis, axis=1)
    return np.asarray(points[(length > _SAME_LENGTH_A) & (length <= radius + _SAME_LENGTH_A)])


def _hermite_forms(determinant: int) -> Iterator[IntMatrix]:
    """Every sublattice of an index once, as its row Hermite normal form."""
    for a in _divisors(determinant):
        for b in _divisors(determinant // a):
            c = determinant // a // b
            for x in range(b):
                for y in range(c):
                    for z in range(c):
                        yield np.array([[a, x, y], [0, b, z], [0, 0, c]])


def _up_to(n: int) -> range:
    return range(1, n + 1)


def _divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


def _reduce(matrix: IntMatrix, lattice: Lattice) -> IntMatrix:
    """Same sublattice with short vectors and a positive determinant."""
    reduced = Lattice(matrix @ lattice.matrix).get_lll_reduced_lattice().matrix
    out = np.rint(reduced @ lattice.inv_matrix).astype(int)
    return out if np.linalg.det(out) > 0 else -out


def _elongation(matrix: IntMatrix, lattice: Lattice) -> tuple[float, int, list[int]]:
    lengths = np.linalg.norm(matrix @ lattice.matrix, axis=1)
    return round(float(lengths @ lengths), 6), int(np.count_nonzero(matrix)), (-matrix).ravel().tolist()
