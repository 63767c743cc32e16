"""What a defect's cell removes from the perfect one and adds to it, read from the two structures alone.

Ions are paired by the shortest total of squared distances, element by element, after a rigid drift of the whole cell
has been taken off. A host site without an ion is vacant; an ion without a host site is an interstitial, or a
substitution where it lies in the Wigner-Seitz cell of a vacant site.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from ...stored.base import Stored
from ..symmetry import DEFAULT_SYMPREC, operations, orbits

FloatArray = NDArray[np.float64]
DefectKind = Literal["none", "vacancy", "interstitial", "substitution", "antisite", "complex"]
# An ion this far from every free host site of its element has left it.
LEFT_SITE_A = 2.0
# Lattices of cells that are compared agree to this, relative to their length.
SAME_LATTICE = 5e-3
# Share of a host's ions that may be missing or added before the cells count as two materials.
LARGEST_SHARE = 0.26
_ON_SITE_A = 0.7
_SAME_PLACE_A = 0.3


class UnlikeCellsError(ValueError):
    """Two cells that are not one host with and without a defect; the message says why."""


@dataclass(frozen=True)
class SiteChange(Stored):
    """One atom taken out, put in, or replaced.

    Attributes
    ----------
    removed, added
        Element that left and element that came; None where there is none.
    site
        Host site that is vacant or replaced; None for an interstitial.
    position
        Fractional coordinates in the host's cell, shape (3,): of the host site, or of the interstitial as relaxed.
    """

    removed: str | None
    added: str | None
    site: int | None
    position: list[float]


@dataclass(frozen=True)
class CellDifference(Stored):
    """A defect's cell against the perfect one.

    Attributes
    ----------
    changes
        Atoms removed, added or replaced.
    same_site
        Host site of each ion of the defect's cell; None for an interstitial.
    drift_A
        Rigid shift of the whole cell that was taken off, Cartesian, shape (3,).
    largest_A
        Largest displacement of an ion that kept its site.
    """

    changes: list[SiteChange]
    same_site: list[int | None]
    drift_A: list[float]
    largest_A: float

    @property
    def removed(self) -> dict[str, int]:
        """Atoms removed by element; negative for atoms added."""
        net: Counter[str] = Counter()
        for change in self.changes:
            net.update({change.removed: 1} if change.removed else {})
            net.subtract({change.added: 1} if change.added else {})
        return {el: n for el, n in sorted(net.items()) if n}

    def kind(self, host_elements: Sequence[str]) -> DefectKind:
        """Kind of the defect in a host of these elements."""
        if not self.changes:
            return "none"
        if len(self.changes) > 1:
            return "complex"
        only = self.changes[0]
        if only.added is None:
            return "vacancy"
        if only.removed is None:
            return "interstitial"
        return "antisite" if only.added in host_elements else "substitution"


# A study asks several times for the difference of each pair of cells.
_REMEMBERED = 64
_FOUND: OrderedDict[tuple[Any, ...], CellDifference] = OrderedDict()


def cell_difference(host: Structure, defect: Structure) -> CellDifference:
    """What a defect's cell removes and adds.

    Parameters
    ----------
    host
        Perfect cell.
    defect
        The same cell with a defect, relaxed or not, in any order of sites, its origin drifted or not.

    Raises
    ------
    UnlikeCellsError
        If the lattices differ, or so many atoms do that the cells are not one host.
    """
    _check_cells(host, defect)
    key = host.lattice.matrix.tobytes(), *(_key(cell) for cell in (host, defect))
    if (known := _FOUND.get(key)) is None:
        known = _FOUND[key] = _difference(host, defect)
        if len(_FOUND) > _REMEMBERED:
            _FOUND.popitem(last=False)
    return deepcopy(known)


def _key(cell: Structure) -> tuple[bytes, tuple[str, ...]]:
    return cell.frac_coords.tobytes(), tuple(_symbols(cell))


def _difference(host: Structure, defect: Structure) -> CellDifference:
    drift = _drift(host, defect)
    moved = defect.frac_coords - drift
    same_site, distance = _pairs(host, defect, moved)
    distances = [d for p, d in zip(same_site, distance, strict=True) if p is not None]
    vacant = sorted(set(range(len(host))) - {p for p in same_site if p is not None})
    free = [i for i, p in enumerate(same_site) if p is None]
    changes = _changes(host, defect, moved, vacant, free)
    if len(changes) > LARGEST_SHARE * len(host):
        raise UnlikeCellsError(
            f"{defect.composition.formula} differs from {host.composition.formula} at {len(changes)} of {len(host)} "
            "sites: the cells are not one host"
        )
    return CellDifference(
        changes=changes,
        same_site=same_site,
        drift_A=[float(x) for x in host.lattice.get_cartesian_coords(drift)],
        largest_A=max(distances, default=0.0),
    )


def charge_centre(difference: CellDifference, relaxed: Structure) -> list[float] | None:
    """Where the charge of a defect is taken to sit, fractional, shape (3,).

    Parameters
    ----------
    difference
        What the defect's cell removes and adds.
    relaxed
        That cell.

    Returns
    -------
    list[float] or None
        Where the one atom that was put in ended, or the one site that is vacant; None for complexes.
    """
    if len(difference.changes) != 1:
        return None
    added = [i for i, same in enumerate(difference.same_site) if same is None]
    return [float(x) for x in relaxed[added[0]].frac_coords] if added else list(difference.changes[0].position)


def same_lattice(one: Structure, other: Structure) -> bool:
    """Whether two cells have the same vectors within `SAME_LATTICE` of their length."""
    a, b = one.lattice.matrix, other.lattice.matrix
    return bool(np.linalg.norm(a - b, axis=1).max() <= SAME_LATTICE * np.linalg.norm(a, axis=1).max())


def _check_cells(host: Structure, defect: Structure) -> None:
    if same_lattice(host, defect):
        return
    edges = [" x ".join(f"{x:.3f}" for x in cell.lattice.abc) for cell in (host, defect)]
    size = "" if abs(len(host) - len(defect)) <= 0.1 * len(host) else ": another size of supercell"
    raise UnlikeCellsError(
        f"the cell of {defect.composition.formula} ({edges[1]} A) is not that of {host.composition.formula} "
        f"({edges[0]} A){size}"
    )


def _drift(host: Structure, defect: Structure) -> FloatArray:
    """Rigid fractional shift of the defect's cell against the host.

    Started from no shift, or, where few ions lie near host sites, from the shift of any one ion of the rarest element
    onto any site of it that brings most ions near theirs; then the median displacement is taken off.
    """
    best = np.zeros(3)
    if _near(host, defect, best) < 0.6 * len(defect):
        symbols, own = _symbols(host), _symbols(defect)
        shared = [el for el in set(own) if el in symbols]
        if shared:
            rarest = min(shared, key=own.count)
            seed = defect.frac_coords[own.index(rarest)]
            sites = [i for i, el in enumerate(symbols) if el == rarest]
            tried = [best, *(seed - host.frac_coords[i] for i in sites)]
            best = max(tried, key=lambda shift: _near(host, defect, shift))
    for _ in range(3):
        same_site, _ = _pairs(host, defect, defect.frac_coords - best)
        paired = [i for i, p in enumerate(same_site) if p is not None]
        if not paired:
            break
        delta = defect.frac_coords[paired] - best - host.frac_coords[[same_site[i] for i in paired]]
        step = np.median(delta - np.rint(delta), axis=0)
        best = best + step
        if float(np.abs(host.lattice.get_cartesian_coords(step)).max()) < 1e-3:
            break
    return np.asarray(best - np.rint(best), dtype=float)


def _near(host: Structure, defect: Structure, shift: FloatArray) -> int:
    """Number of ions that lie on a host site of their element."""
    distance = _distances(host, defect, defect.frac_coords - shift)
    return int(np.sum(distance.min(axis=1) < _ON_SITE_A))


def _distances(host: Structure, defect: Structure, coords: FloatArray) -> FloatArray:
    """Distances of the defect's ions to host sites; infinite between elements."""
    distance = np.array(host.lattice.get_all_distances(coords, host.frac_coords), dtype=float)
    own, sites = np.array(_symbols(defect)), np.array(_symbols(host))
    distance[own[:, None] != sites[None, :]] = np.inf
    return distance


def _symbols(structure: Structure) -> list[str]:
    return [site.specie.symbol for site in structure]


def _pairs(host: Structure, defect: Structure, coords: FloatArray) -> tuple[list[int | None], list[float]]:
    """Host site of each ion, and how far it is; None beyond `LEFT_SITE_A`."""
    from scipy.optimize import linear_sum_assignment

    every = _distances(host, defect, coords)
    same_site: list[int | None] = [None] * len(defect)
    distance = [float("inf")] * len(defect)
    own, sites = _symbols(defect), _symbols(host)
    for element in set(own):
        rows = [i for i, el in enumerate(own) if el == element]
        columns = [j for j, el in enumerate(sites) if el == element]
        if not columns:
            continue
        block = every[np.ix_(rows, columns)]
        # Beyond the limit all is equally far: one ion that left its site must not pull others off theirs.
        for r, c in zip(*linear_sum_assignment(np.minimum(block, LEFT_SITE_A) ** 2), strict=True):
            if block[r, c] < LEFT_SITE_A:
                same_site[rows[r]], distance[rows[r]] = columns[c], float(block[r, c])
    return same_site, distance


def _changes(
    host: Structure, defect: Structure, moved: FloatArray, vacant: list[int], free: list[int]
) -> list[SiteChange]:
    symbols, own = _symbols(host), _symbols(defect)
    replaced: dict[int, int] = {}
    if vacant and free:
        from scipy.optimize import linear_sum_assignment

        every = np.array(host.lattice.get_all_distances(moved[free], host.frac_coords), dtype=float)
        nearest = every.min(axis=1)
        distance = every[:, vacant]
        for r, c in zip(*linear_sum_assignment(distance), strict=True):
            # In the Wigner-Seitz cell of a vacant site. One of its own element left another site: a split site.
            if distance[r, c] <= nearest[r] + 1e-6 and own[free[r]] != symbols[vacant[c]]:
                replaced[vacant[c]] = free[r]
    out = [SiteChange(symbols[i], own[ion], i, _inside(host.frac_coords[i])) for i, ion in replaced.items()]
    out += [SiteChange(symbols[i], None, i, _inside(host.frac_coords[i])) for i in vacant if i not in replaced]
    added = [i for i in free if i not in replaced.values()]
    return out + [SiteChange(None, own[i], None, _inside(moved[i])) for i in added]


def _inside(coords: FloatArray) -> list[float]:
    return [float(x) for x in coords - np.floor(coords)]


@dataclass(frozen=True)
class DefectName(Stored):
    """Name and count of a defect in its host.

    Attributes
    ----------
    label
        ``V_O``, ``V_Fe(B)``, ``Mg_O``, ``F_i``; parts of a complex joined by ``+``.
    kind
        Vacancy, interstitial, substitution, antisite or complex.
    element, sublattice
        What is removed, or what is added where nothing is; and from where.
    multiplicity
        Equivalent places in the host's cell; of a complex those of its first part.
    """

    label: str
    kind: DefectKind
    element: str
    sublattice: str
    multiplicity: int


def name_defect(host: Structure, difference: CellDifference, symprec: float = DEFAULT_SYMPREC) -> DefectName:
    """Name a defect by the element and the sublattice of its host site, as the study's own vacancies are.

    Parameters
    ----------
    host
        Perfect cell; with the site property ``sublattice`` if roles are known, else elements are the sublattices.
    difference
        The difference.
    symprec
        Angstrom; relaxed cells need more than ideal ones.

    Raises
    ------
    ValueError
        If nothing was changed.
    """
    if not difference.changes:
        raise ValueError("the two cells hold the same atoms on the same sites: there is no defect to name")
    groups = orbits(host, symprec)
    names = [_change_name(host, change, groups) for change in difference.changes]
    parts = sorted(names)
    counts = Counter(parts)
    label = "+".join(f"{n}{part}" if n > 1 else part for part, n in counts.items())
    first = difference.changes[names.index(parts[0])]
    elements = sorted({s.specie.symbol for s in host})
    return DefectName(
        label=label,
        kind=difference.kind(elements),
        element=str(first.removed or first.added),
        sublattice="interstitial" if first.site is None else _sublattice(host, first.site),
        multiplicity=_places(host, first, groups, symprec),
    )


def _sublattice(host: Structure, site: int) -> str:
    return str(host[site].properties.get("sublattice") or host[site].specie.symbol)


def _change_name(host: Structure, change: SiteChange, groups: list[list[int]]) -> str:
    if change.site is None:
        return f"{change.added}_i"
    element, sublattice = host[change.site].specie.symbol, _sublattice(host, change.site)
    alike = [
        group
        for group in groups
        if host[group[0]].specie.symbol == element and _sublattice(host, group[0]) == sublattice
    ]
    place = sublattice if sublattice != element else ""
    if len(alike) > 1:
        number = next(n for n, group in enumerate(alike, start=1) if change.site in group)
        place = f"{place},{number}" if place else str(number)
    return f"{change.added or 'V'}_{element}" + (f"({place})" if place else "")


def _places(host: Structure, change: SiteChange, groups: list[list[int]], symprec: float) -> int:
    if change.site is not None:
        return len(next(group for group in groups if change.site in group))
    images: list[FloatArray] = []
    for op in operations(host, symprec):
        place = op.rotation @ np.array(change.position) + op.translation
        if not images or host.lattice.get_all_distances([place], images).min() > _SAME_PLACE_A:
            images.append(np.asarray(place, dtype=float))
    return len(images)
