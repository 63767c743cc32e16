"""A cell of classical spins with its couplings, as programs of atomistic spin dynamics take it.

    E = - sum J_ij e_i.e_j - sum D_ij.(e_i x e_j) - sum K_i (u_i.e_i)^2 + sum k_i (a^2 b^2 + b^2 c^2 + c^2 a^2)

over pairs that count once, with unit vectors e along the moments and a, b, c their components along the Cartesian axes
(see `exchange`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Structure

from ...structures.units import MEV_PER_A_TO_J_PER_M
from .anisotropy import AnisotropyMap, cubic_constants
from .exchange import ExchangeBonds
from .harmonics import real_harmonics

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int_]
# Of an eigenvalue over the sum of what it is made of.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class SpinAnisotropy:
    """Anisotropy of one spin.

    Attributes
    ----------
    axis
        u, shape (3,).
    uniaxial_meV, cubic_meV
        K, positive for an easy axis, and k.
    left_out_meV
        Root mean square over directions of what the two terms leave of the ion's E(n).
    """

    axis: FloatArray
    uniaxial_meV: float
    cubic_meV: float
    left_out_meV: float


@dataclass(frozen=True)
class SpinModel:
    """Spins of a cell.

    Attributes
    ----------
    lattice_A
        Rows are the lattice vectors, shape (3, 3).
    places
        Fractional, shape (n, 3).
    elements, labels
        Of each spin.
    moments_muB
        Signed along the common axis of the order, shape (n,).
    pairs, images, J_meV, D_meV
        Bonds, each once: spins, cell of the second one, J and D, shapes (m, 2), (m, 3), (m,), (m, 3). Of a spin with
        its own image both ends stand, with half of J each.
    anisotropies
        Of each spin; None where nothing is known.
    source
        Where the couplings come from.
    """

    lattice_A: FloatArray
    places: FloatArray
    elements: list[str]
    labels: list[str]
    moments_muB: FloatArray
    pairs: IntArray
    images: IntArray
    J_meV: FloatArray
    D_meV: FloatArray
    anisotropies: list[SpinAnisotropy] | None = None
    source: str = ""

    @property
    def vectors_A(self) -> FloatArray:
        """From the first to the second spin of each bond, shape (m, 3)."""
        places = self.places
        return np.asarray((places[self.pairs[:, 1]] + self.images - places[self.pairs[:, 0]]) @ self.lattice_A)

    def both_ways(self) -> tuple[IntArray, FloatArray, FloatArray]:
        """Bonds from either end, as most programs list them.

        Returns
        -------
        tuple
            First spin, second spin and its cell, shape (k, 5); J of the whole bond in meV, shape (k,); D of
            -D.(e_first x e_second), shape (k, 3).
        """
        neighbours: dict[tuple[int, ...], FloatArray] = {}
        for (i, j), cell, value, chiral in zip(self.pairs, self.images, self.J_meV, self.D_meV, strict=True):
            for key, sign in (((i, j, *cell), 1.0), ((j, i, *-cell), -1.0)):
                plain = tuple(int(x) for x in key)
                neighbours[plain] = neighbours.get(plain, np.zeros(4)) + np.array([value, *(sign * chiral)])
        keys = sorted(neighbours)
        values = np.array([neighbours[k] for k in keys])
        return np.array(keys), values[:, 0], values[:, 1:]

    def bonds(self) -> ExchangeBonds:
        """J of the model for `mean_field_curie_K` and `monte_carlo`; D and the anisotropy are left out."""
        return ExchangeBonds(
            sites=list(range(len(self.places))),
            pairs=[(int(i), int(j)) for i, j in self.pairs],
            J_meV=[float(x) for x in self.J_meV],
            assumptions=[self.source] if self.source else [],
            images=[(int(x), int(y), int(z)) for x, y, z in self.images],
        )

    def energy_meV(self, spins: ArrayLike) -> float:
        """Energy of a cell whose spins repeat from cell to cell, shape (n, 3), of any length."""
        e = np.asarray(spins, dtype=float)
        e = e / np.linalg.norm(e, axis=1, keepdims=True)
        first, second = e[self.pairs[:, 0]], e[self.pairs[:, 1]]
        energy = -np.sum(self.J_meV * np.sum(first * second, axis=1)) - np.sum(self.D_meV * np.cross(first, second))
        for direction, own in zip(e, self.anisotropies or [], strict=False):
            a, b, c = direction**2
            energy += own.cubic_meV * (a * b + b * c + c * a) - own.uniaxial_meV * float(direction @ own.axis) ** 2
        return float(energy)


def spin_model(
    structure: Structure, bonds: ExchangeBonds, anisotropies: Sequence[SpinAnisotropy] | None = None
) -> SpinModel:
    """Model of a cell and its bonds.

    Parameters
    ----------
    structure
        With collinear ``magmom``, and ``sublattice`` where there is one.
    bonds
        Of this cell, with their images.
    anisotropies
        Of the bonds' sites, in their order.

    Raises
    ------
    ValueError
        If the bonds do not say in which cell their second spin is.
    """
    if len(bonds.images) != len(bonds.pairs):
        raise ValueError("these bonds do not say in which cell their second spin is; make them with bonds_from_table")
    sites = [structure[i] for i in bonds.sites]
    names = [s.specie.symbol for s in sites]
    return SpinModel(
        lattice_A=np.asarray(structure.lattice.matrix, dtype=float),
        places=np.array([s.frac_coords for s in sites]),
        elements=names,
        labels=[
            f"{name}({s.properties['sublattice']})" if s.properties.get("sublattice") else name
            for name, s in zip(names, sites, strict=True)
        ],
        moments_muB=np.array([float(s.properties["magmom"]) for s in sites]),
        pairs=np.array(bonds.pairs),
        images=np.array(bonds.images),
        J_meV=np.array(bonds.J_meV),
        D_meV=np.zeros((len(bonds.pairs), 3)),
        anisotropies=None if anisotropies is None else list(anisotropies),
        source="; ".join(bonds.assumptions),
    )


def exchange_stiffness_J_per_m(model: SpinModel) -> FloatArray:
    """A of a micromagnetic energy A (grad m)^2 at 0 K, J/m, as a tensor, shape (3, 3).

    The energy of a long spiral of the collinear order, E(q) = V q.A.q, in which the sublattices take the phases between
    them that cost least; J a^2/(2 V) of a simple cubic lattice.

    Raises
    ------
    ValueError
        If the order is not stable against a spiral, so that there is no stiffness.
    """
    signs = np.sign(model.moments_muB)
    first, second = model.pairs.T
    weights = model.J_meV * signs[first] * signs[second]
    between = np.zeros((len(weights), len(signs)))
    np.add.at(between, (np.arange(len(weights)), second), 1.0)
    np.add.at(between, (np.arange(len(weights)), first), -1.0)
    reach = model.vectors_A
    forces = between.T @ (weights[:, None] * reach)
    springs = between.T @ (weights[:, None] * between)
    left = (
        reach.T @ (weights[:, None] * reach) - forces.T @ np.linalg.pinv(springs, rcond=1e-9, hermitian=True) @ forces
    )
    volume = abs(float(np.linalg.det(model.lattice_A)))
    stiffness = np.asarray(left / (2 * volume) * MEV_PER_A_TO_J_PER_M)
    # Each against the size of its own terms, which differ in unit.
    if _is_negative(left, float(np.abs(weights) @ np.sum(reach**2, axis=1))) or _is_negative(
        springs, float(np.abs(weights).sum())
    ):
        raise ValueError(
            "the collinear order costs less as a spiral or with a sublattice turned: no exchange stiffness with these "
            "couplings; state others"
        )
    return stiffness


def _is_negative(matrix: FloatArray, scale: float) -> bool:
    return bool(np.linalg.eigvalsh(matrix)[0] < -_ROUNDING * scale)


def axial_tensor(map_: AnisotropyMap) -> FloatArray:
    """T of the part n.T.n of E(n) without a trace, meV per cell, shape (3, 3): its l = 2 part."""
    fit = map_.fit()
    n = map_.vectors
    start = fit.degrees.index(2)
    begin = sum(2 * d + 1 for d in fit.degrees[:start])
    twofold = real_harmonics(n, (2,)) @ fit.coefficients[begin : begin + 5]
    i, j = np.triu_indices(3)
    design = n[:, i] * n[:, j] * np.where(i == j, 1.0, 2.0)
    solution, *_ = np.linalg.lstsq(design, twofold, rcond=None)
    tensor = np.zeros((3, 3))
    tensor[i, j] = tensor[j, i] = solution
    return np.asarray(tensor - np.eye(3) * np.trace(tensor) / 3)


def ion_anisotropies(map_: AnisotropyMap, sites: Sequence[int]) -> list[SpinAnisotropy] | None:
    """One axis and a cubic term of the E(n) of single ions; None if the engine's energy is no sum over ions.

    Parameters
    ----------
    map_
        With ``ion_sites``, of the cell whose sites are named.
    sites
        In the order of the result; an ion that the map does not name has none.
    """
    if map_.ion_sites is None:
        return None
    out = []
    for site in sites:
        own = map_.of_ions([site])
        assert own is not None
        out.append(_axis_and_cubic(own))
    return out


def _axis_and_cubic(map_: AnisotropyMap) -> SpinAnisotropy:
    values, vectors = np.linalg.eigh(axial_tensor(map_))
    easy = values[1] - values[0] >= values[2] - values[1]
    axis = vectors[:, 0] if easy else vectors[:, 2]
    size = (values[1] + values[2]) / 2 - values[0] if easy else (values[0] + values[1]) / 2 - values[2]
    k1 = cubic_constants(map_, average=True).K1_meV_per_cell
    a, b, c = map_.vectors.T**2
    left = map_.energies - (k1 * (a * b + b * c + c * a) - size * (map_.vectors @ axis) ** 2)
    return SpinAnisotropy(axis, float(size), float(k1), float(np.std(left)))
