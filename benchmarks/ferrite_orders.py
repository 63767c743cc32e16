"""Cells of 56 atoms of cobalt ferrite: ordered, quasi-random and half inverted, and V_Fe(B) of the quasi-random one."""

from __future__ import annotations

import numpy as np
from magnetoionics.structures.cells.cation_order import sites_on
from magnetoionics.structures.cells.random_cells import quasi_random
from magnetoionics.structures.cells.sqs import short_range_order
from magnetoionics.structures.defects.collinear_pairs import count_in_line
from magnetoionics.structures.defects.vacancies import near_cations, remove_site
from magnetoionics.structures.host import get_host
from pymatgen.core import Structure

HOST = "cofe2o4"
PREFIX = "cfo56"
# By the names of their calculations; the last two have no order.
ORDERED = {"imma": "Imma", "p4122": "P4_122", "normal": "normal"}
QUASI_RANDOM, HALF = "sqs", "half"
CELLS = (*ORDERED, QUASI_RANDOM, HALF)
# Degree of inversion of each.
INVERSION = {"imma": 1.0, "p4122": 1.0, "normal": 0.0, QUASI_RANDOM: 1.0, HALF: 0.5}
VACANCY = "vfe"
# Co among the six nearest cations of B, and pairs of them in line with the vacancy: all that the quasi-random cell has.
SURROUNDINGS = ((1, 0), (2, 0), (3, 0), (3, 1), (4, 1), (5, 2))
_SEED, _TRIES = 1, 200


def order_cell(key: str) -> Structure:
    """One of `CELLS` at the measured lattice and oxygen parameter, nothing relaxed."""
    if key in ORDERED:
        return get_host(HOST).structure(ORDERED[key])
    if key == QUASI_RANDOM:
        return quasi_random(order_cell("imma"), "B", "Co", _SEED, _TRIES)
    return _half_inverted()


def surroundings(cell: Structure, site: int) -> tuple[int, int]:
    """Co beside a site, and pairs of them in line with it."""
    return near_cations(cell, site).get("Co", 0), count_in_line(cell, site, "Co")


def vacancy_site(cell: Structure, wanted: tuple[int, int]) -> int:
    """The first Fe(B) of the quasi-random cell with the given `surroundings`.

    Raises
    ------
    ValueError
        If it has none.
    """
    iron = [i for i in sites_on(cell, "B") if cell[i].specie.symbol == "Fe"]
    for site in iron:
        if surroundings(cell, site) == wanted:
            return site
    raise ValueError(f"no Fe(B) with {wanted}; there are {sorted({surroundings(cell, i) for i in iron})}")


def vacancy_key(wanted: tuple[int, int]) -> str:
    """Name of V_Fe(B) with so many Co and pairs of them beside it."""
    return f"{VACANCY}{wanted[0]}{wanted[1]}"


def start_cell(key: str) -> Structure:
    """One of `CELLS`, or the quasi-random one without an Fe(B) (`vacancy_key`), nothing relaxed."""
    if not key.startswith(VACANCY):
        return order_cell(key)
    cell = order_cell(QUASI_RANDOM)
    return remove_site(cell, vacancy_site(cell, (int(key[-2]), int(key[-1]))))


def _half_inverted() -> Structure:
    """Four of eight Co on A and four on B, among many such cells the one whose pairs are nearest to random."""
    normal = order_cell("normal")
    seeds = np.random.default_rng(_SEED).integers(0, 2**31, _TRIES)
    return min((_exchanged(normal, int(seed)) for seed in seeds), key=_misfit)


def _exchanged(normal: Structure, seed: int) -> Structure:
    """Half of the Co(A) and as many Fe(B) in each other's places, each with the sense of its new sublattice."""
    generator = np.random.default_rng(seed)
    out = normal.copy()
    on_a, on_b = sites_on(normal, "A"), sites_on(normal, "B")
    half = len(on_a) // 2
    from_a, from_b = (generator.choice(sites, half, replace=False) for sites in (on_a, on_b))
    for a, b in zip(from_a, from_b, strict=True):
        _exchange(out, int(a), int(b))
    return out


def _exchange(cell: Structure, first: int, second: int) -> None:
    ions = [(cell[i].specie, cell[i].properties["valence"], cell[i].properties["magmom"]) for i in (first, second)]
    for site, (specie, valence, moment), (_, _, there) in zip((first, second), ions[::-1], ions, strict=True):
        kept = {"sublattice": cell[site].properties["sublattice"], "valence": valence}
        cell.replace(site, specie, properties=kept | {"magmom": float(np.copysign(moment, there))})


def _misfit(cell: Structure) -> float:
    return sum(
        abs(x) / shell
        for sublattice in ("A", "B")
        for shell, x in enumerate(short_range_order(cell, sublattice, "Co"), start=1)
    )
