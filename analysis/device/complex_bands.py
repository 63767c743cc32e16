"""Evanescent states of a crystal: how fast a current decays in its gap."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eig

ComplexArray = NDArray[np.complex128]
# Elements of the Hamiltonian (eV) between cells so far apart that they are left out.
NEGLIGIBLE_eV = 1e-4
# How far from 1 the modulus of a Bloch factor must be for its state to decay; 1e-6 is some 1e-7 of an inverse Angstrom.
_UNIT = 1e-6


def hopping_blocks(matrices: ArrayLike, fractions: ArrayLike) -> dict[int, ComplexArray]:
    """Blocks between a cell and that ``R`` periods further, from Bloch matrices ``M(k) = sum_R M_R exp(2 pi i k R)``.

    Parameters
    ----------
    matrices
        Hamiltonian (eV) or overlap of localised orbitals, shape (n_kpoints, n, n).
    fractions
        Their k along one axis in units of the reciprocal vector, shape (n_kpoints,): an odd number, equally spaced
        around the whole zone, with 0.

    Raises
    ------
    ValueError
        If the points are not such a mesh.
    """
    bloch, k = np.asarray(matrices, dtype=complex), np.asarray(fractions, dtype=float)
    number = len(k)
    mesh = np.arange(number) / number
    if number % 2 == 0 or bloch.shape[:1] != (number,) or not np.allclose(np.sort(k % 1.0 % (1 - 1e-9)), mesh):
        raise ValueError(f"an odd number of equally spaced k-points around the zone is needed, not {k.round(4)}")
    return {
        cells: np.einsum("k,kij->ij", np.exp(-2j * np.pi * k * cells), bloch) / number
        for cells in range(-(number // 2), number // 2 + 1)
    }


def decay_constant_per_A(
    hamiltonian_eV: dict[int, ComplexArray], overlap: dict[int, ComplexArray], period_A: float, energy_eV: float
) -> float:
    """Slowest decay of the evanescent states at one energy; 0 where a state propagates.

    With the Bloch factor ``x = exp(i k c)`` of complex k, ``sum_R x^R (H_R - E S_R) u = 0`` is a polynomial eigenvalue
    problem, solved by its companion matrices; an amplitude falls by exp(-kappa) for each Angstrom, a current by
    exp(-2 kappa) (complex band structure, 10.1103/PhysRevB.65.245105).

    Parameters
    ----------
    hamiltonian_eV, overlap
        `hopping_blocks` at one k-point of the plane across.
    period_A
        Length of a cell along the current.
    energy_eV
        On the scale of the Hamiltonian.

    Returns
    -------
    float
        kappa, 1/Angstrom.

    Raises
    ------
    ValueError
        If the period is not positive, or if blocks at the end of the mesh exceed `NEGLIGIBLE_eV`: take more k-points.
    """
    if not (np.isfinite(period_A) and period_A > 0 and np.isfinite(energy_eV)):
        raise ValueError(f"period {period_A} A must be positive and the energy {energy_eV} eV finite")
    furthest = max(hamiltonian_eV)
    if (left := float(np.abs(hamiltonian_eV[furthest]).max())) > NEGLIGIBLE_eV and furthest > 0:
        raise ValueError(
            f"{left:.1e} eV couple cells {furthest} periods apart, above {NEGLIGIBLE_eV:g} eV: take more k-points"
        )
    reach = max(r for r, block in hamiltonian_eV.items() if r == 0 or np.abs(block).max() > NEGLIGIBLE_eV)
    factors = np.abs(_bloch_factors([hamiltonian_eV[r] - energy_eV * overlap[r] for r in range(-reach, reach + 1)]))
    if (np.abs(factors - 1.0) < _UNIT).any():
        return 0.0
    return float(-np.log(factors[factors < 1.0].max()) / period_A)


def _bloch_factors(blocks: list[ComplexArray]) -> ComplexArray:
    """Finite x that make ``sum_j x^j blocks[j]`` singular."""
    orbitals, degree = len(blocks[0]), len(blocks) - 1
    if degree == 0:
        raise ValueError("cells that do not couple have no bands")
    size = orbitals * degree
    left, right = np.eye(size, k=orbitals, dtype=complex), np.eye(size, dtype=complex)
    left[-orbitals:] = -np.hstack(blocks[:-1])
    right[-orbitals:, -orbitals:] = blocks[-1]
    numerator, denominator = eig(left, right, right=False, homogeneous_eigvals=True)
    finite = np.abs(denominator) > 1e-12 * np.abs(numerator)
    return np.asarray(numerator[finite] / denominator[finite])
