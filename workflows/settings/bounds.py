"""Refuse settings out of their range before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any

from ...analysis.results.document import require_finite


def require_finite_settings(owner: Any, where: str = "") -> None:
    """No number of a settings class, however deep, is NaN or infinite.

    Raises
    ------
    ValueError
        Naming field and value.
    """
    for field in fields(owner):
        value, name = getattr(owner, field.name), f"{where}{field.name}"
        for inner in value.values() if isinstance(value, dict) else [value]:
            if is_dataclass(inner) and not isinstance(inner, type):
                require_finite_settings(inner, f"{name}.")
            else:
                require_finite(inner, name)


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
        if isinstance(value, bool) or not math.isfinite(value) or int(value) != value or value < least:
            raise ValueError(f"{name} = {value} must be a whole number of at least {least}")
