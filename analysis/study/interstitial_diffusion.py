"""Tracer diffusion by interstitials of a study: concentration from energies, mobility from the network of hops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...structures.units import BOLTZMANN_eV_PER_K
from ..defects.concentrations import PER_CM3
from ..kinetics.diffusion import CM2_PER_A2
from ..kinetics.network import HopNetwork
from ..kinetics.rates import why_no_rate
from ..kinetics.walk import steady_walk, walk_of
from ..thermodynamics.gases import gas_of
from .diffusion import DILUTE, TracerDiffusion, formation_eV

if TYPE_CHECKING:
    from .documents import Study

_NEUTRAL_ONLY = "charge states of the interstitial and the Fermi level: neutral ones only"
_ONE_NETWORK = "hops of each charge: those of the network stand for all"
_LEFT_OUT = [
    "entropy of formation beside that of the gas; attempt frequencies are assumed",
    "that two ions share a step in which one is pushed on, and go less far than the interstitial does",
]


def interstitial_diffusion(
    study: Study,
    network: HopNetwork,
    temperature_K: float,
    p_O2_atm: float,
    *,
    site_fraction: float | None = None,
) -> TracerDiffusion:
    """D of a tracer that goes through empty places: share of its ions there times their D, without correlation.

    Parameters
    ----------
    study
        With the interstitials of the network's ion among its defects, and their formation energies.
    network
        Of the inserted ion; energies of its places count from the lowest, which has the lowest formation energy of
        those that sit there.
    temperature_K, p_O2_atm
        Conditions.
    site_fraction
        Filled share of the network's places by an equilibrium with charge states; by default that of the neutral
        interstitial.

    Raises
    ------
    ValueError
        If the study has no formation energy of such an interstitial, or no such ion.
    """
    ion = network.ion
    known = [
        v
        for v in study.vacancies
        if v.removed == {ion: -1} and v.oxygen_poor is not None and v.oxygen_rich is not None and v.converged
    ]
    if not known:
        raise ValueError(
            f"no interstitial of {ion} has a formation energy: compute the stage point_defects with its ion, such as "
            f"--defects '{ion}2+_i'"
        )
    ions = sum(s.specie.symbol == ion for s in study.host.structure)
    if not ions:
        raise ValueError(f"the host has no {ion} that could be traced")
    potentials = study.chemical_potentials
    gas = gas_of("O" if potentials is None else potentials.window.anion)
    mu, thermal = float(gas.delta_mu_eV(temperature_K, p_O2_atm)), BOLTZMANN_eV_PER_K * temperature_K
    own, elsewhere = _in_network([v.label for v in known], network)
    (energy, inside), lowest = min((formation_eV(v, mu), v.label) for v in known if v.label in own)
    weights = np.exp(-np.array([s.energy_eV for s in network.sites]) / thermal)
    share = math.exp(-energy / thermal) * float(weights.mean()) if site_fraction is None else site_fraction
    D, reason = None, ""
    if site_fraction is not None and share > DILUTE:
        reason = f"interstitials of {ion} are not dilute: {share:.2g} of their places are filled in all charge states"
    elif site_fraction is None and (share > DILUTE or energy <= 0):
        reason = f"{lowest} is not dilute: formation energy {energy:.2f} eV at {mu:.2f} eV of {gas.word} potential"
    elif not (reason := why_no_rate(min(min(h.forward_eV, h.backward_eV) for h in network.hops), temperature_K)):
        tensor = steady_walk(walk_of(network), temperature_K).diffusivity_A2_per_s
        D = share * len(network.sites) / ions * float(np.trace(tensor)) / 3 * CM2_PER_A2
    return TracerDiffusion(
        ion=ion,
        hop=f"{lowest} through empty octahedra",
        temperature_K=temperature_K,
        p_O2_atm=p_O2_atm,
        delta_mu_O_eV=mu,
        formation_energy_eV=energy,
        inside_window=inside,
        site_fraction=share if share <= 1 else None,
        charges=site_fraction is not None,
        neighbours=round(2 * len(network.hops) / len(network.sites)),
        correlation=1.0,
        diffusivity_cm2_per_s=D,
        reason=reason,
        left_out=[_NEUTRAL_ONLY if site_fraction is None else _ONE_NETWORK, *_LEFT_OUT, *elsewhere],
        gas=gas.formula,
    )


def charged_shares(study: Study, network: HopNetwork) -> list[float]:
    """Filled share of a network's places with all charge states, at every pressure of the study's diffusion diagram.

    Empty where the study has no charge states of the network's ion between the sites.
    """
    known = None if study.defects is None else study.defects.diffusion
    if known is None or study.charged is None:
        return []
    there = {s.label for s in study.charged.states if s.removed == {network.ion: -1}} & {c.label for c in known.curves}
    own, _ = _in_network(sorted(there), network)
    per_cm3 = len(network.sites) / study.host.structure.volume * PER_CM3
    return [sum(values) / per_cm3 for values in zip(*map(known.total, own), strict=True)]


def _in_network(labels: Sequence[str], network: HopNetwork) -> tuple[list[str], list[str]]:
    """Interstitials that sit in the network's places, and a word on it where they have other names and all stand in.

    Those elsewhere, dumbbells too, take no part in its hops, however many they are.
    """
    places = {f"{network.ion}_{s.label}" for s in network.sites}
    own = [label for label in labels if label in places]
    if own or not labels:
        return own, []
    return list(labels), [f"energies of the network's own places: {', '.join(labels)} stand for them"]
