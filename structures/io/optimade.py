"""Structures as OPTIMADE writes them, so that programs of other databases read ours.

Reference: C. W. Andersen et al., OPTIMADE, an API for exchanging materials data, 10.1038/s41597-021-00974-z.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pymatgen.core import Structure

API_VERSION = "1.1.0"
PROVIDER = "magnetoionics"


def optimade_document(structures: Mapping[str, Structure]) -> dict[str, Any]:
    """A response of OPTIMADE's endpoint ``structures`` that holds these, by their names as ids.

    Parameters
    ----------
    structures
        Ordered periodic cells: one ion on each site.

    Returns
    -------
    dict
        Plain JSON values; lengths in Angstrom, site moments in muB under ``_magnetoionics_moments_muB``.

    Raises
    ------
    ValueError
        If a site is shared by several ions.
    """
    entries = [{"id": name, "type": "structures", "attributes": _attributes(name, s)} for name, s in structures.items()]
    meta = {
        "query": {"representation": "/structures"},
        "api_version": API_VERSION,
        "more_data_available": False,
        "data_returned": len(entries),
        "provider": {"name": PROVIDER, "prefix": PROVIDER, "description": "cells of one study"},
    }
    return {"data": entries, "meta": meta}


def _attributes(name: str, structure: Structure) -> dict[str, Any]:
    if not structure.is_ordered:
        raise ValueError(f"{name} has sites that several ions share; give a cell with one ion on each site")
    counts = {str(el): round(n) for el, n in structure.composition.element_composition.items()}
    divisor = reduce(math.gcd, counts.values())
    elements = sorted(counts)
    moments = structure.site_properties.get("magmom")
    return {
        "elements": elements,
        "nelements": len(elements),
        "elements_ratios": [counts[el] / len(structure) for el in elements],
        "chemical_formula_descriptive": structure.composition.element_composition.formula.replace(" ", ""),
        "chemical_formula_reduced": "".join(_part(el, counts[el] // divisor) for el in elements),
        "chemical_formula_anonymous": _anonymous([n // divisor for n in counts.values()]),
        "dimension_types": [1, 1, 1],
        "nperiodic_dimensions": 3,
        "lattice_vectors": structure.lattice.matrix.tolist(),
        "cartesian_site_positions": structure.cart_coords.tolist(),
        "nsites": len(structure),
        "species_at_sites": [site.specie.symbol for site in structure],
        "species": [{"name": el, "chemical_symbols": [el], "concentration": [1.0]} for el in elements],
        "structure_features": [],
        "last_modified": None,
        **({} if moments is None else {"_magnetoionics_moments_muB": np.asarray(moments, dtype=float).tolist()}),
    }


def _part(symbol: str, amount: int) -> str:
    return symbol if amount == 1 else f"{symbol}{amount}"


def _anonymous(amounts: list[int]) -> str:
    """Amounts in falling order under the letters A, B, C, ..."""
    return "".join(_part(chr(ord("A") + n), amount) for n, amount in enumerate(sorted(amounts, reverse=True)))
