"""Stability windows at a temperature: free energies of the solids against the gas, both from one zero.

Zero of the potentials: solid elements at 298 K (enthalpy), O2 at 0 K. At a temperature a metal's own limit lies below
zero by its free energy. Cells of a defect calculation have no vibrations: `cell_shift_eV` takes out of the
potentials what the host's ions carry, so that the sum over a host's formula unit stays the energy of its cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from .gases import gas_of
from .phases import Constraints, Phase
from .polytope import vertices
from .solid_solutions import solid_solution
from .stability_window import ChemicalPotentials, stability_window
from .thermal import TABLE_RANGE_K, MissingFreeEnergyError, anion_shares_eV, thermal_free_energy

AIR_O2_ATM = 0.21
_STEP_K = 50.0


def phases_at(phases: Sequence[Phase], temperature_K: float) -> list[Phase]:
    """The same phases with free energies at a temperature instead of enthalpies at 298 K.

    Parameters
    ----------
    phases
        Enthalpies, or computed energies without vibrations; each gains what temperature adds to its solid, and a
        solid solution is mixed again of its ends.
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
    warmed = []
    for p in phases:
        if p.temperature_K is not None:
            raise ValueError(f"{p.formula} is a free energy at {p.temperature_K:g} K already; start from enthalpies")
        if p.confidence == "estimated":
            continue
        added = thermal_free_energy(p.formula, temperature_K)
        change = {
            "formation_energy_eV": p.formation_energy_eV + added.value_eV,
            "uncertainty_eV": float(np.hypot(p.uncertainty_eV, added.uncertainty_eV)),
            "temperature_K": float(temperature_K),
            "source": f"{p.source}; free energy: {added.source}",
        }
        warmed.append(p.model_copy(update=change))
    mixed = {p.formula: solid_solution(p.formula, warmed, temperature_K) for p in phases if p.confidence == "estimated"}
    known = {p.formula: p for p in [*warmed, *mixed.values()] if p is not None}
    return [known[p.formula] for p in phases]


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


def anion_range_at(window: ChemicalPotentials, temperature_K: float) -> tuple[float, float]:
    """Both ends of the anion's potential in `window_at`, eV, from the corners alone: no reactions, no errors.

    Parameters
    ----------
    window, temperature_K
        As in `window_at`.

    Raises
    ------
    ValueError
        As `window_at`.
    """
    host, *rivals = phases_at(window.phases, temperature_K)
    rows = Constraints(window.elements, rivals)
    plane = np.array([window.composition[el] for el in window.elements])
    corners, _ = vertices(plane, host.formation_energy_eV, rows.amounts, rows.energies)
    along = corners[:, window.elements.index(window.anion)]
    return float(along.min()), float(along.max())


class CellShift(NamedTuple):
    """What is added to a formation energy of cells without vibrations, and its error, eV."""

    value_eV: float
    error_eV: float


def cell_shift_eV(window: ChemicalPotentials, removed: Mapping[str, float]) -> CellShift:
    """Free energy that ions take with them when they leave a cell without vibrations, as it enters a formation energy.

    The host's free energy above its enthalpy is shared out over its ions, and the sum over a formula unit gives it
    back. The anion's share is what its leaving changes in binary compounds of the host's own cations, [G(oxidised) -
    G(reduced)] per anion of the solids alone, from tables; the cations take the rest evenly. Where no such pair is
    tabulated all ions take the same.

    Parameters
    ----------
    window
        With a temperature; one of enthalpies gives zero.
    removed
        Ions that leave by element, negative for those that come in; one that the host lacks counts as a cation.

    Returns
    -------
    CellShift
        To be added. The error is the distance between oxygen's share and the even one: tabulated pairs differ as much.
    """
    thermal, atoms = window.host_thermal_eV, window.composition
    if not thermal or window.temperature_K is None:
        return CellShift(0.0, 0.0)
    even = thermal / sum(atoms.values())
    steps = anion_shares_eV(atoms, window.temperature_K, window.anion)
    anion = window.anion
    oxygen, cations = atoms.get(anion, 0.0), sum(n for el, n in atoms.items() if el != anion)
    own = float(np.mean(list(steps.values()))) if steps else even
    rest = (thermal - oxygen * own) / cations if cations else own
    away = abs(own - even) if steps else abs(even)
    taken = {el: n for el, n in removed.items() if n}
    gone_O, gone_cations = taken.pop(anion, 0.0), sum(taken.values())
    # Oxygen's share wrong by so much shifts the cations' the other way, in proportion.
    error = abs(gone_O - gone_cations * oxygen / cations) * away if cations else abs(gone_O) * away
    return CellShift(-(gone_O * own + gone_cations * rest), error)


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
            found.append((float(t), *anion_range_at(window, float(t))))
        except ValueError:
            continue
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
        Of the anion's gas; that of O2 in air by default.

    Returns
    -------
    OxygenLoss or None
        None if the host keeps its oxygen as far as the free energies are tabulated. The error is that of the edge
        over the rate at which edge and gas part.
    """

    from scipy.optimize import brentq

    gas = gas_of(window.anion)

    def above(temperature_K: float) -> float:
        gas_eV = float(gas.delta_mu_eV(temperature_K, pressure_atm))
        return gas_eV - anion_range_at(window, temperature_K)[0]

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
            boundary = float(brentq(above, previous[0], float(t), xtol=1e-3))
            slope = (value - previous[1]) / (t - previous[0])
            edge = window_at(window, boundary).oxygen_poor
            return OxygenLoss(boundary, abs(edge.uncertainty_eV / slope), edge.reaction)
        previous = (float(t), value)
    return None
