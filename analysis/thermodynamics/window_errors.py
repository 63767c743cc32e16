"""Errors of potentials inside a stability region, from the errors of the formation energies that bound it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .phases import Constraints, formula_composition
from .polytope import extreme
from .stability_window import ChemicalPotentials

_EDGE_INSET_EV = 1e-3


def combination_errors(
    window: ChemicalPotentials, amounts: Mapping[str, float], delta_mu_O_eV: float
) -> tuple[float, float]:
    """Errors of both bounds of `combination_bounds`, from the errors of the formation energies taken as independent.

    Parameters
    ----------
    window, amounts, delta_mu_O_eV
        As there; outside the window the errors of its nearest edge are given.

    Returns
    -------
    low_eV, high_eV
        Each from the dual solution of the linear program of its bound.
    """
    host, rivals = window.phases[0], window.phases[1:]
    rows = Constraints(window.elements, rivals)
    anion = window.elements.index(window.anion)
    span = window.delta_mu_O_max_eV - window.delta_mu_O_min_eV
    # At the very edge the region is a point and its duals are many; next to it they are those of the slice.
    inset = min(_EDGE_INSET_EV, 0.1 * span)
    mu = min(max(delta_mu_O_eV, window.delta_mu_O_min_eV + inset), window.delta_mu_O_max_eV - inset)
    atoms = formula_composition(host.formula)
    plane = np.array([atoms[el] for el in window.elements])
    cost = np.array([amounts.get(el, 0.0) for el in window.elements])
    others = np.arange(len(plane)) != anion
    level = host.formation_energy_eV - plane[anion] * mu
    limits = rows.energies - rows.amounts[:, anion] * mu
    used = np.any(rows.amounts[:, others] != 0, axis=1)
    errors = []
    for sense in (1.0, -1.0):
        _, by_host, by_phase = extreme(
            sense * cost[others], plane[others], level, rows.amounts[used][:, others], limits[used]
        )
        parts = np.append(by_phase * rows.uncertainties[used], by_host * host.uncertainty_eV)
        errors.append(float(np.linalg.norm(parts)))
    return errors[0], errors[1]
