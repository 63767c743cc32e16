"""The two ends of a band made continuous: one drift, minimum images and equal atoms by number, or a refusal by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from ase.geometry import find_mic
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ..evaluation.finite import in_words

FloatArray = NDArray[np.float64]
Mover: TypeAlias = "int | Sequence[int]"
"""Index of the moving ion, or of all that move together: the one that the hop is named for first."""

SITE_PROPERTIES = ("magmom", "initial_magmoms", "valence", "initial_charges")
STAYS_A = 1.0
"""An atom other than the mover that goes no farther than this stays on its site."""
HOPS_A = 1.5
"""One that goes farther hops itself, and a band has one mover."""
DRIFT_A = 0.005
"""A smaller shift of the whole is left as it is."""
FEW = 3
"""So few atoms beside the mover say nothing about a drift."""


class BandInputError(ValueError):
    """The two ends do not make a band."""


class Ends(NamedTuple):
    """Ends with continuous coordinates, atom by atom, trials that go with them, and what was done for it."""

    initial: Atoms
    final: Atoms
    intermediates: list[Atoms]
    notes: list[str]


def movers_of(mover: Mover) -> list[int]:
    """All ions that move together, the one that the hop is named for first."""
    return [mover] if isinstance(mover, int | np.integer) else [int(m) for m in mover]


def continuous_ends(
    initial: Atoms, final: Atoms, intermediates: Sequence[Atoms], mover: Mover, same_state_A: float
) -> Ends:
    """Ends of one band from two structures of the same atoms.

    A drift of the whole is taken out, every atom goes to its image nearest to the initial end, and equal atoms that
    changed numbers get those of the initial end back.

    Parameters
    ----------
    initial, final
        Ends; the initial one stays as it is.
    intermediates
        Trials between them.
    mover
        Index of the moving ion in the initial end, or of all that move together; those are taken as they are numbered.
    same_state_A
        Ends whose mover is nearer than this are one state.

    Raises
    ------
    BandInputError
        If the two are not the same atoms, spins, valences and constraints, another atom hops as well, or both ends
        are one state; it names the atoms.
    """
    notes: list[str] = []
    _require_same_cell(initial, final, mover)
    moved = _joined(initial, final, mover, "final end", notes)
    # Half-way along the hop the images of a trial's mover are told apart.
    middle = initial.copy()
    movers = movers_of(mover)
    middle.positions[movers] = (initial.positions[movers] + moved.positions[movers]) / 2
    trials = []
    for n, trial in enumerate(intermediates, start=1):
        _require_same_cell(initial, trial, mover)
        trials.append(_joined(middle, trial, mover, f"trial intermediate {n}", notes))
    check_ends(initial, moved, mover, same_state_A)
    return Ends(initial, moved, trials, notes)


def check_ends(initial: Atoms, final: Atoms, mover: Mover, same_state_A: float) -> None:
    """Refuse ends that are not the same atoms, spins, valences and constraints, or not two states.

    Raises
    ------
    BandInputError
        Naming what differs.
    """
    if len(initial) != len(final) or any(initial.numbers != final.numbers):
        raise BandInputError("the two ends of a band must hold the same atoms in the same order")
    _require_same_cell(initial, final, mover)
    for name in SITE_PROPERTIES:
        first, last = initial.arrays.get(name), final.arrays.get(name)
        if (first is None) != (last is None):
            raise BandInputError(f"only one of the two ends has the site property {name!r}: give it to both or none")
        if first is not None and not np.allclose(np.asarray(first, float), np.asarray(last, float), atol=1e-6):
            raise BandInputError(f"site property {name!r} differs between the ends: a spin or charge flip is no hop")
    charges = [atoms.info.get("charge", 0.0) for atoms in (initial, final)]
    if charges[0] != charges[1]:
        raise BandInputError(
            f"the ends have charges {charges[0]:g} and {charges[1]:g} e: a hop keeps the cell's charge"
        )
    _check_constraints(initial, final, mover)
    lead = movers_of(mover)[0]
    moved = np.linalg.norm(final.positions[lead] - initial.positions[lead])
    if moved < same_state_A:
        raise BandInputError(f"the mover's ends are {moved:.2f} A apart: both ends are the same state")


def _require_same_cell(initial: Atoms, other: Atoms, mover: Mover) -> None:
    if len(initial) != len(other) or sorted(initial.numbers) != sorted(other.numbers):
        formulas = " and ".join(a.get_chemical_formula() for a in (initial, other))
        raise BandInputError(f"the two ends of a band must hold the same atoms, not {formulas}")
    movers = movers_of(mover)
    if odd := [m for m in movers if not 0 <= m < len(initial)]:
        raise BandInputError(f"mover {odd[0]} is outside 0 to {len(initial) - 1}")
    if len(set(movers)) < len(movers):
        raise BandInputError(f"movers {movers}: each ion that moves must be named once")
    for atoms in (initial, other):
        lost = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
        if len(lost):
            raise BandInputError(f"atom {lost[0]} of an end is nowhere: its position is no finite number")
    if not np.allclose(initial.cell.array, other.cell.array, atol=1e-8) or any(initial.pbc != other.pbc):
        raise BandInputError("the two ends of a band must have the same cell and the same periodic directions")


def _check_constraints(initial: Atoms, final: Atoms, mover: Mover) -> None:
    first, last = fixed_atoms(initial), fixed_atoms(final)
    if first != last:
        odd = sorted(first ^ last)
        raise BandInputError(
            f"{in_words(initial, odd[0])} is fixed in one end only ({len(odd)} such atoms): fix the same atoms in both"
        )
    if held := [m for m in movers_of(mover) if m in first]:
        raise BandInputError(f"the mover, {in_words(initial, held[0])}, is fixed: release it, or name another mover")
    kinds = [[c.todict() for c in a.constraints if not isinstance(c, FixAtoms)] for a in (initial, final)]
    if str(kinds[0]) != str(kinds[1]):
        raise BandInputError("the two ends have different constraints: give both the same")
    away = {i: float(np.linalg.norm(final.positions[i] - initial.positions[i])) for i in first}
    moved = [i for i, d in away.items() if d > 1e-4]
    if moved:
        raise BandInputError(
            f"{in_words(initial, moved[0])} is fixed but stands {away[moved[0]]:.3f} A away in the final end: "
            "put fixed atoms to the same place in both"
        )


def fixed_atoms(atoms: Atoms) -> set[int]:
    """Indices of atoms that do not move at all."""
    return {int(i) for c in atoms.constraints if isinstance(c, FixAtoms) for i in c.get_indices()}


def _joined(initial: Atoms, other: Atoms, mover: Mover, what: str, notes: list[str]) -> Atoms:
    """`other` with the numbers, images and place of the initial end."""
    renumbered = bool(any(initial.numbers != other.numbers))
    said: list[str] = []
    out = other.copy() if renumbered else _placed(initial, other, mover, said, what)
    if renumbered or _farthest(initial, out, mover)[1] > STAYS_A:
        order = _order(initial, out, mover)
        if order is None and renumbered:
            raise BandInputError(
                f"the {what} holds the atoms in another order, and they cannot be matched by place: "
                "give all structures the order of the initial end"
            )
        if order is not None:
            # What was done to atoms under other numbers is not what was done to these.
            said = _changed_numbers(initial, order, what)
            again = other[order]
            again.info = dict(other.info)
            out = _placed(initial, again, mover, said, what)
    notes += said
    atom, distance = _farthest(initial, out, mover)
    if distance > HOPS_A:
        raise BandInputError(
            f"{in_words(initial, atom)} is {distance:.2f} A away in the {what} and no equal atom took its place: "
            f"a band has one mover, here {in_words(initial, movers_of(mover)[0])}, unless others are named (a shift of "
            "the whole and other numbers together are not told apart: take one of them out)"
        )
    return out


def _placed(initial: Atoms, other: Atoms, mover: Mover, notes: list[str], what: str) -> Atoms:
    """Nearest images, without a drift of the whole."""
    out: Atoms = other.copy()
    others = ~np.isin(np.arange(len(initial)), movers_of(mover))
    drift = np.zeros(3)
    if others.sum() > FEW and not (initial.constraints or other.constraints):
        drift = np.median(_steps(initial, out)[others], axis=0)
    if np.linalg.norm(drift) > DRIFT_A:
        out.positions -= drift
        notes.append(f"{what}: a shift of the whole by ({', '.join(f'{x:.3f}' for x in drift)}) A was taken out")
    steps, plain = _steps(initial, out), out.positions - initial.positions
    # Of two images equally near the one that was given stays.
    wrapped = np.linalg.norm(steps, axis=1) < np.linalg.norm(plain, axis=1) - 1e-6
    if wrapped.any():
        out.positions[wrapped] = initial.positions[wrapped] + steps[wrapped]
        atom = int(np.flatnonzero(wrapped)[0])
        notes.append(
            f"{what}: {int(wrapped.sum())} atoms stood in another cell than in the initial end "
            f"(the first is {initial.get_chemical_symbols()[atom]} {atom}) and were brought to the nearest image"
        )
    return out


def _steps(initial: Atoms, other: Atoms) -> FloatArray:
    """Displacements by minimum image, shape (n, 3)."""
    return np.asarray(find_mic(other.positions - initial.positions, initial.cell, initial.pbc)[0])


def _farthest(initial: Atoms, other: Atoms, mover: Mover) -> tuple[int, float]:
    """The atom beside the mover that goes farthest, and how far, Angstrom."""
    gone = np.linalg.norm(_steps(initial, other), axis=1)
    gone[movers_of(mover)] = 0.0
    return int(np.argmax(gone)), float(gone.max())


def _order(initial: Atoms, other: Atoms, moving: Mover) -> list[int] | None:
    """Numbers of equal atoms with which every one but the mover stays; None where there are none.

    Of several movers any could have any of their places, and only their numbers say which.
    """
    mover, *more = movers_of(moving)
    if more:
        return None
    order = np.full(len(initial), -1)
    others = [i for i in range(len(initial)) if i != mover]
    kinds, other_kinds = _kinds(initial), _kinds(other)
    for kind in sorted(set(kinds)):
        rows = [i for i in others if kinds[i] == kind]
        columns = [j for j in range(len(other)) if other_kinds[j] == kind]
        if len(rows) > len(columns):
            return None
        vectors = other.positions[columns][None] - initial.positions[rows][:, None]
        gaps = find_mic(vectors.reshape(-1, 3), initial.cell, initial.pbc)[1].reshape(len(rows), len(columns))
        for row, column in zip(*linear_sum_assignment(gaps**2), strict=True):
            order[rows[row]] = columns[column]
    order[mover] = next(j for j in range(len(other)) if j not in set(order.tolist()))
    new_order: list[int] = order.tolist()
    if kinds[mover] != other_kinds[new_order[mover]] or _farthest(initial, other[new_order], mover)[1] > STAYS_A:
        return None
    return new_order


def _changed_numbers(initial: Atoms, order: Sequence[int], what: str) -> list[str]:
    """What is said of atoms that got their numbers back."""
    changed = [i for i in range(len(initial)) if order[i] != i]
    names = ", ".join(f"{initial.get_chemical_symbols()[i]} {i}" for i in changed[:4])
    said = f"{what}: {len(changed)} equal atoms had changed numbers ({names}) and got them back"
    return [said] if changed else []


def _kinds(atoms: Atoms) -> list[tuple[float, ...]]:
    """What tells atoms apart beside their place: element, spin and charge."""
    known = [np.asarray(atoms.arrays[n], dtype=float).round(6) for n in SITE_PROPERTIES if n in atoms.arrays]
    # A moment that is a vector tells by its three components.
    columns = [column.tolist() for k in known for column in k.reshape(len(atoms), -1).T]
    return list(zip(atoms.numbers.tolist(), *columns, strict=True))


def minima_in_words(rises_eV: Mapping[int, float]) -> list[str]:
    """Trial intermediates that are minima, by number with their energy above the initial state; equal ones as one.

    Places that a symmetry of the hop exchanges have one energy, and are one finding.
    """
    by_energy: dict[str, list[int]] = {}
    for number, rise_eV in sorted(rises_eV.items()):
        by_energy.setdefault(f"{rise_eV:+.3f}", []).append(number)
    out = []
    for rise, numbers in by_energy.items():
        *most, last = map(str, numbers)
        which = (
            f"intermediates {', '.join(most)} and {last} are minima" if most else f"intermediate {last} is a minimum"
        )
        out.append(f"trial {which} at {rise} eV above the initial state")
    return out


def moved_with_ends(top: Atoms, path: Sequence[Atoms], ends: Sequence[Atoms]) -> FloatArray:
    """Positions of an image of another engine's path, shape (n, 3), moved as the ends moved when they relaxed.

    Two engines differ in every bond of the surroundings, at the saddle as at the ends.

    Parameters
    ----------
    top
        The image.
    path
        All images, which it is one of; without them it stays where it is.
    ends
        The ends as relaxed by this engine.
    """
    if len(path) < 2:
        return np.array(top.positions)
    steps = [float(np.linalg.norm(b.positions - a.positions)) for a, b in pairwise(path)]
    number = int(np.argmin([np.abs(image.positions - top.positions).max() for image in path]))
    part = sum(steps[:number]) / sum(steps)
    shifts = [end.positions - image.positions for end, image in zip(ends, (path[0], path[-1]), strict=True)]
    return np.asarray(top.positions + (1 - part) * shifts[0] + part * shifts[1])
