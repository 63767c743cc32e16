"""Several starts of one defect: as built, rattled, distorted, and with the missing charge placed on chosen ions.

A relaxation finds the electronic and magnetic state nearest to its start. Delocalised and localised
holes, or holes on other ions, differ by tenths of an eV to eV, so one start is a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from ...stored.base import Stored
from ..similar import did_you_mean
from .charge_compensation import Compensation, compensated_cell, formal_charge, holders, mixtures
from .vacancies import remove_site

StartKind = Literal["as built", "rattled", "localised", "on anions", "distorted", "mixed"]
START_KINDS: tuple[StartKind, ...] = get_args(StartKind)
"""In the order of promise: a budget takes the first of them."""
RATTLE_A = 0.05
# Bonds to an ion that lost (gained) an electron start this much shorter (longer), which helps the charge to stay.
BOND_CHANGE = 0.04
# Changes of the bonds between a defect and its neighbours: the middle of what ShakeNBreak tries by default comes first.
DISTORTIONS = (-0.4, 0.4, -0.2, 0.2, -0.6, 0.6)
_RATTLED_WITHIN_A = 4.5
_BOND_A = 2.6
_AT_CENTRE_A = 0.05
# Beyond an octet of electrons that change, fewer neighbours take part: the rule of ShakeNBreak.
_OCTET = 8


@dataclass(frozen=True)
class DefectStart(Stored):
    """A start of one defect.

    Attributes
    ----------
    label
        ``as built``, ``rattled``, the ions that hold the missing charge, e.g. ``2 Co3+(B) low spin + 1 O-(O)``, or the
        change of the bonds, e.g. ``bonds -40 %``.
    kind
        Which of `START_KINDS`.
    charge_e
        Charge of the cell.
    """

    as_before: ClassVar[Mapping[str, Any]] = {"charge_e": 0}

    label: str
    kind: StartKind
    charge_e: int = 0


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
    """Starts of the neutral vacancy of a site; see `defect_starts`."""
    bare = remove_site(structure, index)
    return defect_starts(bare, 0, kinds, full_charge=-round(float(structure[index].properties["valence"])))


def defect_starts(
    cell: Structure,
    charge_e: int,
    kinds: Sequence[StartKind] = START_KINDS,
    *,
    most: int | None = None,
    full_charge: int | None = None,
) -> list[DefectStart]:
    """Starts of a defect in one charge state, in the order of promise.

    Parameters
    ----------
    cell
        With the defect in it, and with the site properties ``valence``, ``sublattice`` and ``magmom``.
    charge_e
        Charge of the cell.
    kinds
        Which kinds: ``localised`` gives one start for each kind of cation that can hold the missing charge alone,
        ``on anions`` holes on the anions, ``mixed`` two kinds of ions together, ``distorted`` changed bonds.
    most
        Budget: no more than so many; None for all.
    full_charge
        Charge of the defect with all ions as they are; the sum of the valences by default.

    Raises
    ------
    ValueError
        For an unknown kind, or a budget below 1.
    """
    unknown = sorted(set(kinds) - set(START_KINDS))
    if unknown:
        raise ValueError(f"unknown start {unknown[0]!r}; starts: {', '.join(START_KINDS)}")
    if most is not None and most < 1:
        raise ValueError(f"a budget of {most} starts; it must be at least 1")
    missing = charge_e - (formal_charge(cell) if full_charge is None else full_charge)
    starts = [
        DefectStart(label, kind, charge_e)
        for kind in START_KINDS
        if kind in kinds
        for label in _labels(cell, kind, missing)
    ]
    return starts[:most]


def _labels(cell: Structure, kind: StartKind, missing: int) -> Iterator[str]:
    if kind in ("as built", "rattled"):
        yield kind
    elif kind == "distorted":
        yield from (f"bonds {100 * change:+.0f} %" for change in DISTORTIONS if distorted_neighbours(missing))
    else:
        yield from (" + ".join(mode.label for mode in modes) for modes in _placements(cell, kind, missing))


def _placements(cell: Structure, kind: StartKind, missing: int) -> list[list[Compensation]]:
    """Ions that hold the missing electrons, for the kinds that place them."""
    if kind == "mixed":
        return list(mixtures(cell, missing))
    with_anions = holders(cell, missing, anions=True)
    return [[mode] for mode in with_anions if (mode.valence < 0) == (kind == "on anions")]


def distorted_neighbours(missing: int) -> int:
    """Neighbours of a defect whose bonds a distortion changes: as many as electrons are missing or too many.

    The rule of ShakeNBreak (10.1038/s41524-023-00973-1): of more than four, eight less their number.
    """
    count = abs(missing)
    return count if count <= _OCTET // 2 else abs(_OCTET - count)


def started(structure: Structure, index: int, start: DefectStart, seed: int = 0) -> Structure:
    """The vacancy's cell in one start.

    Parameters
    ----------
    structure, index
        As in `start_labels`.
    start, seed
        As in `started_cell`.

    Returns
    -------
    Structure
        Site order kept.
    """
    full = -round(float(structure[index].properties["valence"]))
    centre = [float(x) for x in structure[index].frac_coords]
    return started_cell(remove_site(structure, index), centre, start, seed, full_charge=full)


def started_cell(
    cell: Structure, centre: Sequence[float], start: DefectStart, seed: int = 0, *, full_charge: int | None = None
) -> Structure:
    """A defect's cell in one start.

    Parameters
    ----------
    cell, full_charge
        As in `defect_starts`.
    centre
        Fractional coordinates of the defect, shape (3,).
    start
        One of `defect_starts`.
    seed
        Of the rattling.

    Returns
    -------
    Structure
        Site order kept.

    Raises
    ------
    ValueError
        If no compensation has the start's label, or bonds are to be distorted and the package for it is missing.
    """
    where = np.asarray(centre, dtype=float)
    if start.kind == "as built":
        return cell.copy()
    if start.kind == "rattled":
        return _rattled(cell, where, seed)
    missing = start.charge_e - (formal_charge(cell) if full_charge is None else full_charge)
    if start.kind == "distorted":
        change = float(start.label.split()[1]) / 100
        return _rattled(_distorted(cell, where, distorted_neighbours(missing), change), where, seed)
    placements = _placements(cell, start.kind, missing)
    modes = next((m for m in placements if " + ".join(one.label for one in m) == start.label), None)
    if modes is None:
        raise ValueError(f"no compensation {start.label!r} of a defect with charge {start.charge_e:+d}")
    out = compensated_cell(cell, centre, modes)
    changed = [
        i for i, (a, b) in enumerate(zip(cell, out, strict=True)) if a.properties["valence"] != b.properties["valence"]
    ]
    return _with_bonds(out, changed, -BOND_CHANGE if missing > 0 else BOND_CHANGE)


def require_shakenbreak() -> None:
    """Refuse distorted bonds early where their package is missing.

    Raises
    ------
    ValueError
        With what to install.
    """
    from importlib.util import find_spec

    if find_spec("shakenbreak") is None:
        raise ValueError(
            "starts with distorted bonds need the package shakenbreak: pip install 'magnetoionics[distortions]'"
        )


def _distorted(cell: Structure, centre: NDArray[np.float64], neighbours: int, change: float) -> Structure:
    """The nearest neighbours of a defect moved towards it or away from it, by ShakeNBreak."""
    require_shakenbreak()
    from shakenbreak.distortions import distort

    bare = Structure(cell.lattice, [s.specie.symbol for s in cell], cell.frac_coords)
    at_centre = [i for i, s in enumerate(bare) if s.distance_and_image_from_frac_coords(centre)[0] < _AT_CENTRE_A]
    where = {"site_index": at_centre[0]} if at_centre else {"frac_coords": centre}
    distorted = distort(bare, neighbours, 1.0 + change, **where)["distorted_structure"]
    apart = distorted.frac_coords - cell.frac_coords
    return _displaced(cell, (apart - np.rint(apart)) @ cell.lattice.matrix)


def _rattled(cell: Structure, centre: NDArray[np.float64], seed: int) -> Structure:
    """Normal displacements near the defect: they break the symmetry that would hold a saddle of the energy."""
    generator = np.random.default_rng(seed)
    distance = cell.lattice.get_all_distances(centre, cell.frac_coords)[0]
    shift = generator.normal(scale=RATTLE_A / np.sqrt(3.0), size=(len(cell), 3))
    shift[distance > _RATTLED_WITHIN_A] = 0.0
    return _displaced(cell, shift)


def _with_bonds(cell: Structure, centres: list[int], change: float) -> Structure:
    """Neighbours of the other sign of some ions moved along their bonds by a share of the bond length."""
    shift = np.zeros((len(cell), 3))
    for i in centres:
        for n in cell.get_neighbors(cell[i], _BOND_A):
            if n.properties["valence"] * cell[i].properties["valence"] < 0:
                # About an anion with a hole the cations step back: it attracts them less.
                along_bond = change if cell[i].properties["valence"] > 0 else -change
                shift[n.index] += along_bond * (n.coords - cell[i].coords)
    return _displaced(cell, shift)


def _displaced(cell: Structure, shift_A: NDArray[np.float64]) -> Structure:
    return Structure(
        cell.lattice,
        cell.species,
        cell.cart_coords + shift_A,
        coords_are_cartesian=True,
        site_properties={name: list(values) for name, values in cell.site_properties.items()},
    )
