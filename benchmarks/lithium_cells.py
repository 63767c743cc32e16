"""Cells of lithium ferrite for the moments of its defects: whole, with an O or a Li less, with a Li more."""

from __future__ import annotations

import numpy as np
from magnetoionics.structures.defects.hops import Hop
from magnetoionics.structures.defects.insertion import insertion_sites
from magnetoionics.structures.defects.interstitials import with_interstitial
from magnetoionics.structures.defects.vacancies import distinct_vacancies, remove_site
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.flows.building import shortest_hop
from pymatgen.core import Structure

HOST, ORDER = "life5o8", "P4_332"
STARTS = ("life56", "life56vo", "life56vli", "life56li")
# Electrons that a neutral defect leaves on iron, and where they can go.
ELECTRONS = {"life56vo": 2, "life56li": 1}
SUBLATTICES = {"b": "B", "a": "A"}
# Head of the names of what the hop Li(B) -> V_Fe(B) passes, 55 atoms.
HOP = "life55"
HOP_STATES = ("before", "saddle1", "after")
# High-spin Fe2+.
_REDUCED_muB = 4.0


def ferrite_cells(start: str) -> list[Structure]:
    """The cell of 56 atoms with one of `STARTS`, nothing relaxed; each distinct octahedron for the inserted lithium."""
    cell = get_host(HOST).structure(ORDER)
    if start == "life56vo":
        return [remove_site(cell, v.index) for v in distinct_vacancies(cell, "O", "O")]
    if start == "life56vli":
        return [remove_site(cell, distinct_vacancies(cell, "Li", "B")[0].index)]
    if start == "life56li":
        sites = [v for v in insertion_sites(cell, "Li", 1.0) if v.kind == "octahedron"]
        return [with_interstitial(cell, v.position, "Li", 1.0, "B") for v in sites]
    return [cell]


def lithium_hop() -> Hop:
    """The shortest hop of Li(B) into V_Fe(B), nothing relaxed."""
    host = get_host(HOST)
    return shortest_hop(host.structure(ORDER), (1, 1, 1), host.hops[0])


def with_electrons(cell: Structure, start: str, sublattice: str) -> Structure:
    """Copy in which the iron nearest to the defect begins as Fe2+, on one sublattice.

    Parameters
    ----------
    cell
        With its ions where they are.
    start
        One of `ELECTRONS`, which says how many.
    sublattice
        ``"A"`` or ``"B"``.
    """
    whole = get_host(HOST).structure(ORDER)
    if len(cell) > len(whole):
        place = cell[-1].frac_coords
    else:
        apart = whole.lattice.get_all_distances(whole.frac_coords, cell.frac_coords).min(axis=1)
        place = whole[int(np.argmax(apart))].frac_coords
    iron = [i for i, s in enumerate(cell) if s.specie.symbol == "Fe" and s.properties["sublattice"] == sublattice]
    iron.sort(key=lambda i: (round(cell[i].distance_and_image_from_frac_coords(place)[0], 3), i))
    out = cell.copy()
    for i in iron[: ELECTRONS[start]]:
        sign = np.sign(out[i].properties["magmom"])
        out[i].properties["magmom"] = float(sign * _REDUCED_muB)
    return out
