"""Free energies -kT ln Z of ``diag(energies) + n.exchange`` for many directions n, from few states where these suffice.

Only levels within some 30 kT of the ground level have a weight. These follow from a small basis that is the same for
every n: the levels without exchange in that window, and the first-order response of each to each component of the
exchange. By the variation principle their energies are then right to third order in the coupling to the rest. For some
directions the result is compared with the full diagonalisation, which is done for all if it differs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["free_energies"]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
# exp(-30) = 1e-13 of the ground level's weight.
_WINDOW_kT = 30.0
# Narrower ones leave states of the ground term outside, on which the response converges slowly.
_LEAST_WINDOW_eV = 0.6
_SAME_LEVEL_eV = 1e-7
# A basis of more than this part of all states saves no time.
_WORTHWHILE = 0.7
_PROBES = 3
_ERROR_eV = 1e-9


def free_energies(energies: FloatArray, exchange: ComplexArray, directions: FloatArray, kT_eV: float) -> FloatArray:
    """-kT ln Z for each direction, within 1e-9 eV of that of all levels where it is compared.

    Parameters
    ----------
    energies
        Ascending, shape (n,), eV.
    exchange
        Hermitian operators along x, y, z, shape (3, n, n), eV.
    directions
        Unit vectors, shape (n_directions, 3).
    kT_eV
        Positive, eV.

    Returns
    -------
    ndarray
        Shape (n_directions,), eV.
    """
    basis = _window_and_response(energies, exchange, kT_eV)
    everything = np.diag(energies)
    if basis is None:
        return _of_all_levels(everything, exchange, directions, kT_eV)
    bra = basis.conj().T
    few = _of_all_levels((bra * energies) @ basis, bra @ exchange @ basis, directions, kT_eV)
    probes = np.unique(np.linspace(0, len(directions) - 1, _PROBES).astype(int))
    exact = _of_all_levels(everything, exchange, directions[probes], kT_eV)
    if np.abs(few[probes] - exact).max() < _ERROR_eV:
        return few
    return _of_all_levels(everything, exchange, directions, kT_eV)


def _of_all_levels(
    diagonal: FloatArray | ComplexArray, exchange: ComplexArray, directions: FloatArray, kT_eV: float
) -> FloatArray:
    levels = np.linalg.eigvalsh(diagonal[None] + np.tensordot(directions, exchange, 1))
    weights = np.exp(-(levels - levels[:, :1]) / kT_eV).sum(axis=1)
    return np.asarray(levels[:, 0] - kT_eV * np.log(weights))


def _window_and_response(energies: FloatArray, exchange: ComplexArray, kT_eV: float) -> ComplexArray | None:
    """Orthonormal columns, shape (n, m): the states of the window, and what each turns to; None if m is near n."""
    size = len(energies)
    edge = energies[0] + max(_WINDOW_kT * kT_eV, _LEAST_WINDOW_eV)
    inner = int(np.searchsorted(energies, edge))
    while inner < size and energies[inner] - energies[inner - 1] < _SAME_LEVEL_eV:
        inner += 1
    if 4 * inner > _WORTHWHILE * size:
        return None
    # Shape (outer, 3 inner): of every state of the window along x, y and z.
    mixed = exchange[:, inner:, :inner].transpose(1, 0, 2).reshape(size - inner, 3 * inner)
    response = np.linalg.qr(mixed / (energies[inner:, None] - energies[0]))[0]
    basis = np.zeros((size, inner + response.shape[1]), dtype=complex)
    basis[:inner, :inner] = np.eye(inner)
    basis[inner:, inner:] = response
    return basis
