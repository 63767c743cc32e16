"""Site moments: set once from valence and sublattice, carried as a site property ever after.

Three site properties travel with every structure: ``magmom`` (muB; signed, or for non-collinear order a
Cartesian vector on every site), ``valence`` (formal charge, e) and ``sublattice`` (the site's role, e.g.
``"A"``, ``"B"``, ``"O"``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Element, Structure

from .elements import element as element_data

SITE_PROPERTIES = ("magmom", "valence", "sublattice")

# A site's own spin, set by the user; it becomes the moment when spins are set.
SPIN_PROPERTY = "spin"
Spin = float | str | Sequence[float]
Moment = float | list[float]

_D_SHELL_CAPACITY = 10
_F_SHELL_CAPACITY = 14
# Below this a 3d atom holds s electrons: one of a metal or of an interstitial compound such as Fe4N.
_METALLIC_VALENCE = 1.0
_T2G_CAPACITY = 6
_MOMENT_TOLERANCE_muB = 1e-6


def high_spin_moment(element: str, valence: float) -> float:
    """Spin-only high-spin moment of a 3d, 4f or 5f ion (Hund's first rule), or of an atom of a ferromagnetic metal.

    Parameters
    ----------
    element
        Element symbol.
    valence
        Formal charge in e; must be an integer for elements with such a shell. 0 is an atom of the metal.

    Returns
    -------
    float
        Moment in muB; 0 for ions without an open d or f shell, and for 4d and 5d ions, whose spins pair in most
        compounds (state theirs).

    Raises
    ------
    ValueError
        If an ion with such a shell has a non-integer or impossible valence.
    """
    if valence == 0:
        return element_data(element).metal_moment_muB
    shell = _open_shell(element)
    if shell is None or (shell.row != 4 and shell.capacity == _D_SHELL_CAPACITY):
        return 0.0
    electrons = shell.electrons(element, valence)
    return float(min(electrons, shell.capacity - electrons))


def low_spin_moment(element: str, valence: float) -> float:
    """Spin-only moment of a d ion in a strong octahedral field: t2g fills before eg. f ions stay high spin.

    Parameters and errors as in `high_spin_moment`, 4d and 5d ions included; muB.
    """
    shell = _open_shell(element)
    if shell is None or valence == 0:
        return 0.0
    electrons = shell.electrons(element, valence)
    if shell.capacity != _D_SHELL_CAPACITY:
        return float(min(electrons, shell.capacity - electrons))
    in_t2g = min(electrons, _T2G_CAPACITY)
    in_eg = electrons - in_t2g
    return float(min(in_t2g, _T2G_CAPACITY - in_t2g) + min(in_eg, _D_SHELL_CAPACITY - _T2G_CAPACITY - in_eg))


def mean_moment(element: str, valence: float) -> float:
    """High-spin moment of an ion of a mean valence, between those of the two whole valences around it, in muB.

    Parameters and errors as in `high_spin_moment`; a mixture of the two in the share that the mean says.
    """
    low = math.floor(valence)
    share = valence - low
    if not share:
        return high_spin_moment(element, valence)
    return (1 - share) * high_spin_moment(element, low) + share * high_spin_moment(element, low + 1)


@dataclass(frozen=True)
class _Shell:
    """Open shell of an element: how many electrons it holds, and how many the neutral atom has beyond closed ones."""

    capacity: int
    row: int
    neutral: int

    def electrons(self, element: str, valence: float) -> int:
        """Electrons of an ion in it."""
        left = self.neutral - valence
        if left != int(left) or not 0 <= left <= self.capacity:
            kind = "d" if self.capacity == _D_SHELL_CAPACITY else "f"
            raise ValueError(
                f"{element} with valence {valence:g} leaves {left:g} {kind} electrons; a spin-only moment needs a "
                f"whole number from 0 to {self.capacity}: give the site an integer valence, or its role a spin"
                f"{_suggestion(element, valence)}"
            )
        return int(left)


def _open_shell(symbol: str) -> _Shell | None:
    el = Element(symbol)
    if el.is_lanthanoid or el.is_actinoid:
        noble = 54 if el.is_lanthanoid else 86
        return _Shell(_F_SHELL_CAPACITY, el.row, el.Z - noble)
    return _Shell(_D_SHELL_CAPACITY, el.row, el.group) if el.is_transition_metal else None


def _suggestion(element: str, valence: float) -> str:
    """The mean of the two whole valences around a fractional one, where there is such a mean."""
    if valence == int(valence):
        return ""
    try:
        return f", e.g. spin: {mean_moment(element, valence):.4g} (mean of the two whole valences, high spin)"
    except ValueError:
        return ""


def largest_moment(element: str, valence: float) -> float:
    """Largest spin moment in muB that an ion can have.

    High spin for 3d ions, at a mean valence the larger of the two around it, of a full shell none (Zn+); 5 for other d
    ions and for atoms of metals, whose s electrons count too; 7 for f shells, else 2.
    """
    shell = _open_shell(element)
    if shell is None:
        return 2.0
    if shell.capacity == _F_SHELL_CAPACITY:
        return 7.0
    if shell.row != 4 or valence < _METALLIC_VALENCE:
        return 5.0
    full = shell.neutral - shell.capacity
    return max(high_spin_moment(element, max(v, full)) for v in {math.floor(valence), math.ceil(valence)})


def site_moment(element: str, valence: float, spin: Spin | None, sense: int = 1) -> Moment:
    """Moment of a site in muB: a number, or a Cartesian vector of three.

    Parameters
    ----------
    element, valence
        The ion.
    spin
        None or ``"high"`` for Hund's rule and ``"low"`` for a strong octahedral field, both times `sense`; a number
        for a signed moment in muB, or three numbers for a vector, both taken as they are.
    sense
        +1 or -1.

    Raises
    ------
    ValueError
        If the spin is none of these, or larger than the ion can have.
    """
    if spin is None or spin == "high":
        return sense * high_spin_moment(element, valence)
    if spin == "low":
        return sense * low_spin_moment(element, valence)
    try:
        vector = np.array(np.nan if isinstance(spin, bool) else spin, dtype=float)
    except (TypeError, ValueError):
        vector = np.array([np.nan])
    if vector.shape not in ((), (3,)) or not np.all(np.isfinite(vector)):
        raise ValueError(f"spin {spin!r} of {element} must be 'high', 'low', a moment in muB or a vector of three")
    largest, length = largest_moment(element, valence), float(np.linalg.norm(vector))
    if length > largest + _MOMENT_TOLERANCE_muB:
        raise ValueError(
            f"spin {spin} of {element} with valence {valence:g} is {length:g} muB, but at most {largest:g} muB "
            "fit the ion: correct the spin or the valence"
        )
    return float(vector) if vector.ndim == 0 else [float(x) for x in vector]


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
    moments = []
    _check_senses(sense)
    for site in structure:
        symbol, valence, label = site.specie.symbol, site.properties["valence"], site.properties["sublattice"]
        size = high_spin_moment(symbol, valence)
        _check_sense(label, size, sense)
        moments.append(size * sense.get(label, 1) if size else 0.0)
    out = structure.copy()
    out.add_site_property("magmom", moments)
    return out


def set_moments(structure: Structure, sense: Mapping[str, int]) -> Structure:
    """Copy of a structure with high-spin moments, or with the spins that its sites ask for.

    Parameters
    ----------
    structure
        Structure with site properties ``valence`` and ``sublattice``, and optionally ``spin``: None (high spin),
        or what `site_moment` takes.
    sense
        As in `set_collinear_moments`; sites with a number or a vector of their own need none.

    Returns
    -------
    Structure
        Copy with the site property ``magmom`` (muB) instead of ``spin``: numbers, or vectors on all sites if any
        site has one.

    Raises
    ------
    ValueError
        As `set_collinear_moments` and `site_moment`.
    """
    spins = structure.site_properties.get(SPIN_PROPERTY)
    if spins is None:
        return set_collinear_moments(structure, sense)
    _check_senses(sense)
    moments: list[Moment] = []
    for site, spin in zip(structure, spins, strict=True):
        label = site.properties["sublattice"]
        moment = site_moment(site.specie.symbol, site.properties["valence"], spin, sense.get(label, 1))
        if spin is None or isinstance(spin, str):
            _check_sense(label, moment, sense)
        moments.append(moment)
    out = structure.copy()
    out.remove_site_property(SPIN_PROPERTY)
    out.add_site_property("magmom", _all_alike(moments))
    return out


def along(moment: Moment, size: float) -> Moment:
    """A moment of a given size (muB) in the direction of another; along +z where that one is zero."""
    vector = np.array(moment, dtype=float)
    if vector.ndim == 0:
        return size * float(np.sign(vector) or 1.0)
    length = float(np.linalg.norm(vector))
    unit = vector / length if length else np.array([0.0, 0.0, 1.0])
    return [float(x) for x in size * unit]


def is_non_collinear(structure: Structure) -> bool:
    """Whether the moments are vectors."""
    return any(np.ndim(m) for m in structure.site_properties.get("magmom", ()))


def moment_like(structure: Structure, signed_muB: float) -> Moment:
    """A collinear moment (muB, along z) in the form that the structure's moments have."""
    return [0.0, 0.0, signed_muB] if is_non_collinear(structure) else signed_muB


def _all_alike(moments: Sequence[Moment]) -> list[Moment]:
    if not any(isinstance(m, list) for m in moments):
        return list(moments)
    return [m if isinstance(m, list) else [0.0, 0.0, m] for m in moments]


def _check_senses(sense: Mapping[str, int]) -> None:
    bad = {k: v for k, v in sense.items() if v not in (-1, 1)}
    if bad:
        raise ValueError(f"spin sense {bad} is not allowed: use +1 (along) or -1 (against) per sublattice")


def _check_sense(label: str, moment: Moment, sense: Mapping[str, int]) -> None:
    if moment and label not in sense:
        raise ValueError(f"sublattice {label!r} is magnetic but has no spin sense; given: {sorted(sense)}")


def total_moment(structure: Structure) -> float:
    """Sum of the site moments in muB; the length of the vector sum if they are vectors."""
    moments = np.array(structure.site_properties["magmom"], dtype=float)
    return float(np.sum(moments)) if moments.ndim == 1 else float(np.linalg.norm(moments.sum(axis=0)))


def total_valence(structure: Structure) -> float:
    """Sum of the formal charges in e; 0 for a neutral ionic crystal."""
    return float(np.sum(structure.site_properties["valence"]))


def formula_units(structure: Structure, anion: str, anions_per_formula: int) -> float:
    """Formula units of a host in a cell, counted by the anions, which no cation vacancy changes."""
    return structure.composition[anion] / anions_per_formula


def reduced_formula_units(structure: Structure) -> float:
    """Units of the reduced formula in a cell of any crystal; 1 where defects leave no common divisor."""
    return float(structure.composition.get_reduced_composition_and_factor()[1])
