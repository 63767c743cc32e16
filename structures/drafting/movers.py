"""Vacancies and hops that a structure offers: what could be taken out of it, and what could move in it."""

from __future__ import annotations

import math

import numpy as np
from pymatgen.core import Structure

from ..cells.default_size import default_repeats
from ..cells.supercell import supercell
from ..defects.hops import distinct_ways
from ..defects.vacancies import distinct_vacancies
from ..host_definition import HopKind
from .sites import Role

# They move most easily, and are what a voltage moves first.
MOBILE_CATIONS = ("H", "Li", "Na", "Ag", "Cu", "K", "Mg", "Zn")
_LONGEST_A = 5.5
_SHELLS_TRIED = 3
# Beyond the nearest neighbours by this much the next ones count as well.
_SHELL = 1.12
# The cell relaxes, and a hop must still be found; long ones would ask for larger supercells than they need.
_ROOM_A = 0.25


def draft_vacancies(roles: list[Role]) -> list[tuple[str, str]]:
    """Every element on every sublattice, anions last."""
    cations = [(r.element, r.sublattice) for r in roles if r.valence >= 0]
    anions = [(r.element, r.sublattice) for r in roles if r.valence < 0]
    return list(dict.fromkeys([*cations, *anions]))


def draft_hops(cell: Structure, roles: list[Role], family: str) -> list[tuple[HopKind, str]]:
    """Hops of each kind of ion among its own sites, with the reason; the study's main one first.

    Parameters
    ----------
    cell
        With site properties ``sublattice``, ``valence`` and ``magmom``.
    roles, family
        From `sites.site_roles`.

    Returns
    -------
    list of (HopKind, str)
        Only kinds of which there is a hop that no atom is in the way of.
    """
    alone = all(r.valence == 0 for r in roles)
    kinds = dict.fromkeys((r.element, r.sublattice) for r in roles if alone or _moves(r))
    hops: list[tuple[tuple[int, float], HopKind, str]] = []
    for element, sublattice in kinds:
        role = next(r for r in roles if (r.element, r.sublattice) == (element, sublattice))
        for other in _partners(element, sublattice, family, roles):
            kind = _shortest_kind(cell, (element, sublattice), other)
            if kind is not None:
                rank = _rank(role, family)
                hops.append(((rank, kind.cutoff_A), kind, _why(role, rank)))
    return [(kind, why) for _, kind, why in sorted(hops, key=lambda item: item[0])]


def _moves(role: Role) -> bool:
    return role.valence <= 3 and role.valence != 0


def _rank(role: Role, family: str) -> int:
    if role.element in MOBILE_CATIONS[:4] and role.valence == 1:
        return 0
    if family.startswith("spinel") and role.sublattice == "B":
        return 1
    if role.valence < 0:
        return 2
    return 3 if role.element in MOBILE_CATIONS else 4


def _why(role: Role, rank: int) -> str:
    words = {
        0: "the monovalent ion moves most easily",
        1: "octahedral ions of spinels hop through the empty tetrahedra",
        2: "anions hop into anion vacancies",
        3: "a small or divalent ion",
        4: "a cation among its own sites" if role.valence else "an atom of a metal among its own sites",
    }
    return words[rank]


def _partners(element: str, sublattice: str, family: str, roles: list[Role]) -> list[tuple[str, str]]:
    """Whose vacancies an ion may enter: its own, and on a spinel's octahedra those of the other ions there."""
    own = [(element, sublattice)]
    if not (family.startswith("spinel") and sublattice == "B"):
        return own
    return own + list(dict.fromkeys((r.element, "B") for r in roles if r.sublattice == "B" and r.element != element))


def _shortest_kind(cell: Structure, mover: tuple[str, str], place: tuple[str, str]) -> HopKind | None:
    """The kind of hop up to the first shell that no atom stands in the way of; None if there is none.

    A study's hop goes into the first of the distinct vacancies, so that one must be reached.
    """
    first = distinct_vacancies(cell, *place)[0].index
    near = [shells[:_SHELLS_TRIED] for shells in (_shells_A(cell, mover, place), _shells_A(cell, mover, place, first))]
    for nearest, last in near[0] + near[1]:
        kind = HopKind(*mover, *place, cutoff_A=math.ceil(20 * min(_SHELL * nearest, last + _ROOM_A)) / 20)
        if _exists(cell, kind):
            return kind
    return None


def _shells_A(
    cell: Structure, mover: tuple[str, str], place: tuple[str, str], centre: int | None = None
) -> list[tuple[float, float]]:
    """Shortest and longest distance of each shell of one kind of sites around another, or around one of them, in A."""
    distances = sorted(
        float(n.nn_distance)
        for i, site in enumerate(cell)
        if (site.specie.symbol, site.properties["sublattice"]) == place and centre in (None, i)
        for n in cell.get_neighbors(site, _LONGEST_A)
        if (n.specie.symbol, n.properties["sublattice"]) == mover
    )
    shells: list[tuple[float, float]] = []
    for distance in distances:
        if not shells or distance > _SHELL * shells[-1][0]:
            shells.append((distance, distance))
        shells[-1] = (shells[-1][0], distance)
    return shells


def _exists(cell: Structure, kind: HopKind) -> bool:
    """Whether an ion of the kind reaches the first distinct vacancy past all others."""
    big = supercell(cell, default_repeats(cell, True, [kind.cutoff_A]))
    site = distinct_vacancies(cell, kind.vacancy_element, kind.vacancy_sublattice)[0]
    target = np.asarray(cell[site.index].coords)
    try:
        distinct_ways(big, target, site.label, kind.ion, kind.from_sublattice, kind.cutoff_A)
    except ValueError:
        return False
    return True
