"""Tracer diffusion by vacancies: correlation factors of a kept library, and D from concentration and rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.constants import elementary_charge

from ...structures.units import BOLTZMANN_eV_PER_K

CM2_PER_A2 = 1e-16


@dataclass(frozen=True)
class OnsagerPackage:
    """Crystal and solver of the package onsager."""

    Crystal: Any
    VacancyMediated: Any


def onsager_package() -> OnsagerPackage:
    """The package that knows correlation.

    Raises
    ------
    ImportError
        Without it.
    """
    try:
        from onsager import OnsagerCalc
        from onsager.crystal import Crystal
    except ImportError as error:
        raise ImportError(
            "correlation factors need the package onsager: pip install 'magnetoionics[transport]'", name="onsager"
        ) from error
    return OnsagerPackage(Crystal, OnsagerCalc.VacancyMediated)


def vacancy_correlation_factor(lattice_A: ArrayLike, sites: Sequence[ArrayLike], longest_jump_A: float) -> float:
    """Correlation factor of a tracer that vacancies move over one kind of site, all jumps equally fast.

    Exact, by the Green function of `onsager` (D. R. Trinkle, 10.1080/14786435.2017.1340685).

    Parameters
    ----------
    lattice_A
        Lattice vectors as rows, shape (3, 3).
    sites
        Fractional coordinates of the sites, equal by symmetry.
    longest_jump_A
        Jumps up to this length; they must be one kind.

    Returns
    -------
    float
        Mean of the diagonal of f; 0.7815 for fcc, 0.6531 simple cubic, 0.5 diamond.

    Raises
    ------
    ImportError
        Without the package onsager.
    ValueError
        If the sites or the jumps are of several kinds, or there is no jump.
    """
    package = onsager_package()
    crystal = package.Crystal(np.asarray(lattice_A, dtype=float).T, [[np.asarray(site, dtype=float) for site in sites]])
    kinds, jumps = crystal.sitelist(0), crystal.jumpnetwork(0, longest_jump_A)
    if len(kinds) != 1 or len(jumps) != 1:
        raise ValueError(
            f"{len(kinds)} kinds of sites and {len(jumps)} of jumps up to {longest_jump_A:g} A: one of each is needed; "
            "change longest_jump_A or the sites"
        )
    vacancy = package.VacancyMediated(crystal, 0, kinds, jumps, 1)
    equal = {"preV": np.ones(1), "eneV": np.zeros(1), "preT0": np.ones(1), "eneT0": np.zeros(1)}
    equal |= vacancy.maketracerpreene(preT0=np.ones(1), eneT0=np.zeros(1))
    of_vacancy, of_tracer, _, _ = vacancy.Lij(*vacancy.preene2betafree(1.0, **equal))
    return float(np.mean(np.diag(of_tracer) / np.diag(of_vacancy)))


def tracer_diffusivity_cm2_per_s(
    site_fraction: float, rate_of_jump_per_s: float, jumps_A: ArrayLike, correlation: float
) -> float:
    """D of a tracer: f c (1/6) times the sum over its jumps of rate times length squared.

    Parameters
    ----------
    site_fraction
        Share of the neighbouring sites that are vacant.
    rate_of_jump_per_s
        Of one exchange with a vacant neighbour.
    jumps_A
        Vectors to all neighbours, Angstrom, shape (n, 3).
    correlation
        Factor f; 1 gives that of independent walkers (Einstein).

    Raises
    ------
    ValueError
        If a fraction or f does not lie between 0 and 1, or the rate is negative.
    """
    for name, value in (("site_fraction", site_fraction), ("correlation", correlation)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} = {value:g} must lie between 0 and 1")
    if not rate_of_jump_per_s >= 0:
        raise ValueError(f"rate_of_jump_per_s = {rate_of_jump_per_s:g} must not be negative")
    squares = float(np.sum(np.asarray(jumps_A, dtype=float) ** 2))
    return correlation * site_fraction * rate_of_jump_per_s * squares / 6.0 * CM2_PER_A2


def mobility_cm2_per_Vs(diffusivity_cm2_per_s: float, charge_e: float, temperature_K: float) -> float:
    """Drift velocity per field by the Einstein relation, D q / kT.

    Raises
    ------
    ValueError
        If the temperature is not positive.
    """
    if not temperature_K > 0:
        raise ValueError(f"temperature {temperature_K} K must be positive")
    return diffusivity_cm2_per_s * charge_e / (BOLTZMANN_eV_PER_K * temperature_K)


def conductivity_S_per_cm(
    diffusivity_cm2_per_s: float, charge_e: float, ions_per_A3: float, temperature_K: float
) -> float:
    """Conductivity of Nernst and Einstein, n q^2 D/kT, of ions that all diffuse with this uncorrelated D.

    Raises
    ------
    ValueError
        If the temperature is not positive, or a density or D is negative.
    """
    for name, value in (("ions_per_A3", ions_per_A3), ("diffusivity_cm2_per_s", diffusivity_cm2_per_s)):
        if not value >= 0:
            raise ValueError(f"{name} = {value:g} must not be negative")
    mobility = mobility_cm2_per_Vs(diffusivity_cm2_per_s, abs(charge_e), temperature_K)
    return ions_per_A3 * 1e24 * abs(charge_e) * elementary_charge * mobility
