"""What vibrations add to a formation energy: harmonic free energies of the defect cell, the host and the reservoirs.

The oxygen gas of `oxygen_gas` has its vibrations but for the zero-point energy, which is added here. Measured
enthalpies at 298 K stand for the cations' reservoirs, so their free energies are the user's to give.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ...structures.units import PER_CM_TO_eV
from ..kinetics.attempt_frequency import vibrational_free_energy_eV
from ..results.checks import Check, held, invalid_because
from ..results.document import Document, Provenance
from .vacancies import VacancySet

if TYPE_CHECKING:
    import pandas as pd

# Zero-point energy of O2 per atom, h c (omega_e / 2 - omega_e x_e / 4) / 2 with 1580.19 and 11.98 per cm.
O2_ZERO_POINT_eV_PER_ATOM = 0.5 * (1580.19 / 2.0 - 11.98 / 4.0) * PER_CM_TO_eV


class VibrationalTerm(Document):
    """Vibrational part of a formation energy at one temperature.

    Attributes
    ----------
    defect_eV, host_eV
        Harmonic free energies of the two cells, zero-point energy included.
    reservoirs_eV
        Of the atoms taken out, at their reservoirs, beyond what the potentials hold already.
    total_eV
        defect - host + reservoirs.
    checks
        Modes of both cells are real.
    """

    label: str
    temperature_K: float
    defect_eV: float
    host_eV: float
    reservoirs_eV: float
    total_eV: float
    checks: list[Check]


class CellModes(Document):
    """Frequencies at Gamma of a host cell and its vacancies, without translations; imaginary ones negative.

    Attributes
    ----------
    host_THz
        Shape (3n - 3,).
    vacancies_THz
        By label, shape (3n - 6,) each.
    """

    host_THz: list[float]
    vacancies_THz: dict[str, list[float]]
    force_calls: int
    provenance: Provenance = Field(repr=False)


class CellTerm(Document):
    """Vibrational part of one vacancy's formation energy at one temperature, as far as it is known.

    Attributes
    ----------
    cells_eV
        F(defect) - F(host), without reservoirs.
    total_eV
        With the reservoirs; None where that of a removed element is not known.
    note
        Why there is no total.
    """

    label: str
    temperature_K: float
    cells_eV: float
    total_eV: float | None = None
    note: str = ""


class DefectVibrations(Document):
    """Vibrational terms of the vacancies of a study.

    Attributes
    ----------
    terms
        By vacancy and temperature; of cells whose modes are all real.
    left_out
        Vacancies without a term, with the reason.
    modes
        What they are made of.
    checks
        That the modes of the host are real: without it there is no term at all.
    """

    terms: list[CellTerm]
    left_out: dict[str, str] = Field(default_factory=dict)
    modes: CellModes = Field(repr=False)
    checks: list[Check]
    provenance: Provenance = Field(repr=False)

    def to_dataframe(self) -> pd.DataFrame:
        """One row per vacancy and temperature: label, temperature_K, cells_eV, total_eV, note."""
        import pandas as pd

        rows = [term.model_dump() for term in self.terms]
        rows += [{"label": label, "note": f"no result: {why}"} for label, why in self.left_out.items()]
        return pd.DataFrame(rows, columns=list(CellTerm.model_fields))


def defect_vibrations(vacancies: VacancySet, modes: CellModes, temperatures_K: Sequence[float]) -> DefectVibrations:
    """Terms of all vacancies whose modes are known.

    Parameters
    ----------
    vacancies
        What was removed from each cell.
    modes
        Frequencies of the host and of the vacancies.
    temperatures_K
        Not below zero.

    Raises
    ------
    ValueError
        If there is no temperature, or one is negative.
    """
    if not temperatures_K or min(temperatures_K) < 0:
        raise ValueError(f"temperatures {list(temperatures_K)} K: give some, none of them below 0 K")
    host = _real("host", modes.host_THz)
    terms: list[CellTerm] = []
    left_out: dict[str, str] = {}
    for vacancy in vacancies.vacancies:
        frequencies_THz = modes.vacancies_THz.get(vacancy.label)
        if frequencies_THz is None:
            left_out[vacancy.label] = "its modes were not computed"
            continue
        why = invalid_because([*vacancy.calculation.checks, host, _real(vacancy.label, frequencies_THz)])
        if why:
            left_out[vacancy.label] = "; ".join(why)
            continue
        terms += [
            _cell_term(vacancy.label, frequencies_THz, modes.host_THz, vacancy.removed, t) for t in temperatures_K
        ]
    return DefectVibrations(terms=terms, left_out=left_out, modes=modes, checks=[host], provenance=modes.provenance)


def _cell_term(
    label: str, defect_THz: Sequence[float], host_THz: Sequence[float], removed: Mapping[str, int], temperature_K: float
) -> CellTerm:
    # With reservoirs of zero the refusals of `vibrational_term` hold for every element.
    zero = vibrational_term(label, defect_THz, host_THz, removed, temperature_K, dict.fromkeys(removed, 0.0))
    try:
        term = vibrational_term(label, defect_THz, host_THz, removed, temperature_K, {})
    except ValueError as error:
        return CellTerm(label=label, temperature_K=temperature_K, cells_eV=zero.total_eV, note=str(error))
    return CellTerm(label=label, temperature_K=temperature_K, cells_eV=zero.total_eV, total_eV=term.total_eV)


def vibrational_term(
    label: str,
    defect_THz: Sequence[float],
    host_THz: Sequence[float],
    removed: Mapping[str, int],
    temperature_K: float,
    reservoir_eV: Mapping[str, float],
) -> VibrationalTerm:
    """Vibrational part of a formation energy.

    Parameters
    ----------
    label
        The defect.
    defect_THz, host_THz
        Modes of the two cells without translations.
    removed
        Atoms taken out by element; negative for atoms put in.
    temperature_K
        Temperature.
    reservoir_eV
        Vibrational free energy per atom of each element's reservoir; oxygen is the gas's zero-point energy
        unless it is given.

    Raises
    ------
    ValueError
        If the numbers of modes do not differ by three per atom, or an element has no reservoir.
    """
    given = {"O": O2_ZERO_POINT_eV_PER_ATOM, **reservoir_eV}
    missing = sorted(el for el, n in removed.items() if n and el not in given)
    if missing:
        raise ValueError(
            f"no vibrational free energy of the reservoir of {', '.join(missing)}: give it in eV per atom, from a "
            "phonon calculation of the phase that sets the potential"
        )
    difference = len(host_THz) - len(defect_THz)
    if difference != 3 * sum(removed.values()):
        raise ValueError(f"{label}: the cells differ by {difference} modes, the atoms by {sum(removed.values())}")
    defect = vibrational_free_energy_eV(defect_THz, temperature_K)
    host = vibrational_free_energy_eV(host_THz, temperature_K)
    reservoirs = float(sum(n * given[el] for el, n in removed.items()))
    return VibrationalTerm(
        label=label,
        temperature_K=temperature_K,
        defect_eV=defect,
        host_eV=host,
        reservoirs_eV=reservoirs,
        total_eV=defect - host + reservoirs,
        checks=[_real("host", host_THz), _real(label, defect_THz)],
    )


def _real(name: str, modes_THz: Sequence[float]) -> Check:
    count = int(np.sum(np.asarray(modes_THz) <= 0))
    return held(f"modes of {name} that are not real", count, 0, must_be="equal to")
