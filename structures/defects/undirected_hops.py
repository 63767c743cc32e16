"""Hops of a crystal without direction: a hop and its reverse have one band, and count once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from ..cells.default_size import default_repeats
from ..cells.supercell import supercell
from ..host_definition import HopKind, Host
from ..symmetry import Operation, operations
from .hops import Hop, distinct_hops, hop_along
from .vacancies import distinct_vacancies, same_site_in

FloatArray = NDArray[np.float64]
_SAME_PLACE_A = 0.05
RELAXED_A = 0.5
"""How far an ion and the place that it enters may move against each other when the cell relaxes."""


@dataclass(frozen=True)
class NumberedHop:
    """A hop and where it stands in the lists that the relaxed cell gives again.

    Attributes
    ----------
    kind
        What moves where.
    vacancy, number
        Place among the distinct vacancies of the kind, and among the distinct hops into it.
    label
        In words, e.g. ``"Co(B) V_Fe(B) 1"``.
    hop
        In the unrelaxed supercell.
    ways
        Equivalent ways into one such vacancy by the crystal's symmetry: those of the reverse hop too, where that
        enters an equivalent vacancy. A supercell of another shape may show some of them as distinct hops.
    """

    kind: HopKind
    vacancy: int
    number: int
    label: str
    hop: Hop
    ways: int


def undirected_hops(
    cell: Structure, big: Structure, kinds: Sequence[HopKind]
) -> tuple[list[NumberedHop], list[tuple[HopKind, str, str]]]:
    """Distinct hops of several kinds into vacancies, each hop and its reverse once.

    Parameters
    ----------
    cell
        Ordered cell, whose symmetry counts.
    big
        Supercell of it with the same origin, in which the hops are built.
    kinds
        In the order in which they are searched: of a hop and its reverse the first is listed.

    Returns
    -------
    hops, absent
        The hops, by kind, vacancy and length; and (kind, vacancy, reason) where there is none.

    Raises
    ------
    ValueError
        If the cell has no such vacancy.
    """
    ops = operations(cell)
    found: list[NumberedHop] = []
    absent: list[tuple[HopKind, str, str]] = []
    for kind in kinds:
        for v, site in enumerate(distinct_vacancies(cell, kind.vacancy_element, kind.vacancy_sublattice)):
            try:
                hops = hops_into(cell, big, kind, v)
            except ValueError as error:
                absent.append((kind, site.label, str(error)))
                continue
            for n, hop in enumerate(hops):
                label = f"{kind.ion}({kind.from_sublattice}) {site.label} {n + 1}"
                _add(found, NumberedHop(kind, v, n, label, hop, hop.multiplicity), cell, ops)
    return found, absent


def has_one_hop(host: Host) -> bool:
    """Whether a host has one cation order, and its own kind of hop is one and the same everywhere in it."""
    if len(host.orders) != 1 or not host.hops:
        return False
    cell, kind = host.structure(), host.hops[0]
    if len(distinct_vacancies(cell, kind.vacancy_element, kind.vacancy_sublattice)) != 1:
        return False
    big = supercell(cell, default_repeats(cell, True, [kind.cutoff_A]))
    return len(undirected_hops(cell, big, [kind])[0]) == 1


def hops_into(cell: Structure, big: Structure, kind: HopKind, vacancy: int) -> list[Hop]:
    """Distinct hops of a kind into one of its distinct vacancies; errors as `hops.distinct_hops`."""
    site = distinct_vacancies(cell, kind.vacancy_element, kind.vacancy_sublattice)[vacancy]
    index = same_site_in(big, cell, site.index)
    return distinct_hops(big, index, site.label, kind.ion, kind.from_sublattice, kind.cutoff_A)


def same_hop(cell: Structure, big: Structure, kind: HopKind, vacancy: int, along: Sequence[float]) -> Hop:
    """A hop of the unrelaxed crystal in a relaxed one, where lengths and their order may be others.

    Parameters
    ----------
    cell, big, kind, vacancy
        As in `hops_into`, relaxed.
    along
        Displacement of the mover in fractions of the ordered cell, shape (3,).

    Raises
    ------
    ValueError
        If no ion hops so after relaxing, to `RELAXED_A`.
    """
    site = distinct_vacancies(cell, kind.vacancy_element, kind.vacancy_sublattice)[vacancy]
    index = same_site_in(big, cell, site.index)
    step = cell.lattice.get_cartesian_coords(along)
    return hop_along(big, index, site.label, kind.ion, kind.from_sublattice, step, RELAXED_A)


def _add(hops: list[NumberedHop], new: NumberedHop, cell: Structure, ops: Sequence[Operation]) -> None:
    """Append a hop, or count it with the one that it is equivalent to."""
    for place, old in enumerate(hops):
        if not _comparable(old, new):
            continue
        if not _is_one(old, new, cell, ops):
            continue
        same_vacancy = (old.kind.vacancy_sublattice, old.vacancy) == (new.kind.vacancy_sublattice, new.vacancy)
        if same_vacancy:
            ways = old.ways + new.ways
            hops[place] = NumberedHop(old.kind, old.vacancy, old.number, old.label, old.hop, ways)
        return
    hops.append(new)


def _comparable(old: NumberedHop, new: NumberedHop) -> bool:
    """Whether two hops may be one: the same ion, the same vacancy or, for a reverse, the ion's own."""
    if old.kind.ion != new.kind.ion or old.kind.vacancy_element != new.kind.vacancy_element:
        return False
    return abs(old.hop.distance_A - new.hop.distance_A) < _SAME_PLACE_A


def _is_one(old: NumberedHop, new: NumberedHop, cell: Structure, ops: Sequence[Operation]) -> bool:
    """Whether an operation of the crystal takes a hop to another, or to the other's reverse."""
    (from_a, to_a), (from_b, to_b) = (_ends(numbered.hop) for numbered in (old, new))
    step_a, step_b = to_a - from_a, to_b - from_b
    start, ends = (cell.lattice.get_fractional_coords(x) for x in (from_a, np.array([from_b, to_b])))
    # Backwards the ion would fill the place that it left: that is the same defect only if the vacancy is its own.
    reversible = new.kind.ion == new.kind.vacancy_element
    for op in ops:
        turned = op.cartesian @ step_a
        image = op.rotation @ start + op.translation
        if _near(turned, step_b) and _same_place(image, ends[0], cell):
            return True
        if reversible and _near(turned, -step_b) and _same_place(image, ends[1], cell):
            return True
    return False


def _ends(hop: Hop) -> tuple[FloatArray, FloatArray]:
    start = np.asarray(hop.initial[hop.mover].coords, dtype=float)
    return start, start + np.asarray(hop.displacement_A)


def _near(one: FloatArray, other: FloatArray) -> bool:
    return bool(np.linalg.norm(one - other) < _SAME_PLACE_A)


def _same_place(one: FloatArray, other: FloatArray, cell: Structure) -> bool:
    off = one - other
    return bool(np.linalg.norm((off - np.rint(off)) @ cell.lattice.matrix) < _SAME_PLACE_A)
