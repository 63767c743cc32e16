"""Random and quasi-random cells of a host: the ions of one sublattice exchanged among its sites."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Structure

from .cation_order import sites_on
from .sqs import short_range_order


def random_cell(structure: Structure, sublattice: str, seed: int) -> Structure:
    """Copy of a cell with the ions of one sublattice in random places, valences and moments with them.

    Parameters
    ----------
    structure
        Ordered cell with site properties.
    sublattice
        Whose ions change places; those of other sublattices stay.
    seed
        Of NumPy's generator; the same seed gives the same cell.

    Returns
    -------
    Structure
        With the composition, the valences and the total moment of the ordered cell.

    Raises
    ------
    ValueError
        If the sublattice holds one kind of ion only.
    """
    sites = sites_on(structure, sublattice)
    if len({structure[i].specie.symbol for i in sites}) < 2:
        raise ValueError(f"sublattice {sublattice} holds one kind of ion: there is nothing to exchange")
    out = structure.copy()
    origin = np.random.default_rng(seed).permutation(sites)
    for target, source in zip(sites, origin, strict=True):
        ion = structure[int(source)]
        out.replace(target, ion.specie, properties=dict(ion.properties))
    return out


def quasi_random(structure: Structure, sublattice: str, element: str, seed: int, tries: int = 200) -> Structure:
    """The random cell, among many, whose pairs are nearest to random (Warren-Cowley parameters near zero).

    Parameters
    ----------
    structure, sublattice, seed
        As in `random_cell`; the seed starts the sequence of trials.
    element
        Whose pairs count.
    tries
        Number of trials.
    """
    generator = np.random.default_rng(seed)
    seeds = [int(s) for s in generator.integers(0, 2**31, tries)]

    def misfit(trial: int) -> float:
        orders = short_range_order(random_cell(structure, sublattice, trial), sublattice, element)
        return sum(abs(x) / shell for shell, x in enumerate(orders, start=1))

    return random_cell(structure, sublattice, min(seeds, key=misfit))
