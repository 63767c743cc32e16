"""One rule after every evaluation of a calculator: energy, forces and stress are finite numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ase import Atoms

JUDGED = ("energy", "forces", "stress")


class NotFiniteError(ValueError):
    """A calculator returned what is no finite number.

    Attributes
    ----------
    where
        Which image or configuration it was; empty if nobody said.
    """

    def __init__(self, what: str, where: str = "") -> None:
        self.what, self.where = what, where
        super().__init__(f"{what}{f' ({where})' if where else ''}")


def require_finite_results(atoms: Atoms, results: Mapping[str, Any]) -> None:
    """Refuse an evaluation that is no finite number, naming property, atom and geometry.

    Parameters
    ----------
    atoms
        What was evaluated.
    results
        Of the calculator; only energy, forces and stress are judged.

    Raises
    ------
    NotFiniteError
        With the atom whose force is none, and the closest pair of the geometry, which is the usual cause.
    """
    for name in JUDGED:
        values = results.get(name)
        if values is None:
            continue
        bad = ~np.isfinite(np.asarray(values, dtype=float))
        if not bad.any():
            continue
        whose = ""
        if name == "forces":
            atom = int(np.flatnonzero(bad.any(axis=1))[0])
            more = int(bad.any(axis=1).sum()) - 1
            whose = f" on {in_words(atoms, atom)}" + (f" and {more} more" if more else "")
        raise NotFiniteError(f"the calculator returned {name} that are no finite numbers{whose}; {closest_pair(atoms)}")


def in_words(atoms: Atoms, atom: int) -> str:
    """An atom by number, element and place."""
    place = ", ".join(f"{x:.3f}" for x in atoms.positions[atom])
    return f"atom {atom} ({atoms.get_chemical_symbols()[atom]} at {place} A)"


def closest_pair(atoms: Atoms, reach_A: float = 3.0) -> str:
    """The two atoms nearest to each other, in words."""
    if not np.isfinite(atoms.positions).all():
        atom = int(np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))[0])
        return f"atom {atom} ({atoms.get_chemical_symbols()[atom]}) is nowhere: its position is no finite number"
    from ase.neighborlist import neighbor_list

    i, j, distance = neighbor_list("ijd", atoms, reach_A)
    if not len(distance):
        return f"no two atoms are nearer than {reach_A:g} A"
    n = int(np.argmin(distance))
    symbols = atoms.get_chemical_symbols()
    return f"its closest pair is {symbols[i[n]]} {i[n]} and {symbols[j[n]]} {j[n]}, {distance[n]:.2f} A apart"
