"""Site order: VASP wants species in blocks, our documents keep the order of the structure they were given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure


def block_order(structure: Structure) -> list[int]:
    """Indices of the sites in blocks of one species, by electronegativity, stable within a block.

    This is the order in which pymatgen's input sets sort, so that a structure in this order is left alone by them.
    """
    return sorted(range(len(structure)), key=lambda i: structure[i].specie.X)


def in_order(structure: Structure, order: Sequence[int]) -> Structure:
    """The same structure with its sites, properties and continuous coordinates in another order."""
    return Structure(
        structure.lattice,
        [structure[i].specie.symbol for i in order],
        structure.frac_coords[list(order)],
        charge=structure._charge,
        site_properties={name: [values[i] for i in order] for name, values in structure.site_properties.items()},
    )


def back_in_order(
    vasp: Structure, order: Sequence[int], like: Structure, values: Sequence[Any] | None = None
) -> tuple[Structure, list[Any]]:
    """A VASP structure with the order, properties and unwrapped coordinates of the structure it came from.

    Parameters
    ----------
    vasp
        Structure in block order, coordinates wrapped or not.
    order
        What `block_order` gave for `like`.
    like
        The structure that was handed to VASP, in its own order.
    values
        Per-site values in block order, to be put back in the same way.

    Returns
    -------
    tuple
        Structure and values in the order of `like`.

    Raises
    ------
    ValueError
        If the species differ.
    """
    place: NDArray[np.int_] = np.empty(len(order), dtype=int)
    place[list(order)] = np.arange(len(order))
    if [vasp[int(k)].specie.symbol for k in place] != [s.specie.symbol for s in like]:
        raise ValueError("VASP's output holds other species than its input, or in another order")
    fractions = vasp.frac_coords[place]
    fractions = fractions - np.rint(fractions - like.frac_coords)
    out = Structure(
        vasp.lattice,
        [s.specie.symbol for s in like],
        fractions,
        charge=like._charge,
        site_properties={name: list(given) for name, given in like.site_properties.items()},
    )
    return out, [values[int(k)] for k in place] if values is not None else []
