"""Reciprocal half of an Ewald sum: the split, the wave vectors and the sums over them.

The structure factor is used in product form, so that its cost is that of two complex matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..structures.units import COULOMB_eV_A

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
IntArray = NDArray[np.intp]
IndexArray = NDArray[np.int32]


# Time of one real-space pair over the time of one (atom, wave vector) product, measured.
_COST_RATIO = 40.0
_SITE_BLOCK = 64

SPLINE_ORDER: int = 8
"""Mesh points along each axis that the B-spline of an ion covers, where the sum goes over a mesh."""


@dataclass(frozen=True)
class EwaldParameters:
    """How an Ewald sum is split.

    Parameters
    ----------
    alpha : float
        Width parameter of the screening Gaussians, 1/Angstrom.
    real_cutoff : float
        Largest pair distance of the real-space sum, Angstrom.
    reciprocal_cutoff : float
        Largest wave vector of the reciprocal sum, 1/Angstrom (2 pi included).

    Raises
    ------
    ValueError
        If one of the three is not a positive finite number.
    """

    alpha: float
    real_cutoff: float
    reciprocal_cutoff: float

    def __post_init__(self) -> None:
        for name in ("alpha", "real_cutoff", "reciprocal_cutoff"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} = {value!r} is not a positive finite number; use ewald_parameters()")


@dataclass(frozen=True)
class ReciprocalLattice:
    """Half space of wave vectors with the Coulomb weights of one cell and split.

    Wave vectors form a table (n_columns, n_last): a column fixes the Miller indices along two axes,
    the last axis (the longest cell vector) runs through all its indices.

    Parameters
    ----------
    inverse_cell : numpy.ndarray
        Matrix that maps Cartesian to fractional coordinates, shape (3, 3), axes permuted.
    columns : numpy.ndarray
        Miller indices of the two first axes, shape (n_columns, 2).
    spans : numpy.ndarray
        Largest Miller index of the last axis inside the cutoff, -1 for none, shape (n_columns,).
    last : numpy.ndarray
        Miller indices of the last axis, shape (n_last,).
    vectors : numpy.ndarray
        Wave vectors, 1/Angstrom, shape (n_columns, n_last, 3).
    weights : numpy.ndarray
        Coulomb weight of each wave vector, V/e, zero outside the cutoff, shape (n_columns, n_last).
    volume : float
        Cell volume, Angstrom^3.
    parameters : EwaldParameters
        Split.
    """

    inverse_cell: FloatArray
    columns: IndexArray
    spans: IndexArray
    last: IntArray
    vectors: FloatArray
    weights: FloatArray
    volume: float
    parameters: EwaldParameters

    def phases(self, positions: FloatArray) -> tuple[ComplexArray, ComplexArray]:
        """Return the phase factors of the two first axes and of the last axis.

        Parameters
        ----------
        positions : numpy.ndarray
            Angstrom, shape (n, 3).

        Returns
        -------
        tuple of numpy.ndarray
            Complex, shapes (n, n_columns) and (n, n_last); their product is exp(i k.r).
        """
        first = np.exp(2j * np.pi * (positions @ self.inverse_cell)).T
        columns = _powers(first[0], self.columns[:, 0])
        columns *= _powers(first[1], self.columns[:, 1])
        return columns.T, np.ascontiguousarray(_powers(first[2], self.last).T)

    def field(self, positions: FloatArray, charges: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Potential, field and virial of the smeared charges.

        Parameters
        ----------
        positions, charges : numpy.ndarray
            Angstrom and elementary charges, shapes (n, 3) and (n,).

        Returns
        -------
        tuple of numpy.ndarray
            Potential (n,) in V and field (n, 3) in V/Angstrom, both with the own smeared charge, and
            dE/d(strain) (3, 3) in eV.
        """
        from .kernels import wave_sums

        sums: tuple[FloatArray, FloatArray, FloatArray] = wave_sums(
            positions, charges, self.inverse_cell, self.columns, self.spans, self.weights, self.parameters.alpha
        )
        return sums

    def gradient(self, positions: FloatArray, charges: FloatArray, sites: IntArray) -> FloatArray:
        """Hessian of the smeared potential at some ions, own smeared charge included.

        Parameters
        ----------
        positions, charges : numpy.ndarray
            Angstrom and elementary charges, shapes (n, 3) and (n,).
        sites : numpy.ndarray
            Indices of the ions, shape (n_sites,).

        Returns
        -------
        numpy.ndarray
            V/Angstrom^2, shape (n_sites, 3, 3).
        """
        column, last = self.phases(positions)
        strength = self.weights * np.conj(column.T @ (charges[:, None] * last))
        vectors = self.vectors.reshape(-1, 3)
        products = (vectors[:, :, None] * vectors[:, None, :]).reshape(-1, 9)
        tensor = np.empty((len(sites), 9))
        for start in range(0, len(sites), _SITE_BLOCK):
            chosen = sites[start : start + _SITE_BLOCK]
            waves = (column[chosen, :, None] * last[chosen, None, :] * strength).real
            tensor[start : start + _SITE_BLOCK] = -(waves.reshape(len(chosen), -1) @ products)
        return tensor.reshape(-1, 3, 3)


def _powers(phase: ComplexArray, orders: IntArray | IndexArray) -> ComplexArray:
    """Powers of numbers of modulus one, row by row as ordered, shape (n_orders, n)."""
    most = int(np.abs(orders).max())
    table = np.empty((2 * most + 1, len(phase)), dtype=np.complex128)
    table[most] = 1.0
    # Products are cheaper than exponentials; the rounding error grows only in proportion to the order.
    for order in range(1, most + 1):
        np.multiply(table[most + order - 1], phase, out=table[most + order])
    np.conj(table[:most:-1], out=table[:most])
    return table.take(orders + most, axis=0)


def ewald_parameters(cell: ArrayLike, n_atoms: int, accuracy: float = 1e-8) -> EwaldParameters:
    """Choose a split in which both sums are cut at the wanted accuracy and cost about the same.

    Parameters
    ----------
    cell : array_like
        Cell vectors as rows, Angstrom, shape (3, 3).
    n_atoms : int
        Number of ions in the cell.
    accuracy : float
        Size at which the screening functions of both sums are cut, between 1e-15 and 1e-2. The error of
        energies (eV per ion) and forces (eV/Angstrom) is of this order for ionic charges.

    Returns
    -------
    EwaldParameters
        Width and cutoffs.

    Raises
    ------
    ValueError
        If `accuracy` or `n_atoms` is out of range or the cell has no volume.

    Notes
    -----
    Balance after Perram, Petersen and de Leeuw, Mol. Phys. 65, 875 (1988), DOI 10.1080/00268978800101471.
    """
    if not 1e-15 <= accuracy <= 1e-2:
        raise ValueError(f"accuracy = {accuracy!r} is outside 1e-15 .. 1e-2; choose e.g. 1e-8")
    if n_atoms < 1:
        raise ValueError(f"n_atoms = {n_atoms} must be at least 1")
    volume = cell_volume(np.asarray(cell, dtype=float))
    alpha = (_COST_RATIO * 2.0 * np.pi**3 / 3.0 * n_atoms / volume**2) ** (1.0 / 6.0)
    return split_at(_reach(accuracy) / float(alpha), accuracy)


def split_at(real_cutoff: float, accuracy: float = 1e-8) -> EwaldParameters:
    """Split for a given real-space cutoff (Angstrom), both sums cut at the wanted accuracy."""
    alpha = _reach(accuracy) / real_cutoff
    return EwaldParameters(alpha, real_cutoff, 2.0 * _reach(accuracy) * alpha)


def _reach(accuracy: float) -> float:
    # One decade beyond the target covers the prefactors of forces in ionic crystals.
    return float(np.sqrt(-np.log(accuracy / 10.0)))


def reciprocal_lattice(cell: ArrayLike, parameters: EwaldParameters) -> ReciprocalLattice:
    """Tabulate wave vectors and Coulomb weights of a cell.

    Parameters
    ----------
    cell : array_like
        Angstrom, shape (3, 3).
    parameters : EwaldParameters
        Split.

    Returns
    -------
    ReciprocalLattice
        Table for :func:`ewald_sum`; valid while the cell stays the same.
    """
    box = np.asarray(cell, dtype=float)
    volume = cell_volume(box)
    box = box[np.argsort(np.linalg.norm(box, axis=1), kind="stable")]
    inverse = np.linalg.inv(box)
    limit = parameters.reciprocal_cutoff
    most = np.maximum(1, np.floor(limit * np.linalg.norm(box, axis=1) / (2.0 * np.pi)).astype(int))
    # Only h >= 0 is kept: k and -k contribute alike.
    h, k = np.meshgrid(np.arange(most[0] + 1), np.arange(-most[1], most[1] + 1), indexing="ij")
    columns = np.stack([h.ravel(), k.ravel()], axis=1)
    last = np.arange(-most[2], most[2] + 1)
    vectors = 2.0 * np.pi * ((columns @ inverse.T[:2])[:, None] + last[:, None] * inverse.T[2])
    square = np.einsum("clx,clx->cl", vectors, vectors)
    inside = (square > 0) & (square <= limit**2)
    safe = np.where(inside, square, 1.0)
    weights = 4.0 * np.pi * COULOMB_eV_A / volume * np.exp(-safe / (4.0 * parameters.alpha**2)) / safe
    weights *= np.where(columns[:, 0] > 0, 2.0, 1.0)[:, None] * inside
    used = inside.any(axis=1)
    used[0] |= not used.any()
    spans = np.where(inside, np.abs(last), -1).max(axis=1)[used].astype(np.int32)
    kept = columns[used].astype(np.int32)
    return ReciprocalLattice(inverse, kept, spans, last, vectors[used], weights[used], volume, parameters)


def cell_volume(box: FloatArray) -> float:
    """Return the volume of a cell.

    Parameters
    ----------
    box : numpy.ndarray
        Cell vectors as rows, Angstrom, shape (3, 3).

    Returns
    -------
    float
        Angstrom^3.

    Raises
    ------
    ValueError
        If the shape is wrong or the vectors are not independent.
    """
    volume = abs(float(np.linalg.det(box))) if box.shape == (3, 3) else 0.0
    if not (np.isfinite(volume) and volume > 1e-6):
        raise ValueError("the cell must be three independent vectors of shape (3, 3); set atoms.cell")
    return volume
