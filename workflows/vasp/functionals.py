"""Functionals by the tags that make them, each with a U of its own or the statement that there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

Functional = Literal["PBE", "PBEsol", "r2SCAN", "HSE06"]
FUNCTIONALS: tuple[Functional, ...] = get_args(Functional)
# All run on PAW data sets for PBE. VASP's wiki asks for ALGO = All (or Damped) with both of the last two.
TAGS: Mapping[Functional, Mapping[str, Any]] = {
    "PBE": {"GGA": "PE"},
    "PBEsol": {"GGA": "PS"},
    # 10.1021/acs.jpclett.0c02405; LMIXTAU: the kinetic-energy density belongs to what is mixed.
    "r2SCAN": {"METAGGA": "R2SCAN", "LMIXTAU": True, "ALGO": "All"},
    # 10.1063/1.2404663: a quarter of exact exchange, screened with 0.2 1/Angstrom.
    "HSE06": {
        "GGA": "PE",
        "LHFCALC": True,
        "HFSCREEN": 0.2,
        "AEXX": 0.25,
        "PRECFOCK": "Normal",
        "ALGO": "All",
    },
}
# Tags that say which functional a run had; see `inputs.PROTECTED`.
OF_FUNCTIONAL = ("GGA", "METAGGA", "LHFCALC", "HFSCREEN", "AEXX")


def linear_response(functional: Functional) -> str:
    """Why VASP has no linear response (LEPSILON, IBRION = 8) with a functional; empty if it has."""
    if functional in ("PBE", "PBEsol"):
        return ""
    return (
        f"VASP's linear response (LEPSILON, IBRION = 8) knows no {functional}, whose potential depends on orbitals; "
        "compute the tensor with PBE or PBEsol and give it, or use finite fields (LCALCEPS) in runs of your own"
    )
