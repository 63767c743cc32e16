"""Energy of a solid solution that no table has: its ends, and the entropy of mixing them at random."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...structures.units import EV_PER_KJ_PER_MOL, BOLTZMANN_eV_PER_K
from ..results.document import Provenance
from .phases import Phase, common_temperature_K, decomposition, formula_composition, mixture_text, same_compound

# Compounds of one structure each, which mix on one another's sites. Hausmannite (Mn3O4) is no cubic spinel.
_KINDS = {
    "spinels": ("Fe3O4", "Co3O4", "CoFe2O4"),
    "rock salts": ("FeO", "CoO", "NiO", "MnO", "MgO", "CaO", "SrO", "BaO"),
    "rutiles": ("FeF2", "CoF2", "NiF2", "MnF2", "MgF2"),
    "pyrites": ("FeS2", "CoS2", "NiS2"),
}
# Where oxides are fired and their cations last change places freely.
FIRED_K = 1273.0
# Heats of mixing of such pairs, per formula unit of an end.
HEAT_OF_MIXING_kJ_PER_mol = 10.0


def solid_solution(formula: str, phases: Sequence[Phase], temperature_K: float = FIRED_K) -> Phase | None:
    """A compound between ends of its structure: their enthalpies, less T times the ideal entropy of mixing.

    sum y_i (H_i + k T ln y_i) with y_i formula units of the end i (J. W. Gibbs; no heat of mixing, whose usual size is
    the error).

    Parameters
    ----------
    formula
        Of the solution; the energy counts this formula unit.
    phases
        With enthalpies, or free energies at one temperature; ends are those of one kind in `_KINDS`.
    temperature_K
        At which the cations were at random.

    Returns
    -------
    Phase or None
        None if it is among the phases, or no mixture of two or more ends of one structure.
    """
    if any(same_compound(p.formula, formula) for p in phases):
        return None
    own = formula_composition(formula)
    for kind, ends in _KINDS.items():
        known = {p.formula: p for p in phases if p.formula in ends}
        try:
            energy, amounts = decomposition(own, list(known.values()))
        except ValueError:
            continue
        if len(amounts) < 2 or not set(amounts) <= set(known):
            continue
        whole = sum(amounts.values())
        entropy = -BOLTZMANN_eV_PER_K * sum(n * math.log(n / whole) for n in amounts.values())
        errors = [n * known[f].uncertainty_eV for f, n in amounts.items()]
        heat = whole * HEAT_OF_MIXING_kJ_PER_mol * EV_PER_KJ_PER_MOL
        return Phase(
            formula=formula,
            formation_energy_eV=energy - temperature_K * entropy,
            uncertainty_eV=math.hypot(*errors, heat),
            confidence="estimated",
            temperature_K=common_temperature_K(list(known.values())),
            source=(
                f"solid solution of {mixture_text(amounts)} ({kind}) with the entropy of ideal mixing at "
                f"{temperature_K:.0f} K and no heat of mixing"
            ),
            provenance=Provenance(engine="solid solution", level_of_theory="experiment"),
        )
    return None


def estimated_enthalpies(phases: Sequence[Phase]) -> list[str]:
    """One line for each phase whose enthalpy follows from those of others."""
    return [f"{p.formula} has no enthalpy of its own: {p.source}" for p in phases if p.confidence == "estimated"]
