"""Crystal field of a t2g hole from total energies, and the single-ion anisotropy that spin-orbit coupling makes of it.

A d7 ion in an octahedron (high-spin Co2+) has one hole in the minority t2g shell, d6 (high-spin Fe2+) one electron.
Three collinear calculations, with the hole in three orthogonal real orbitals h_i, give total energies E_i and with them

    V = sum_i E_i |h_i><h_i| ,   H(n) = V + k lambda L.n ,   lambda = zeta/2 ,

on the three orbitals, where zeta is the spin-orbit parameter of the shell, L the orbital momentum inside t2g and k an
orbital reduction. E(n) is the lowest eigenvalue, or -kT ln Z with a stiff spin at a temperature. Unlike the force
theorem on one of the three densities it keeps the first order in lambda, and unlike self-consistent spinors with +U it
compares real orbitals with real ones only (DFT+U favours real orbitals over complex ones by its self-interaction).
Theory of the t2g shell: J. S. Griffith, The Theory of Transition-Metal Ions (Cambridge 1961); the trigonal doublet of
Co2+ in spinels: J. C. Slonczewski, 10.1103/PhysRev.110.1341.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from ...structures.units import BOLTZMANN_eV_PER_K
from ..results.calculation import Check
from ..results.document import Document, Provenance

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

METHOD = "crystal field of the hole"
# Below this orbital moment an open t2g shell is quenched, and K1 with it (inverse cube of the splitting).
QUENCHED_BELOW_muB = 0.3
# Holes that overlap more than this are not three states but two.
LARGEST_OVERLAP = 0.3
_STEP_meV = 0.01

_EPSILON = np.zeros((3, 3, 3))
for _a, _b, _c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
    _EPSILON[_a, _b, _c], _EPSILON[_a, _c, _b] = 1.0, -1.0


def t2g_orbital_momentum() -> ComplexArray:
    """L inside t2g, hbar, between the real orbitals yz, xz, xy; shape (3, 3, 3).

    The shell behaves as l = 1 with the sign reversed: ``<b|L_a|c> = i eps_abc``.
    """
    return np.asarray(1j * _EPSILON)


class HoleField(Document):
    """Three real holes of one ion with their total energies.

    Attributes
    ----------
    site, element
        The ion in its cell.
    axes
        Rows are the octahedron's axes x, y, z as Cartesian unit vectors, shape (3, 3).
    holes
        The three orbitals found, in yz, xz, xy of those axes, each of length 1, shape (3, 3).
    energies_meV
        Total energies of the cell with the ion in each, above the lowest, shape (3,).
    spin_orbit_meV
        lambda = zeta/2 of the shell.
    spin_orbit_source
        Where lambda comes from.
    checks
        Whether each state is what it is taken for.
    """

    site: int
    element: str
    axes: list[list[float]]
    holes: list[list[float]]
    energies_meV: list[float]
    spin_orbit_meV: float = Field(gt=0, lt=500)
    spin_orbit_source: str
    checks: list[Check] = Field(default_factory=list)
    provenance: Provenance

    @property
    def field_meV(self) -> FloatArray:
        """V between yz, xz, xy of the octahedron's axes, meV, shape (3, 3)."""
        nearest = orthonormal(self.holes)
        return np.asarray(nearest.T @ np.diag(self.energies_meV) @ nearest)

    def energies(self, directions: ArrayLike, temperature_K: float = 0.0, orbital_reduction: float = 1.0) -> FloatArray:
        """E(n), meV, or the free energy of the three states at a temperature with a stiff spin.

        Parameters
        ----------
        directions
            Cartesian unit vectors, shape (n, 3).
        temperature_K
            Of the ion.
        orbital_reduction
            k, by covalency; 1 for the free ion's L.

        Raises
        ------
        ValueError
            If the temperature is negative, or k is outside 0 to 1.
        """
        levels = self._levels(directions, orbital_reduction)
        if not temperature_K >= 0:
            raise ValueError(f"temperature {temperature_K} K must be 0 or more")
        if temperature_K == 0:
            return levels[:, 0]
        kT = 1000.0 * BOLTZMANN_eV_PER_K * temperature_K
        above = levels - levels[:, :1]
        return np.asarray(levels[:, 0] - kT * np.log(np.exp(-above / kT).sum(axis=1)))

    def orbital_moments_muB(self, directions: ArrayLike, orbital_reduction: float = 1.0) -> FloatArray:
        """Size of the orbital moment along n of the lowest state, muB, shape (n,): k dE/d(k lambda)."""
        size = self.spin_orbit_meV * orbital_reduction
        upper = self._levels(directions, (size + _STEP_meV) / self.spin_orbit_meV)[:, 0]
        lower = self._levels(directions, (size - _STEP_meV) / self.spin_orbit_meV)[:, 0]
        return np.asarray(orbital_reduction * (lower - upper) / (2 * _STEP_meV))

    def _levels(self, directions: ArrayLike, scale: float) -> FloatArray:
        if not 0 <= scale <= 1 + 2 * _STEP_meV / self.spin_orbit_meV:
            raise ValueError(f"orbital reduction {scale} is outside 0 to 1")
        inside = np.atleast_2d(np.asarray(directions, dtype=float)) @ np.asarray(self.axes).T
        coupling = np.einsum("na,abc->nbc", inside, t2g_orbital_momentum())
        return np.asarray(np.linalg.eigvalsh(self.field_meV + scale * self.spin_orbit_meV * coupling))


def orthonormal(holes: ArrayLike) -> FloatArray:
    """The three orthonormal orbitals nearest to those found (Loewdin), rows, shape (3, 3).

    Raises
    ------
    ValueError
        If two of them overlap so much that they are one state.
    """
    rows = np.asarray(holes, dtype=float)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    overlap = largest_overlap(rows)
    if not overlap <= LARGEST_OVERLAP:
        raise ValueError(
            f"two of the three holes overlap by {overlap:.2f}; at most {LARGEST_OVERLAP} is allowed: one of the "
            "calculations fell back into another's state, so that the three energies are no crystal field"
        )
    left, _, right = np.linalg.svd(rows)
    return np.asarray(left @ right)


def one_after_another(holes: ArrayLike, order: Sequence[int]) -> FloatArray:
    """The same made orthonormal one by one, the first of an order as it was found; rows, shape (3, 3).

    What it changes against `orthonormal` is what the overlap leaves open.
    """
    rows = np.asarray(holes, dtype=float)
    out = np.zeros_like(rows)
    for k, row in enumerate(order):
        before = out[list(order[:k])]
        left = rows[row] - before.T @ (before @ rows[row])
        out[row] = left / np.linalg.norm(left)
    return out


def symmetrised(field: HoleField, rotations: ArrayLike) -> HoleField:
    """The field with the symmetry of its site: V averaged over rotations.

    t2g orbitals turn as an axial vector does, up to a sign that V does not see, under the rotations of a cube.

    Parameters
    ----------
    field
        Of one ion.
    rotations
        Proper parts of the operations of its site, Cartesian, shape (n, 3, 3).
    """
    axes = np.asarray(field.axes)
    turns = axes @ np.asarray(rotations, dtype=float) @ axes.T
    average = np.mean(turns @ field.field_meV @ turns.transpose(0, 2, 1), axis=0)
    energies, orbitals = np.linalg.eigh(average)
    return field.model_copy(
        update={"holes": orbitals.T.tolist(), "energies_meV": [float(e) for e in energies - energies.min()]}
    )


def largest_overlap(holes: ArrayLike) -> float:
    """Largest |<h_i|h_j>| of different rows, each of length 1."""
    gram = np.abs(np.asarray(holes, dtype=float) @ np.asarray(holes, dtype=float).T)
    return float(np.max(gram - np.diag(np.diag(gram))))
