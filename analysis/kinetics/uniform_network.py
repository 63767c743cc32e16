"""One hop for all: a sublattice on which every jump between neighbours costs the same, and its correlation factor."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
from pymatgen.core import Structure

from .network import HopNetwork, NetworkHop, NetworkSite
from .percolation import percolation, ways_through
from .rates import ASSUMED_ATTEMPT_Hz

SAME_LENGTH = 1.15
"""Neighbours up to this times the length of the hop count as its like."""

# By neighbours of a place and common neighbours of two that are joined. The first four: K. Compaan and Y. Haven,
# Trans. Faraday Soc. 52, 786 (1956), 10.1039/TF9565200786; corner-sharing tetrahedra, such as the octahedral sites of a
# spinel, and the anions of a perovskite (0.69: T. Ishigaki et al., J. Solid State Chem. 73, 179 (1988)), by the Green
# function of `diffusion.vacancy_correlation_factor`.
_EXACT = {
    # In hcp 0.7812 along the planes and 0.7815 across.
    (12, 4): ("close packing", 0.7815),
    (8, 0): ("bcc", 0.7272),
    (6, 0): ("simple cubic", 0.6531),
    (4, 0): ("diamond", 0.5),
    (6, 2): ("corner-sharing tetrahedra", 0.5549),
    (8, 2): ("perovskite anions", 0.6889),
}
# Layers, by the same authors; of squares 1/(pi - 1).
_EXACT_IN_LAYERS = {
    (6, 2): ("triangular layers", 0.5601),
    (4, 0): ("square layers", 0.4669),
    (3, 0): ("honeycomb layers", 1 / 3),
}


def uniform_network(
    cell: Structure,
    sublattice: str,
    distance_A: float,
    barrier_eV: float,
    charge_e: float,
    *,
    ion: str,
    label: str,
    attempt_Hz: float = ASSUMED_ATTEMPT_Hz,
) -> HopNetwork:
    """Vacancy on a sublattice, with one barrier, its saddle halfway, for all its jumps.

    Parameters
    ----------
    cell
        With site property ``sublattice``.
    sublattice, distance_A
        Places, and the length of the hop; those up to 15 % farther are its like.
    barrier_eV, charge_e, attempt_Hz
        Of the hop; the charge is that of the ion, which moves against the vacancy.
    ion, label
        Who moves, and what the hop is called.

    Raises
    ------
    ValueError
        If no two places of the sublattice are that near.
    """
    own = [i for i, name in enumerate(cell.site_properties["sublattice"]) if name == sublattice]
    number = {site: n for n, site in enumerate(own)}
    hops = []
    for site in own:
        for near in cell.get_neighbors(cell[site], SAME_LENGTH * distance_A):
            step = near.coords - cell[site].coords
            image = np.rint(near.frac_coords - cell[near.index].frac_coords).astype(int).tolist()
            back = (number.get(near.index, -1), number[site], [-n for n in image])
            # Each pair once: of the two ways the one that comes first.
            if near.index not in number or back < (number[site], number[near.index], image):
                continue
            hops.append(
                NetworkHop(
                    label=label,
                    start=number[site],
                    end=number[near.index],
                    image=image,
                    displacement_A=step.tolist(),
                    forward_eV=barrier_eV,
                    backward_eV=barrier_eV,
                    forward_Hz=attempt_Hz,
                    backward_Hz=attempt_Hz,
                    saddle_dipole_e_A=(-charge_e * step / 2).tolist(),
                    end_dipole_e_A=(-charge_e * step).tolist(),
                )
            )
    if not hops:
        raise ValueError(f"no two places of sublattice {sublattice} are within {SAME_LENGTH * distance_A:.2f} A")
    matrix = cell.lattice.matrix
    thresholds = [(barrier_eV, label, h.start, h.end, np.asarray(h.image)) for h in hops]
    return HopNetwork(
        ion=ion,
        carrier="vacancy",
        lattice_A=matrix.tolist(),
        sites=[NetworkSite(fractional=cell[i].frac_coords.tolist(), label=sublattice, energy_eV=0.0) for i in own],
        hops=hops,
        percolation=percolation(thresholds, matrix, list(zip("abc", matrix, strict=True))),
        mismatch_eV=0.0,
    )


def correlation_factor(network: HopNetwork) -> tuple[float, str]:
    """F of a tracer that vacancies move over equal jumps of a network, and where it is from.

    Exact on the lattices that the graph shows by its neighbours and their common neighbours; else the estimate
    1 - 2/z of independent returns.
    """
    around: dict[int, list[tuple[int, tuple[int, ...]]]] = defaultdict(list)
    for hop in network.hops:
        around[hop.start].append((hop.end, tuple(hop.image)))
        around[hop.end].append((hop.start, tuple(-n for n in hop.image)))
    z = Counter(len(places) for places in around.values()).most_common(1)[0][0]
    exact = {3: _EXACT, 2: _EXACT_IN_LAYERS}.get(ways_through((h.start, h.end, h.image) for h in network.hops), {})
    shared = {
        sum(
            (far, tuple(a + b for a, b in zip(image, more, strict=True))) in set(around[place])
            for far, more in around[end]
        )
        for place in around
        for end, image in around[place]
    }
    even = (
        len(shared) == 1 and all(len(places) == z for places in around.values()) and len(around) == len(network.sites)
    )
    if even and (z, next(iter(shared))) in exact:
        name, f = exact[z, next(iter(shared))]
        return f, f"exact for {name} with equal jumps"
    return max(0.0, 1.0 - 2.0 / z), f"estimate 1 - 2/z, z = {z}"
