"""Refuse settings out of their range before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Iterable


def require_positive(owner: object, names: Iterable[str], advice: str = "") -> None:
    """Every named field is a finite number above zero, or None.

    Raises
    ------
    ValueError
        Naming field, value and range.
    """
    for name in names:
        value = getattr(owner, name)
        if value is not None and not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} = {value} must be a number above 0{f'; {advice}' if advice else ''}")


def require_at_least(owner: object, least: int, names: Iterable[str]) -> None:
    """Every named field is a whole number of at least `least`.

    Raises
    ------
    ValueError
        Naming field, value and range.
    """
    for name in names:
        value = getattr(owner, name)
        if isinstance(value, bool) or int(value) != value or value < least:
            raise ValueError(f"{name} = {value} must be a whole number of at least {least}")
