"""Diffusion where places are no longer dilute: ions of a network of hops that block each other, by kinetic Monte Carlo.

A place holds one ion or none; every hop has its own barrier, prefactor and dipole, whoever stands beside it. Whichever
are fewer, ions or empty places, are drawn by their rates (A. B. Bortz, M. H. Kalos and J. L. Lebowitz,
10.1016/0021-9991(75)90060-1); a hop onto a taken place does not happen and its time has passed.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..results.document import Document
from .diffusion import CM2_PER_A2
from .network import CONSISTENT_eV, HopNetwork
from .percolation import ways_through
from .rates import why_no_rate
from .walk import walk_of

FloatArray = NDArray[np.float64]
_MOST_PLACES = 2_000_000
# Parts of a run whose common displacements are samples of their own.
_WINDOWS = 40


class CrowdedDiffusion(Document):
    """Ions of a network at one occupation and temperature; every error is that of the mean of the runs.

    Attributes
    ----------
    ion, temperature_K, occupation, places
        Who, when, share of the places that ions take, and size of the simulated crystal.
    tracer_cm2_per_s, tracer_error_cm2_per_s
        Tensor of the ions' own diffusion, shape (3, 3).
    together_cm2_per_s, together_error_cm2_per_s
        Of their common displacement, over their number: what the conductivity n q^2 D/kT takes.
    correlation, correlation_error
        Squared displacement of an ion over the squares of its steps: f of a tracer where all hops are equal. Both this
        and the tensor of the ions' own diffusion are 0 in a channel of single file, where no ion passes another: what a
        run of some length has falls with the root of it (T. E. Harris, 10.2307/3212197).
    drift_A_per_s
        Mean velocity of the ions, shape (3,); zero within its error without a field.
    site_occupations
        Share of the time that each place of the cell is taken.
    hops, runs
        Hops of each run, and how many runs.
    """

    ion: str
    temperature_K: float
    occupation: float
    places: int
    tracer_cm2_per_s: list[list[float]]
    tracer_error_cm2_per_s: list[list[float]]
    together_cm2_per_s: list[list[float]]
    together_error_cm2_per_s: list[list[float]]
    correlation: float
    correlation_error: float
    drift_A_per_s: list[float]
    site_occupations: list[float]
    hops: int
    runs: int

    @property
    def tracer_mean_cm2_per_s(self) -> float:
        """A third of the trace."""
        return float(np.trace(self.tracer_cm2_per_s)) / 3


def crowded_diffusion(
    network: HopNetwork,
    occupation: float,
    temperature_K: float,
    *,
    cells: int = 12,
    hops_per_ion: float = 50.0,
    runs: int = 8,
    field_V_per_A: ArrayLike = (0.0, 0.0, 0.0),
    seed: int = 0,
) -> CrowdedDiffusion:
    """Walk all ions of a crystal of `cells` x `cells` x `cells` cells.

    Parameters
    ----------
    network
        Places and hops; those of a vacancy are hops of the ion the other way.
    occupation
        Share of the places that ions take.
    temperature_K
        Temperature.
    cells
        Cells along each lattice vector.
    hops_per_ion
        Mean number of hops of an ion in each run, after a tenth of it to reach equilibrium.
    runs, seed
        Independent runs, and the random numbers.
    field_V_per_A
        Internal field, shape (3,).

    Raises
    ------
    ValueError
        If a number is out of range, the hops change the order of the cations, a barrier leaves no rate law, or nothing
        can move.
    """
    from .crowded_kernel import hop_crowd

    if not 0 < occupation < 1:
        raise ValueError(f"occupation {occupation} must lie between 0 and 1; one ion or vacancy alone is `steady_walk`")
    if cells < 2 or runs < 2 or not 0 < hops_per_ion < np.inf:
        raise ValueError(
            f"{cells} cells, {runs} runs and {hops_per_ion} hops: give 2 or more of the first two and a finite number "
            "of hops"
        )
    basis = len(network.sites)
    places = basis * cells**3
    if places > _MOST_PLACES:
        raise ValueError(f"{places} places are more than {_MOST_PLACES}; give fewer cells than {cells}")
    if network.mismatch_eV > CONSISTENT_eV:
        raise ValueError(
            f"the hops of {network.ion} change the order of the cations (reaction energies differ from energies of "
            f"places by {network.mismatch_eV:.3f} eV), so that no occupation is in equilibrium"
        )
    if why := why_no_rate(min(min(h.forward_eV, h.backward_eV) for h in network.hops), temperature_K):
        raise ValueError(f"no rates of {network.ion}: {why}")
    ions = round(occupation * places)
    if ions in (0, places):
        raise ValueError(f"{ions} ions on {places} places: give more cells than {cells}")
    # Carriers hop by the network's rates; where they are many, the others are drawn by the reverse of them.
    carriers = ions if network.carrier == "ion" else places - ions
    of_others = carriers > places - carriers
    ways = _ways(network, temperature_K, field_V_per_A, of_others)
    few, rng = min(carriers, places - carriers), np.random.default_rng(seed)
    ions_move = of_others == (network.carrier == "vacancy")
    hops = max(1, round(hops_per_ion * ions))
    tracer, together, factors, drifts, taken = [], [], [], [], []
    for _ in range(runs):
        state = _placed(basis, cells, few, rng)
        _run(hop_crowd, state, ways, cells, max(1, hops // 10), rng)
        state["travelled"][:], state["squares"][:], state["visits"][:] = 0.0, 0.0, 0.0
        # Movers have the first labels.
        own = slice(0, few) if ions_move else slice(few, places)
        times, sums = [0.0], [np.zeros(3)]
        for _ in range(_WINDOWS):
            times.append(times[-1] + _run(hop_crowd, state, ways, cells, max(1, hops // _WINDOWS), rng)[0])
            sums.append(state["travelled"][own].sum(axis=0))
        time = times[-1]
        if not time > 0:
            raise ValueError(f"nothing of {network.ion} moves at {temperature_K} K")
        way, mean = state["travelled"][own], state["travelled"][own].mean(axis=0)
        about = way - mean
        tracer.append(about.T @ about / len(way) / (2 * time) * CM2_PER_A2)
        jumps = np.diff(sums, axis=0) - sums[-1] * (np.diff(times) / time)[:, None]
        # The mean drift takes one of the windows.
        scale = _WINDOWS / (_WINDOWS - 1) / len(way) / (2 * time)
        together.append(jumps.T @ jumps * scale * CM2_PER_A2)
        factors.append(float((about**2).sum() / state["squares"][own].sum()))
        drifts.append(mean / time)
        share = state["visits"] / time / cells**3
        taken.append(share if ions_move else 1 - share)
    error = 1 / np.sqrt(runs)
    if _single_file(network):
        tracer, factors = [np.zeros((3, 3))] * runs, [0.0] * runs
    return CrowdedDiffusion(
        ion=network.ion,
        temperature_K=temperature_K,
        occupation=ions / places,
        places=places,
        tracer_cm2_per_s=np.mean(tracer, axis=0).tolist(),
        tracer_error_cm2_per_s=(np.std(tracer, axis=0, ddof=1) * error).tolist(),
        together_cm2_per_s=np.mean(together, axis=0).tolist(),
        together_error_cm2_per_s=(np.std(together, axis=0, ddof=1) * error).tolist(),
        correlation=float(np.mean(factors)),
        correlation_error=float(np.std(factors, ddof=1) * error),
        drift_A_per_s=np.mean(drifts, axis=0).tolist(),
        site_occupations=np.mean(taken, axis=0).tolist(),
        hops=hops,
        runs=runs,
    )


def _single_file(network: HopNetwork) -> bool:
    """Whether every place has two neighbours at most and leads on along a line, so that ions keep their order."""
    ends = Counter(n for h in network.hops for n in (h.start, h.end))
    return max(ends.values()) <= 2 and ways_through((h.start, h.end, h.image) for h in network.hops) == 1


def _ways(network: HopNetwork, temperature_K: float, field_V_per_A: ArrayLike, of_others: bool) -> dict[str, Any]:
    """Where a mover goes from each place of the cell: ends, images, steps, and sums of rates, shape (places, ways)."""
    walk = walk_of(network)
    rates = walk.rates_per_s(temperature_K, field_V_per_A)
    images = np.array([h.image for h in network.hops])
    images = np.concatenate([images, -images])
    start, end, step = walk.start, walk.end, walk.step_A
    if of_others:
        start, end, images, step = end, start, -images, -step
    basis, most = len(network.sites), int(np.bincount(start).max())
    out = {
        "targets": np.zeros((basis, most), dtype=np.int64),
        "images": np.zeros((basis, most, 3), dtype=np.int64),
        "steps": np.zeros((basis, most, 3)),
        "cumulative": np.zeros((basis, most)),
    }
    for b in range(basis):
        own = np.flatnonzero(start == b)
        out["targets"][b, : len(own)], out["images"][b, : len(own)] = end[own], images[own]
        out["steps"][b, : len(own)] = step[own]
        sums = np.cumsum(rates[own]) if len(own) else np.zeros(1)
        out["cumulative"][b] = np.concatenate([sums, np.full(most - len(own), sums[-1])])[:most]
    return out


def _placed(basis: int, cells: int, few: int, rng: np.random.Generator) -> dict[str, Any]:
    """Movers at random: who stands where, and lists of the places of movers for each place of the cell."""
    places, volume = basis * cells**3, cells**3
    where = rng.permutation(places)
    label = np.empty(places, dtype=np.int64)
    label[where] = np.arange(places)
    movers, counts = np.zeros((basis, volume), dtype=np.int64), np.zeros(basis, dtype=np.int64)
    place_of = np.full(places, -1, dtype=np.int64)
    for place in where[:few]:
        kind = place // volume
        movers[kind, counts[kind]] = place
        place_of[place] = counts[kind]
        counts[kind] += 1
    return {
        "label": label,
        "movers": movers,
        "place_of": place_of,
        "counts": counts,
        "travelled": np.zeros((places, 3)),
        "squares": np.zeros(places),
        "visits": np.zeros(basis),
    }


def _run(
    hop_crowd: Any, state: dict[str, Any], ways: dict[str, Any], cells: int, hops: int, rng: np.random.Generator
) -> tuple[float, int]:
    found = hop_crowd(
        state["label"],
        state["movers"],
        state["place_of"],
        state["counts"],
        cells,
        ways["targets"],
        ways["images"],
        ways["steps"],
        ways["cumulative"],
        state["travelled"],
        state["visits"],
        state["squares"],
        hops,
        rng,
    )
    return float(found[0]), int(found[1])
