"""Differences of formation energies of two vacancies over a stability window, with the error that is theirs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..defects.formation import exchange_error_eV
from ..thermodynamics.references import SpeciesFit
from ..thermodynamics.stability_window import ChemicalPotentials
from .documents import VacancyResult

# Why charges that are spread by a rule say nothing about ions of unlike charge.
UNLIKE_CHARGES = (
    "rigid ions with fixed valences cannot decide that even in principle: missing ions of unlike charge leave unlike "
    "charges behind, and what those cost, the mean potential of the other cations, is a convention of the model where "
    "a crystal has an electronic level"
)


class VacancyDifference(NamedTuple):
    """Lowest and highest E_f of one vacancy minus that of another over the window, and its error; eV."""

    low_eV: float
    high_eV: float
    error_eV: float | None


def vacancy_difference(
    one: VacancyResult, other: VacancyResult, window: ChemicalPotentials, references: SpeciesFit
) -> VacancyDifference:
    """E_f(one) - E_f(other) with all potentials varied jointly.

    Parameters
    ----------
    one, other
        Vacancies of one host.
    window, references
        As the study used them.

    Returns
    -------
    VacancyDifference
        The error is that of the references and of the potentials in what is not exchanged alike, and of the cells'
        size; None if the fit of the references cannot tell.
    """
    taken, left = _removed(one), _removed(other)
    amounts = {el: taken.get(el, 0) - left.get(el, 0) for el in {*taken, *left}}
    fixed = one.corrected_minus_host_eV - other.corrected_minus_host_eV
    fixed += sum(n * references.reference_energies_eV[el] for el, n in amounts.items() if n)
    # The difference is linear in the potentials, so that its extremes lie at the corners of the window.
    corners = [sum(n * v[el] for el, n in amounts.items()) for v in window.vertices]
    places = [window.delta_mu_O_min_eV, window.delta_mu_O_max_eV]
    errors = [exchange_error_eV(amounts, window, references, mu) for mu in places]
    known = [x for x in errors if x is not None]
    error = None
    if len(known) == len(errors):
        error = float(np.hypot(max(known), sizes_apart_eV(one, other)))
    return VacancyDifference(fixed + min(corners), fixed + max(corners), error)


def _removed(vacancy: VacancyResult) -> dict[str, int]:
    """Older studies say the element only."""
    return vacancy.removed or {vacancy.element: 1}


def sizes_apart_eV(one: VacancyResult, other: VacancyResult) -> float:
    """What the size of the cells leaves open in the difference of two vacancies: like charges miss alike."""
    own, its = one.size_error_eV or 0.0, other.size_error_eV or 0.0
    return abs(own - its) if _removed(one) == _removed(other) else float(np.hypot(own, its))
