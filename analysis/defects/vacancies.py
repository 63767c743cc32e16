"""Energies of vacancies and other defects as an engine gives them, before any chemical potential."""

from __future__ import annotations

from pydantic import Field, model_validator

from ..magnetism.oxidation_states import ChangedIon
from ..results.calculation import Calculation
from ..results.document import Document
from .size_correction import SizeCorrection


class StartEnergy(Document):
    """One start of a defect and where it ended.

    Attributes
    ----------
    label
        See `structures.defects.initial_states.DefectStart`, or the charge state whose end it began from.
    above_lowest_eV
        Above the start that was kept.
    total_moment_muB
        Of the relaxed cell.
    compensation
        Ions whose moment changed, in words.
    converged
        Whether every check passed.
    refused
        Why the result must not be used; empty if it may.
    distortion_A
        Largest displacement of an ion that kept its site, against the perfect cell; None if that is not known.
    site_moments_muB
        As the engine found them, in the order of the cell's sites; None without, or where vectors were found.
    """

    label: str
    above_lowest_eV: float
    total_moment_muB: float
    compensation: str
    converged: bool
    refused: str = ""
    distortion_A: float | None = None
    site_moments_muB: list[float] | None = Field(default=None, repr=False)


class VacancyState(Document):
    """One relaxed vacancy, or another defect that says what it removes and adds.

    Attributes
    ----------
    label
        E.g. ``V_Fe(B)``.
    element, sublattice
        What was removed, and from where; what was added, of an interstitial.
    multiplicity
        Equivalent sites in the host's ordered cell.
    removed
        Atoms removed by element, negative for atoms added; one of `element` if not given.
    near_cations
        Cations by element in the nearest shell of cations, up to 3.3 A; None for anions.
    calculation
        The relaxed defect cell; the lowest if there were several starts.
    starts
        All starts, the lowest first.
    changed_ions
        Ions of `calculation` whose moment is not the host's.
    degeneracy
        Orientations and spin directions of the kept state.
    size_correction
        For the charge that the engine smears over the cell; None if it smears none.
    """

    label: str
    element: str
    sublattice: str
    multiplicity: int
    near_cations: dict[str, int] | None
    removed: dict[str, int] = Field(default_factory=dict)
    calculation: Calculation
    starts: list[StartEnergy] = Field(default_factory=list)
    changed_ions: list[ChangedIon] = Field(default_factory=list)
    degeneracy: float = Field(default=1.0, gt=0)
    size_correction: SizeCorrection | None = None

    @model_validator(mode="after")
    def _vacancy_unless_said(self) -> VacancyState:
        self.removed = self.removed or {self.element: 1}
        return self


class VacancySet(Document):
    """The host's supercell and its defects, all from one engine with one set of settings.

    Attributes
    ----------
    left_out
        Labels of defects of which no start came to an end, and why.
    """

    host: Calculation
    vacancies: list[VacancyState]
    left_out: dict[str, str] = Field(default_factory=dict)
