"""Exchange: Heisenberg energies from spins, mean-field Curie temperature, four-state mapping.

The convention throughout is a sum over pairs, each counted once, of unit spin vectors e:

    E = - sum_{i<j} J_ij e_i.e_j - sum_{i<j} D_ij.(e_i x e_j) ,

so that J > 0 is ferromagnetic and the spin lengths are inside J (meV).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from pymatgen.core import Structure

from ...structures.units import BOLTZMANN_eV_PER_K
from ..results.checks import Check
from ..results.document import Document, Provenance

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
        Per bond; a bond of a site to its own image stands twice, from either end, with half of its J each.
    assumptions
        Where the values come from.
    images
        Cell in which the second spin of each bond lies, in lattice vectors; empty where nothing asked for it.
    """

    sites: list[int]
    pairs: list[tuple[int, int]]
    J_meV: list[float]
    assumptions: list[str] = Field(default_factory=list)
    images: list[tuple[int, int, int]] = Field(default_factory=list, repr=False)


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
    first, second, cells, distances = structure.get_neighbor_list(reach)
    bonds = [
        (a, b, frozenset((names[a], names[b])), d, image)
        for a, b, image, d in zip(first.tolist(), second.tolist(), cells.tolist(), distances.tolist(), strict=True)
        # The list holds each bond from both ends, those of a site to its own images among them.
        if a in place and b in place and a <= b and frozenset((names[a], names[b])) in full
    ]
    if not bonds:
        raise ValueError(f"no pair of {sorted(set(names.values()))} within {reach} A is in the exchange table")
    shortest: dict[frozenset[str], float] = {}
    for _, _, kind, d, _ in bonds:
        shortest[kind] = min(d, shortest.get(kind, d))
    within = [bond for bond in bonds if cutoff_A is not None or bond[3] <= FIRST_SHELL * shortest[bond[2]]]
    pairs = [(place[a], place[b]) for a, b, *_ in within]
    values = [full[kind] if a != b else full[kind] / 2 for a, b, kind, *_ in within]
    images = [(int(x), int(y), int(z)) for *_, (x, y, z) in within]
    return ExchangeBonds(sites=sites, pairs=pairs, J_meV=values, assumptions=[source] if source else [], images=images)


def bonds_by_distance(
    structure: Structure, shells: Sequence[tuple[float, float]], source: str = "", tolerance_A: float = 0.02
) -> ExchangeBonds:
    """Bonds of a cell whose couplings are known by distance, whatever the ions.

    Parameters
    ----------
    structure
        Cell; every site with a ``magmom`` that is not zero is a spin.
    shells
        Distance in Angstrom and J in meV of each shell.
    source
        Where they come from; kept as an assumption.
    tolerance_A
        How far a bond may be from the distance of its shell.

    Raises
    ------
    ValueError
        If a shell has no bond, or the shells overlap.
    """
    spans = sorted(shells)
    if any(b[0] - a[0] <= 2 * tolerance_A for a, b in pairwise(spans)):
        raise ValueError(f"shells at {[d for d, _ in spans]} A are closer than twice {tolerance_A} A; merge them")
    sites = [i for i, s in enumerate(structure) if abs(float(s.properties["magmom"])) > 1e-6]
    place = {site: n for n, site in enumerate(sites)}
    first, second, cells, distances = structure.get_neighbor_list(spans[-1][0] + tolerance_A)
    pairs, values, images, found = [], [], [], set()
    for a, b, image, d in zip(first.tolist(), second.tolist(), cells.tolist(), distances.tolist(), strict=True):
        shell = next((n for n, (at, _) in enumerate(spans) if abs(d - at) <= tolerance_A), None)
        if shell is None or a not in place or b not in place or a > b:
            continue
        found.add(shell)
        pairs.append((place[a], place[b]))
        values.append(spans[shell][1] if a != b else spans[shell][1] / 2)
        images.append((int(image[0]), int(image[1]), int(image[2])))
    if missing := [spans[n][0] for n in range(len(spans)) if n not in found]:
        raise ValueError(f"no bond of the cell is {missing} A long (within {tolerance_A} A)")
    return ExchangeBonds(sites=sites, pairs=pairs, J_meV=values, assumptions=[source] if source else [], images=images)


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


def quantum_factors(spins: ArrayLike) -> FloatArray:
    """(S + 1)/S of spins S: what a quantum spin's S(S + 1) is of the classical S^2; shape (n,).

    Temperatures of classical spins come out too low by about this factor (M. Alaei et al., arXiv:2504.15764, over 70
    compounds with measured exchange).

    Raises
    ------
    ValueError
        If a spin is not positive.
    """
    s = np.asarray(spins, dtype=float)
    if not np.all(s > 0):
        raise ValueError(f"spins {s.tolist()} must be positive")
    return np.asarray((s + 1) / s)


def mean_field_curie_K(bonds: ExchangeBonds, factors: ArrayLike | None = None) -> float:
    """Mean-field ordering temperature, kT = (largest eigenvalue of J) / 3; of classical spins by default.

    J. S. Smart, Effective Field Theories of Magnetism (1966); mean field overestimates T_C by a third or more.

    Parameters
    ----------
    bonds
        See `ExchangeBonds`.
    factors
        `quantum_factors` of the sites, shape (n,): the mean field of quantum spins.

    Raises
    ------
    ValueError
        If nothing orders.
    """
    matrix = coupling_matrix(bonds)
    if factors is not None:
        root = np.sqrt(np.asarray(factors, dtype=float))
        matrix = root[:, None] * matrix * root
    largest = float(np.linalg.eigvalsh(matrix)[-1])
    if largest <= 0:
        raise ValueError(f"the largest eigenvalue of the exchange matrix is {largest:.3g} meV: nothing orders")
    return largest * 1e-3 / (3 * BOLTZMANN_eV_PER_K)


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
    images = structure.lattice.get_points_in_sphere(
        [structure[second].frac_coords], structure[first].coords, structure.get_distance(first, second) + _SHELL_A
    )
    return float(structure.get_distance(first, second)), len(images)
