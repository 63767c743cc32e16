"""Ewald sums for point charges in a periodic cell: energy, forces, stress and field gradients.

Units are eV, Angstrom, elementary charge and volt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfc

from ..structures.units import COULOMB_eV_A
from .mesh import MeshLattice
from .pairs import PairGeometry, half_pairs, pair_geometry
from .reciprocal import EwaldParameters, ReciprocalLattice, cell_volume, ewald_parameters, reciprocal_lattice

__all__ = [
    "EwaldParameters",
    "EwaldResult",
    "electric_field_gradient",
    "ewald_parameters",
    "ewald_sum",
    "far_field",
    "screened_pairs",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


@dataclass(frozen=True)
class EwaldResult:
    """Outcome of :func:`ewald_sum`.

    Parameters
    ----------
    energy : float
        Electrostatic energy per cell, eV; a charged cell includes its uniform background.
    energies : numpy.ndarray
        Share of each ion, ``q_i V_i / 2``, eV, shape (n,). They add up to `energy`.
    potential : numpy.ndarray
        Potential at each ion of everything but the ion itself, V, shape (n,). Its cell average is zero.
    forces : numpy.ndarray
        Forces, eV/Angstrom, shape (n, 3).
    stress : numpy.ndarray
        Stress dE/d(strain)/V, eV/Angstrom^3, shape (3, 3), positive under tension as in ASE.
    parameters : EwaldParameters
        Split that was used.
    """

    energy: float
    energies: FloatArray
    potential: FloatArray
    forces: FloatArray
    stress: FloatArray
    parameters: EwaldParameters


def ewald_sum(
    cell: ArrayLike,
    positions: ArrayLike,
    charges: ArrayLike,
    *,
    parameters: EwaldParameters | None = None,
    accuracy: float = 1e-8,
    geometry: PairGeometry | None = None,
    lattice: ReciprocalLattice | None = None,
) -> EwaldResult:
    """Sum the Coulomb interaction of point charges in a periodic cell.

    A cell with a net charge is neutralised by a uniform background, whose energy, potential and stress
    are included; it exerts no force. The sum is the one for a conducting surrounding (no surface term).

    Parameters
    ----------
    cell : array_like
        Cell vectors as rows, Angstrom, shape (3, 3).
    positions : array_like
        Angstrom, shape (n, 3).
    charges : array_like
        Elementary charges, shape (n,).
    parameters : EwaldParameters, optional
        Split; chosen by :func:`ewald_parameters` from `accuracy` when left out.
    accuracy : float
        Used only without `parameters`.
    geometry : PairGeometry, optional
        Pairs up to at least the real-space cutoff, if they are known already.
    lattice : ReciprocalLattice, optional
        Wave vectors of this very cell, if they are known already; its split is used.

    Returns
    -------
    EwaldResult
        Energy (eV), shares, potentials (V), forces (eV/Angstrom) and stress (eV/Angstrom^3).

    Raises
    ------
    ValueError
        If shapes disagree, a number is not finite, the cell has no volume, atoms coincide, or the given
        pairs end before the real-space cutoff.

    References
    ----------
    P. P. Ewald, Ann. Phys. 369, 253 (1921), DOI 10.1002/andp.19213690304; background term: J. S. Hub,
    B. L. de Groot, H. Grubmueller, G. Groenhof, J. Chem. Theory Comput. 10, 381 (2014),
    DOI 10.1021/ct400626b.
    """
    box, points, q = _checked(cell, positions, charges)
    if lattice is None:
        lattice = reciprocal_lattice(box, parameters or ewald_parameters(box, len(q), accuracy))
    split = lattice.parameters
    geometry = geometry or pair_geometry(half_pairs(box, points, split.real_cutoff), points)
    if geometry.pairs.cutoff < split.real_cutoff:
        raise ValueError(
            f"pairs reach {geometry.pairs.cutoff} A, the sum needs {split.real_cutoff} A; rebuild the pairs"
        )
    value, slope = screened_pairs(geometry, split)
    slope *= q.take(geometry.pairs.first) * q.take(geometry.pairs.second)
    near = geometry.pairs.weighted_sum(value, q)
    near_forces, near_virial = geometry.forces_and_virial(slope)
    potential, far_forces, far_virial = far_field(points, q, lattice)
    energies = 0.5 * q * (near + potential)
    stress = (near_virial + far_virial) / lattice.volume
    return EwaldResult(float(energies.sum()), energies, near + potential, near_forces + far_forces, stress, split)


def far_field(
    points: FloatArray, charges: FloatArray, lattice: ReciprocalLattice | MeshLattice
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Everything but the screened pairs: wave vectors, self term and background.

    Parameters
    ----------
    points, charges : numpy.ndarray
        Angstrom and elementary charges, shapes (n, 3) and (n,).
    lattice : ReciprocalLattice or MeshLattice
        Wave vectors of the cell, one by one or on a mesh.

    Returns
    -------
    tuple of numpy.ndarray
        Potential (n,) in V, forces (n, 3) in eV/Angstrom and dE/d(strain) (3, 3) in eV.
    """
    alpha, net = lattice.parameters.alpha, charges.sum()
    potential, field, virial = lattice.field(points, charges)
    background = -np.pi * COULOMB_eV_A * net / (lattice.volume * alpha**2)
    potential += background - 2.0 * alpha / np.sqrt(np.pi) * COULOMB_eV_A * charges
    return potential, charges[:, None] * field, virial - 0.5 * net * background * np.eye(3)


def electric_field_gradient(
    cell: ArrayLike,
    positions: ArrayLike,
    charges: ArrayLike,
    sites: Sequence[int] | IntArray,
    *,
    accuracy: float = 1e-8,
) -> FloatArray:
    """Second derivatives of the potential of all other charges at some ions.

    Periodic images of an ion count as other charges. In a neutral cell the tensor has no trace by
    itself; in a charged one the uniform background adds ``4 pi k Q / V`` to the trace, and that isotropic
    part is taken off, so that the result is traceless always.

    Parameters
    ----------
    cell, positions, charges : array_like
        Angstrom and elementary charges, shapes (3, 3), (n, 3) and (n,).
    sites : sequence of int
        Indices of the ions.
    accuracy : float
        Accuracy of the sums, see :func:`ewald_parameters`.

    Returns
    -------
    numpy.ndarray
        d2V/dx_a dx_b in V/Angstrom^2, shape (n_sites, 3, 3), symmetric and traceless. The energy of an
        electron is minus the potential.

    Raises
    ------
    ValueError
        As :func:`ewald_sum`, or if a site index is out of range.
    """
    box, points, q = _checked(cell, positions, charges)
    wanted = np.asarray(sites, dtype=np.intp).reshape(-1)
    if len(wanted) and not (wanted.min() >= 0 and wanted.max() < len(q)):
        raise ValueError(f"sites {wanted.tolist()} must lie in 0 .. {len(q) - 1}")
    split = ewald_parameters(box, len(q), accuracy)
    geometry = pair_geometry(half_pairs(box, points, split.real_cutoff), points)
    tensor = _real_gradient(geometry, q, split)[wanted]
    tensor += reciprocal_lattice(box, split).gradient(points, q, wanted)
    # The self term and the background are isotropic: removing the trace removes both.
    trace = np.einsum("saa->s", tensor)
    return np.asarray(tensor - trace[:, None, None] * np.eye(3) / 3.0)


def screened_pairs(geometry: PairGeometry, split: EwaldParameters) -> tuple[FloatArray, FloatArray]:
    """Screened Coulomb interaction of pairs of unit charges, zero beyond the real-space cutoff.

    Parameters
    ----------
    geometry : PairGeometry
        Pairs up to at least the cutoff.
    split : EwaldParameters
        Width and cutoff.

    Returns
    -------
    tuple of numpy.ndarray
        Energy (eV) and (dE/dr)/r (eV/Angstrom^2) per pair and e^2, shape (n_pairs,).
    """
    r = geometry.distances
    scaled = split.alpha * r
    inverse = COULOMB_eV_A * (r < split.real_cutoff) / r
    value = erfc(scaled)
    value *= inverse
    scaled *= scaled
    slope = np.exp(np.negative(scaled, out=scaled), out=scaled)
    slope *= -2.0 * split.alpha / np.sqrt(np.pi) * COULOMB_eV_A * (r < split.real_cutoff)
    slope -= value
    slope /= r
    slope /= r
    return value, slope


def _real_gradient(geometry: PairGeometry, charges: FloatArray, split: EwaldParameters) -> FloatArray:
    """Hessian of the screened potential at every ion, shape (n, 3, 3)."""
    r, d = geometry.distances, geometry.vectors
    keep = COULOMB_eV_A * (r < split.real_cutoff)
    gauss = 2.0 * split.alpha / np.sqrt(np.pi) * np.exp(-((split.alpha * r) ** 2))
    bare = erfc(split.alpha * r) / r
    slope = -(bare + gauss) / r**2
    curve = 2.0 * (bare + gauss) / r**2 + 2.0 * split.alpha**2 * gauss
    outer = keep * (curve - slope) / r**2
    tensor = np.empty((len(charges), 3, 3))
    for a in range(3):
        for b in range(a, 3):
            value = outer * d[a] * d[b] + (keep * slope if a == b else 0.0)
            tensor[:, a, b] = tensor[:, b, a] = geometry.pairs.weighted_sum(value, charges)
    return tensor


def _checked(cell: ArrayLike, positions: ArrayLike, charges: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    box = np.asarray(cell, dtype=float)
    points, q = np.ascontiguousarray(positions, dtype=float), np.ascontiguousarray(charges, dtype=float)
    cell_volume(box)
    if points.ndim != 2 or points.shape[1] != 3 or len(points) == 0 or q.shape != (len(points),):
        raise ValueError(f"positions {points.shape} and charges {q.shape} must be (n, 3) and (n,), n > 0")
    if not (np.isfinite(points).all() and np.isfinite(q).all()):
        raise ValueError("positions and charges must be finite numbers")
    return box, points, q
