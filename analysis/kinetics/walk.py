"""A carrier on a network of hops: its steady state, drift velocity and diffusion tensor, in any field.

Rates are k = nu exp(-E/kT) with the barriers of E0 - F.[p - p(0)] at the saddle and at the end of every hop. A field
that removes a barrier leaves a hop at every attempt; both ways keep their ratio, so that detailed balance holds in any
field along any single hop. The steady state is that of the master equation; drift and diffusion follow from it
exactly, without a linear response.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components

from ...structures.units import BOLTZMANN_eV_PER_K
from .network import HopNetwork

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Walk:
    """Hops of a network one way each, shape (n, ...): first all forwards, then their reverses.

    Attributes
    ----------
    start, end, step_A
        Places, and the carrier's displacement, shape (n, 3).
    barrier_eV, delta_eV, attempt_Hz
        From the start; end minus start.
    saddle_dipole_e_A, end_dipole_e_A
        Minus that at the start, shape (n, 3).
    energy_eV
        Of the places, shape (places,).
    """

    start: NDArray[np.int_]
    end: NDArray[np.int_]
    step_A: FloatArray
    barrier_eV: FloatArray
    delta_eV: FloatArray
    attempt_Hz: FloatArray
    saddle_dipole_e_A: FloatArray
    end_dipole_e_A: FloatArray
    energy_eV: FloatArray

    def rates_per_s(self, temperature_K: float, field_V_per_A: ArrayLike = (0.0, 0.0, 0.0)) -> FloatArray:
        """Rate of every hop.

        Raises
        ------
        ValueError
            If the temperature is not positive or the field is not finite.
        """
        field = np.asarray(field_V_per_A, dtype=float)
        if not temperature_K > 0:
            raise ValueError(f"temperature {temperature_K} K must be positive")
        if field.shape != (3,) or not np.isfinite(field).all():
            raise ValueError(f"field {field} must be three finite numbers, V/Angstrom")
        end = self.delta_eV - self.end_dipole_e_A @ field
        top = np.maximum(np.maximum(self.barrier_eV - self.saddle_dipole_e_A @ field, end), 0.0)
        return np.asarray(self.attempt_Hz * np.exp(-top / (BOLTZMANN_eV_PER_K * temperature_K)))


@dataclass(frozen=True)
class SteadyWalk:
    """Steady state of a walk.

    Attributes
    ----------
    population
        Of the places, sums to 1.
    velocity_A_per_s
        Of the carrier, shape (3,).
    diffusivity_A2_per_s
        Of the carrier about its drift, shape (3, 3).
    """

    population: FloatArray
    velocity_A_per_s: FloatArray
    diffusivity_A2_per_s: FloatArray


def walk_of(network: HopNetwork) -> Walk:
    """Both ways of every hop of a network."""
    hops = network.hops
    forward = np.array([h.forward_eV for h in hops])
    backward = np.array([h.backward_eV for h in hops])
    saddle = np.array([h.saddle_dipole_e_A for h in hops])
    end = np.array([h.end_dipole_e_A for h in hops])
    step = np.array([h.displacement_A for h in hops])
    starts, ends = np.array([h.start for h in hops]), np.array([h.end for h in hops])
    return Walk(
        start=np.concatenate([starts, ends]),
        end=np.concatenate([ends, starts]),
        step_A=np.concatenate([step, -step]),
        barrier_eV=np.concatenate([forward, backward]),
        delta_eV=np.concatenate([forward - backward, backward - forward]),
        attempt_Hz=np.array([h.forward_Hz for h in hops] + [h.backward_Hz for h in hops]),
        saddle_dipole_e_A=np.concatenate([saddle, saddle - end]),
        end_dipole_e_A=np.concatenate([end, -end]),
        energy_eV=np.array([s.energy_eV for s in network.sites]),
    )


def steady_walk(walk: Walk, temperature_K: float, field_V_per_A: ArrayLike = (0.0, 0.0, 0.0)) -> SteadyWalk:
    """Steady state, drift and diffusion of a carrier.

    Parameters
    ----------
    walk
        Hops of a network.
    temperature_K
        Temperature.
    field_V_per_A
        Internal field, shape (3,).

    Notes
    -----
    With w the matrix of rates and p its steady state, the drift is v = sum p_i w_ij d_ij. The diffusion tensor is
    D = 1/2 sum p_i w_ij x x^T with x = d_ij + g_j - g_i, where g makes the mean velocity of every place that of all:
    sum_j w_ij x_ij = v. It is positive by construction. Places that no hop joins walk apart, each part with its share
    in equilibrium at zero field.
    """
    rates = walk.rates_per_s(temperature_K, field_V_per_A)
    count = len(walk.energy_eV)
    matrix = np.zeros((count, count))
    np.add.at(matrix, (walk.start, walk.end), rates)
    parts, part = connected_components(matrix + matrix.T, directed=False)
    weight = np.exp(-(walk.energy_eV - walk.energy_eV.min()) / (BOLTZMANN_eV_PER_K * temperature_K))
    population = np.zeros(count)
    for n in range(parts):
        own = np.flatnonzero(part == n)
        population[own] = _stationary(matrix[np.ix_(own, own)]) * weight[own].sum() / weight.sum()
    current = population[walk.start] * rates
    velocity = current @ walk.step_A
    leaving = matrix.sum(axis=1)
    drift = np.zeros((count, 3))
    np.add.at(drift, walk.start, rates[:, None] * walk.step_A)
    # The mean of each part by itself, so that the equations have a solution.
    means = np.array([population[part == n] @ drift[part == n] / population[part == n].sum() for n in range(parts)])
    moving = leaving > 0
    scaled = np.where(moving, leaving, 1.0)[:, None]
    laplacian = matrix / scaled - np.diag(np.where(moving, 1.0, 0.0))
    corrector = np.linalg.lstsq(laplacian, (means[part] - drift) / scaled, rcond=1e-13)[0]
    x = walk.step_A + corrector[walk.end] - corrector[walk.start]
    return SteadyWalk(population, velocity, np.asarray(0.5 * (x * current[:, None]).T @ x))


def _stationary(rates: FloatArray) -> FloatArray:
    """Steady state by the elimination of W. Grassmann, M. Taksar and D. Heyman (10.1287/opre.33.5.1107).

    It subtracts nothing, so that rates may differ by any number of decades.
    """
    a = rates.copy()
    np.fill_diagonal(a, 0.0)
    count = len(a)
    sums = np.zeros(count)
    for n in range(count - 1, 0, -1):
        sums[n] = a[n, :n].sum()
        if sums[n] == 0:
            # Too slow for a float: nothing tells the places apart.
            return np.full(count, 1.0 / count)
        a[:n, :n] += np.outer(a[:n, n], a[n, :n] / sums[n])
    out = np.zeros(count)
    out[0] = 1.0
    for n in range(1, count):
        out[n] = out[:n] @ a[:n, n] / sums[n]
    return np.asarray(out / out.sum())
