"""Files of a run that lies in its folder, and the penalty of constrained moments in its OSZICAR."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

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
    for path in (place / name, place / f"{name}.gz"):
        if path.is_file():
            return path
    raise FileNotFoundError(f"{place} holds no {name}")


def run_text(folder: str | Path, name: str) -> str:
    """Text of a file of a run; errors as `file_of`."""
    path = file_of(folder, name)
    if path.suffix != ".gz":
        return path.read_text(encoding="utf-8", errors="replace")
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as stream:
        return stream.read()


def constraint_penalty_eV(oszicar: str) -> float | None:
    """Penalty energy of constrained moments at the end of a run; None if nothing was constrained."""
    penalties = _PENALTY.findall(oszicar)
    return float(penalties[-1].replace("D", "E")) if penalties else None
