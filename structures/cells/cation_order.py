"""Cation orders of spinels: of chosen sites, and random ones of a given inversion degree."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from pymatgen.core import Structure

from .spinel import parent_spinel

# Index of the cell in the cube: rows are the cell's vectors in units of the cube's.
_CELL_MATRICES = {
    14: ((0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0)),
    28: ((0.5, 0.5, 0.0), (-0.5, 0.5, 0.0), (0.0, 0.0, 1.0)),
    56: ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}


def spinel_cell(a_A: float, oxygen_u: float, atoms: int = 56) -> Structure:
    """Parent spinel in the 14-atom primitive, 28-atom tetragonal or 56-atom cubic cell.

    Parameters
    ----------
    a_A, oxygen_u
        As in `parent_spinel`.
    atoms
        14, 28 or 56.

    Returns
    -------
    Structure
        With dummy species and the property ``sublattice``, as `parent_spinel` makes them.

    Raises
    ------
    ValueError
        If there is no such cell.
    """
    if atoms not in _CELL_MATRICES:
        raise ValueError(f"no spinel cell of {atoms} atoms; known: {sorted(_CELL_MATRICES)}")
    cube = parent_spinel(a_A, oxygen_u)
    lattice = np.array(_CELL_MATRICES[atoms]) @ cube.lattice.matrix
    coords = np.mod(np.round(cube.cart_coords @ np.linalg.inv(lattice), 9), 1.0)
    _, coordinates = np.unique(np.round(coords, 6), axis=0, return_index=True)
    order = sorted(int(i) for i in coordinates)
    cell = Structure(
        lattice,
        [cube[i].specie for i in order],
        coords[order],
        site_properties={"sublattice": [cube[i].properties["sublattice"] for i in order]},
    )
    if len(cell) != atoms:
        raise RuntimeError(f"the {atoms}-atom spinel cell came out with {len(cell)} atoms")
    return cell


def sites_on(structure: Structure, sublattice: str) -> list[int]:
    """Indices of the sites of one sublattice."""
    return [i for i, s in enumerate(structure) if s.properties["sublattice"] == sublattice]


def decorated(parent: Structure, divalent: str, trivalent: str, divalent_sites: Iterable[int]) -> Structure:
    """Spinel with M2+ on given cation sites and M3+ on all others.

    Parameters
    ----------
    parent
        Cell with the property ``sublattice``.
    divalent, trivalent
        Element symbols.
    divalent_sites
        Indices of cation sites.

    Returns
    -------
    Structure
        With properties ``sublattice`` and ``valence``.

    Raises
    ------
    ValueError
        If a given site is an oxygen site or the cell would be charged.
    """
    chosen = set(divalent_sites)
    labels = [str(s.properties["sublattice"]) for s in parent]
    wrong = sorted(i for i in chosen if labels[i] == "O")
    if wrong:
        raise ValueError(f"sites {wrong} hold oxygen, not a cation")
    species = ["O" if x == "O" else divalent if i in chosen else trivalent for i, x in enumerate(labels)]
    valences = [-2.0 if x == "O" else 2.0 if i in chosen else 3.0 for i, x in enumerate(labels)]
    if abs(sum(valences)) > 1e-9:
        raise ValueError(f"{len(chosen)} divalent ions leave the cell with charge {sum(valences):g} e")
    return Structure(
        parent.lattice, species, parent.frac_coords, site_properties={"sublattice": labels, "valence": valences}
    )


def random_spinel(parent: Structure, divalent: str, trivalent: str, inversion: float, seed: int) -> Structure:
    """Random cation order of a given inversion degree.

    Parameters
    ----------
    parent
        `parent_spinel`, `spinel_cell` or a supercell of one.
    divalent, trivalent
        Element symbols.
    inversion
        Share i of the A sites with M3+: 0 normal, 1 inverse, 2/3 random.
    seed
        Of NumPy's generator; the same seed gives the same cell.

    Returns
    -------
    Structure
        With properties ``sublattice`` and ``valence``.

    Raises
    ------
    ValueError
        If `inversion` is outside 0 to 1 or the cell cannot hold it in whole ions.
    """
    counts = inversion_counts(parent, inversion)
    generator = np.random.default_rng(seed)
    chosen: list[int] = []
    for label in ("A", "B"):
        chosen += [int(i) for i in generator.choice(sites_on(parent, label), counts[label], replace=False)]
    return decorated(parent, divalent, trivalent, chosen)


def inversion_counts(parent: Structure, inversion: float) -> dict[str, int]:
    """Number of M2+ on A and on B for an inversion degree; raises as `random_spinel` does."""
    if not 0.0 <= inversion <= 1.0:
        raise ValueError(f"inversion degree {inversion} is outside 0 (normal) to 1 (inverse)")
    units = len(sites_on(parent, "A"))
    moved = round(inversion * units)
    if abs(moved - inversion * units) > 1e-6:
        raise ValueError(
            f"inversion degree {inversion} needs {inversion * units:g} ions in {units} formula units; "
            f"nearest possible: {moved / units:g}; or use a larger cell"
        )
    return {"A": units - moved, "B": moved}
