"""Exact states of n electrons in a d shell: operators between all Slater determinants.

Orbitals are the real ones, written as symmetric traceless matrices ``T`` with ``d(r) ~ r.T r / r^2``; every
one-electron operator follows from those matrices, so that no phase convention has to be matched.
Spin-orbital ``p`` is orbital ``p % 5`` with spin up for ``p < 5`` and spin down otherwise.
"""

from __future__ import annotations

from functools import cache, cached_property
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "D_ORBITALS",
    "DShell",
    "coulomb_integrals",
    "d_shell",
    "orbital_momentum",
    "quadrupole_operator",
    "spin_momentum",
]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

_HALF, _SIXTH = np.sqrt(0.5), np.sqrt(1.0 / 6.0)
#: Real orbitals xy, yz, z2, xz, x2-y2 as orthonormal symmetric traceless matrices, shape (5, 3, 3).
D_ORBITALS: FloatArray = np.array(
    [
        [[0, _HALF, 0], [_HALF, 0, 0], [0, 0, 0]],
        [[0, 0, 0], [0, 0, _HALF], [0, _HALF, 0]],
        [[-_SIXTH, 0, 0], [0, -_SIXTH, 0], [0, 0, 2 * _SIXTH]],
        [[0, 0, _HALF], [0, 0, 0], [_HALF, 0, 0]],
        [[_HALF, 0, 0], [0, -_HALF, 0], [0, 0, 0]],
    ]
)
D_ORBITALS.flags.writeable = False

_LEVI_CIVITA = np.zeros((3, 3, 3))
for _a, _b, _c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
    _LEVI_CIVITA[_a, _b, _c], _LEVI_CIVITA[_a, _c, _b] = 1.0, -1.0


def orbital_momentum() -> ComplexArray:
    """Angular momentum of one d electron.

    Returns
    -------
    numpy.ndarray
        lx, ly, lz in units of hbar between the real orbitals, shape (3, 5, 5).
    """
    # l_a (r.T r) = -i eps_abc r_b d_c (r.T r) = -2i r.(eps_a T) r
    turned = np.einsum("abc,qcd->aqbd", _LEVI_CIVITA, D_ORBITALS)
    return np.asarray(-2j * np.einsum("pbd,aqbd->apq", D_ORBITALS, turned))


def spin_momentum() -> ComplexArray:
    """Spin of one electron, up first.

    Returns
    -------
    numpy.ndarray
        sx, sy, sz in units of hbar, shape (3, 2, 2).
    """
    return np.array([[[0, 0.5], [0.5, 0]], [[0, -0.5j], [0.5j, 0]], [[0.5, 0], [0, -0.5]]], dtype=complex)


def quadrupole_operator() -> FloatArray:
    """Angular part of the quadrupole of one d electron.

    Returns
    -------
    numpy.ndarray
        Matrices of ``x_a x_b / r^2 - delta_ab / 3`` between the real orbitals, shape (3, 3, 5, 5).
    """
    momentum = orbital_momentum()
    product = np.einsum("apk,bkq->abpq", momentum, momentum).real
    symmetric = 0.5 * (product + product.transpose(1, 0, 2, 3))
    isotropic = 2.0 * np.einsum("ab,pq->abpq", np.eye(3), np.eye(5))
    return np.asarray(-2.0 / 21.0 * (symmetric - isotropic))


def coulomb_integrals(racah_b: float, racah_c: float) -> FloatArray:
    """Coulomb repulsion between real d orbitals without its monopole F0.

    Parameters
    ----------
    racah_b, racah_c : float
        Racah parameters in any energy unit; ``F2 = 49 B + 7 C`` and ``F4 = 63 C / 5``.

    Returns
    -------
    numpy.ndarray
        ``(pq|rs)`` in the unit of the parameters, shape (5, 5, 5, 5): p and q belong to one electron.
    """
    second, fourth = _multipoles()
    return (49.0 * racah_b + 7.0 * racah_c) * second + 12.6 * racah_c * fourth


@cache
def _multipoles() -> tuple[FloatArray, FloatArray]:
    """``(pq|P_k(cos)|rs)`` for k = 2 and 4, by a quadrature on the sphere that is exact for degree 8."""
    height, weight = np.polynomial.legendre.leggauss(8)
    angle = 2.0 * np.pi * np.arange(12) / 12.0
    ring = np.sqrt(1.0 - height**2)
    points = np.stack(
        [
            np.outer(ring, np.cos(angle)).ravel(),
            np.outer(ring, np.sin(angle)).ravel(),
            np.repeat(height, 12),
        ],
        axis=1,
    )
    weights = np.repeat(weight, 12) * (2.0 * np.pi / 12.0)
    orbitals = np.sqrt(15.0 / (8.0 * np.pi)) * np.einsum("gi,pij,gj->pg", points, D_ORBITALS, points)
    densities = orbitals[:, None] * orbitals[None] * weights
    cosine = points @ points.T
    kernels = (0.5 * (3.0 * cosine**2 - 1.0), (35.0 * cosine**4 - 30.0 * cosine**2 + 3.0) / 8.0)
    second, fourth = (np.einsum("pqg,gh,rsh->pqrs", densities, k, densities, optimize=True) for k in kernels)
    return second, fourth


class DShell:
    """Operators between all Slater determinants of n electrons in a d shell.

    Parameters
    ----------
    n_electrons : int
        1 to 9.

    Attributes
    ----------
    size
        Number of determinants, 120 for three or seven electrons.
    orbital, spin
        Total L and S in units of hbar, shapes (3, size, size).
    spin_orbit
        ``sum_i l_i . s_i``, shape (size, size).

    Raises
    ------
    ValueError
        If the number of electrons is not 1 to 9.
    """

    def __init__(self, n_electrons: int) -> None:
        if not 1 <= n_electrons <= 9:
            raise ValueError(f"a d shell with {n_electrons} electrons has nothing to solve; choose 1 to 9")
        self.n_electrons = n_electrons
        self.determinants = list(combinations(range(10), n_electrons))
        self.size = len(self.determinants)
        self._replace = self._replacements()
        up, down = self._replace[:5, :5], self._replace[5:, 5:]
        self._spin_free = np.ascontiguousarray(up + down)
        momentum, spin = orbital_momentum(), spin_momentum()
        one = np.eye(5)
        self.orbital = np.stack([self.one_body(np.kron(np.eye(2), m)) for m in momentum])
        self.spin = np.stack([self.one_body(np.kron(s, one)) for s in spin])
        self.spin_orbit = self.one_body(sum(np.kron(s, m) for s, m in zip(spin, momentum, strict=True)))

    def _replacements(self) -> FloatArray:
        """``c+_p c_q`` for every pair of spin-orbitals, shape (10, 10, size, size)."""
        index = {occupied: i for i, occupied in enumerate(self.determinants)}
        table = np.zeros((10, 10, self.size, self.size))
        for column, occupied in enumerate(self.determinants):
            for place, q in enumerate(occupied):
                rest = occupied[:place] + occupied[place + 1 :]
                for p in set(range(10)) - set(rest):
                    before = sum(o < p for o in rest)
                    row = index[(*rest[:before], p, *rest[before:])]
                    table[p, q, row, column] = (-1.0) ** (place + before)
        return table

    @cached_property
    def _turned_over(self) -> tuple[NDArray[np.intp], FloatArray]:
        """Of each determinant the one with all spins turned over, and its sign: up becomes down, down minus up."""
        index = {occupied: i for i, occupied in enumerate(self.determinants)}
        place, sign = np.empty(self.size, dtype=np.intp), np.ones(self.size)
        for column, occupied in enumerate(self.determinants):
            down = sum(o >= 5 for o in occupied)
            place[column] = index[tuple(sorted((o + 5) % 10 for o in occupied))]
            # Each down changes sign by itself, and once for every up that it passes on its way back into order.
            sign[column] = (-1.0) ** (down + down * (self.n_electrons - down))
        return place, sign

    def time_reversed(self, matrix: ArrayLike) -> ComplexArray:
        """What time reversal makes of an operator: itself if it is even, minus itself if it is odd.

        Parameters
        ----------
        matrix : array_like
            Between the determinants, shape (..., size, size).

        Returns
        -------
        numpy.ndarray
            Shape (..., size, size), in the unit of `matrix`.
        """
        place, sign = self._turned_over
        back = np.argsort(place)
        turned = np.conj(np.asarray(matrix)) * np.outer(sign, sign)
        return np.asarray(turned[..., back[:, None], back])

    def one_body(self, matrix: ArrayLike) -> ComplexArray:
        """Sum over the electrons of a one-electron operator.

        Parameters
        ----------
        matrix : array_like
            Between the ten spin-orbitals, shape (10, 10).

        Returns
        -------
        numpy.ndarray
            Shape (size, size), in the unit of `matrix`.
        """
        one = np.asarray(matrix, dtype=complex)
        # Two real products: for a complex one the whole table would be made complex first.
        return np.asarray(
            np.tensordot(one.real, self._replace, axes=2) + 1j * np.tensordot(one.imag, self._replace, axes=2)
        )

    def spin_free(self, matrices: ArrayLike) -> FloatArray:
        """Sum over the electrons of real operators that act on the orbital alone.

        Parameters
        ----------
        matrices : array_like
            Between the five real orbitals, shape (..., 5, 5).

        Returns
        -------
        numpy.ndarray
            Shape (..., size, size), in the unit of `matrices`.
        """
        return np.asarray(np.tensordot(np.asarray(matrices, dtype=float), self._spin_free, axes=2))

    def coulomb(self, racah_b: float, racah_c: float) -> FloatArray:
        """Coulomb repulsion of all pairs without its monopole F0.

        Parameters
        ----------
        racah_b, racah_c : float
            Racah parameters in any energy unit.

        Returns
        -------
        numpy.ndarray
            Shape (size, size), in the unit of the parameters.
        """
        of_b, of_c = self._per_racah
        return np.asarray(racah_b * of_b + racah_c * of_c)

    @cached_property
    def _per_racah(self) -> tuple[FloatArray, FloatArray]:
        """Coulomb repulsion per unit of B and of C, each shape (size, size)."""
        return self._repulsion(coulomb_integrals(1.0, 0.0)), self._repulsion(coulomb_integrals(0.0, 1.0))

    def _repulsion(self, integrals: FloatArray) -> FloatArray:
        # half sum of (pq|rs) (E_pq E_rs - delta_qr E_ps), with E summed over the spin
        inner = np.tensordot(integrals, self._spin_free, axes=2).reshape(25, self.size, self.size)
        pairs = np.einsum("kij,kjl->il", self._spin_free.reshape(inner.shape), inner, optimize=True)
        return np.asarray(0.5 * (pairs - self.spin_free(np.einsum("pqqs->ps", integrals))))


@cache
def d_shell(n_electrons: int) -> DShell:
    """The shell with n electrons, built once per process (0.1 s for seven); treat it as read-only."""
    return DShell(n_electrons)
