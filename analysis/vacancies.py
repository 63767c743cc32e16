"""Vacancy energies as an engine gives them, before any chemical potential."""

from __future__ import annotations

from .calculation import Calculation
from .document import Document


class VacancyState(Document):
    """One relaxed vacancy.

    Attributes
    ----------
    label
        E.g. ``V_Fe(B)``.
    element, sublattice
        What was removed, and from where.
    multiplicity
        Equivalent sites in the host's ordered cell.
    cobalt_neighbours
        Co among the nearest B-site neighbours; None for anions.
    calculation
        The relaxed defect cell.
    """

    label: str
    element: str
    sublattice: str
    multiplicity: int
    cobalt_neighbours: int | None
    calculation: Calculation


class VacancySet(Document):
    """The host's supercell and its vacancies, all from one engine with one set of settings."""

    host: Calculation
    vacancies: list[VacancyState]
