"""Exchange: Heisenberg energies from spins, mean-field Curie temperature, Monte Carlo M(T), four-state mapping.

The convention throughout is a sum over pairs, each counted once, of unit spin vectors e:

    E = - sum_{i<j} J_ij e_i.e_j - sum_{i<j} D_ij.(e_i x e_j) ,

so that J > 0 is ferromagnetic and the spin lengths are inside J (meV).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from pymatgen.core import Structure

from ...structures.units import BOLTZMANN_eV_PER_K
from ..results.checks import Check
from ..results.document import Document, Provenance
from .heat_bath import heat_bath_sweeps

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int_]
_SHELL_A = 0.15


class ExchangeBonds(Document):
    """Exchange of the pairs of a cell.

    Attributes
    ----------
    sites
        Indices of the magnetic sites in the structure.
    pairs
        Places in `sites` of the two spins of each bond, one entry per bond (images apart).
    J_meV
        Per bond.
    assumptions
        Where the values come from.
    """

    sites: list[int]
    pairs: list[tuple[int, int]]
    J_meV: list[float]
    assumptions: list[str] = Field(default_factory=list)


# Bonds of one shell differ by some per cent in a relaxed cell; the next one of spinels, rock salt and perovskites is
# 1.4 times as far, or more.
FIRST_SHELL = 1.15
_FARTHEST_FIRST_SHELL_A = 6.5


def bonds_from_table(
    structure: Structure, table: Mapping[tuple[str, str], float], cutoff_A: float | None = None, source: str = ""
) -> ExchangeBonds:
    """Bonds of a cell from a table of pair couplings.

    Parameters
    ----------
    structure
        Cell with site properties ``magmom`` and ``sublattice``.
    table
        J in meV by a pair of labels such as ``("Fe(A)", "Co(B)")``, in either order.
    cutoff_A
        Longest bond; by default the first shell of each pair of labels, whatever the others'.
    source
        Where the table comes from; kept as an assumption.

    Raises
    ------
    ValueError
        If no magnetic pair of the structure is in the table.
    """
    sites = [i for i, s in enumerate(structure) if abs(float(s.properties["magmom"])) > 1e-6]
    place = {site: n for n, site in enumerate(sites)}
    names = {i: f"{structure[i].specie.symbol}({structure[i].properties['sublattice']})" for i in sites}
    full = {frozenset(key): value for key, value in table.items()}
    reach = cutoff_A or _FARTHEST_FIRST_SHELL_A
    first, second, _, distances = structure.get_neighbor_list(reach)
    found = [
        (a, b, frozenset((names[a], names[b])), d)
        for a, b, d in zip(first.tolist(), second.tolist(), distances.tolist(), strict=True)
        # The list holds each bond from both ends, those of a site to its own images among them.
        if a in place and b in place and a <= b and frozenset((names[a], names[b])) in full
    ]
    if not found:
        raise ValueError(f"no pair of {sorted(set(names.values()))} within {reach} A is in the exchange table")
    shortest: dict[frozenset[str], float] = {}
    for _, _, kind, d in found:
        shortest[kind] = min(d, shortest.get(kind, d))
    kept = [bond for bond in found if cutoff_A is not None or bond[3] <= FIRST_SHELL * shortest[bond[2]]]
    pairs = [(place[a], place[b]) for a, b, _, _ in kept]
    values = [full[kind] if a != b else full[kind] / 2 for a, b, kind, _ in kept]
    return ExchangeBonds(sites=sites, pairs=pairs, J_meV=values, assumptions=[source] if source else [])


def heisenberg_energy_meV(bonds: ExchangeBonds, spins: ArrayLike) -> float:
    """-sum J e_i.e_j over the bonds of a cell.

    Parameters
    ----------
    bonds
        See `ExchangeBonds`.
    spins
        Directions of the magnetic sites, shape (n, 3), or signs of a collinear order, shape (n,).

    Raises
    ------
    ValueError
        If the number of spins is not that of the sites.
    """
    e = np.asarray(spins, dtype=float)
    if len(e) != len(bonds.sites):
        raise ValueError(f"{len(e)} spins for {len(bonds.sites)} magnetic sites")
    if e.ndim == 1:
        e = np.sign(e)[:, None] * np.array([0.0, 0.0, 1.0])
    e = e / np.linalg.norm(e, axis=1)[:, None]
    i, j = np.array(bonds.pairs).T
    return float(-np.sum(np.array(bonds.J_meV) * np.einsum("ba,ba->b", e[i], e[j])))


def coupling_matrix(bonds: ExchangeBonds) -> FloatArray:
    """Sum of J over the bonds between each two sites, symmetric, shape (n, n), meV; a row sums to 2 |E| per site."""
    n = len(bonds.sites)
    matrix = np.zeros((n, n))
    for (i, j), value in zip(bonds.pairs, bonds.J_meV, strict=True):
        matrix[i, j] += value
        matrix[j, i] += value
    return matrix


def mean_field_curie_K(bonds: ExchangeBonds) -> float:
    """Mean-field ordering temperature of classical spins, kT = (largest eigenvalue of J) / 3.

    J. S. Smart, Effective Field Theories of Magnetism (1966); mean field overestimates T_C by a third or more.

    Raises
    ------
    ValueError
        If nothing orders.
    """
    largest = float(np.linalg.eigvalsh(coupling_matrix(bonds))[-1])
    if largest <= 0:
        raise ValueError(f"the largest eigenvalue of the exchange matrix is {largest:.3g} meV: nothing orders")
    return largest * 1e-3 / (3 * BOLTZMANN_eV_PER_K)


class MagnetisationCurve(Document):
    """M(T) by Monte Carlo.

    Attributes
    ----------
    temperatures_K, order_parameter, standard_error
        Projection of the spins on the ground order (1 at 0 K), averaged over the run, with the error from blocks.
    moment_muB, susceptibility
        Length of the total moment per cell; fluctuation of the order parameter times n / kT (1/eV).
    binder
        1 - <m^4> / (3 <m^2>^2) of the order parameter, equal for all sizes at T_C.
    spins, sweeps, seed
        Size and length of the simulation.
    """

    temperatures_K: list[float]
    order_parameter: list[float]
    standard_error: list[float]
    moment_muB: list[float]
    susceptibility_per_eV: list[float]
    binder: list[float] = Field(default_factory=list)
    spins: int
    sweeps: int
    seed: int
    assumptions: list[str] = Field(default_factory=list)

    @property
    def curie_K(self) -> float:
        """Temperature of the largest fluctuation: T_C within the temperature step and the size of the cell."""
        return self.temperatures_K[int(np.argmax(self.susceptibility_per_eV))]


def monte_carlo(
    bonds: ExchangeBonds,
    moments_muB: ArrayLike,
    temperatures_K: Sequence[float],
    *,
    sweeps: int = 400,
    seed: int = 0,
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
        Rising temperatures.
    sweeps
        Per temperature; the first third is thrown away.
    seed
        Of the random numbers.

    Raises
    ------
    ValueError
        If a temperature is not positive, or there are too few sweeps.
    """
    sizes = np.asarray(moments_muB, dtype=float)
    if min(temperatures_K) <= 0:
        raise ValueError(f"temperatures {list(temperatures_K)} K must be positive")
    if sweeps < 30:
        raise ValueError(f"{sweeps} sweeps are too few for an average; give at least 30")
    rng = np.random.default_rng(seed)
    coupling = coupling_matrix(bonds) * 1e-3
    # A bond of a spin to its own image is a constant and turns nothing.
    np.fill_diagonal(coupling, 0.0)
    near = [np.flatnonzero(row) for row in coupling]
    starts = np.cumsum([0, *map(len, near)], dtype=np.int64)
    strengths = np.concatenate([coupling[i, nb] for i, nb in enumerate(near)])
    order = np.sign(sizes)
    spins = order[:, None] * np.array([0.0, 0.0, 1.0])
    n = len(sizes)
    rows: list[tuple[float, float, float, float, float]] = []
    for temperature in temperatures_K:
        beta = 1 / (BOLTZMANN_eV_PER_K * temperature)
        values, totals = heat_bath_sweeps(
            spins, starts, np.concatenate(near), strengths, beta, sweeps, rng, order, np.abs(sizes)
        )
        kept = values[sweeps // 3 :]
        blocks = np.array([b.mean() for b in np.array_split(kept, 10)])
        rows.append(
            (
                float(kept.mean()),
                float(blocks.std(ddof=1) / np.sqrt(len(blocks))),
                float(np.mean(totals[sweeps // 3 :])),
                float(n * beta * kept.var()),
                float(1 - np.mean(kept**4) / (3 * np.mean(kept**2) ** 2)),
            )
        )
    columns = [list(c) for c in zip(*rows, strict=True)]
    return MagnetisationCurve(
        temperatures_K=[float(t) for t in temperatures_K],
        order_parameter=columns[0],
        standard_error=columns[1],
        moment_muB=columns[2],
        susceptibility_per_eV=columns[3],
        binder=columns[4],
        spins=n,
        sweeps=sweeps,
        seed=seed,
        assumptions=["classical spins of fixed length, isotropic exchange", *bonds.assumptions],
    )


class FourStateResult(Document):
    """J and D of one pair from four energies each.

    Attributes
    ----------
    first, second
        Site indices.
    J_meV, D_meV
        Per pair, summed over the periodic images that the cell cannot tell apart.
    images
        How many images of the second site share the shortest distance.
    Gamma_meV
        Symmetric off-diagonal exchange of E = ... + e_1.Gamma e_2: its elements yz, zx, xy; None if not mapped.
    assumptions
        What the numbers hold besides.
    checks
        That D is one which the symmetry of the pair allows.
    """

    first: int
    second: int
    J_meV: float
    D_meV: list[float] | None
    distance_A: float
    images: int
    provenance: Provenance
    Gamma_meV: list[float] | None = None
    assumptions: list[str] = Field(default_factory=list)
    checks: list[Check] = Field(default_factory=list)


def four_state_spins(moments: ArrayLike, first: int, second: int, component: str = "J") -> list[FloatArray]:
    """Spin orders of the four-state method for one pair.

    H. Xiang et al., 10.1039/c2dt31662e. For J the two spins are +-z in a background along x; for a component of D
    the two are along the other two axes and the background along that component's axis, where D of the background
    cancels in the combination.

    Parameters
    ----------
    moments
        Signed collinear moments of all sites, muB, shape (n,); the background keeps its order.
    first, second
        Sites of the pair.
    component
        ``J``, ``Dx``, ``Dy`` or ``Dz``; ``-Dx``, ``-Dy`` or ``-Dz`` with the axes of the two spins exchanged.

    Returns
    -------
    list of ndarray
        Four arrays of moment vectors, shape (n, 3), in the order ++, +-, -+, --.

    Raises
    ------
    ValueError
        If the component is unknown, the sites are equal, or one carries no moment.
    """
    m = np.asarray(moments, dtype=float)
    axes = {"J": (0, 2, 2), "Dx": (0, 1, 2), "Dy": (1, 2, 0), "Dz": (2, 0, 1)}
    axes |= {f"-{name}": (back, two, one) for name, (back, one, two) in axes.items() if name != "J"}
    if component not in axes:
        raise ValueError(f"component {component!r} is unknown; choose one of {', '.join(axes)}")
    if first == second:
        raise ValueError("the two sites of a pair must differ")
    for site in (first, second):
        if abs(m[site]) < 1e-6:
            raise ValueError(f"site {site} carries no moment; four-state energies need two magnetic sites")
    back, one, two = (np.eye(3)[a] for a in axes[component])
    out = []
    for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        spins = m[:, None] * back
        spins[first] = abs(m[first]) * a * one
        spins[second] = abs(m[second]) * b * two
        out.append(spins)
    return out


def four_state_value(energies_eV: Sequence[float]) -> float:
    """-(E++ - E+- - E-+ + E--)/4 in meV: J for parallel axes; D_x - Gamma_yz for the first spin along y and the second
    along z, -D_x - Gamma_yz with the axes exchanged.

    Raises
    ------
    ValueError
        If there are not four energies.
    """
    if len(energies_eV) != 4:
        raise ValueError(f"the four-state method needs four energies, not {len(energies_eV)}")
    pp, pm, mp, mm = energies_eV
    return -1000.0 * (pp - pm - mp + mm) / 4


def images_at_shortest_distance(structure: Structure, first: int, second: int) -> tuple[float, int]:
    """Shortest distance of two sites (A) and how many images of the second lie at it."""
    found = structure.lattice.get_points_in_sphere(
        [structure[second].frac_coords], structure[first].coords, structure.get_distance(first, second) + _SHELL_A
    )
    return float(structure.get_distance(first, second)), len(found)
