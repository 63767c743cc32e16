"""Numbers as Fortran prints them: run together, with D exponents, or as stars where a field was too narrow."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?|\*+|[-+]?NaN|[-+]?Infinity", re.IGNORECASE)


def reals(text: str) -> list[float]:
    """All real numbers of a line; NaN stands for stars.

    Parameters
    ----------
    text
        Such as ``" -100.12345678-200.12345678 ********"``: a minus begins a number.
    """
    words = text.split()
    try:
        return [float(w) for w in words]
    except ValueError:
        numbers = _NUMBER.findall(text)
        return [float("nan") if "*" in w else float(w.upper().replace("D", "E")) for w in numbers]


def integer(text: str) -> int | None:
    """A whole number; None for stars or anything else."""
    try:
        return int(text.strip())
    except ValueError:
        return None


def finite(values: NDArray[np.float64] | list[float] | None) -> bool:
    """Whether there are values and all of them are numbers."""
    return values is not None and np.size(values) > 0 and bool(np.isfinite(np.asarray(values, dtype=float)).all())
