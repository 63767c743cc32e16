"""Magnetic symmetry of a collinear cell: which directions of its magnetisation are equivalent."""

from __future__ import annotations

from typing import Any

import numpy as np
import spglib
from numpy.typing import NDArray
from pymatgen.core import Structure

FloatArray = NDArray[np.float64]


def axial_operations(structure: Structure, symprec: float = 1e-3) -> FloatArray:
    """Matrices that act on the direction of magnetisation and leave E(n) as it is.

    A collinear order turns as one body. An operation R of the magnetic space group (spglib, signed moments) takes
    the magnetisation, an axial vector, from n to det(R) R n; combined with time reversal, to -det(R) R n.

    Parameters
    ----------
    structure
        Cell with signed collinear ``magmom``; elements and valences count as colours.
    symprec
        Angstrom; 1e-2 for relaxed cells.

    Returns
    -------
    ndarray
        Distinct orthogonal matrices, a group, shape (n, 3, 3); identity first.

    Raises
    ------
    ValueError
        If the moments are vectors, or spglib finds no group.
    """
    lattice = structure.lattice.matrix.T
    inverse = np.linalg.inv(lattice)
    unique: dict[tuple[float, ...], FloatArray] = {tuple(np.eye(3).ravel()): np.eye(3)}
    symmetry = _magnetic_group(structure, symprec)
    for rotation, reversed_ in zip(symmetry["rotations"], symmetry["time_reversals"], strict=True):
        matrix = lattice @ rotation @ inverse
        axial = round(float(np.linalg.det(matrix))) * matrix * (-1.0 if reversed_ else 1.0)
        unique.setdefault(tuple((np.round(axial, 6) + 0.0).ravel()), axial)
    return np.array(list(unique.values()))


def site_rotations(structure: Structure, site: int, symprec: float = 1e-3) -> FloatArray:
    """Proper parts det(R) R of the operations of the magnetic group that leave a site where it is.

    Time reversal leaves the density of an ion's electrons as it is and does not count.

    Parameters
    ----------
    structure, symprec
        As in `axial_operations`.
    site
        Number of the site.

    Returns
    -------
    ndarray
        Orthogonal matrices, Cartesian, shape (n, 3, 3).
    """
    lattice = structure.lattice.matrix.T
    inverse = np.linalg.inv(lattice)
    place = np.array(structure.frac_coords[site])
    symmetry = _magnetic_group(structure, symprec)
    out = []
    for rotation, shift in zip(symmetry["rotations"], symmetry["translations"], strict=True):
        off = rotation @ place + shift - place
        if np.linalg.norm(lattice @ (off - np.round(off))) <= 10 * symprec:
            matrix = lattice @ rotation @ inverse
            out.append(round(float(np.linalg.det(matrix))) * matrix)
    return np.array(out)


def _magnetic_group(structure: Structure, symprec: float) -> Any:
    moments = np.array(structure.site_properties["magmom"], dtype=float)
    if moments.ndim != 1:
        raise ValueError(f"moments have shape {moments.shape}; the directions of a collinear order need signed numbers")
    keys = [(s.specie.symbol, round(float(s.properties.get("valence") or 0.0), 6)) for s in structure]
    number = {key: i + 1 for i, key in enumerate(sorted(set(keys)))}
    cell = (
        structure.lattice.matrix.tolist(),
        structure.frac_coords.tolist(),
        [number[key] for key in keys],
        moments.tolist(),
    )
    symmetry = spglib.get_magnetic_symmetry(cell, symprec=symprec)
    if symmetry is None:
        raise ValueError(f"spglib finds no magnetic group at symprec = {symprec} A; check for overlapping sites")
    return symmetry
