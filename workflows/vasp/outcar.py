"""What the common parsers leave in OUTCAR and OSZICAR: orbital moments and the penalty of constrained moments."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_ROW = re.compile(r"^\s*\d+((?:\s+-?\d+\.\d+)+)\s*$")
_PENALTY = re.compile(r"E_p\s*=\s*([-+.\dEeDd]+)")


def file_of(folder: str | Path, name: str) -> Path:
    """A file of a run, gzipped or not.

    Parameters
    ----------
    folder
        Of the run; a ``host:`` in front is left away.
    name
        E.g. ``"OUTCAR"``.

    Raises
    ------
    FileNotFoundError
        If there is neither the file nor its gzipped form.
    """
    place = Path(str(folder).split(":", 1)[-1])
    for found in (place / name, place / f"{name}.gz"):
        if found.is_file():
            return found
    raise FileNotFoundError(f"{place} holds no {name}")


def read_text(folder: str | Path, name: str) -> str:
    """Text of a file of a run; errors as `file_of`."""
    found = file_of(folder, name)
    if found.suffix != ".gz":
        return found.read_text(encoding="utf-8", errors="replace")
    with gzip.open(found, "rt", encoding="utf-8", errors="replace") as stream:
        return stream.read()


def last_table(text: str, title: str) -> NDArray[np.float64] | None:
    """Last column of the last per-ion table with a title, shape (n_ions,); None if there is none."""
    start = max(text.rfind(f"\n {title}\n"), text.rfind(f"\n{title}\n"))
    if start < 0:
        return None
    values: list[float] = []
    for line in text[start:].splitlines()[2:]:
        found = _ROW.match(line)
        if found:
            values.append(float(found.group(1).split()[-1]))
        elif line.strip().startswith("tot") or (values and not line.strip().startswith("-")):
            break
    return np.array(values) if values else None


def vector_table(text: str, title: str) -> NDArray[np.float64] | None:
    """Three tables ``title (x)``, ``(y)``, ``(z)`` as vectors, shape (n_ions, 3); None if one is missing."""
    columns = [last_table(text, f"{title} ({axis})") for axis in "xyz"]
    if any(c is None for c in columns):
        return None
    return np.stack([c for c in columns if c is not None], axis=1)


def constraint_penalty_eV(oszicar: str) -> float | None:
    """Penalty energy of constrained moments at the end of a run; None if nothing was constrained."""
    found = _PENALTY.findall(oszicar)
    return float(found[-1].replace("D", "E")) if found else None
