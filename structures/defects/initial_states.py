"""Several starts of one vacancy: as built, rattled, and with the missing charge placed on chosen ions.

A relaxation finds the electronic and magnetic state nearest to its start. Delocalised and localised
holes, or holes on other ions, differ by tenths of an eV to eV, so one start is a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pymatgen.core import Structure

from ...stored.base import Stored
from ..similar import did_you_mean
from .charge_compensation import compensated, compensations
from .vacancies import remove_site

StartKind = Literal["as built", "rattled", "localised"]
START_KINDS: tuple[StartKind, ...] = ("as built", "rattled", "localised")
RATTLE_A = 0.05
# Bonds to an ion that lost (gained) an electron start this much shorter (longer), which helps the charge to stay.
BOND_CHANGE = 0.04
_RATTLED_WITHIN_A = 4.5
_BOND_A = 2.6


@dataclass(frozen=True)
class DefectStart(Stored):
    """A start of one vacancy.

    Attributes
    ----------
    label
        ``as built``, ``rattled`` or the ions that hold the missing charge, e.g. ``3 Co3+(B) low spin``.
    kind
        Which of the three.
    """

    label: str
    kind: StartKind


def start_kinds(text: str) -> tuple[StartKind, ...]:
    """Kinds of start from a comma-separated text, with spaces, ``_`` or ``-``; ``all`` is every kind.

    Raises
    ------
    ValueError
        For an unknown kind; the message lists those that exist.
    """
    names = [name.strip().replace("_", " ").replace("-", " ") for name in text.split(",")]
    if names == ["all"]:
        return START_KINDS
    known = ", ".join(kind.replace(" ", "_") for kind in START_KINDS)
    if unknown := [name for name in names if name not in START_KINDS]:
        meant = did_you_mean(unknown[0], [*START_KINDS, "all"])
        raise ValueError(f"unknown start {unknown[0]!r}{meant}; starts: {known}, or all")
    return tuple(kind for kind in START_KINDS if kind in names)


def start_labels(structure: Structure, index: int, kinds: tuple[StartKind, ...] = START_KINDS) -> list[DefectStart]:
    """Starts of the neutral vacancy of a site.

    Parameters
    ----------
    structure
        Perfect cell with site properties ``valence``, ``sublattice`` and ``magmom``.
    index
        Site that is taken out.
    kinds
        Which kinds of start; ``localised`` gives one start per way to compensate the charge.

    Returns
    -------
    list of DefectStart

    Raises
    ------
    ValueError
        For an unknown kind.
    """
    unknown = sorted(set(kinds) - set(START_KINDS))
    if unknown:
        raise ValueError(f"unknown start {unknown[0]!r}; starts: {', '.join(START_KINDS)}")
    out = [DefectStart(kind, kind) for kind in kinds if kind != "localised"]
    if "localised" in kinds:
        out += [DefectStart(m.label, "localised") for m in compensations(structure, index) if m.charge_e == 0]
    return out


def started(structure: Structure, index: int, start: DefectStart, seed: int = 0) -> Structure:
    """The vacancy's cell in one start.

    Parameters
    ----------
    structure, index
        As in `start_labels`.
    start
        One of `start_labels`.
    seed
        Of the rattling.

    Returns
    -------
    Structure
        Site order kept.

    Raises
    ------
    ValueError
        If no compensation has the start's label.
    """
    if start.kind == "as built":
        return remove_site(structure, index)
    if start.kind == "rattled":
        return _rattled(remove_site(structure, index), structure[index].frac_coords, seed)
    modes = [m for m in compensations(structure, index) if m.charge_e == 0 and m.label == start.label]
    if not modes:
        raise ValueError(f"no compensation {start.label!r} of the vacancy at site {index}")
    out = compensated(structure, index, modes[0])
    plain = remove_site(structure, index)
    changed = [
        i for i, (a, b) in enumerate(zip(plain, out, strict=True)) if a.properties["valence"] != b.properties["valence"]
    ]
    smaller = float(structure[index].properties["valence"]) > 0
    return _with_bonds(out, changed, -BOND_CHANGE if smaller else BOND_CHANGE)


def _rattled(cell: Structure, centre: np.ndarray, seed: int) -> Structure:
    """Normal displacements near the vacancy: they break the symmetry that would hold a saddle of the energy."""
    generator = np.random.default_rng(seed)
    distance = cell.lattice.get_all_distances(centre, cell.frac_coords)[0]
    shift = generator.normal(scale=RATTLE_A / np.sqrt(3.0), size=(len(cell), 3))
    shift[distance > _RATTLED_WITHIN_A] = 0.0
    return _displaced(cell, shift)


def _with_bonds(cell: Structure, centres: list[int], change: float) -> Structure:
    """Anions bonded to some ions moved along their bonds by a share of the bond length."""
    shift = np.zeros((len(cell), 3))
    for i in centres:
        for n in cell.get_neighbors(cell[i], _BOND_A):
            if n.properties["valence"] < 0:
                shift[n.index] += change * (n.coords - cell[i].coords)
    return _displaced(cell, shift)


def _displaced(cell: Structure, shift_A: np.ndarray) -> Structure:
    return Structure(
        cell.lattice,
        cell.species,
        cell.cart_coords + shift_A,
        coords_are_cartesian=True,
        site_properties={name: list(values) for name, values in cell.site_properties.items()},
    )
