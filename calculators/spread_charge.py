"""What a finite cell does to a charge that a missing ion leaves spread over the other cations.

The cell without an ion of charge q is the perfect lattice plus the charges {-q at the site, q/N on each of N carriers}.
Their energy among themselves and their images falls as 1/L and is an Ewald sum; that N carriers share what infinitely
many would is a term in 1/N. For ions that do not move both are exact; ions that move screen the first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from ..structures.units import COULOMB_eV_A
from .ewald import ewald_sum

FloatArray = NDArray[np.float64]
_STEP_A = 0.005
# Three rigid translations cost nothing; optical modes of an oxide cost eV/A^2.
_SOFT_eV_PER_A2 = 1e-2


def spread_interaction_eV(
    cell: ArrayLike, positions: ArrayLike, site: int, charge: float, carriers: Sequence[int] | NDArray[np.intp]
) -> float:
    """Energy of the missing charge among its own shares and all images, without any screening.

    Parameters
    ----------
    cell, positions
        Perfect supercell, Angstrom, shapes (3, 3) and (n, 3).
    site, charge
        Index of the ion that is taken out and its charge, e.
    carriers
        Indices of the ions that share the charge equally, the site not among them.

    Returns
    -------
    float
        eV per cell; to be taken off the energy of the cell. Negative, and -alpha k q^2/(2 L) in a large cube.

    Raises
    ------
    ValueError
        If the site is among the carriers, or there are none.
    """
    shared = np.asarray(carriers, dtype=np.intp)
    if len(shared) == 0 or site in shared:
        raise ValueError(f"{len(shared)} ions share the charge of site {site}, which must not be among them")
    charges = np.zeros(len(np.asarray(positions)))
    charges[shared] = charge / len(shared)
    charges[site] = -charge
    return ewald_sum(cell, positions, charges).energy


def sharing_excess_eV(
    cell: ArrayLike,
    positions: ArrayLike,
    charges: ArrayLike,
    site: int,
    cations: Sequence[int] | NDArray[np.intp],
    carriers: int,
) -> float:
    """Energy in the perfect lattice's potential by which N carriers differ from infinitely many.

    q/N * (mean potential of the cations - potential at the site): a cation that is taken out is itself no carrier.

    Parameters
    ----------
    cell, positions, charges
        Any cell of the perfect crystal, charges in e.
    site
        Index of the ion that is taken out.
    cations
        Indices of the cations of this cell.
    carriers
        Number of ions in the supercell that share the charge.

    Returns
    -------
    float
        eV; zero if the site is no cation.
    """
    among = np.asarray(cations, dtype=np.intp)
    if site not in among:
        return 0.0
    potential = ewald_sum(cell, positions, charges).potential
    q = float(np.asarray(charges, dtype=float)[site])
    return float(q * (potential[among].mean() - potential[site]) / carriers)


def static_permittivity(atoms: Atoms, charges: ArrayLike) -> FloatArray:
    """Relative permittivity of ions with fixed charges at a minimum of their energy, electrons left out.

    eps = 1 + 4 pi k/V * Z^T K^+ Z with K the second derivatives of the energy by finite differences of forces.

    Parameters
    ----------
    atoms
        Relaxed perfect cell with a calculator; only modes of its own periodicity count, as a uniform field needs.
    charges
        Charges by which the energy's own electrostatics acts, e, shape (n,), adding up to zero.

    Returns
    -------
    ndarray
        Symmetric, shape (3, 3).

    Raises
    ------
    ValueError
        If the charges do not add up to zero, or the cell is no minimum.
    """
    q = np.asarray(charges, dtype=float)
    if abs(q.sum()) > 1e-6:
        raise ValueError(f"a permittivity needs a neutral cell; the charges add up to {q.sum():+.3g} e")
    stiffness = _second_derivatives(atoms)
    values, modes = np.linalg.eigh(stiffness)
    if values[0] < -_SOFT_eV_PER_A2:
        raise ValueError(f"the cell is no minimum: a mode costs {values[0]:.3g} eV/A^2; relax it first")
    stiff = values > _SOFT_eV_PER_A2
    polar = np.kron(q[:, None], np.eye(3))
    along = modes[:, stiff].T @ polar
    response = along.T @ (along / values[stiff, None])
    return np.asarray(np.eye(3) + 4.0 * np.pi * COULOMB_eV_A / atoms.get_volume() * response)


def _second_derivatives(atoms: Atoms) -> FloatArray:
    """eV/Angstrom^2, shape (3n, 3n), made symmetric; the atoms come back to where they were."""
    start = atoms.positions.copy()
    rows = []
    for i in range(len(atoms)):
        for axis in range(3):
            forces = []
            for sense in (1.0, -1.0):
                atoms.positions[i, axis] = start[i, axis] + sense * _STEP_A
                forces.append(atoms.get_forces().ravel().copy())
            atoms.positions[:] = start
            rows.append((forces[1] - forces[0]) / (2 * _STEP_A))
    matrix = np.array(rows)
    return np.asarray(0.5 * (matrix + matrix.T))
