"""Averages of one temperature from samples of several: the multiple-histogram method.

A. M. Ferrenberg and R. H. Swendsen, 10.1103/PhysRevLett.63.1195; without bins, M. R. Shirts and J. D. Chodera,
10.1063/1.2978177.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ...structures.units import BOLTZMANN_eV_PER_K

FloatArray = NDArray[np.float64]
_MOST_ROUNDS = 2000
_CONVERGED = 1e-7


def specific_heat_kB(energies_eV: Sequence[FloatArray], temperatures_K: Sequence[float], spins: int) -> FloatArray:
    """Specific heat per spin at each simulated temperature, from the energies of all of them together.

    Parameters
    ----------
    energies_eV
        Total energies sampled at each temperature, as many samples at each.
    temperatures_K, spins
        Of the simulations; number of spins.

    Returns
    -------
    ndarray
        Per spin in k, shape (temperatures,). Where neighbours share no energies this is the fluctuation of
        each temperature's own samples.
    """
    beta = 1 / (BOLTZMANN_eV_PER_K * np.asarray(temperatures_K, dtype=float))
    every = np.concatenate(energies_eV)
    every = every - every.mean()
    log_counts = np.log([len(e) for e in energies_eV])
    exponents = -beta[:, None] * every
    free = np.zeros(len(beta))
    for _ in range(_MOST_ROUNDS):
        weights = -logsumexp(log_counts[:, None] + free[:, None] + exponents, axis=0)
        logarithms = -logsumexp(exponents + weights, axis=1)
        logarithms -= logarithms[0]
        moved, free = float(np.abs(logarithms - free).max()), logarithms
        if moved < _CONVERGED:
            break
    shares = np.exp(exponents + weights)
    shares /= shares.sum(axis=1, keepdims=True)
    mean = shares @ every
    return np.asarray(beta**2 * np.einsum("tn,tn->t", shares, (every - mean[:, None]) ** 2) / spins)
