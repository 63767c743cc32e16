"""Tracer diffusion that a study's vacancies and hops give at a temperature and oxygen pressure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ...structures.units import BOLTZMANN_eV_PER_K
from ..kinetics.diffusion import tracer_diffusivity_cm2_per_s
from ..kinetics.rates import ASSUMED_ATTEMPT_Hz, rate_per_s, why_no_rate
from ..kinetics.uniform_network import SAME_LENGTH
from ..results.checks import no_result
from ..results.document import Document
from ..thermodynamics.gases import gas_of
from ..thermodynamics.solid_solutions import estimated_enthalpies

if TYPE_CHECKING:
    from .documents import Study, VacancyResult

# Beyond this share of vacant sites they are no dilute defects.
DILUTE = 0.1


class TracerDiffusion(Document):
    """What one kind of vacancy jump adds to the tracer diffusion of an ion.

    Attributes
    ----------
    ion, hop
        Mover, and label of the hop.
    temperature_K, p_O2_atm, delta_mu_O_eV
        Conditions and the oxygen potential that they are.
    formation_energy_eV
        Of the vacancy at that potential, on the line through the two edges of the study's window.
    inside_window
        Whether the potential lies between the edges; else the line is extrapolated.
    site_fraction
        Vacant share of the sites, dilute; neutral unless `charges` are counted.
    charges
        Whether the share is that of all charge states, with the Fermi level of a neutral crystal.
    neighbours
        Sites of the mover's sublattice at the length of the hop.
    correlation
        f, the estimate 1 - 2/z unless it was given.
    diffusivity_cm2_per_s
        None where the vacancy is not dilute, the band is no result or has no rate law; `reason` then says so.
    left_out
        What is not in it.
    conductivity_S_per_cm
        Of the ions that hop so, where their charge is known.
    gas
        Whose pressure that is.
    """

    ion: str
    hop: str
    temperature_K: float
    p_O2_atm: float
    delta_mu_O_eV: float
    formation_energy_eV: float
    inside_window: bool
    site_fraction: float | None
    charges: bool = False
    neighbours: int
    correlation: float
    diffusivity_cm2_per_s: float | None
    reason: str = ""
    left_out: list[str]
    conductivity_S_per_cm: float | None = None
    gas: str = "O2"

    @property
    def log10_D(self) -> float | None:
        """Decadic logarithm of D in cm2/s."""
        return None if self.diffusivity_cm2_per_s is None else math.log10(self.diffusivity_cm2_per_s)


_NEUTRAL_ONLY = "charge states of the vacancy and the Fermi level: neutral vacancies only"
_LEFT_OUT = [
    "interstitials, which carry the ion where the {gas} pressure is low",
    _NEUTRAL_ONLY,
    "entropy of formation beside that of the gas",
    "errors of references and window, which stand beside the formation energies: at 1473 K 0.3 eV are a decade of D",
    "attraction between vacancy and neighbours, and mixed surroundings: one hop stands for all",
]


def tracer_diffusion(
    study: Study,
    temperature_K: float,
    p_O2_atm: float,
    *,
    attempt_Hz: float = ASSUMED_ATTEMPT_Hz,
    correlation: float | None = None,
    site_fraction: float | None = None,
) -> list[TracerDiffusion]:
    """F c D of each hop of a study.

    Parameters
    ----------
    study
        With vacancies, their formation energies and at least one hop.
    temperature_K, p_O2_atm
        Conditions.
    attempt_Hz
        Of the jump.
    correlation
        f if it is known, e.g. by `vacancy_correlation_factor`.
    site_fraction
        Vacant share of the sites by an equilibrium with charge states; by default that of the neutral vacancy.

    Returns
    -------
    list of TracerDiffusion
        One entry per hop whose vacancy has a formation energy.

    Raises
    ------
    ValueError
        If the study has no hop, or no formation energy of a vacancy that one of its hops goes into.
    """
    if not study.migration:
        raise ValueError("the study has no hop, so nothing says how fast an ion moves: compute the stage migration")
    potentials = study.chemical_potentials
    gas = gas_of("O" if potentials is None else potentials.window.anion)
    mu = float(gas.delta_mu_eV(temperature_K, p_O2_atm))
    vacancies = {v.label: v for v in study.vacancies}
    out = []
    for hop in study.migration:
        vacancy = vacancies.get(hop.vacancy)
        if vacancy is None or vacancy.oxygen_poor is None or vacancy.oxygen_rich is None:
            continue
        energy, inside = formation_eV(vacancy, mu)
        neutral = math.exp(-energy / (BOLTZMANN_eV_PER_K * temperature_K)) if energy > 0 else math.inf
        fraction = neutral if site_fraction is None else site_fraction
        z = _neighbours(study, hop.host_site, hop.distance_A)
        f = 1.0 - 2.0 / z if correlation is None else correlation
        reason = ""
        if fraction > DILUTE:
            reason = (
                f"the vacancy is not dilute: formation energy {energy:.2f} eV at {mu:.2f} eV of {gas.word} potential"
                if site_fraction is None
                else f"the vacancy is not dilute: {fraction:.2g} of its sites are empty in all charge states together"
            )
        elif hop.why_no_result or not hop.converged:
            reason = f"the band of the hop is {no_result(hop.why_no_result) or 'not converged'}"
        elif not vacancy.converged:
            reason = f"the relaxation of {vacancy.label} did not converge"
        else:
            reason = why_no_rate(min(hop.forward_eV, hop.backward_eV), temperature_K)
        D = None
        if not reason:
            rate = rate_per_s(hop.forward_eV, temperature_K, attempt_Hz)
            D = tracer_diffusivity_cm2_per_s(fraction, rate, np.full((z, 1), hop.distance_A), f)
        out.append(
            TracerDiffusion(
                ion=hop.ion,
                hop=hop.label,
                temperature_K=temperature_K,
                p_O2_atm=p_O2_atm,
                delta_mu_O_eV=mu,
                formation_energy_eV=energy,
                inside_window=inside,
                site_fraction=fraction if fraction <= 1 else None,
                charges=site_fraction is not None,
                neighbours=z,
                correlation=f,
                diffusivity_cm2_per_s=D,
                reason=reason,
                left_out=[
                    *(
                        line.format(gas=gas.word)
                        for line in _LEFT_OUT
                        if site_fraction is None or line != _NEUTRAL_ONLY
                    ),
                    *([] if potentials is None else estimated_enthalpies(potentials.window.phases)),
                ],
                gas=gas.formula,
            )
        )
    if not out:
        why = study.not_done("chemical potentials")
        cure = "compute the stages vacancies and chemical potentials, or give enthalpies of the host"
        raise ValueError(f"no vacancy that a hop goes into has a formation energy: {why or cure}")
    return out


def formation_eV(vacancy: VacancyResult, mu_eV: float) -> tuple[float, bool]:
    """Formation energy on the line through the window's edges, and whether the potential lies between them."""
    poor, rich = vacancy.oxygen_poor, vacancy.oxygen_rich
    assert poor is not None
    assert rich is not None
    ends = [(p.delta_mu_O_eV, (p.low_eV + p.high_eV) / 2) for p in (poor, rich)]
    (x0, y0), (x1, y1) = ends
    slope = 0.0 if abs(x1 - x0) < 1e-9 else (y1 - y0) / (x1 - x0)
    return y0 + slope * (mu_eV - x0), min(x0, x1) <= mu_eV <= max(x0, x1)


def _neighbours(study: Study, sublattice: str, distance_A: float) -> int:
    """Sites of a sublattice around one of its own within the length of the hop."""
    cell = study.host.structure
    sites = [i for i, name in enumerate(cell.site_properties["sublattice"]) if name == sublattice]
    around = cell.get_neighbors(cell[sites[0]], SAME_LENGTH * distance_A)
    return sum(n.properties["sublattice"] == sublattice for n in around)
