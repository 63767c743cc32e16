"""Entries of host files: each of its kind, or refused with what it must be."""

from __future__ import annotations

from typing import Any

from pymatgen.core import Composition

from ..host_definition import UnknownHostError

# Of a value in a message.
_LONGEST_TEXT = 80
# Of a file's name in most systems.
_LONGEST_NAME = 255


class HostFileError(UnknownHostError):
    """A host file that cannot be used; the message says why."""


def name_of(value: Any, what: str) -> str:
    """A name that can stand in a table and in a path.

    Raises
    ------
    HostFileError
        If it is no text, longer than a file's name may be, or holds characters that steer a terminal.
    """
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= _LONGEST_NAME:
        raise HostFileError(
            f"{what} = {clipped(value)} must be a name: 1 to {_LONGEST_NAME} printable characters in one line"
        )
    return value


def formulas(value: Any, name: str) -> tuple[str, ...]:
    """Formulas of a list."""
    if not isinstance(value, list | tuple):
        raise HostFileError(f"{name} = {clipped(value)} must be a list of formulas, e.g. [CoO, Fe2O3]")
    for formula in value:
        try:
            valid = isinstance(formula, str) and Composition(formula, strict=True).valid
        except ValueError:
            valid = False
        if not valid:
            raise HostFileError(f"{name} holds {clipped(formula)}, which is no formula such as Fe2O3")
    return tuple(value)


def whole(value: Any, name: str) -> int:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise HostFileError(f"{name} = {clipped(value)} must be a whole number")
    return value


def truth(value: Any, name: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise HostFileError(f"{name} = {clipped(value)} must be true or false")
    return value


def sense(value: Any, name: str) -> int:
    """Direction of a sublattice's spins along z."""
    if isinstance(value, bool) or value not in (-1, 0, 1):
        raise HostFileError(f"{name} = {clipped(value)} must be 1 along z, -1 against it, or 0")
    return int(value)


def a_number(value: Any, name: str) -> float:
    """A number, also one that YAML takes for a text, such as 1e-3; yes and no are none."""
    try:
        return float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError):
        raise HostFileError(f"{name} = {clipped(value)} must be a number") from None


def clipped(value: Any) -> str:
    """A value as a message shows it."""
    text = repr(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."
