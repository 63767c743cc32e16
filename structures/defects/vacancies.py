"""Vacancies: the distinct ones by symmetry, with the labels that the analysis needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from pymatgen.core import Structure

from ...stored.base import Stored
from ...stored.renamed import takes_old_names
from ..checks.geometry import check_site_index
from ..symmetry import orbits
from .charge_compensation import charge_states
from .collinear_pairs import count_in_line, nearest_shell


@takes_old_names
@dataclass(frozen=True)
class VacancySite(Stored):
    """A symmetry-distinct place for a vacancy.

    Attributes
    ----------
    label
        ``V_Fe(B)``; numbered ``V_O(1)``, ``V_O(2)`` where a sublattice splits.
    element, sublattice
        What is removed, and from where.
    index
        Site index of the representative in the structure searched.
    multiplicity
        Number of equivalent sites in that structure.
    near_cations
        Cations by element within 3.3 A, the nearest shell of cations in spinels and in wurtzite (None for anions).
    pairs_in_line
        Pairs of each of these elements in line with the site, one on either side (None for anions).
    charge_states
        Charges of the vacancy to consider, in e, fully ionised first.
    nearest_mover_A
        Distance to the nearest ion of the kind asked for, in Angstrom (None if not asked).
    """

    label: str
    element: str
    sublattice: str
    index: int
    multiplicity: int
    near_cations: dict[str, int] | None
    pairs_in_line: dict[str, int] | None = None
    charge_states: list[int] = field(default_factory=list)
    nearest_mover_A: float | None = None


def distinct_vacancies(
    structure: Structure, element: str, sublattice: str, mover: tuple[str, str] | None = None
) -> list[VacancySite]:
    """Symmetry-distinct vacancies of one element on one sublattice, spins included.

    Parameters
    ----------
    structure
        Host cell with site properties.
    element, sublattice
        What to remove.
    mover
        (element, sublattice) of an ion whose distance to each vacancy is wanted.

    Returns
    -------
    list of VacancySite
        Their multiplicities sum to the number of such sites.

    Raises
    ------
    ValueError
        If the structure has no such site.
    """
    kind = (element, sublattice)
    places = [(s.specie.symbol, s.properties["sublattice"]) for s in structure]
    # Spins up and down of an antiferromagnet are one class; if they are two sublattices, each is listed by itself.
    groups = [own for group in orbits(structure) if (own := [i for i in group if places[i] == kind])]
    if not groups:
        raise ValueError(f"there is no {element} on sublattice {sublattice} to remove")
    out = []
    for n, group in enumerate(groups, start=1):
        place = sublattice if element != sublattice else ""
        if len(groups) > 1:
            place = f"{place},{n}" if place else str(n)
        label = f"V_{element}({place})" if place else f"V_{element}"
        seed = group[0]
        near = None if structure[seed].properties["valence"] < 0 else near_cations(structure, seed)
        out.append(
            VacancySite(
                label=label,
                element=element,
                sublattice=sublattice,
                index=seed,
                multiplicity=len(group),
                near_cations=near,
                pairs_in_line=None if near is None else {ion: count_in_line(structure, seed, ion) for ion in near},
                charge_states=charge_states(structure, seed),
                nearest_mover_A=None if mover is None else _nearest(structure, seed, mover),
            )
        )
    return out


def _nearest(structure: Structure, index: int, kind: tuple[str, str]) -> float | None:
    row = structure.lattice.get_all_distances(structure[index].frac_coords, structure.frac_coords)[0]
    distances = [
        float(row[i])
        for i, s in enumerate(structure)
        if i != index and (s.specie.symbol, s.properties["sublattice"]) == kind
    ]
    return min(distances, default=None)


def near_cations(structure: Structure, index: int, cutoff_A: float = 3.3) -> dict[str, int]:
    """Ions by element in the nearest shell of cations of a site, whatever their sublattice is called.

    At most 3.3 A away: the shell of B around B in spinels (around A there is none), that of the cations in wurtzite.
    """
    near = Counter(n.specie.symbol for n in nearest_shell(structure, index, cutoff_A))
    return dict(sorted(near.items()))


def counts_in_words(counts: Mapping[str, int] | None) -> str | None:
    """``{"Co": 4, "Fe": 2}`` as ``4 Co, 2 Fe``; None stays None."""
    return None if counts is None else ", ".join(f"{n} {element}" for element, n in counts.items()) or "none"


def remove_site(structure: Structure, index: int) -> Structure:
    """Copy of a structure without one site; all other sites keep order and properties.

    Raises
    ------
    ValueError
        If the index is out of range.
    """
    check_site_index(structure, index)
    out = structure.copy()
    out.remove_sites([index])
    return out


def same_site_in(structure: Structure, cell: Structure, index: int) -> int:
    """Index in a supercell of the site that sits where a site of its cell sits.

    Parameters
    ----------
    structure
        Supercell of `cell` with the same origin.
    cell, index
        The small cell and a site in it.
    """
    target = cell[index].coords
    delta = structure.frac_coords - structure.lattice.get_fractional_coords(target)
    delta -= np.rint(delta)
    distance = np.linalg.norm(delta @ structure.lattice.matrix, axis=1)
    nearest = int(np.argmin(distance))
    if distance[nearest] > 0.05 or structure[nearest].specie != cell[index].specie:
        raise ValueError(
            f"site {index} of the cell has no counterpart in the supercell (nearest {distance[nearest]:.3f} A)"
        )
    return nearest


def representatives(sites: list[VacancySite], most: int | None) -> list[VacancySite]:
    """A few sites that stand for many: every element and sublattice, then every surrounding, then the most frequent.

    Parameters
    ----------
    sites
        Distinct sites.
    most
        How many to keep; None keeps all.

    Returns
    -------
    list of VacancySite
        In the order given.
    """
    if most is None or len(sites) <= most:
        return sites
    ranked = sorted(range(len(sites)), key=lambda i: (-sites[i].multiplicity, i))
    chosen: list[int] = []
    # One of each kind first, then one of each surrounding of each kind, then by how many sites there are of it.
    for key in (_kind, _surrounding, lambda site: site.label):
        seen = {key(sites[i]) for i in chosen}
        for i in ranked:
            if len(chosen) < most and i not in chosen and key(sites[i]) not in seen:
                chosen.append(i)
                seen.add(key(sites[i]))
    return [sites[i] for i in sorted(chosen)]


def _kind(site: VacancySite) -> tuple[object, ...]:
    return site.element, site.sublattice


def _surrounding(site: VacancySite) -> tuple[object, ...]:
    counts = [None if n is None else tuple(n.items()) for n in (site.near_cations, site.pairs_in_line)]
    return site.element, site.sublattice, *counts
