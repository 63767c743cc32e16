"""M(T), specific heat and ordering temperatures of classical spins by Monte Carlo.

An order is not needed to find a transition: the specific heat peaks there for any order, also one of several
sublattices, while the projection on one collinear order means something for that order only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.optimize import brentq

from ...structures.units import BOLTZMANN_eV_PER_K
from ..results.document import Document
from .exchange import ExchangeBonds, coupling_matrix
from .histograms import specific_heat_kB

FloatArray = NDArray[np.float64]
FEWEST_SWEEPS = 30
# Share of the sweeps that is thrown away at each temperature.
_WARM_UP = 1 / 3
# A window whose specific heat is highest at its edge is moved there; so often at most.
_MOST_WINDOWS = 4


class MagnetisationCurve(Document):
    """M(T) by Monte Carlo.

    Attributes
    ----------
    temperatures_K, order_parameter, standard_error
        Projection of the spins on the ground order (1 at 0 K), averaged over the run, with the error from blocks.
    moment_muB, susceptibility_per_eV
        Length of the total moment per cell; fluctuation of the order parameter times n / kT (1/eV).
    binder
        1 - <m^4> / (3 <m^2>^2) of the order parameter, equal for all sizes at T_C.
    specific_heat_kB
        Per spin, from the fluctuation of the energy; it knows no order. Empty in older results.
    spins, sweeps, seed
        Size and length of the simulation.
    """

    temperatures_K: list[float]
    order_parameter: list[float]
    standard_error: list[float]
    moment_muB: list[float]
    susceptibility_per_eV: list[float]
    binder: list[float] = Field(default_factory=list)
    specific_heat_kB: list[float] = Field(default_factory=list)
    spins: int
    sweeps: int
    seed: int
    assumptions: list[str] = Field(default_factory=list)

    @property
    def curie_K(self) -> float:
        """Temperature of the largest fluctuation of the order, within the temperature step and the size of the cell."""
        return self.temperatures_K[int(np.argmax(self.susceptibility_per_eV))]

    @property
    def specific_heat_peak_K(self) -> float:
        """Temperature of the largest specific heat, by a parabola through it and two neighbours on either side."""
        order = np.argsort(self.temperatures_K)
        heat, at = np.array(self.specific_heat_kB)[order], np.array(self.temperatures_K)[order]
        top = int(np.argmax(heat))
        near = slice(max(top - 2, 0), top + 3)
        bend, slope, _ = np.polyfit(at[near] - at[top], heat[near], 2)
        moved = -slope / (2 * bend) if bend < 0 else 0.0
        return float(np.clip(at[top] + moved, at[near][0], at[near][-1]))


@dataclass
class _Lattice:
    """Bonds as the compiled loop takes them."""

    starts: NDArray[np.int64]
    neighbours: NDArray[np.int64]
    strengths_eV: FloatArray

    @classmethod
    def of(cls, bonds: ExchangeBonds) -> _Lattice:
        coupling = coupling_matrix(bonds) * 1e-3
        # A bond of a spin to its own image is a constant and turns nothing.
        np.fill_diagonal(coupling, 0.0)
        near = [np.flatnonzero(row) for row in coupling]
        starts = np.cumsum([0, *map(len, near)], dtype=np.int64)
        strengths = np.concatenate([coupling[i, nb] for i, nb in enumerate(near)])
        return cls(starts, np.concatenate(near).astype(np.int64), strengths)


def monte_carlo(
    bonds: ExchangeBonds,
    moments_muB: ArrayLike,
    temperatures_K: Sequence[float],
    *,
    sweeps: int = 400,
    seed: int = 0,
    disordered: bool = False,
) -> MagnetisationCurve:
    """Classical heat-bath Monte Carlo from the given order, heated step by step.

    A heat-bath step draws a spin from its exact distribution in the field of its neighbours
    (Y. Miyatake et al., 10.1088/0022-3719/19/14/020), which no step rejects.

    Parameters
    ----------
    bonds
        Of the simulated cell; finite size rounds the transition.
    moments_muB
        Signed moments of the sites in the ground order, shape (n,).
    temperatures_K
        In the order in which they are run: rising from an order, falling from disorder.
    sweeps
        Per temperature; the first third is thrown away.
    seed
        Of the random numbers.
    disordered
        Start from random directions, for spins whose ground order is not known.

    Raises
    ------
    ValueError
        If a temperature is not positive, or there are too few sweeps.
    """
    return _simulate(bonds, moments_muB, temperatures_K, sweeps, seed, disordered)[0]


def _simulate(
    bonds: ExchangeBonds,
    moments_muB: ArrayLike,
    temperatures_K: Sequence[float],
    sweeps: int,
    seed: int,
    disordered: bool,
) -> tuple[MagnetisationCurve, list[FloatArray]]:
    """The curve of `monte_carlo`, and the energies in eV that each temperature went through."""
    from .heat_bath_kernel import heat_bath_sweeps  # compiled: numba takes a third of a second to import

    sizes = np.asarray(moments_muB, dtype=float)
    if min(temperatures_K) <= 0:
        raise ValueError(f"temperatures {list(temperatures_K)} K must be positive")
    if sweeps < FEWEST_SWEEPS:
        raise ValueError(f"{sweeps} sweeps are too few for an average; give at least {FEWEST_SWEEPS}")
    rng = np.random.default_rng(seed)
    lattice, order, n = _Lattice.of(bonds), np.sign(sizes), len(sizes)
    spins = rng.normal(size=(n, 3)) if disordered else order[:, None] * np.array([0.0, 0.0, 1.0])
    spins /= np.linalg.norm(spins, axis=1, keepdims=True)
    first = int(sweeps * _WARM_UP)
    rows: list[tuple[float, ...]] = []
    sampled: list[FloatArray] = []
    for temperature in temperatures_K:
        beta = 1 / (BOLTZMANN_eV_PER_K * temperature)
        values, totals, energies = heat_bath_sweeps(
            spins, lattice.starts, lattice.neighbours, lattice.strengths_eV, beta, sweeps, rng, order, np.abs(sizes)
        )
        kept = values[first:]
        sampled.append(energies[first:])
        blocks = np.array([b.mean() for b in np.array_split(kept, 10)])
        rows.append(
            (
                float(kept.mean()),
                float(blocks.std(ddof=1) / np.sqrt(len(blocks))),
                float(np.mean(totals[first:])),
                float(n * beta * kept.var()),
                float(1 - np.mean(kept**4) / (3 * np.mean(kept**2) ** 2)),
                float(beta**2 * energies[first:].var() / n),
            )
        )
    columns = [list(c) for c in zip(*rows, strict=True)]
    curve = MagnetisationCurve(
        temperatures_K=[float(t) for t in temperatures_K],
        order_parameter=columns[0],
        standard_error=columns[1],
        moment_muB=columns[2],
        susceptibility_per_eV=columns[3],
        binder=columns[4],
        specific_heat_kB=columns[5],
        spins=n,
        sweeps=sweeps,
        seed=seed,
        assumptions=["classical spins of fixed length, isotropic exchange", *bonds.assumptions],
    )
    return curve, sampled


def transition_by_specific_heat_K(
    bonds: ExchangeBonds, highest_K: float, *, sweeps: int = 1500, seed: int = 0
) -> MagnetisationCurve:
    """Curve round the peak of the specific heat, cooled from disorder: no order is assumed.

    A first pass over falling temperatures finds the peak, a second one in steps of 2 % of `highest_K` resolves it and
    is moved where the peak lies at its edge. Each specific heat is that of the samples of all temperatures of its pass
    together, whose peak wanders less.

    Parameters
    ----------
    bonds
        Of the simulated cell.
    highest_K
        Above the transition, e.g. the temperature of mean field.
    sweeps, seed
        Per temperature; of the random numbers.
    """
    moments = np.ones(len(bonds.sites))
    coarse = [highest_K * share for share in np.arange(1.05, 0.24, -0.08)]
    curve = _pooled(bonds, moments, coarse, max(sweeps // 3, FEWEST_SWEEPS), seed)
    for again in range(1, _MOST_WINDOWS + 1):
        top = _highest(curve)
        fine = [top + highest_K * shift for shift in np.arange(0.08, -0.081, -0.02) if top + highest_K * shift > 0]
        curve = _pooled(bonds, moments, fine, sweeps, seed + again)
        if _highest(curve) not in (fine[0], fine[-1]):
            break
    return curve


def _highest(curve: MagnetisationCurve) -> float:
    return curve.temperatures_K[int(np.argmax(curve.specific_heat_kB))]


def _pooled(
    bonds: ExchangeBonds, moments: FloatArray, temperatures_K: list[float], sweeps: int, seed: int
) -> MagnetisationCurve:
    curve, energies = _simulate(bonds, moments, temperatures_K, sweeps, seed, disordered=True)
    heat = specific_heat_kB(energies, temperatures_K, len(bonds.sites))
    return curve.model_copy(update={"specific_heat_kB": heat.tolist()})


class BinderCrossing(Document):
    """Where Binder's cumulants of two sizes are equal.

    Attributes
    ----------
    temperature_K, error_K
        Of the crossing, and its standard error by leaving out blocks of both runs.
    sizes
        Spins of the two simulations.
    """

    temperature_K: float
    error_K: float
    sizes: tuple[int, int]


def binder_crossing(
    small: ExchangeBonds,
    large: ExchangeBonds,
    senses: tuple[ArrayLike, ArrayLike],
    near_K: float,
    *,
    sweeps: int = 8000,
    seed: int = 0,
    blocks: int = 8,
) -> BinderCrossing:
    """Ordering temperature by the crossing of the cumulants of two sizes (K. Binder, 10.1007/BF01293604).

    Each size is run once, and its energies and orders carry the averages to temperatures near by (A. M. Ferrenberg and
    R. H. Swendsen, 10.1103/PhysRevLett.61.2635). Where they cross outside that reach the runs are repeated there.

    Parameters
    ----------
    small, large
        The same crystal in cells of two sizes.
    senses
        +1 or -1 of every spin in the ground order, for both.
    near_K
        Within some per cent of the transition.
    sweeps, seed, blocks
        Of both runs; blocks for the error.

    Raises
    ------
    ValueError
        If the cumulants do not cross near the temperature.
    """
    at = near_K
    for attempt in range(4):
        runs = [
            _run(bonds, np.sign(np.asarray(sense, dtype=float)), at, sweeps, seed + 10 * attempt)
            for bonds, sense in zip((small, large), senses, strict=True)
        ]
        low, high = 0.94 * at, 1.06 * at
        difference = [_difference(runs, t, at) for t in (low, high)]
        if difference[0] > 0 > difference[1]:
            crossing = _crossing_K(runs, at, low, high)
            if abs(crossing / at - 1) < 0.03:
                break
            at = crossing
        else:
            # The larger cell orders more sharply: above the transition its cumulant is the lower one.
            at = low if difference[0] < 0 else high
    else:
        raise ValueError(f"Binder's cumulants do not cross within a tenth of {near_K:.0f} K; give a nearer temperature")
    left = []
    for b in range(blocks):
        resampled = [tuple(np.delete(x, np.array_split(np.arange(len(x)), blocks)[b]) for x in run) for run in runs]
        try:
            left.append(_crossing_K(resampled, at, low, high))
        except ValueError:
            left.append(crossing)
    error = float(np.sqrt((blocks - 1) / blocks * np.sum((np.array(left) - np.mean(left)) ** 2)))
    return BinderCrossing(temperature_K=crossing, error_K=error, sizes=(len(small.sites), len(large.sites)))


def _run(
    bonds: ExchangeBonds, senses: FloatArray, temperature_K: float, sweeps: int, seed: int
) -> tuple[FloatArray, FloatArray]:
    """Order and energy (eV) after each sweep at one temperature, without the first third."""
    from .heat_bath_kernel import heat_bath_sweeps

    lattice, rng = _Lattice.of(bonds), np.random.default_rng(seed)
    spins = senses[:, None] * np.array([0.0, 0.0, 1.0])
    beta = 1 / (BOLTZMANN_eV_PER_K * temperature_K)
    order, _, energies = heat_bath_sweeps(
        spins, lattice.starts, lattice.neighbours, lattice.strengths_eV, beta, sweeps, rng, senses, np.abs(senses)
    )
    first = int(sweeps * _WARM_UP)
    return order[first:], energies[first:]


def _cumulant(run: Sequence[FloatArray], temperature_K: float, at_K: float) -> float:
    """Binder's cumulant at a temperature near that of the run."""
    order, energies = run
    shift = (1 / temperature_K - 1 / at_K) / BOLTZMANN_eV_PER_K
    weights = np.exp(-shift * (energies - energies.mean()))
    square = order**2
    return float(1 - np.average(square**2, weights=weights) / (3 * np.average(square, weights=weights) ** 2))


def _difference(runs: Sequence[Sequence[FloatArray]], temperature_K: float, at_K: float) -> float:
    small, large = (_cumulant(run, temperature_K, at_K) for run in runs)
    return large - small


def _crossing_K(runs: Sequence[Sequence[FloatArray]], at_K: float, low_K: float, high_K: float) -> float:
    return float(brentq(lambda t: _difference(runs, t, at_K), low_K, high_K, xtol=1e-4 * at_K))
