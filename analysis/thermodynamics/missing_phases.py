"""Which known phases a stability window does not know."""

from __future__ import annotations

from ...structures.competing_phases import competing_formulas
from .phases import formula_composition, load_experimental_phases, same_compound
from .stability_window import ChemicalPotentials


def missing_phases(window: ChemicalPotentials) -> list[str]:
    """Known phases of the host's elements that are not among those of the window, which may then be too wide."""
    measured = [p.formula for p in load_experimental_phases(window.elements)]
    try:
        known = [*measured, *competing_formulas(window.elements)]
    except ValueError:
        known = measured
    there = [p.formula for p in window.phases]
    unknown = {f for f in known if len(formula_composition(f)) > 1 and not any(same_compound(f, t) for t in there)}
    return sorted(unknown)
