"""PAW data sets of release 54 for PBE: which one each element takes, and how many valence electrons each has.

The choice for the elements of the built-in hosts is written out, because the U of iron was fitted with Fe_pv; all
others take pymatgen's recommendation for the release. A user may choose others by element.
"""

from __future__ import annotations

import bz2
import json
from collections.abc import Mapping
from functools import cache
from typing import Literal

POTCAR_FUNCTIONAL: Literal["PBE_54"] = "PBE_54"
# Written out, so that a new release of pymatgen changes none of them.
CHOSEN: Mapping[str, str] = {
    "Al": "Al",
    "Co": "Co",
    "Cr": "Cr_pv",
    "Cu": "Cu_pv",
    "Fe": "Fe_pv",
    "Ga": "Ga_d",
    "Li": "Li_sv",
    "Mg": "Mg_pv",
    "Mn": "Mn_pv",
    "Ni": "Ni_pv",
    "O": "O",
    "Ti": "Ti_pv",
    "V": "V_pv",
    "Zn": "Zn",
}


class PotcarError(ValueError):
    """A PAW data set that the release does not have, or that belongs to another element."""


@cache
def recommended() -> dict[str, str]:
    """Data set by element for every element of the release: `CHOSEN`, else pymatgen's recommendation."""
    from pymatgen.io.vasp.sets import MPScanRelaxSet

    # The Materials Project's choice for r2SCAN, which is that of this release.
    return {**MPScanRelaxSet.CONFIG["POTCAR"], **CHOSEN}


@cache
def _release() -> dict[str, tuple[str, float]]:
    """Element and valence electrons by the name of the data set, as pymatgen's table of the release has them."""
    from pymatgen.io.vasp.inputs import POTCAR_STATS_PATH

    with bz2.open(POTCAR_STATS_PATH, "rt", encoding="utf-8") as stream:
        table = json.load(stream)[POTCAR_FUNCTIONAL]
    entries = [entry for variants in table.values() for entry in variants]
    return {str(e["symbol"]): (str(e["VRHFIN"]).partition(":")[0].strip(), float(e["ZVAL"])) for e in entries}


def valence_electrons(symbol: str) -> float:
    """Valence electrons of a data set, e.g. 14 of ``Fe_pv``.

    Raises
    ------
    PotcarError
        If the release has none of this name.
    """
    try:
        return _release()[symbol][1]
    except KeyError:
        raise PotcarError(f"{POTCAR_FUNCTIONAL} has no PAW data set {symbol!r}") from None


def check_potcars(chosen: Mapping[str, str]) -> None:
    """Refuse data sets that do not exist or belong to another element.

    Parameters
    ----------
    chosen
        Data set by element.

    Raises
    ------
    PotcarError
        With those of the element.
    """
    known = _release()
    for element, symbol in chosen.items():
        own = sorted(s for s, (of, _) in known.items() if of == element)
        if not own:
            raise PotcarError(f"potcar: {element} is no element of {POTCAR_FUNCTIONAL}")
        if symbol not in own:
            raise PotcarError(
                f"potcar: {element}: {symbol!r} is no data set of it in {POTCAR_FUNCTIONAL}; it has {', '.join(own)}"
            )
