"""Lowest highest barrier of a periodic graph: the barrier at which its hops first lead through the crystal.

Hops are joined in ascending order. A hop that closes a ring whose translations do not sum to zero leads from a place
to its own image: from then on the carrier goes through the crystal along that translation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..results.document import Document

FloatArray = NDArray[np.float64]
Threshold = tuple[float, str, int, int, NDArray[np.int_]]


class Percolation(Document):
    """The way through the crystal along one direction.

    Attributes
    ----------
    direction
        ``a``, ``b``, ``c`` or a Cartesian vector.
    barrier_eV
        Highest saddle of the easiest way, above the lowest place; None if no way leads through.
    limiting_hop
        The hop with that saddle.
    """

    direction: str
    barrier_eV: float | None
    limiting_hop: str = ""


def percolation(
    hops: Sequence[Threshold], lattice_A: FloatArray, directions: Sequence[tuple[str, FloatArray]]
) -> list[Percolation]:
    """Percolation along each direction.

    A way counts along a lattice vector if it advances along it, and along another direction if its translation has a
    component there.

    Parameters
    ----------
    hops
        (eV, label, start, end, lattice translation of the end), in any order.
    lattice_A
        Lattice vectors as rows.
    directions
        Names, and Cartesian vectors; a lattice vector is known by its name.
    """
    joined = _Joined()
    percolations: dict[str, Percolation] = {}
    for energy, label, start, end, image in sorted(hops, key=lambda hop: hop[0]):
        ways = joined.add(start, end, image)
        for name, vector in directions:
            if name not in percolations and any(_leads(name, vector, way, lattice_A) for way in ways):
                percolations[name] = Percolation(direction=name, barrier_eV=energy, limiting_hop=label)
    return [percolations.get(name, Percolation(direction=name, barrier_eV=None)) for name, _ in directions]


def ways_through(hops: Iterable[tuple[int, int, Sequence[int]]]) -> int:
    """Independent directions in which hops (start, end, lattice translation of the end) lead through the crystal.

    Three in a crystal, two in layers, one along channels, none among closed groups: of the part with most of them.
    """
    joined = _Joined()
    for start, end, image in hops:
        joined.add(start, end, np.asarray(image, dtype=int))
    return max((int(np.linalg.matrix_rank(np.array(rings))) for rings in joined.rings() if rings), default=0)


def _leads(name: str, vector: FloatArray, way: NDArray[np.int_], lattice_A: FloatArray) -> bool:
    if name in ("a", "b", "c"):
        return bool(way["abc".index(name)] != 0)
    along = (way @ lattice_A) @ vector
    return bool(abs(along) > 1e-6 * np.linalg.norm(vector) * np.linalg.norm(lattice_A))


class _Joined:
    """Union-find in which every place knows its translation from the root of its part, and the part its rings."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}
        self._shift: dict[int, NDArray[np.int_]] = {}
        self._ways: dict[int, list[NDArray[np.int_]]] = {}

    def add(self, start: int, end: int, image: NDArray[np.int_]) -> list[NDArray[np.int_]]:
        """Join two places; the translations by which their part then leads to its own image."""
        (root, to_start), (other, to_end) = self._root(start), self._root(end)
        if root == other:
            ring = to_start + image - to_end
            if ring.any():
                self._ways[root].append(ring)
        else:
            # From the root over the hop to the other root: end there is end here plus its image.
            self._parent[other] = root
            self._shift[other] = to_start + image - to_end
            self._ways[root] += self._ways.pop(other)
        return self._ways[root]

    def rings(self) -> list[list[NDArray[np.int_]]]:
        """Translations to the own image of every part."""
        return list(self._ways.values())

    def _root(self, place: int) -> tuple[int, NDArray[np.int_]]:
        if place not in self._parent:
            self._parent[place] = place
            self._shift[place] = np.zeros(3, dtype=int)
            self._ways[place] = []
        shift = np.zeros(3, dtype=int)
        while self._parent[place] != place:
            shift = shift + self._shift[place]
            place = self._parent[place]
        return place, shift
