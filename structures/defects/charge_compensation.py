"""Charge states of a defect and the ways in which the other ions make up for its charge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from pymatgen.core import Structure

from ...stored.base import Stored
from ..checks.geometry import coordination_number
from ..elements import OXIDATION_STEPS, element
from ..spins import Moment, along, high_spin_moment, low_spin_moment, total_moment, total_valence

_OCTAHEDRON = 6
_WHOLE = 1e-6
# Valence of the anions that take a hole, and the moment of the hole, muB.
_FULL_ANION, _HOLE_muB = -2, 1.0
_BOND_A = 2.6


@dataclass(frozen=True)
class Compensation(Stored):
    """One charge state of a defect with the ions that changed valence for it.

    Attributes
    ----------
    label
        E.g. ``"3 Co3+(B) low spin"``, ``"2 O-(O)"``, or ``"none"`` for the fully ionised defect.
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
    return charges_to_neutral(-round(float(structure[index].properties["valence"])))


def charges_to_neutral(full: int) -> list[int]:
    """Charges from the fully ionised one to the neutral one: -3, -2, -1, 0."""
    step = -1 if full > 0 else 1
    return [*range(full, 0, step), 0]


def formal_charge(cell: Structure) -> int:
    """Charge (e) of a cell with a defect whose ions all keep their formal valences: the fully ionised defect.

    Raises
    ------
    ValueError
        If the valences do not sum to a whole number.
    """
    total = total_valence(cell)
    if abs(total - round(total)) > _WHOLE:
        raise ValueError(f"the valences of the cell sum to {total:g}; charge states need a whole number")
    return round(total)


def compensations(structure: Structure, index: int) -> list[Compensation]:
    """Every charge state of a vacancy with every way to reach it by cations of one element and sublattice.

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
    # The rest of the cell may be off neutral by itself: only what the vacancy leaves is made up for.
    own, centre = -round(valence), [float(x) for x in structure[index].frac_coords]
    out: list[Compensation] = []
    for charge in charge_states(structure, index):
        if charge == own:
            out.append(Compensation("none", charge, None, None, 0, 0.0, 0.0, total_moment(bare)))
            continue
        for mode in holders(bare, charge - own):
            whole = replace(mode, charge_e=charge)
            out.append(replace(whole, total_moment_muB=total_moment(compensated_cell(bare, centre, [whole]))))
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
    bare = structure.copy()
    bare.remove_sites([index])
    return compensated_cell(bare, [float(x) for x in structure[index].frac_coords], [mode])


def holders(cell: Structure, missing: int, *, anions: bool = False) -> list[Compensation]:
    """Ways in which ions of one element and sublattice lack so many electrons, or hold so many more.

    Parameters
    ----------
    cell
        With a defect in it, and with site properties.
    missing
        Electrons that the ions lack; negative for electrons too many.
    anions
        Whether O2- and the like may lack one: a hole polaron.

    Returns
    -------
    list of Compensation
        The easiest first: in the order of `OXIDATION_STEPS`, low spin before high spin where it is low, anions last.
    """
    count, step = abs(missing), 1 if missing > 0 else -1
    if not count:
        return []
    groups: dict[tuple[str, str, float], list[int]] = {}
    for i, site in enumerate(cell):
        p = site.properties
        groups.setdefault((site.specie.symbol, p["sublattice"], float(p["valence"])), []).append(i)
    anion = next((s.specie.symbol for s in cell if s.properties["valence"] < 0), "O")
    ranked: list[tuple[tuple[int, str, str, int], Compensation]] = []
    for (symbol, sublattice, valence), sites in groups.items():
        new, ease = valence + step, _ease(symbol, valence, step)
        if len(sites) < count:
            continue
        if ease is None:
            if anions and step > 0 and valence == _FULL_ANION:
                label = f"{count} {symbol}-({sublattice})"
                mode = Compensation(label, 0, symbol, sublattice, count, new, _HOLE_muB, 0.0)
                ranked.append(((len(OXIDATION_STEPS), symbol, sublattice, 0), mode))
            continue
        states = [("high spin", high_spin_moment(symbol, new))]
        if new == element(symbol).low_spin and any(coordination_number(cell, i, anion) == _OCTAHEDRON for i in sites):
            states.insert(0, ("low spin", low_spin_moment(symbol, new)))
        for k, (name, moment) in enumerate(states):
            label = f"{count} {symbol}{new:.0f}+({sublattice}){f' {name}' if len(states) > 1 else ''}"
            mode = Compensation(label, 0, symbol, sublattice, count, new, moment, 0.0)
            ranked.append(((ease, symbol, sublattice, k), mode))
    return [mode for _, mode in sorted(ranked, key=lambda one: one[0])]


def compensated_cell(cell: Structure, centre: Sequence[float], modes: Sequence[Compensation]) -> Structure:
    """A cell with a defect whose nearest ions are changed as some compensations say together.

    Parameters
    ----------
    cell
        With a defect in it.
    centre
        Fractional coordinates of the defect, shape (3,).
    modes
        Each of ions of its own, e.g. of `holders`.

    Raises
    ------
    ValueError
        If the cell holds too few such ions.
    """
    out = cell.copy()
    for mode in modes:
        for i in _nearest(out, centre, mode):
            out[i].properties["valence"] = mode.valence
            out[i].properties["magmom"] = _moment(cell, i, mode)
    return out


def mixtures(cell: Structure, missing: int, *, anions: bool = True) -> Iterator[list[Compensation]]:
    """Ways in which ions of two kinds share the missing electrons, each kind at least one; the easiest pairs first.

    Arguments as `holders`.
    """
    count, step = abs(missing), 1 if missing > 0 else -1
    for few in range(1, count // 2 + 1):
        many = holders(cell, step * (count - few), anions=anions)
        others = holders(cell, step * few, anions=anions)
        for a, b in sorted(product(range(len(many)), range(len(others))), key=sum):
            kinds = [(mode.element, mode.sublattice) for mode in (many[a], others[b])]
            # Of two halves each pair comes twice.
            if kinds[0] != kinds[1] and not (2 * few == count and b < a):
                yield [many[a], others[b]]


def _ease(symbol: str, valence: float, step: int) -> int | None:
    """Rank of an ion among those that lose (gain) an electron, the easiest first; None if it does not."""
    before = round(valence) if step > 0 else round(valence) - 1
    if valence != round(valence) or (symbol, before) not in OXIDATION_STEPS:
        return None
    rank = OXIDATION_STEPS.index((symbol, before))
    return rank if step > 0 else len(OXIDATION_STEPS) - 1 - rank


def _moment(cell: Structure, index: int, mode: Compensation) -> Moment:
    """Moment of a changed ion: a cation keeps its direction.

    The hole of an anion is left by the electron whose spin is that of the cations about it: their majority states are
    full and push the anion's states of that spin to the top of its band.
    """
    if mode.valence > 0:
        return along(cell[index].properties["magmom"], mode.moment_muB)
    near = [n.properties["magmom"] for n in cell.get_neighbors(cell[index], _BOND_A) if n.properties["valence"] > 0]
    against = -np.sum(np.asarray(near, dtype=float), axis=0)
    return along(float(against) if against.ndim == 0 else [float(x) for x in against], mode.moment_muB)


def _nearest(cell: Structure, centre: Sequence[float], mode: Compensation) -> list[int]:
    """The ions that change: as many of the kind as are needed, nearest to the defect."""
    candidates = [
        i
        for i, s in enumerate(cell)
        if (s.specie.symbol, s.properties["sublattice"]) == (mode.element, mode.sublattice)
        and abs(float(s.properties["valence"]) - mode.valence) == 1
    ]
    if len(candidates) < mode.count:
        raise ValueError(f"{mode.label} needs {mode.count} ions, the cell has {len(candidates)}")
    distance = cell.lattice.get_all_distances(centre, cell.frac_coords)[0]
    return sorted(candidates, key=lambda i: (round(float(distance[i]), 4), i))[: mode.count]
