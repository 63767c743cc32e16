"""What mapped pairs of spins say about a frozen reference, and which J and D the crystal's symmetry allows.

A pair is mapped as E = -J e_1.e_2 - D.(e_1 x e_2) + e_1.Gamma e_2 (`exchange`); a reference p adds
-h p.n + D.(n x p) + n.Gamma p to E(n) (`frozen_reference`). The two signs of D differ: `coupling_of_pairs` is the one
place where one becomes the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import spglib
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Structure

from ..results.checks import Check, held
from ..results.document import Document
from .exchange import FourStateResult

FloatArray = NDArray[np.float64]
# Of a four-state value: four times the convergence of a static at EDIFF = 1e-6 eV and what a cell's noise adds.
FORBIDDEN_meV = 0.05


class GroupCoupling(Document):
    """Coupling of a turning group to a frozen one, in the convention of `FrozenReference`.

    Attributes
    ----------
    h_meV, D_meV, Gamma_meV
        Of -h p.n + D.(n x p) + n.Gamma p, per cell.
    pairs
        How many pairs were summed.
    """

    h_meV: float
    D_meV: list[float]
    Gamma_meV: list[list[float]]
    pairs: int


def coupling_of_pairs(
    pairs: Sequence[FourStateResult], signs: Mapping[int, float] | Sequence[float], frozen: Collection[int]
) -> GroupCoupling:
    """Sum over mapped pairs of a turning and a frozen ion.

    Ion i of the turning group points along s_i n, ion j of the frozen one along s_j p, with s = +-1 of the collinear
    order. So h = sum s_i s_j J_ij, and since a pair says -D_ij.(e_i x e_j), the reference's D = -sum s_i s_j D_ij;
    a pair that names the frozen ion first has D_ij = -D_ji.

    Parameters
    ----------
    pairs
        Each pair of sites once; what its cell cannot tell apart is summed already.
    signs
        Of the moments of the sites, by index.
    frozen
        Indices of the frozen ions.

    Raises
    ------
    ValueError
        If there is no pair, one is given twice, one joins no turning ion to a frozen one, or an ion has no moment.
    """
    if not pairs:
        raise ValueError("no pair was given; map at least one between a turning and a frozen ion")
    seen: set[frozenset[int]] = set()
    h, D, gamma = 0.0, np.zeros(3), np.zeros((3, 3))
    for pair in pairs:
        key = frozenset((pair.first, pair.second))
        if key in seen:
            raise ValueError(f"the pair of sites {sorted(key)} is given twice; each pair counts once")
        seen.add(key)
        if (pair.first in frozen) == (pair.second in frozen):
            both = "frozen" if pair.first in frozen else "turning"
            raise ValueError(
                f"sites {pair.first} and {pair.second} are both {both}; a pair must join a turning ion to a frozen one"
            )
        product = float(np.sign(signs[pair.first]) * np.sign(signs[pair.second]))
        if product == 0:
            raise ValueError(f"one of the sites {sorted(key)} has no moment in the collinear order")
        from_turning = 1.0 if pair.second in frozen else -1.0
        h += product * pair.J_meV
        D -= product * from_turning * np.asarray(pair.D_meV or (0.0, 0.0, 0.0))
        yz, zx, xy = pair.Gamma_meV or (0.0, 0.0, 0.0)
        gamma += product * np.array([[0.0, xy, zx], [xy, 0.0, yz], [zx, yz, 0.0]])
    return GroupCoupling(h_meV=h, D_meV=[float(x) for x in D], Gamma_meV=gamma.tolist(), pairs=len(pairs))


def allowed_D(structure: Structure, first: int, second: int, D_meV: ArrayLike, symprec: float = 1e-3) -> FloatArray:
    """Part of a Dzyaloshinskii vector that the symmetry of its pair allows, shape (3,).

    An operation that keeps the two sites takes D, an axial vector, to itself, one that exchanges them to -D: no D
    with an inversion centre halfway, D along the bond on a rotation axis through both, and so on (T. Moriya,
    10.1103/PhysRev.120.91).

    Parameters
    ----------
    structure
        The crystal; elements and valences are its colours.
    first, second
        Sites of the pair.
    D_meV
        Shape (3,).
    symprec
        Angstrom.
    """
    vector = np.asarray(D_meV, dtype=float)
    images = [
        axial @ vector * (1.0 if image == (first, second) else -1.0)
        for axial, image in _images(structure, (first, second), symprec)
        if set(image) == {first, second}
    ]
    return np.asarray(np.mean(images, axis=0))


def symmetry_check(structure: Structure, pair: FourStateResult, symprec: float = 1e-3) -> Check | None:
    """Whether a mapped D is one that its pair may have; None without D."""
    if pair.D_meV is None:
        return None
    left = np.asarray(pair.D_meV) - allowed_D(structure, pair.first, pair.second, pair.D_meV, symprec)
    return held(
        "D that the symmetry of the pair forbids (Moriya)",
        float(np.abs(left).max()),
        FORBIDDEN_meV,
        unit="meV",
        note="" if pair.Gamma_meV else "the symmetric part is not taken off; map it with symmetric=True",
        invalidates=pair.Gamma_meV is not None,
    )


def equivalent_pairs_check(structure: Structure, pairs: Sequence[FourStateResult], symprec: float = 1e-3) -> Check:
    """Whether pairs that the crystal's symmetry takes into one another have the J and D that follow from it.

    Raises
    ------
    ValueError
        If no two of the pairs are equivalent.
    """
    worst, compared = 0.0, 0
    for n, one in enumerate(pairs):
        for axial, image in _images(structure, (one.first, one.second), symprec):
            for other in pairs[n + 1 :]:
                sense = {(other.first, other.second): 1.0, (other.second, other.first): -1.0}.get(image)
                if sense is None:
                    continue
                compared += 1
                worst = max(worst, abs(one.J_meV - other.J_meV))
                if one.D_meV is not None and other.D_meV is not None:
                    expected = sense * axial @ np.asarray(one.D_meV)
                    worst = max(worst, float(np.abs(expected - other.D_meV).max()))
    if not compared:
        raise ValueError("no operation of the crystal takes one of these pairs into another; map two equivalent ones")
    return held("J and D of equivalent pairs differ by", worst, FORBIDDEN_meV, unit="meV")


def _images(
    structure: Structure, pair: tuple[int, int], symprec: float
) -> Iterator[tuple[FloatArray, tuple[int, int]]]:
    """Axial matrix of each operation of the space group, and the sites to which it takes a pair."""
    keys = [(s.specie.symbol, round(float(s.properties.get("valence") or 0.0), 6)) for s in structure]
    number = {key: i + 1 for i, key in enumerate(sorted(set(keys)))}
    places = structure.frac_coords
    symmetry = spglib.get_symmetry(
        (structure.lattice.matrix.tolist(), places.tolist(), [number[k] for k in keys]), symprec=symprec
    )
    if symmetry is None:
        raise ValueError(f"spglib finds no space group at symprec = {symprec} A; check for overlapping sites")
    lattice = structure.lattice.matrix.T
    inverse = np.linalg.inv(lattice)
    for rotation, translation in zip(symmetry["rotations"], symmetry["translations"], strict=True):
        matrix = lattice @ rotation @ inverse
        first, second = (_site_at(structure, rotation @ places[site] + translation) for site in pair)
        yield float(round(np.linalg.det(matrix))) * matrix, (first, second)


def _site_at(structure: Structure, place: FloatArray) -> int:
    away = structure.frac_coords - place
    away -= np.round(away)
    return int(np.argmin(np.linalg.norm(away @ structure.lattice.matrix, axis=1)))
