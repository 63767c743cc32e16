"""Charge states of a vacancy and the ways in which the other ions make up for its charge."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pymatgen.core import Structure

from ...stored.base import Stored
from ..checks.geometry import coordination_number
from ..elements import element
from ..spins import along, high_spin_moment, low_spin_moment, total_moment

_OCTAHEDRON = 6


@dataclass(frozen=True)
class Compensation(Stored):
    """One charge state of a vacancy with the ions that changed valence for it.

    Attributes
    ----------
    label
        E.g. ``"3 Co3+(B) low spin"``, or ``"none"`` for the fully ionised vacancy.
    charge_e
        Charge of the cell.
    element, sublattice
        Ions that change; None if none does.
    count
        How many change.
    valence
        Their new formal valence.
    moment_muB
        Size of their new moment.
    total_moment_muB
        Total of the cell (length of the sum for vectors), if changed moments keep their directions.
    """

    label: str
    charge_e: int
    element: str | None
    sublattice: str | None
    count: int
    valence: float
    moment_muB: float
    total_moment_muB: float


def charge_states(structure: Structure, index: int) -> list[int]:
    """Charges (e) to consider for the vacancy of a site: fully ionised to neutral."""
    valence = round(float(structure[index].properties["valence"]))
    step = -1 if valence > 0 else 1
    return [*range(-valence, 0, -step), 0]


def compensations(structure: Structure, index: int) -> list[Compensation]:
    """Every charge state of a vacancy with every one-element way to reach it.

    Parameters
    ----------
    structure
        Perfect cell with site properties ``valence``, ``sublattice`` and ``magmom``.
    index
        Site that is taken out.

    Returns
    -------
    list of Compensation
        Fully ionised first, then towards the neutral cell.

    Raises
    ------
    ValueError
        If a valence is not a whole number.
    """
    valence = float(structure[index].properties["valence"])
    if valence != round(valence):
        raise ValueError(f"site {index} has valence {valence}; charge states need a whole number")
    bare = structure.copy()
    bare.remove_sites([index])
    out = []
    for charge in charge_states(structure, index):
        count = round(abs(valence)) - abs(charge)
        if count == 0:
            out.append(Compensation("none", charge, None, None, 0, 0.0, 0.0, total_moment(bare)))
            continue
        out += _ways(structure, index, charge, count, 1 if valence > 0 else -1)
    return out


def compensated(structure: Structure, index: int, mode: Compensation) -> Structure:
    """The cell without a site, the ions nearest to it changed as a compensation says.

    Parameters
    ----------
    structure
        Perfect cell, as for `compensations`.
    index
        Site that is taken out.
    mode
        One of `compensations`.

    Returns
    -------
    Structure
        Site order kept; ``valence`` and ``magmom`` of the changed ions are new.

    Raises
    ------
    ValueError
        If the cell holds too few such ions.
    """
    out = structure.copy()
    for i in _nearest(structure, index, mode):
        out[i].properties["valence"] = mode.valence
        out[i].properties["magmom"] = along(structure[i].properties["magmom"], mode.moment_muB)
    out.remove_sites([index])
    return out


def _nearest(structure: Structure, index: int, mode: Compensation) -> list[int]:
    """The ions that change: as many of the kind as are needed, nearest to the vacancy."""
    candidates = [
        i
        for i, s in enumerate(structure)
        if i != index and (s.specie.symbol, s.properties["sublattice"]) == (mode.element, mode.sublattice)
    ]
    if len(candidates) < mode.count:
        raise ValueError(f"{mode.label} needs {mode.count} ions, the cell has {len(candidates)}")
    distance = structure.lattice.get_all_distances(structure[index].frac_coords, structure.frac_coords)[0]
    return sorted(candidates, key=lambda i: (round(float(distance[i]), 4), i))[: mode.count]


def _ways(structure: Structure, index: int, charge: int, count: int, step: int) -> list[Compensation]:
    groups: dict[tuple[str, str, float], list[int]] = {}
    for i, site in enumerate(structure):
        if i != index and element(site.specie.symbol).valences:
            p = site.properties
            groups.setdefault((site.specie.symbol, p["sublattice"], float(p["valence"])), []).append(i)
    anion = next((s.specie.symbol for s in structure if s.properties["valence"] < 0), "O")
    out = []
    for (symbol, sublattice, valence), sites in sorted(groups.items()):
        new = valence + step
        if new not in element(symbol).valences or len(sites) < count:
            continue
        states = [("high spin", high_spin_moment(symbol, new))]
        if new == element(symbol).low_spin and coordination_number(structure, sites[0], anion) == _OCTAHEDRON:
            states.append(("low spin", low_spin_moment(symbol, new)))
        for name, moment in states:
            suffix = f" {name}" if len(states) > 1 else ""
            label = f"{count} {symbol}{new:.0f}+({sublattice}){suffix}"
            mode = Compensation(label, charge, symbol, sublattice, count, new, moment, 0.0)
            out.append(replace(mode, total_moment_muB=total_moment(compensated(structure, index, mode))))
    return out
