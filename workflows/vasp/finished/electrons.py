"""Electrons of a finished run: charge, functional, U of each species, band edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .document import HubbardBlock, PawDataSet

# GGA tags (upper case) by the name of the functional.
GGA_NAMES: Mapping[str, str] = {
    "PE": "PBE",
    "PS": "PBEsol",
    "91": "PW91",
    "AM": "AM05",
    "RP": "RPBE",
    "RE": "revPBE",
    "CA": "LDA",
    "OR": "optPBE",
    "BO": "optB88",
    "MK": "optB86b",
    "ML": "rPW86",
    "CX": "CX13",
    "BF": "BEEF",
}
# Functional of the data sets by the first word of their TITEL.
OF_DATA_SETS: Mapping[str, str] = {"PAW_PBE": "PBE", "PAW_GGA": "PW91", "PAW": "LDA", "US": "LDA"}
# As pymatgen: what is occupied by less counts as empty.
EMPTY = 1e-8


def cell_charge_e(blocks: Sequence[PawDataSet], electrons: float | None) -> float | None:
    """Charge of the cell, e: valence electrons of the atoms less NELECT."""
    if electrons is None or not blocks or any(b.valence is None or b.count == 0 for b in blocks):
        return None
    neutral = sum(b.count * float(b.valence or 0.0) for b in blocks)
    return round(neutral - float(electrons), 6) + 0.0


def functional_of(incar: Mapping[str, Any], parameters: Mapping[str, Any], titel: str = "") -> str:
    """Name of the exchange-correlation functional, without a U.

    Parameters
    ----------
    incar, parameters
        Tags that were given, and those that VASP printed.
    titel
        Of a PAW data set: without a GGA tag VASP takes the functional that it was made for.
    """
    gga = _word(parameters.get("GGA")) or _word(incar.get("GGA"))
    base = GGA_NAMES.get(gga, gga) if gga else OF_DATA_SETS.get((titel.split() or [""])[0].strip("^").upper(), "PBE")
    meta = _word(incar.get("METAGGA")) or _word(parameters.get("METAGGA"))
    if meta and meta not in ("NONE", "F"):
        base = meta
    if _true(parameters.get("LHFCALC", incar.get("LHFCALC"))):
        base = _hybrid({**incar, **parameters}, base)
    if _true(parameters.get("LUSE_VDW", incar.get("LUSE_VDW"))):
        base += "+rVV10" if base in ("SCAN", "R2SCAN", "RSCAN") else "-vdW"
    if int(parameters.get("IVDW") or incar.get("IVDW") or 0) > 0:
        base += "+D"
    return base


def _hybrid(settings: Mapping[str, Any], base: str) -> str:
    """Range-separated and global hybrids; a share of exact exchange other than 1/4 is said."""
    share, screen = float(settings.get("AEXX", 0.25)), float(settings.get("HFSCREEN", 0.0))
    if abs(share - 1.0) < 1e-6:
        return "HF"
    name = f"{base} hybrid with HFSCREEN {screen:g}"
    if abs(screen - 0.2) < 0.01:
        name = {"PBE": "HSE06", "PBEsol": "HSEsol"}.get(base, f"HSE of {base}")
    elif abs(screen - 0.3) < 0.01:
        name = "HSE03"
    elif screen < 1e-6:
        name = f"{base}0"
    return name if abs(share - 0.25) < 1e-6 else f"{name} with AEXX {share:g}"


def _word(value: Any) -> str:
    text = str(value).strip().upper() if value is not None else ""
    return "" if text in ("", "--", "NONE", "FALSE", "F") else text


def _true(value: Any) -> bool:
    return bool(value) and str(value).strip().upper() not in ("F", "FALSE", ".FALSE.")


def hubbard_of(
    elements: Sequence[str],
    incar: Mapping[str, Any],
    parameters: Mapping[str, Any],
    printed: Mapping[str, Sequence[float]],
) -> list[HubbardBlock]:
    """U and J of each block of species.

    Parameters
    ----------
    elements
        Of the blocks, in POSCAR order; an element may come twice.
    incar
        As VASP read it: holds the arrays whole.
    parameters
        Of vasprun.xml: their first entry only.
    printed
        As OUTCAR prints them, one decimal of U and J: the last resort.

    Returns
    -------
    list of HubbardBlock
        Empty without DFT+U, or where no place holds an entry for each block.
    """
    if not _true(parameters.get("LDAU", incar.get("LDAU", bool(printed)))):
        return []
    columns = []
    for key in ("LDAUL", "LDAUU", "LDAUJ"):
        # VASP reads as many as there are blocks and ignores what follows.
        values = next((v for v in _arrays(key, incar, parameters, printed) if len(v) >= len(elements)), None)
        columns.append(None if values is None else values[: len(elements)])
    shells, u, j = columns
    if u is None:
        return []
    shells = shells or [2.0 if x else -1.0 for x in u]
    j = j or [0.0] * len(u)
    return [
        HubbardBlock(element=e, shell=int(shell), U_eV=float(x), J_eV=float(y))
        for e, shell, x, y in zip(elements, shells, u, j, strict=True)
    ]


def _arrays(key: str, *places: Mapping[str, Any]) -> list[list[float]]:
    arrays = []
    for place in places:
        value = place.get(key)
        if value is not None and not isinstance(value, str | dict):
            arrays.append([float(x) for x in np.atleast_1d(np.asarray(value, dtype=float))])
    return arrays


def edges_of_levels(levels: NDArray[np.float64] | None) -> dict[str, Any]:
    """Gap (at least 0), valence and conduction edge and whether they are at one k point, from occupied levels.

    Parameters
    ----------
    levels
        Eigenvalues (eV) and occupations, shape (n_spins, n_kpoints, n_bands, 2); None gives an empty answer.
    """
    if levels is None or not np.isfinite(levels[..., 0]).all():
        return {}
    energies, filled = levels[..., 0], levels[..., 1] > EMPTY
    if filled.all() or not filled.any():
        return {}
    below, above = np.where(filled, energies, -np.inf), np.where(filled, np.inf, energies)
    top, bottom = np.unravel_index(np.argmax(below), below.shape), np.unravel_index(np.argmin(above), above.shape)
    vbm, cbm = float(below[top]), float(above[bottom])
    return {
        "vbm_eV": vbm,
        "cbm_eV": cbm,
        "gap_eV": max(cbm - vbm, 0.0),
        "gap_direct": bool(top[1] == bottom[1]),
    }
