"""Polarisation along a path: Berry-phase dipoles on one branch, Born charges integrated, and a band that carries them.

A periodic cell's dipole is known up to e times the lattice vectors (King-Smith and Vanderbilt,
10.1103/PhysRevB.47.1651), so only changes along a path that stays on one branch mean anything.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from ...structures.units import COULOMB_eV_A
from ..results.calculation import Band
from ..results.checks import Check, held
from ..results.document import Document, Provenance, StructureField

FloatArray = NDArray[np.float64]
# Beyond this share of a quantum the branch is a guess.
BRANCH_SHARE = 0.35
# Born charges must add up to zero; a larger remainder per ion is not converged.
SUM_RULE_e = 0.1


class Polarisation(Document):
    """Dipole and response of one cell.

    Attributes
    ----------
    dipole_e_A
        Dipole of the cell, e Angstrom with e > 0, up to lattice vectors; None if it was not computed.
    born_charges_e
        Z*_ab = d p_a / d u_b of every site, shape (n, 3, 3); None if they were not computed.
    dielectric
        Electronic dielectric tensor, shape (3, 3).
    gap_eV
        Band gap: without one there is no polarisation.
    """

    name: str
    structure: StructureField
    dipole_e_A: list[float] | None = None
    born_charges_e: list[list[list[float]]] | None = None
    dielectric: list[list[float]] | None = None
    gap_eV: float | None = None
    checks: list[Check] = Field(default_factory=list)
    provenance: Provenance


def on_one_branch(dipoles_e_A: ArrayLike, lattice: ArrayLike, guess_e_A: ArrayLike) -> tuple[FloatArray, float]:
    """Changes of the dipole from the first image, each on the branch nearest to a guess.

    Parameters
    ----------
    dipoles_e_A
        Shape (m, 3), each up to lattice vectors.
    lattice
        Shape (3, 3), Angstrom.
    guess_e_A
        Expected changes, e.g. of point charges, shape (m, 3).

    Returns
    -------
    tuple
        Changes, shape (m, 3), and the largest distance from the guess in quanta: near 0.5 the branch is a guess.
    """
    p, guess = np.asarray(dipoles_e_A, dtype=float), np.asarray(guess_e_A, dtype=float)
    inverse = np.linalg.inv(np.asarray(lattice, dtype=float))
    offset = (p - p[0] - guess) @ inverse
    offset -= np.rint(offset)
    return guess + offset @ np.asarray(lattice, dtype=float), float(np.max(np.abs(offset)))


def dipoles_of_born_charges(positions_A: ArrayLike, born_e: ArrayLike) -> FloatArray:
    """Changes of the dipole along a path from Born charges at its images, by the trapezoidal rule.

    Parameters
    ----------
    positions_A
        Continuous Cartesian positions, shape (m, n, 3).
    born_e
        Shape (m, n, 3, 3); their sum over the sites is taken out evenly (acoustic sum rule).

    Returns
    -------
    numpy.ndarray
        Shape (m, 3), e Angstrom.
    """
    x, z = np.asarray(positions_A, dtype=float), np.asarray(born_e, dtype=float)
    z = z - z.mean(axis=1, keepdims=True)
    steps = np.einsum("mnab,mnb->ma", (z[1:] + z[:-1]) / 2, np.diff(x, axis=0))
    return np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])


def implied_permittivity(moved_A: ArrayLike, charges_e: ArrayLike, field_V_per_A: ArrayLike, volume_A3: float) -> float:
    """Static relative permittivity along a field that ions imply by how far they relax in it.

    Parameters
    ----------
    moved_A
        Displacements of all ions from their places without the field, shape (n, 3).
    charges_e
        Charges on which the field acts, adding up to zero: numbers, shape (n,), or tensors, shape (n, 3, 3) with rows
        for the direction of the dipole.
    field_V_per_A
        Vector, shape (3,), weak enough for a linear response.
    volume_A3
        Of the cell.

    Returns
    -------
    float
        1 + P / (eps_0 F), the field being the macroscopic one inside. Charges that do not deform add nothing of the
        electrons.

    Raises
    ------
    ValueError
        If there is no field.
    """
    moved, charges = np.asarray(moved_A, dtype=float), np.asarray(charges_e, dtype=float)
    field = np.asarray(field_V_per_A, dtype=float)
    strength = float(np.linalg.norm(field))
    if strength < 1e-12:
        raise ValueError("without a field there is no response to it; give one, e.g. 1e-3 V/A")
    dipole = np.einsum("iab,ib->a", charges, moved) if charges.ndim == 3 else charges @ moved
    return float(1 + 4 * np.pi * COULOMB_eV_A * (dipole @ field) / (strength**2 * volume_A3))


def sum_rule(born_e: ArrayLike) -> Check:
    """Largest element of the sum of Born charges per ion, against `SUM_RULE_e`."""
    left = float(np.max(np.abs(np.asarray(born_e, dtype=float).mean(axis=0))))
    return held("acoustic sum rule of the Born charges", left, SUM_RULE_e, unit="e", note="per ion; taken out evenly")


def band_with_dipoles(band: Band, polarisations: Sequence[Polarisation]) -> Band:
    """The band with dipoles from a Berry phase or Born charges in place of those of point charges.

    Parameters
    ----------
    band
        Converged, with point-charge dipoles, which choose the branch.
    polarisations
        One `Polarisation` per image, all with dipoles or all with Born charges.

    Returns
    -------
    Band
        A copy; its checks have grown.

    Raises
    ------
    ValueError
        If the number of images differs, or some lack what the others have.
    """
    if len(polarisations) != len(band.images):
        raise ValueError(f"{len(polarisations)} polarisations for {len(band.images)} images")
    checks = [
        c.model_copy(update={"name": f"{c.name} (polarisation of image {k})"})
        for k, one in enumerate(polarisations)
        for c in one.checks
    ]
    dipoles = [one.dipole_e_A for one in polarisations if one.dipole_e_A is not None]
    born = [one.born_charges_e for one in polarisations if one.born_charges_e is not None]
    if len(dipoles) == len(polarisations):
        lattice = band.images[0].structure.lattice.matrix
        changes, distance = on_one_branch(dipoles, lattice, band.dipoles_e_A)
        source, note = "Berry phase", "branch nearest to the formal charges' dipole"
        checks.append(
            held(
                "branch of the polarisation",
                distance,
                BRANCH_SHARE,
                unit="quanta",
                note="distance from the point charges' dipole; near 0.5 the branch is a guess",
            )
        )
    elif len(born) == len(polarisations):
        positions = [image.structure.cart_coords for image in band.images]
        changes = dipoles_of_born_charges(positions, born)
        source, note = "Born charges", "Born charges of every image, integrated along the path"
        checks.append(sum_rule(born[0]))
    else:
        raise ValueError("every image needs a Berry-phase dipole, or every image needs Born charges")
    images = [
        image.model_copy(update={"dipole_e_A": [float(x) for x in change]})
        for image, change in zip(band.images, changes, strict=True)
    ]
    return band.model_copy(
        update={"images": images, "dipole_source": source, "dipole_note": note, "checks": [*band.checks, *checks]}
    )
