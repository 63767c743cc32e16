"""Tracer that vacancies move over the hops of a crystal with their own barriers: its correlation, by a kept library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...structures.units import BOLTZMANN_eV_PER_K
from ..results.document import Document
from .diffusion import CM2_PER_A2, OnsagerPackage, onsager_package
from .network import CONSISTENT_eV, HopNetwork, NetworkHop
from .percolation import ways_through
from .rates import why_no_rate

if TYPE_CHECKING:
    from onsager.crystal import Crystal

_SYMMETRY = 1e-4
# Jumps of the cell squared over its symmetry operations: 576 (ten kinds among six places) took 19 s and 0.35 GB, six
# kinds among twelve places more than 9 GB and ten minutes.
MOST_WORK = 600
_WALKED = "crowded_diffusion(network, 0.99, temperature_K), --occupation 0.99 of the command hops, walks"


class TracerCorrelation(Document):
    """A lone vacancy in a crystal and the tracer that it moves, at one temperature.

    Attributes
    ----------
    ion, temperature_K
        Who moves, and when.
    vacancy_cm2_per_s, tracer_cm2_per_s
        Tensors, shape (3, 3): of the vacancy, and of a tracer times the inverse of the vacant share.
    factors
        Of the tracer along the Cartesian axes, shape (3,): tracer over vacancy.
    """

    ion: str
    temperature_K: float
    vacancy_cm2_per_s: list[list[float]]
    tracer_cm2_per_s: list[list[float]]
    factors: list[float]

    @property
    def vacancy_mean_cm2_per_s(self) -> float:
        """A third of the trace."""
        return float(np.trace(self.vacancy_cm2_per_s)) / 3

    @property
    def correlation(self) -> float:
        """Trace of the tracer's tensor over that of the vacancy's."""
        return float(np.trace(self.tracer_cm2_per_s) / np.trace(self.vacancy_cm2_per_s))


def tracer_correlation(network: HopNetwork, temperature_K: float) -> TracerCorrelation:
    """Exact correlation of a tracer with every distinct hop of a vacancy, its places' energies and prefactors.

    By the Green function of `onsager` (D. R. Trinkle, 10.1080/14786435.2017.1340685).

    Raises
    ------
    ImportError
        Without the package onsager.
    ValueError
        If the network is that of an inserted ion, its hops change the order of the cations, a barrier leaves no rate
        law, or jumps are so many beyond `MOST_WORK` for the cell's symmetry that they would need too much memory.
    """
    package = onsager_package()
    if network.carrier != "vacancy":
        raise ValueError(f"{network.ion} goes through empty places: an inserted ion that is alone has correlation 1")
    if network.mismatch_eV > CONSISTENT_eV:
        raise ValueError(
            f"reaction energies of the hops of {network.ion} differ from energies of places by "
            f"{network.mismatch_eV:.3f} eV (at most {CONSISTENT_eV} eV): the hops change the order of the cations, and "
            "a tracer among equal ions is not defined"
        )
    lowest = min(min(h.forward_eV, h.backward_eV) for h in network.hops)
    if why := why_no_rate(lowest, temperature_K):
        raise ValueError(f"no tracer of {network.ion}: {why}")
    if (ways := ways_through((h.start, h.end, h.image) for h in network.hops)) < 3:
        raise ValueError(
            f"hops of {network.ion} lead through the crystal in {ways} of three directions, and onsager solves all "
            f"three; {_WALKED} a tracer in layers and in channels where ions can pass each other"
        )
    crystal = package.Crystal(
        np.array(network.lattice_A).T,
        [[np.array(s.fractional) for s in network.sites], *_middles(network)],
        noreduce=True,
        threshold=_SYMMETRY,
    )
    orbits = _orbits(crystal, network)
    jumps = sum(len(alike) for alike, _ in orbits)
    if jumps**2 > MOST_WORK * len(crystal.G):
        raise ValueError(
            f"{jumps} jumps of {len(orbits)} kinds in a cell of {len(crystal.G)} symmetry operations are more than "
            f"onsager solves in a few GB; the D of the vacancy needs no correlation factor, and {_WALKED} a tracer "
            "over any number of jumps"
        )
    kinds = crystal.sitelist(0)
    try:
        of_vacancy, of_tracer = _solved(package, crystal, network, orbits, kinds, temperature_K)
    except (ArithmeticError, IndexError, np.linalg.LinAlgError) as error:
        raise ValueError(f"onsager cannot solve the network of {network.ion} ({error}); {_WALKED} a tracer") from error
    return TracerCorrelation(
        ion=network.ion,
        temperature_K=temperature_K,
        vacancy_cm2_per_s=(of_vacancy * CM2_PER_A2).tolist(),
        tracer_cm2_per_s=(of_tracer * CM2_PER_A2).tolist(),
        factors=(np.diag(of_tracer) / np.diag(of_vacancy)).tolist(),
    )


Jumps = list[tuple[tuple[int, int], NDArray[np.float64]]]


def _solved(
    package: OnsagerPackage,
    crystal: Crystal,
    network: HopNetwork,
    orbits: Sequence[tuple[Jumps, NetworkHop]],
    kinds: Sequence[Sequence[int]],
    temperature_K: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tensors of the vacancy and of its tracer, A2/s."""
    vacancy = package.VacancyMediated(crystal, 0, kinds, [jumps for jumps, _ in orbits], 1)
    saddles = np.array([_top_eV(network, hop) for _, hop in orbits])
    # One prefactor a jump, the geometric mean of both ways: that of the places is 1.
    attempts = np.array([np.sqrt(hop.forward_Hz * hop.backward_Hz) for _, hop in orbits])
    energies = np.array([network.sites[kind[0]].energy_eV for kind in kinds])
    given = {"preV": np.ones(len(kinds)), "eneV": energies, "preT0": attempts, "eneT0": saddles}
    given |= vacancy.maketracerpreene(preT0=attempts, eneT0=saddles)
    factors = vacancy.preene2betafree(BOLTZMANN_eV_PER_K * temperature_K, **given)
    of_vacancy, of_tracer, _, _ = vacancy.Lij(*factors)
    return np.asarray(of_vacancy), np.asarray(of_tracer)


def _middles(network: HopNetwork) -> list[list[NDArray[np.float64]]]:
    """Middles of the hops, a kind of atom for each label and saddle: so no operation joins unequal hops."""
    inverse = np.linalg.inv(np.array(network.lattice_A))
    kinds: dict[tuple[str, float], list[NDArray[np.float64]]] = {}
    for hop in network.hops:
        step = np.asarray(hop.displacement_A) @ inverse
        middle = np.mod(np.array(network.sites[hop.start].fractional) + step / 2, 1.0)
        known = kinds.setdefault((hop.label, round(_top_eV(network, hop), 3)), [])
        if all(np.abs(x - middle - np.rint(x - middle)).max() > _SYMMETRY for x in known):
            known.append(middle)
    return list(kinds.values())


def _orbits(crystal: Crystal, network: HopNetwork) -> list[tuple[Jumps, NetworkHop]]:
    """Jumps of the network, those that the crystal's operations join together, each with one of its hops."""
    out: list[tuple[Jumps, NetworkHop]] = []
    seen: set[tuple[int, int, tuple[int, ...]]] = set()
    places, inverse = crystal.basis[0], np.linalg.inv(np.array(network.lattice_A))
    for hop in network.hops:
        step = np.asarray(hop.displacement_A) @ inverse
        image = np.rint(step - places[hop.end] + places[hop.start]).astype(int)
        jumps: Jumps = []
        for operation in crystal.G:
            first, (_, start) = crystal.g_pos(operation, np.zeros(3, dtype=int), (0, hop.start))
            last, (_, end) = crystal.g_pos(operation, image, (0, hop.end))
            over = tuple(int(n) for n in last - first)
            if (start, end, over) not in seen:
                way = crystal.lattice @ (last - first + places[end] - places[start])
                jumps += [((start, end), way), ((end, start), -way)]
                seen |= {(start, end, over), (end, start, tuple(-n for n in over))}
        if jumps:
            out.append((jumps, hop))
    return out


def _top_eV(network: HopNetwork, hop: NetworkHop) -> float:
    """Energy of the saddle above the lowest place: the mean of what both ways say."""
    ends = network.sites[hop.start].energy_eV + hop.forward_eV, network.sites[hop.end].energy_eV + hop.backward_eV
    return sum(ends) / 2
