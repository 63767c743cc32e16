"""How far each element's potential can go before the host is no longer stable, and the reaction that ends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..results.document import Document
from .gases import GASES
from .phases import Constraints, Phase, element_formula, formula_composition, mixture_text
from .polytope import extreme

NO_RICHER_PHASE = "at 0 K and 1 atm is the limit"
"""Where no phase takes up more of the gas: its zero ends the window, and no pressure does."""


class PotentialEdge(Document):
    """Lowest or highest potential that an element can have where the host is stable, all other potentials free.

    Attributes
    ----------
    element, end
        Whose potential, and which end of its range.
    delta_mu_eV, uncertainty_eV
        The edge, and its error from the errors of the formation energies, taken as independent.
    reaction
        What the host does beyond the edge, per formula unit; the element itself is exchanged with its standard state.
    products
        Other phases in the reaction; the element itself is none.
    sensitivity
        d(edge)/d(formation energy) of each compound that takes part, the host included; dimensionless.
    """

    element: str
    end: Literal["lowest", "highest"]
    delta_mu_eV: float
    uncertainty_eV: float
    reaction: str
    products: list[str]
    sensitivity: dict[str, float]


def potential_edge(
    host: Phase,
    plane: NDArray[np.float64],
    rows: Constraints,
    elements: Sequence[str],
    element: str,
    sense: int,
) -> PotentialEdge:
    """Lowest (sense +1) or highest (-1) potential of an element with its reaction, from the dual solution.

    Parameters
    ----------
    host, plane
        The host, and its atoms per formula unit in the order of `elements`, shape (d,).
    rows
        The other phases.
    elements, element
        Of the host, and the one that is asked for.
    sense
        +1 for the lowest potential, -1 for the highest.
    """
    objective = np.zeros(len(plane))
    objective[elements.index(element)] = sense
    value, by_host, by_phase = extreme(objective, plane, host.formation_energy_eV, rows.amounts, rows.energies)
    slope_host, slopes = sense * by_host, sense * by_phase
    own = element_formula(element)
    used = [i for i in np.flatnonzero(np.abs(slopes) > 1e-9) if rows.names[i] != own]
    used.sort(key=lambda i: rows.names[i])
    sensitivity = {rows.names[i]: float(slopes[i]) for i in used if i < rows.compounds}
    variance = sum((slopes[i] * rows.uncertainties[i]) ** 2 for i in used)
    if abs(slope_host) < 1e-9:
        is_gas = element in GASES and GASES[element].is_standard_state
        reaction, products = f"{own} {NO_RICHER_PHASE}" if is_gas else f"{own} forms", []
    else:
        sensitivity = {host.formula: slope_host, **sensitivity}
        variance += (slope_host * host.uncertainty_eV) ** 2
        amounts = {rows.names[i]: abs(slopes[i] / slope_host) for i in used}
        exchanged = {own: 1.0 / (formula_composition(own)[element] * abs(slope_host))}
        left = {host.formula: 1.0} | (exchanged if sense < 0 else {})
        right = amounts | (exchanged if sense > 0 else {})
        reaction, products = f"{mixture_text(left)} -> {mixture_text(right)}", list(amounts)
    return PotentialEdge(
        element=element,
        end="lowest" if sense > 0 else "highest",
        delta_mu_eV=sense * value + 0.0,
        uncertainty_eV=float(np.sqrt(variance)),
        reaction=reaction,
        products=products,
        sensitivity=sensitivity,
    )
