"""Two Co of SrCoO3 in the smallest cell where they can be antiparallel: whole, strained, and without an oxygen."""

from __future__ import annotations

import numpy as np
from magnetoionics.structures.hosts.srcoo3 import LATTICE_A
from pymatgen.core import Lattice, Structure

# In-plane strain of a film whose normal is free.
STRAINS = {"srcoo3": 0.0, "srcoo3tensile": 0.03}
# Of cubic perovskites (general literature), for the edge along the normal of a strained film.
POISSON = 0.3
VACANCY = "srcoo3vo"
CELLS = (*STRAINS, VACANCY)
# Moments to begin with: between low and high spin, and high spin, which is another solution of the same cell.
MOMENTS_muB = {"": 2.7, "hs": 3.7}
SPINS = ("fm", "afm")


def cobaltate(start: str) -> Structure:
    """Ten atoms with the ions at their ideal places and parallel moments; nine for `VACANCY`, nothing relaxed.

    Each Co has the other kind on all six sides, the missing oxygen lies between two of them.
    """
    strain = STRAINS.get(start, 0.0)
    edge = LATTICE_A * (1 + strain)
    normal = LATTICE_A * (1 - 2 * POISSON / (1 - POISSON) * strain)
    simple = Structure(
        Lattice.tetragonal(edge, normal),
        ["Sr", "Co", "O", "O", "O"],
        [[0.5, 0.5, 0.5], [0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]],
    )
    simple.add_site_property("magmom", [MOMENTS_muB[""] if s.specie.symbol == "Co" else 0.0 for s in simple])
    cell = simple.make_supercell(np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]), in_place=False)
    if start == VACANCY:
        first = next(s for s in cell if s.specie.symbol == "Co")
        above = [n.index for n in cell.get_neighbors(first, LATTICE_A * 0.51) if n.coords[2] > first.coords[2] + 1.0]
        cell.remove_sites(above)
    return cell


def with_spins(cell: Structure, spins: str, start: str = "") -> Structure:
    """Copy with the two Co parallel (``"fm"``) or antiparallel (``"afm"``), with one of `MOMENTS_muB`."""
    out = cell.copy()
    first, second = (i for i, s in enumerate(out) if s.specie.symbol == "Co")
    out[first].properties["magmom"] = MOMENTS_muB[start]
    out[second].properties["magmom"] = MOMENTS_muB[start] if spins == "fm" else -MOMENTS_muB[start]
    return out
