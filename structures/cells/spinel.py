"""Spinel cells, AB2O4 in parent Fd-3m, and the cation orders of the half-filled B sublattice."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Literal

import numpy as np
from pymatgen.core import Lattice, Structure

from ..space_groups import crystal
from ..symmetry import space_group_number

SpinelOrder = Literal["Imma", "P4_122", "normal"]
ORDERS: tuple[SpinelOrder, ...] = ("Imma", "P4_122", "normal")
EXPECTED_SPACE_GROUPS: dict[SpinelOrder, tuple[int, ...]] = {
    "Imma": (74,),
    "P4_122": (91, 95),
    "normal": (227,),
}
# Shift along the cube diagonal between origin choice 2 (inversion at the origin, used here)
# and the -43m origin in which the literature quotes the oxygen parameter u.
_ORIGIN_SHIFT = 0.125


def parent_spinel(a_A: float, oxygen_u: float) -> Structure:
    """The 56-atom cubic cell with dummy species: He on 8a (A), Ne on 16d (B), O on 32e.

    Parameters
    ----------
    a_A
        Cubic lattice parameter in Angstrom.
    oxygen_u
        Oxygen parameter in the -43m origin (ideal 0.375).

    Returns
    -------
    Structure
        With site property ``sublattice`` ("A", "B", "O"); 8 + 16 + 32 sites.

    Raises
    ------
    ValueError
        If the lattice parameter or u is outside what spinels have.
    """
    if not 7.0 <= a_A <= 10.0:
        raise ValueError(f"a = {a_A} A is outside 7 to 10 A, the range of oxide spinels")
    if not 0.36 <= oxygen_u <= 0.40:
        raise ValueError(
            f"u = {oxygen_u} is outside 0.36 to 0.40; give it in the -43m origin (ideal spinel 0.375), "
            "not in the inversion-centre origin (ideal 0.25)"
        )
    return _parent(a_A, oxygen_u).copy()


@lru_cache(maxsize=16)
def _parent(a_A: float, oxygen_u: float) -> Structure:
    """The parent built once: pymatgen takes most of a second to expand the space group."""
    x = oxygen_u - _ORIGIN_SHIFT
    cell = crystal(
        "Fd-3m:2",
        Lattice.cubic(a_A),
        ["He", "Ne", "O"],
        [[0.125] * 3, [0.5] * 3, [x] * 3],
    )
    names = {"He": "A", "Ne": "B", "O": "O"}
    cell.add_site_property("sublattice", [names[s.specie.symbol] for s in cell])
    if [cell.composition[e] for e in ("He", "Ne", "O")] != [8, 16, 32]:
        raise RuntimeError("the spinel parent did not give 8 A, 16 B and 32 O sites")
    return cell


def inverse_spinel(
    a_A: float,
    oxygen_u: float,
    divalent: str,
    trivalent: str,
    order: SpinelOrder = "Imma",
) -> Structure:
    """Ordered spinel M2+ M3+_2 O4 in the 56-atom cube, without moments.

    Parameters
    ----------
    a_A, oxygen_u
        As in `parent_spinel`.
    divalent, trivalent
        Element symbols of the 2+ and the 3+ cation.
    order
        ``"Imma"`` and ``"P4_122"`` are the two common orders of the inverse spinel;
        ``"normal"`` puts the divalent ion on A.

    Returns
    -------
    Structure
        56 sites with properties ``sublattice`` and ``valence``; the space group is checked by spglib.

    Raises
    ------
    ValueError
        If the order is unknown.
    """
    if order not in ORDERS:
        raise ValueError(f"unknown cation order {order!r}; known: {', '.join(ORDERS)}")
    cell = parent_spinel(a_A, oxygen_u)
    b_sites = [i for i, s in enumerate(cell) if s.properties["sublattice"] == "B"]
    coords = cell.frac_coords[b_sites]
    if order == "normal":
        candidates = [np.zeros(len(b_sites), dtype=bool)]
    elif order == "Imma":
        candidates = [_on_two_sublattices(coords)]
    else:
        candidates = _alternating_chains(coords)
    for divalent_mask in candidates:
        built = _decorate(cell, b_sites, divalent_mask, divalent, trivalent, order == "normal")
        if space_group_number(built) in EXPECTED_SPACE_GROUPS[order]:
            return built
    raise RuntimeError(f"no candidate of order {order} has the space group {EXPECTED_SPACE_GROUPS[order]}")


def _on_two_sublattices(coords: np.ndarray) -> np.ndarray:
    """Divalent ions on the chains along [110] at even heights: two of the four fcc sublattices."""
    heights = np.rint(coords[:, 2] * 4).astype(int) % 4
    return np.asarray(heights % 2 == 0)


def _alternating_chains(coords: np.ndarray) -> list[np.ndarray]:
    """All 16 ways to alternate the ions along the <110> chain of each of the four (001) layers."""
    heights = np.rint(coords[:, 2] * 4).astype(int) % 4
    position = np.rint(coords[:, 0] * 4).astype(int) % 4
    masks = []
    for phases in product((0, 1), repeat=4):
        offset = np.array(phases)[heights]
        masks.append((position + offset) % 2 == 0)
    return masks


def _decorate(
    cell: Structure, b_sites: list[int], divalent_mask: np.ndarray, m2: str, m3: str, normal: bool
) -> Structure:
    on_b = dict(zip(b_sites, divalent_mask, strict=True))
    species, valences = [], []
    for i, site in enumerate(cell):
        label = site.properties["sublattice"]
        if label == "O":
            species.append("O")
            valences.append(-2.0)
            continue
        is_divalent = normal if label == "A" else bool(on_b[i])
        species.append(m2 if is_divalent else m3)
        valences.append(2.0 if is_divalent else 3.0)
    properties = {"sublattice": cell.site_properties["sublattice"], "valence": valences}
    return Structure(cell.lattice, species, cell.frac_coords, site_properties=properties)
