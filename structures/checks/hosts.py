"""Refuses a host's numbers that no material has, before anything is computed with them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pymatgen.core import Composition

LARGEST_GAP_eV = 20.0  # LiF, the widest of all crystals, has 14
LARGEST_U_eV = 15.0
LARGEST_MOMENT_muB = 1000.0
MOST_ANIONS = 1000
LONGEST_HOP_A = 12.0


def require_within(name: str, value: float, lowest: float, highest: float, advice: str = "") -> None:
    """Refuse a number that is none, infinite or out of its range.

    Raises
    ------
    ValueError
        Naming the number, its range and the way out.
    """
    if not (math.isfinite(value) and lowest <= value <= highest):
        raise ValueError(
            f"{name} = {value} must be a number from {lowest:g} to {highest:g}{f'; {advice}' if advice else ''}"
        )


def check_host_numbers(
    formula: str,
    gap_eV: float,
    anions_per_formula: int,
    moments_muB: Mapping[str, float],
    hubbard_U_eV: Mapping[str, float],
) -> None:
    """Refuse a gap, anions, moments or U that are out of range, and U of an element that the host does not hold.

    Raises
    ------
    ValueError
        Naming the entry, its range and the way out.
    """
    require_within("gap_eV", gap_eV, 0, LARGEST_GAP_eV, "0 is a metal")
    require_within("anions_per_formula", anions_per_formula, 1, MOST_ANIONS)
    for name, moment in moments_muB.items():
        require_within(name, moment, -LARGEST_MOMENT_muB, LARGEST_MOMENT_muB)
    held = sorted({e.symbol for e in Composition(formula).elements})
    for element, value in hubbard_U_eV.items():
        if element not in held:
            raise ValueError(
                f"hubbard_U_eV names {element}, which {formula} does not hold (it holds {', '.join(held)}): "
                "the run would be without that U"
            )
        require_within(f"hubbard_U_eV of {element}", value, 0, LARGEST_U_eV)
