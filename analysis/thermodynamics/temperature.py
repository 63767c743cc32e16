"""Stability windows at a temperature: free energies of the solids against the gas, both from one zero.

Zero of the potentials: solid elements at 298 K (enthalpy), O2 at 0 K. At a temperature a metal's own limit lies below
zero by its free energy. Cells of a defect calculation have no vibrations: `cell_potential_shift_eV` takes out of the
potentials what the host's ions carry, so that the sum over a host's formula unit stays the energy of its cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from .oxygen_gas import delta_mu_O_eV
from .phases import Phase
from .stability_window import ChemicalPotentials, stability_window
from .thermal import TABLE_RANGE_K, MissingFreeEnergyError, thermal_free_energy

AIR_O2_ATM = 0.21
_STEP_K = 50.0


def phases_at(phases: Sequence[Phase], temperature_K: float) -> list[Phase]:
    """The same phases with free energies at a temperature instead of enthalpies at 298 K.

    Parameters
    ----------
    phases
        Enthalpies, or computed energies without vibrations; each gains what temperature adds to its solid.
    temperature_K
        See `thermal.thermal_free_energy`.

    Returns
    -------
    list[Phase]
        Errors of enthalpy and entropy added in quadrature.

    Raises
    ------
    ValueError
        If a phase has a temperature already, or no free energy is known.
    """
    made = []
    for p in phases:
        if p.temperature_K is not None:
            raise ValueError(f"{p.formula} is a free energy at {p.temperature_K:g} K already; start from enthalpies")
        added = thermal_free_energy(p.formula, temperature_K)
        change = {
            "formation_energy_eV": p.formation_energy_eV + added.value_eV,
            "uncertainty_eV": float(np.hypot(p.uncertainty_eV, added.uncertainty_eV)),
            "temperature_K": float(temperature_K),
            "source": f"{p.source}; free energy: {added.source}",
        }
        made.append(p.model_copy(update=change))
    return made


def window_at(window: ChemicalPotentials, temperature_K: float) -> ChemicalPotentials:
    """The stability window of the same host among the same phases, at a temperature.

    Parameters
    ----------
    window
        Of enthalpies or computed energies, with its phases.
    temperature_K
        Temperature.

    Raises
    ------
    ValueError
        If the host is not stable at this temperature at any potential, or a free energy is missing.
    """
    return stability_window(window.host_formula, phases_at(window.phases, temperature_K))


def cell_potential_shift_eV(window: ChemicalPotentials) -> float:
    """To be added to each potential of a window before it meets the energy of a cell without vibrations, eV per atom.

    The host's free energy above its enthalpy, shared evenly over its ions with the opposite sign: an ion that leaves
    takes its vibrations, and its share of the disorder, with it. Zero for a window of enthalpies. Unlike ions carry
    unlike shares, oxygen less than cations: the even one is as uncertain as it is large.
    """
    return -window.host_thermal_eV / sum(window.composition.values())


def warm_edges(window: ChemicalPotentials) -> list[tuple[float, float, float]]:
    """Temperature and both edges of the window with free energies of the solids, where they are known.

    Parameters
    ----------
    window
        Of enthalpies or computed energies; one that has a temperature gives nothing.
    """
    if window.temperature_K is not None:
        return []
    found = []
    for t in np.arange(300.0, TABLE_RANGE_K[1] + 1.0, 100.0):
        try:
            made = window_at(window, float(t))
        except ValueError:
            continue
        found.append((float(t), made.delta_mu_O_min_eV, made.delta_mu_O_max_eV))
    return found if len(found) > 1 else []


class OxygenLoss(NamedTuple):
    """Temperature at which a host gives off oxygen at a pressure, K, its error, and what it becomes."""

    temperature_K: float
    uncertainty_K: float
    reaction: str


def oxygen_loss(window: ChemicalPotentials, pressure_atm: float = AIR_O2_ATM) -> OxygenLoss | None:
    """Where the gas at a pressure leaves the window of a host at its oxygen-poor end.

    Parameters
    ----------
    window
        Of enthalpies, with its phases.
    pressure_atm
        Of O2; that of air by default.

    Returns
    -------
    OxygenLoss or None
        None if the host keeps its oxygen as far as the free energies are tabulated. The error is that of the edge
        over the rate at which edge and gas part.
    """

    def above(temperature_K: float) -> float:
        return float(delta_mu_O_eV(temperature_K, pressure_atm)) - window_at(window, temperature_K).delta_mu_O_min_eV

    previous = None
    for t in np.arange(*TABLE_RANGE_K, _STEP_K):
        try:
            value = above(float(t))
        except MissingFreeEnergyError:
            return None
        except ValueError:
            previous = None
            continue
        if previous is not None and previous[1] > 0 >= value:
            found = float(brentq(above, previous[0], float(t), xtol=1e-3))
            slope = (value - previous[1]) / (t - previous[0])
            edge = window_at(window, found).oxygen_poor
            return OxygenLoss(found, abs(edge.uncertainty_eV / slope), edge.reaction)
        previous = (float(t), value)
    return None
