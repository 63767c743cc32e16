"""The least set of directions that a cell's magnetic point group leaves to compute, always with n and -n."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Structure

from ...structures.magnetic_symmetry import axial_operations
from ..results.document import Document
from .anisotropy import AnisotropyMap
from .directions import antipodes

FloatArray = NDArray[np.float64]


class ReducedDirections(Document):
    """Directions to compute for a full set.

    Attributes
    ----------
    vectors
        To compute, shape (k, 3), closed under n -> -n so that the audit of time reversal stays.
    full
        The whole set, shape (n, 3).
    source
        For each direction of `full` the place in `vectors` whose energy it has, shape (n,).
    operations
        Size of the group that acts on directions.
    """

    vectors: list[list[float]]
    full: list[list[float]]
    source: list[int]
    operations: int

    @property
    def saved(self) -> int:
        """Calculations that symmetry saves."""
        return len(self.full) - len(self.vectors)

    def __str__(self) -> str:
        return (
            f"{len(self.vectors)} of {len(self.full)} directions computed, {self.saved} saved by "
            f"{self.operations} operations; n and -n are both computed"
        )

    def expand(self, energies_meV: ArrayLike) -> FloatArray:
        """Energies of the full set from those of `vectors`, shape (n,).

        Raises
        ------
        ValueError
            If their number is not that of the vectors.
        """
        energies = np.asarray(energies_meV, dtype=float)
        if energies.shape != (len(self.vectors),):
            raise ValueError(f"{energies.shape} energies for {len(self.vectors)} directions")
        return np.asarray(energies[self.source])

    def expand_map(self, map_: AnisotropyMap) -> AnisotropyMap:
        """The map on the full set; what symmetry filled in is in its provenance."""
        provenance = map_.provenance.model_copy(update={"left_out": [*map_.provenance.left_out, str(self)]})
        return map_.model_copy(
            update={
                "directions": self.full,
                "energies_meV": [float(x) for x in self.expand(map_.energies)],
                "orbital_moments_muB": None,
                "provenance": provenance,
            }
        )


def reduce_directions(
    structure: Structure, vectors: ArrayLike, symprec: float = 1e-3, tol: float = 1e-6
) -> ReducedDirections:
    """Directions of a set that the magnetic point group of a cell does not give for nothing.

    Parameters
    ----------
    structure
        Cell with signed collinear moments.
    vectors
        Unit vectors, shape (n, 3), every n with its -n, e.g. a Lebedev set or a plane scan.
    symprec
        For the group, Angstrom.
    tol
        By which a turned direction is found again in the set.

    Raises
    ------
    ValueError
        If a direction has no opposite.
    """
    full = np.asarray(vectors, dtype=float)
    opposite = antipodes(full)
    operations = axial_operations(structure, symprec)
    source = np.full(len(full), -1)
    representatives: list[int] = []
    for i in range(len(full)):
        if source[i] >= 0:
            continue
        here, there = len(representatives), len(representatives) + 1
        representatives += [i, int(opposite[i])]
        source[i], source[opposite[i]] = here, there
        overlap = full @ (operations @ full[i]).T
        for image in np.argwhere(overlap > 1 - tol)[:, 0].tolist():
            if source[image] < 0:
                source[image], source[opposite[image]] = here, there
    return ReducedDirections(
        vectors=full[representatives].tolist(), full=full.tolist(), source=source.tolist(), operations=len(operations)
    )
