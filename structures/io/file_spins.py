"""Moments that a structure file brings: directions taken from them, or compared with the stated ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from ..checks.geometry import StructureError
from ..spins import Moment, Spin, along, site_moment

FloatArray = NDArray[np.float64]
# Smaller moments are what covalency leaves on an anion: they show no direction.
WEAK_muB = 0.5
# Of an ion that has a moment by its valence, measured ones down to this show it: Ir4+ and Cu2+ have 0.2 and 0.4 muB.
LEAST_muB = 0.1
# Largest difference of the cosines between two moments; computed and measured ones cant a little.
_SAME_ANGLE = 0.3
FROM_FILE = "file"


def spins_from_file(structure: Structure, valences: Sequence[float], words: Sequence[Spin | None]) -> list[Spin | None]:
    """Spins with the sizes that valences say and the directions that the file's moments show.

    Parameters
    ----------
    structure
        As read, with the site property ``magmom``.
    valences
        Per site, in e.
    words
        What the roles say per site: a positive number is a size along the moment in the file, if it has one there;
        negative numbers and vectors stay as they are.

    Returns
    -------
    list
        For the site property ``spin``; None where the ion has no moment.

    Raises
    ------
    StructureError
        If the file has no moments, or none where the ion has one.
    """
    moments = structure.site_properties.get("magmom")
    if moments is None:
        raise StructureError(
            "spins: file needs moments in the structure file (mCIF, extended XYZ or JSON); it has none"
        )
    out: list[Spin | None] = []
    for i, (site, valence, word, moment) in enumerate(zip(structure, valences, words, moments, strict=True)):
        if isinstance(word, int | float) and word > 0 and np.linalg.norm(moment) >= LEAST_muB:
            out.append(along(moment, float(word)))
            continue
        if word is not None and not isinstance(word, str):
            out.append(word)
            continue
        size = site_moment(site.specie.symbol, valence, word)
        if not size:
            # A low spin without a moment stays one, and is no high spin.
            out.append(None if word is None else 0.0)
            continue
        if np.linalg.norm(moment) < LEAST_muB:
            raise StructureError(
                f"site {i} ({site.specie.symbol}, valence {valence:g}) has {np.linalg.norm(moment):.2f} muB in the "
                f"file but {size:g} muB by its valence: give its role a spin, e.g. low or a moment"
            )
        out.append(along(moment, float(size) if not isinstance(size, list) else float(np.linalg.norm(size))))
    return out


def check_against_file(cell: Structure, moments: Sequence[Moment] | None) -> None:
    """Refuse stated spins whose directions among each other are not those of the file's moments.

    Sizes and a common turn of all moments do not count.

    Parameters
    ----------
    cell
        With the stated ``magmom``.
    moments
        The file's, in the same site order; None if it has none.

    Raises
    ------
    StructureError
        Naming two sites whose moments stand otherwise than stated.
    """
    if moments is None:
        return
    theirs, ours = _vectors(moments), _vectors(cell.site_properties["magmom"])
    strong = np.flatnonzero((np.linalg.norm(theirs, axis=1) > WEAK_muB) & (np.linalg.norm(ours, axis=1) > WEAK_muB))
    if not len(strong):
        return
    first, second = (v[strong] / np.linalg.norm(v[strong], axis=1)[:, None] for v in (theirs, ours))
    metrics, stated = first @ first.T, second @ second.T
    i, j = np.unravel_index(int(np.argmax(np.abs(metrics - stated))), metrics.shape)
    if abs(metrics[i, j] - stated[i, j]) > _SAME_ANGLE:
        one, other = (f"{strong[k]} ({cell[int(strong[k])].specie.symbol})" for k in (i, j))
        raise StructureError(
            f"the moments of sites {one} and {other} are {_angle(metrics[i, j])} degrees apart in the file and "
            f"{_angle(stated[i, j])} as stated: correct spin_sense, or write spins: file to take "
            "the file's directions"
        )


def _vectors(moments: Sequence[Moment]) -> FloatArray:
    return np.array([m if np.ndim(m) else (0.0, 0.0, m) for m in moments], dtype=float)


def _angle(cosine: float) -> int:
    return round(float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))))
