"""One-electron fields on the d orbitals of an ion: angular overlap of its oxygens, quadrupole of all other ions.

Matrices stand between the real orbitals `d_shell.D_ORBITALS` (xy, yz, z2, xz, x2-y2), eV. The angular overlap is that
of C. E. Schaeffer and C. K. Jorgensen, 10.1080/00268976500100551.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..structures.units import BOHR_A, COULOMB_eV_A
from .d_shell import D_ORBITALS, quadrupole_operator
from .ewald import electric_field_gradient
from .pairs import neighbour_vectors

if TYPE_CHECKING:
    from .ligand_field import LigandFieldParameters

__all__ = ["angular_overlap", "quadrupole_field", "site_fields"]

FloatArray = NDArray[np.float64]


def angular_overlap(bonds: ArrayLike, parameters: LigandFieldParameters) -> FloatArray:
    """One-electron field of ligands at these bond vectors, shape (5, 5), eV.

    Parameters
    ----------
    bonds
        Vectors from the ion to its ligands, shape (n, 3), Angstrom.
    parameters
        Strengths and their distance law.
    """
    vectors = np.asarray(bonds, dtype=float).reshape(-1, 3)
    distances = np.linalg.norm(vectors, axis=1)
    axes = vectors / distances[:, None]
    scales = (parameters.reference_distance_A / distances) ** parameters.distance_exponent
    helpers = np.cross(axes, np.eye(3)[np.argmin(np.abs(axes), axis=1)])
    first = helpers / np.linalg.norm(helpers, axis=1)[:, None]
    along = np.einsum("iab,na->nib", D_ORBITALS, axes)
    sigma = np.sqrt(1.5) * np.einsum("nib,nb->ni", along, axes)
    total = parameters.e_sigma_eV * (scales * sigma.T) @ sigma
    for sides in (first, np.cross(axes, first)):
        pi = np.sqrt(2.0) * np.einsum("nib,nb->ni", along, sides)
        total += parameters.e_pi_eV * (scales * pi.T) @ pi
    return np.asarray(total)


def quadrupole_field(gradient: ArrayLike, parameters: LigandFieldParameters) -> FloatArray:
    """One-electron field of an electric field gradient (V/A^2, shape (3, 3)) on an electron, shape (5, 5), eV."""
    r2 = parameters.shielding * parameters.r2_a0_squared * BOHR_A**2
    return np.asarray(-0.5 * r2 * np.einsum("ab,abij->ij", np.asarray(gradient, dtype=float), quadrupole_operator()))


def site_fields(
    cell: ArrayLike,
    positions: ArrayLike,
    symbols: Sequence[str],
    charges: ArrayLike,
    sites: Sequence[int],
    parameters: LigandFieldParameters,
    *,
    accuracy: float = 1e-6,
) -> FloatArray:
    """One-electron field of each site: its anions by angular overlap, all other ions as point charges.

    Parameters
    ----------
    cell, positions
        Shapes (3, 3) and (n, 3), Angstrom.
    symbols, charges
        Elements and charges (e) of all ions.
    sites
        Ions to compute.
    parameters
        Strengths; `ligand_cutoff_A` decides what a ligand is.
    accuracy
        Of the Ewald sum.

    Returns
    -------
    ndarray
        Shape (n_sites, 5, 5), eV.

    Raises
    ------
    ValueError
        If a site has fewer than three ligands.
    """
    q = np.asarray(charges, dtype=float)
    first, second, vectors = neighbour_vectors(cell, positions, parameters.ligand_cutoff_A)
    # Of ions that lost their charges the oxygens still are ligands.
    is_ligand = (q < 0) | np.array([s == "O" for s in symbols])
    gradients = electric_field_gradient(np.asarray(cell), np.asarray(positions), q, list(sites), accuracy=accuracy)
    fields = []
    for site, gradient in zip(sites, gradients, strict=True):
        mine = (first == site) & is_ligand[second]
        bonds, ligand_charges = vectors[mine], q[second[mine]]
        if len(bonds) < 3:
            raise ValueError(
                f"{symbols[site]} at site {site} has {len(bonds)} anions within {parameters.ligand_cutoff_A} A; "
                "an angular-overlap field needs at least 3: check the structure or raise ligand_cutoff_A"
            )
        rest = gradient - _point_gradient(bonds, ligand_charges)
        fields.append(angular_overlap(bonds, parameters) + quadrupole_field(rest, parameters))
    return np.array(fields)


def _point_gradient(bonds: FloatArray, charges: FloatArray) -> FloatArray:
    """Second derivatives of the potential of point charges at these vectors, V/A^2, shape (3, 3)."""
    r = np.linalg.norm(bonds, axis=1)
    outer = 3 * np.einsum("na,nb->nab", bonds, bonds) - r[:, None, None] ** 2 * np.eye(3)
    return np.asarray(COULOMB_eV_A * np.einsum("n,nab->ab", charges / r**5, outer))
