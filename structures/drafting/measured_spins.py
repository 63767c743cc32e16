"""Spins of drafted roles held against the moments that a file holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pymatgen.core import Element

from ..io.file_spins import LEAST_muB, WEAK_muB
from ..spins import high_spin_moment, largest_moment
from .sites import Role


def moment_size(moment: Any) -> float:
    """Length of a moment that is a number or a vector, muB."""
    return abs(float(moment)) if not hasattr(moment, "__len__") else sum(float(x) ** 2 for x in moment) ** 0.5


def with_measured_spins(roles: list[Role], sizes: list[float], *, metal: bool) -> list[Role]:
    """Roles with the spins that the file's moments show.

    Ions without a moment in the file, though they have one by their valence, have none: rare earths mostly order at a
    lower temperature than the metals between them, and files hold what was refined. Atoms of a metal, whose valences
    say nothing of it, have the file's size; d and f ions that would have none by their valence have it too; and a
    moment nearer to that of high spin than to the low spin of the guess makes it high spin.

    Parameters
    ----------
    roles
        As guessed.
    sizes
        Of the file's moments by site, muB.
    metal
        Whether the crystal is a metal.
    """
    out: list[Role] = []
    for role in roles:
        still = tuple(i for i in role.sites if sizes[i] < LEAST_muB) if role.moment_muB() else ()
        rest = tuple(i for i in role.sites if i not in still)
        if rest:
            out.append(_sized(replace(role, sites=rest), [sizes[i] for i in rest], metal=metal))
        if still:
            words = f"no moment in the file, {role.moment_muB():g} muB by the valence: not ordered there"
            out.append(replace(role, sites=still, spin=0.0, reason=words))
    return out


def _sized(role: Role, sizes: list[float], *, metal: bool) -> Role:
    found = [size for size in sizes if size >= LEAST_muB]
    if not found or not _has_open_shell(role.element):
        return role
    mean = sum(found) / len(found)
    if isinstance(role.spin, float) and (metal or (role.spin == 0 and mean > WEAK_muB)):
        size = round(min(mean, largest_moment(role.element, role.valence)), 4)
        return replace(role, spin=size, reason=f"the mean of the file's moments, {mean:.2f} muB")
    if role.spin == "low":
        high = high_spin_moment(role.element, role.valence)
        if mean > (role.moment_muB() + high) / 2 and high > role.moment_muB():
            return replace(role, spin=None, reason=f"high spin: the file's moments are {mean:.2f} muB")
    return role


def _has_open_shell(symbol: str) -> bool:
    el = Element(symbol)
    return bool(el.is_transition_metal or el.is_lanthanoid or el.is_actinoid)
