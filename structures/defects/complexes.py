"""Complexes of two or three point defects: vacancies and antisites, one per symmetry class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product

import numpy as np
from pymatgen.core import Structure

from ...stored.base import Stored
from ..spins import along, high_spin_moment
from ..symmetry import Operation, image_of_site, operations

MOST_MEMBERS = 3
# Before the underscore: V for a vacancy, or the element that is there instead, with or without its charge.
_NEW = r"(?:V|[A-Z][a-z]?(?:[0-9]*\+)?)"


@dataclass(frozen=True)
class PointDefect(Stored):
    """What happens at one site: the ion goes, or another takes its place.

    Attributes
    ----------
    element, sublattice
        The ion that is there in the perfect host.
    substitute, valence
        Element and valence that replace it; None for a vacancy.
    """

    element: str
    sublattice: str
    substitute: str | None = None
    valence: float | None = None

    @property
    def label(self) -> str:
        """``V_Fe(B)`` or ``Co_Fe(A)``."""
        place = f"({self.sublattice})" if self.sublattice != self.element else ""
        return f"{self.substitute or 'V'}_{self.element}{place}"


@dataclass(frozen=True)
class DefectComplex(Stored):
    """A symmetry-distinct complex.

    Attributes
    ----------
    label
        Members joined by ``+``.
    members
        The point defects.
    sites
        Site index of each member in the structure searched.
    multiplicity
        Equivalent complexes in that structure.
    longest_A
        Largest distance between two members, in Angstrom.
    """

    label: str
    members: list[PointDefect]
    sites: list[int]
    multiplicity: int
    longest_A: float


def distinct_complexes(structure: Structure, members: list[PointDefect], cutoff_A: float) -> list[DefectComplex]:
    """Symmetry-distinct ways to place two or three point defects close together.

    Parameters
    ----------
    structure
        Perfect cell with site properties; sites count modulo its lattice, so use a cell larger than the complex.
    members
        Two or three point defects.
    cutoff_A
        Largest distance between any two of them, in Angstrom.

    Returns
    -------
    list of DefectComplex
        The most compact first; multiplicities sum to the number of placements.

    Raises
    ------
    ValueError
        If there are fewer than two or more than three members, a member has no site, or none lie within the cutoff.
    """
    if not 2 <= len(members) <= MOST_MEMBERS:
        raise ValueError(f"a complex has 2 or {MOST_MEMBERS} members, not {len(members)}")
    candidates = [_sites_of(structure, member) for member in members]
    distance = structure.distance_matrix
    placements = {
        _canonical(sites, members)
        for sites in product(*candidates)
        if len(set(sites)) == len(sites) and _extent(sites, distance) <= cutoff_A
    }
    if not placements:
        raise ValueError(f"no {' + '.join(m.label for m in members)} within {cutoff_A} A; raise the cutoff")
    involved = sorted({site for group in candidates for site in group})
    maps = [_site_map(structure, op, involved) for op in operations(structure)]
    out = []
    label = "+".join(m.label for m in members)
    while placements:
        seed = min(placements)
        orbit = {_canonical(tuple(m[i] for i in seed), members) for m in maps} & placements
        placements -= orbit
        out.append(DefectComplex(label, members, list(seed), len(orbit), float(_extent(seed, distance))))
    return sorted(out, key=lambda c: (round(c.longest_A, 4), c.sites))


def members_from_text(structure: Structure, text: str) -> list[PointDefect]:
    """Point defects from words such as ``V_Fe(B)+V_O`` or ``V_Fe(B)+Co2+_Fe(A)``.

    Parameters
    ----------
    structure
        Host cell; an antisite without a charge takes the valence that its element has there.
    text
        Members joined by ``+``.

    Raises
    ------
    ValueError
        If a member cannot be read, or its valence is open.
    """
    out = []
    for word in re.split(rf"\s*\+\s*(?={_NEW}_)", text.strip()):
        match = re.fullmatch(rf"({_NEW})_([A-Z][a-z]?)(?:\(([^()]+)\))?", word)
        if match is None:
            raise ValueError(f"{word!r} in {text!r} is no point defect; write V_Fe(B), V_O or Co_Fe(A), joined by +")
        new, element, sublattice = match.groups()
        if new == "V":
            out.append(PointDefect(element, sublattice or element))
            continue
        symbol = re.sub(r"[0-9+]", "", new)
        given = new[len(symbol) : -1]
        known = {float(s.properties["valence"]) for s in structure if s.specie.symbol == symbol}
        if not new.endswith("+") and len(known) != 1:
            raise ValueError(f"{word} leaves the valence of {symbol} open; write it, e.g. {symbol}2+_{element}")
        valence = float(given or 1) if new.endswith("+") else known.pop()
        out.append(PointDefect(element, sublattice or element, symbol, valence))
    return out


def charge_left(structure: Structure, defect: DefectComplex) -> float:
    """Charge (e) that a complex leaves if no other ion changes its valence."""
    there = [float(structure[site].properties["valence"]) for site in defect.sites]
    return sum((m.valence or 0.0) - old for m, old in zip(defect.members, there, strict=True))


def with_complex(structure: Structure, defect: DefectComplex) -> Structure:
    """Copy of a structure with a complex in it; substitutes keep the direction of the moment they replace.

    Raises
    ------
    ValueError
        If a substitute has no valence.
    """
    out = structure.copy()
    for member, site in zip(defect.members, defect.sites, strict=True):
        if member.substitute is None:
            continue
        if member.valence is None:
            raise ValueError(f"{member.label} needs the valence of {member.substitute}")
        old = structure[site].properties
        properties = {**old, "valence": member.valence}
        if "magmom" in old:
            properties["magmom"] = along(old["magmom"], high_spin_moment(member.substitute, member.valence))
        out.replace(site, member.substitute, properties=properties)
    out.remove_sites([s for m, s in zip(defect.members, defect.sites, strict=True) if m.substitute is None])
    return out


def _site_map(structure: Structure, operation: Operation, sites: list[int]) -> dict[int, int]:
    images = {i: image_of_site(structure, operation, structure[i].frac_coords) for i in sites}
    out = {i: image for i, image in images.items() if image is not None}
    if len(out) < len(sites):
        raise RuntimeError("a symmetry operation of the structure takes a site to an empty place")
    return out


def _sites_of(structure: Structure, member: PointDefect) -> list[int]:
    sites = [
        i
        for i, s in enumerate(structure)
        if (s.specie.symbol, s.properties["sublattice"]) == (member.element, member.sublattice)
    ]
    if not sites:
        raise ValueError(f"there is no {member.element} on sublattice {member.sublattice} for {member.label}")
    return sites


def _extent(sites: tuple[int, ...], distance: np.ndarray) -> float:
    return max(float(distance[i, j]) for n, i in enumerate(sites) for j in sites[:n])


def _canonical(sites: tuple[int, ...], members: list[PointDefect]) -> tuple[int, ...]:
    """Sites of equal members in rising order, so that each placement is counted once."""
    out = list(sites)
    for member in set(members):
        places = [n for n, m in enumerate(members) if m == member]
        for place, site in zip(places, sorted(out[n] for n in places), strict=True):
            out[place] = site
    return tuple(out)
