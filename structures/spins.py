"""Site moments: set once from valence and sublattice, carried as a site property ever after.

Three site properties travel with every structure: ``magmom`` (muB, collinear, signed),
``valence`` (formal charge, e) and ``sublattice`` (the site's role, e.g. ``"A"``, ``"B"``, ``"O"``).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pymatgen.core import Element, Structure

SITE_PROPERTIES = ("magmom", "valence", "sublattice")

_D_SHELL_CAPACITY = 10
_T2G_CAPACITY = 6


def high_spin_moment(element: str, valence: float) -> float:
    """Spin-only high-spin moment of a 3d ion (Hund's first rule).

    Parameters
    ----------
    element
        Element symbol.
    valence
        Formal charge in e; must be an integer for 3d elements.

    Returns
    -------
    float
        Moment in muB; 0 for ions without an open d shell.

    Raises
    ------
    ValueError
        If a 3d ion has a non-integer or impossible valence.
    """
    electrons = _d_electrons(element, valence)
    return float(min(electrons, _D_SHELL_CAPACITY - electrons))


def low_spin_moment(element: str, valence: float) -> float:
    """Spin-only moment of a 3d ion in a strong octahedral field: t2g fills before eg.

    Parameters and errors as in `high_spin_moment`; muB.
    """
    electrons = _d_electrons(element, valence)
    in_t2g = min(electrons, _T2G_CAPACITY)
    in_eg = electrons - in_t2g
    return float(min(in_t2g, _T2G_CAPACITY - in_t2g) + min(in_eg, _D_SHELL_CAPACITY - _T2G_CAPACITY - in_eg))


def _d_electrons(element: str, valence: float) -> int:
    el = Element(element)
    if not (el.is_transition_metal and el.row == 4):
        return 0
    electrons = el.group - valence
    if electrons != int(electrons) or not 0 <= electrons <= _D_SHELL_CAPACITY:
        raise ValueError(
            f"{element} with valence {valence} leaves {electrons} d electrons; "
            "a spin-only moment needs a whole number from 0 to 10: give the site an integer valence"
        )
    return int(electrons)


def set_collinear_moments(structure: Structure, sense: Mapping[str, int]) -> Structure:
    """Copy of a structure with high-spin moments, signed by sublattice.

    Parameters
    ----------
    structure
        Structure with site properties ``valence`` and ``sublattice``.
    sense
        +1 or -1 for each magnetic sublattice, e.g. ``{"A": -1, "B": 1}`` for Neel's order.

    Returns
    -------
    Structure
        Copy with the site property ``magmom`` (muB).

    Raises
    ------
    ValueError
        If a magnetic sublattice has no sense, or a sense is not +1 or -1.
    """
    bad = {k: v for k, v in sense.items() if v not in (-1, 1)}
    if bad:
        raise ValueError(f"spin sense {bad} is not allowed: use +1 (along) or -1 (against) per sublattice")
    moments = []
    for site in structure:
        size = high_spin_moment(site.specie.symbol, site.properties["valence"])
        label = site.properties["sublattice"]
        if size and label not in sense:
            raise ValueError(f"sublattice {label!r} is magnetic but has no spin sense; given: {sorted(sense)}")
        moments.append(size * sense.get(label, 1) if size else 0.0)
    out = structure.copy()
    out.add_site_property("magmom", moments)
    return out


def total_moment(structure: Structure) -> float:
    """Sum of the site moments in muB; the length of the vector sum if they are vectors."""
    moments = np.array(structure.site_properties["magmom"], dtype=float)
    return float(np.sum(moments)) if moments.ndim == 1 else float(np.linalg.norm(moments.sum(axis=0)))


def total_valence(structure: Structure) -> float:
    """Sum of the formal charges in e; 0 for a neutral ionic crystal."""
    return float(np.sum(structure.site_properties["valence"]))


def formula_units(structure: Structure, anion: str = "O", anions_per_formula: int = 4) -> float:
    """Formula units in a cell, counted by the anions, which no cation vacancy changes."""
    return structure.composition[anion] / anions_per_formula
