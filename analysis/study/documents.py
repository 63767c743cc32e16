"""The study as one document: what results.json holds and every analysis reloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ..defects.charged_cells import ChargedVacancies
from ..defects.equilibria import DefectEquilibria
from ..defects.formation import FormationLines
from ..defects.host_window import CompetingPhasesResult
from ..defects.uptake import MomentCurve
from ..defects.vacancies import StartEnergy
from ..device.assumptions import Assumptions
from ..device.film import DeviceResult
from ..kinetics.attempt_frequency import AttemptFrequency
from ..kinetics.migration import Migration
from ..kinetics.retention import Retention
from ..magnetism.anisotropy import AnisotropyMap, AnisotropySummary, CubicConstants
from ..magnetism.hysteresis import SwitchingPath
from ..magnetism.oxidation_states import ChangedIon, SiteMoment
from ..magnetism.unidirectional import UnidirectionalResult
from ..results.calculation import Check
from ..results.document import Document, Provenance, StructureField
from ..results.observables import ObservableField
from ..results.views import show
from ..thermodynamics.references import SpeciesFit
from ..thermodynamics.stability_window import ChemicalPotentials

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["reproduced", "consistent", "contradicted", "undecided", "not computed"]


class StageResult(Document):
    """One stage of a study: whether it was computed, and why not.

    Attributes
    ----------
    stage
        Its name.
    done
        Whether there is a result of it.
    reason
        Why it was not done, or what of it is left out.
    failed
        Whether it was to be done, and all or part of it failed.
    note
        How what was computed is limited by design.
    """

    stage: str
    done: bool
    reason: str = ""
    failed: bool = False
    note: str = ""


class OrderEnergy(Document):
    """Energy of one cation order per formula unit, relative to the lowest."""

    order: str
    space_group: str
    relative_eV_per_formula: float
    volume_per_formula_A3: float


class HostLayer(Document):
    """A layer of a film or an interface.

    Attributes
    ----------
    name, role, sublattices
        As the host says them.
    composition
        Its atoms in the relaxed cell.
    low_A, high_A
        Heights of its lowest and highest atom along the normal.
    """

    name: str
    role: str
    sublattices: list[str]
    composition: str
    low_A: float
    high_A: float


class HostResult(Document):
    """The relaxed host.

    Attributes
    ----------
    key, title, formula, order, space_group
        What it is; the space group is spglib's, on the relaxed cell with valences and spins as colours.
    cell_atoms, lattice_A, angles_deg, volume_per_formula_A3
        The relaxed ordered cell.
    moment_per_formula_muB
        Collinear sum of the site moments.
    orders
        Cation orders compared.
    structure
        The relaxed cell with site properties.
    sources
        Where the assumed parameters come from.
    claims
        Ids of the review's claims that the host serves.
    layers, vacuum_A
        Of a film or an interface, from the bottom, and the largest height without an atom; volumes hold it. None and
        no layers of a crystal.
    """

    key: str
    title: str
    formula: str
    order: str
    space_group: str
    cell_atoms: int
    lattice_A: list[float]
    angles_deg: list[float]
    volume_per_formula_A3: float
    moment_per_formula_muB: float
    orders: list[OrderEnergy]
    structure: StructureField = Field(repr=False)
    sources: dict[str, str] = Field(repr=False)
    claims: list[str] = Field(default_factory=list)
    layers: list[HostLayer] = Field(default_factory=list)
    vacuum_A: float | None = None


class EngineResult(Document):
    """The engine of a study, what it cannot do, and the size of the study's cells."""

    name: str
    level_of_theory: str
    summary: str
    cannot: dict[str, str]
    supercell_repeats: list[int]
    quick: bool
    provenance: Provenance

    @property
    def relaxes_cells(self) -> bool:
        """Whether perfect crystals are relaxed; some settings keep them as measured."""
        return not self.provenance.settings.get("measured_cells", False)


class EnergyRange(Document):
    """Lowest and highest value over the allowed cation potentials at one oxygen potential, eV."""

    delta_mu_O_eV: float
    low_eV: float
    high_eV: float


class VacancyResult(Document):
    """One vacancy, judged inside the stability window.

    Attributes
    ----------
    near_cations
        Cations by element in the nearest shell of cations, up to 3.3 A; None for anions.
    removed
        Atoms removed by element, negative for atoms added: one of `element` for a vacancy.
    energy_minus_host_eV
        Relaxed defect cell minus host supercell, no chemical potentials.
    oxygen_poor, oxygen_rich
        Formation energy at the two edges of the window; None without chemical potentials.
    total_moment_muB, moment_change_muB
        Collinear sum of the cell with the site moments kept, and minus the host's.
    indicative
        True if only differences of like defects mean something.
    error_bar_eV
        Of the formation energy, see `FormationLine`.
    size_correction_eV, size_error_eV
        For a charge that the engine smears over the cell, in the formation energies already, and what it leaves;
        None if it smears none.
    starts
        All starts of the relaxation, the lowest first.
    changed_ions
        Ions whose moment is not the host's: the compensation found.
    sites
        Every ion of the cell with its moment, nearest to the vacancy first.
    moments_computed
        Whether the engine found those moments; else they are the ones that the cell was built with.
    formation_checks
        Checks of the formation energies, which say nothing of the relaxed cell itself: a stable host has none below
        zero.
    """

    label: str
    element: str
    sublattice: str
    multiplicity: int
    near_cations: dict[str, int] | None
    removed: dict[str, int] = Field(default_factory=dict)
    cell_atoms: int
    energy_minus_host_eV: float
    oxygen_poor: EnergyRange | None = None
    oxygen_rich: EnergyRange | None = None
    total_moment_muB: float
    moment_change_muB: float
    converged: bool
    checks: list[Check]
    indicative: bool
    error_bar_eV: float | None
    note: str
    size_correction_eV: float | None = None
    size_error_eV: float | None = None
    starts: list[StartEnergy] = Field(default_factory=list)
    changed_ions: list[ChangedIon] = Field(default_factory=list)
    sites: list[SiteMoment] = Field(default_factory=list, repr=False)
    moments_computed: bool = False
    formation_checks: list[Check] = Field(default_factory=list)

    @property
    def corrected_minus_host_eV(self) -> float:
        """Defect cell minus host supercell with the correction for the cell's size, where there is one."""
        return self.energy_minus_host_eV + (self.size_correction_eV or 0.0)


class GasPoint(Document):
    """Oxygen potential at a temperature and pressure."""

    temperature_K: float
    pressure_atm: float
    delta_mu_O_eV: float


class WarmWindow(Document):
    """The stability window at one temperature, or why there is none.

    Attributes
    ----------
    poor_eV, rich_eV
        Oxygen potential of its ends; None without a window.
    poor_error_eV, rich_error_eV
        Their errors.
    poor_atm, rich_atm
        The pressures of O2 at them; None where no pressure is in reach.
    poor_reaction, rich_reaction
        What ends it.
    """

    temperature_K: float
    poor_eV: float | None = None
    rich_eV: float | None = None
    poor_error_eV: float | None = None
    rich_error_eV: float | None = None
    poor_atm: float | None = None
    rich_atm: float | None = None
    poor_reaction: str = ""
    rich_reaction: str = ""
    reason: str = ""


class ChemicalPotentialsResult(Document):
    """Stability window, reference energies, formation lines and the oxygen gas.

    The window is the computed one where competing phases were computed and leave one, else that of measured
    enthalpies; ``window.provenance`` says which.

    Attributes
    ----------
    host_energy_eV
        Energy of the host per formula unit, in the engine's own zero; None in studies of older versions.
    warm
        The window with free energies of the solids at growth temperatures.
    missing_phases
        Known phases of the host's elements that do not compete in the window.
    checks
        That n_i (e_i + dmu_i) over a formula unit is the host's energy at every corner.
    """

    window: ChemicalPotentials
    references: SpeciesFit
    lines: FormationLines
    oxygen_gas: list[GasPoint]
    host_energy_eV: float | None = None
    warm: list[WarmWindow] = Field(default_factory=list)
    missing_phases: list[str] = Field(default_factory=list)
    checks: list[Check] = Field(default_factory=list)


class AnisotropyResult(Document):
    """Maps E(n), what they say, and the cubic constants of the host averaged over the cubic operations.

    `warm` are those before and after the hop at the film's temperature, of an engine that knows its ions' levels.
    """

    maps: list[AnisotropyMap]
    summaries: list[AnisotropySummary]
    cubic: CubicConstants | None
    cubic_note: str
    warm: list[AnisotropyMap] = Field(default_factory=list)


class Claim(Document):
    """One row of the audit.

    Attributes
    ----------
    id, system, claim, test
        What the review says, in our words, and what would test it.
    verdict
        ``reproduced``, ``consistent`` (nothing here could have contradicted it), ``contradicted``, ``undecided`` or
        ``not computed``.
    value, unit
        The number that decided, if there is one.
    engine
        Level of theory that said so.
    reason
        Why, and what was left out.
    would_change
        What would change the verdict.
    """

    id: str
    system: str
    claim: str
    test: str
    verdict: Verdict
    value: float | None = None
    unit: str = ""
    engine: str
    reason: str
    would_change: str = ""


class Study(Document):
    """A finished study.

    Attributes
    ----------
    stages
        What was computed and what was not, with the reason; the parts of a stage that was not are
        None or empty.
    defects
        Concentrations and film compositions that follow from the vacancies' energies.
    vibrations
        Attempt frequencies of the first hop; None where its vibrations were not computed.
    charged
        Charge states of the vacancies with band edges and permittivity; only on request.
    competing_phases
        Phases that the engine computed beside the host, and their window beside the experimental one.
    assumptions
        What the user assumed: frozen reference, pulse, film.
    switching
        State before, pulse, state after, and u of each.
    device
        Curves of a film of the hop, and figures of merit.
    contents
        Moment against the content of Li or O, where the host takes it up.
    observables
        Documents of further stages by the name of the stage.
    citations
        What the engine and the stages that were done rest on, as keys of the package's bibliography or DOIs.
    timings
        Wall seconds by stage.
    """

    host: HostResult
    engine: EngineResult
    stages: list[StageResult]
    vacancies: list[VacancyResult]
    chemical_potentials: ChemicalPotentialsResult | None
    migration: list[Migration]
    anisotropy: AnisotropyResult | None
    unidirectional: UnidirectionalResult | None
    retention: Retention | None
    defects: DefectEquilibria | None = None
    vibrations: AttemptFrequency | None = None
    competing_phases: CompetingPhasesResult | None = None
    assumptions: Assumptions | None = None
    switching: SwitchingPath | None = None
    device: DeviceResult | None = None
    contents: list[MomentCurve] = Field(default_factory=list)
    charged: ChargedVacancies | None = None
    observables: dict[str, ObservableField] = Field(default_factory=dict)
    claims: list[Claim]
    citations: list[str] = Field(default_factory=list)
    timings: dict[str, float] = Field(default_factory=dict)

    def not_done(self, stage: str) -> str:
        """Why a stage was not computed; empty if it was."""
        result = next((s for s in self.stages if s.stage == stage), None)
        if result is None:
            return "not part of this study"
        return "" if result.done else result.reason

    def to_dataframe(self, table: str = "vacancies") -> pd.DataFrame:
        """One of the tables of `frames.TABLES`: vacancies, migration, field, anisotropy, retention, claims, ...

        Raises
        ------
        ValueError
            If there is no such table.
        """
        from .tables import study_frame

        return study_frame(self, table)

    def table_names(self) -> list[str]:
        """Names that `to_dataframe` takes, those of further stages included."""
        from .tables import table_names

        return table_names(self)

    def to_csv(self, table: str = "vacancies") -> str:
        """One of the tables as CSV: numbers whole, and no text that a spreadsheet would run as a formula.

        Raises
        ------
        ValueError
            If there is no such table.
        """
        from .table_text import csv_text

        return csv_text(self.to_dataframe(table))

    def to_latex(self, table: str = "vacancies") -> str:
        """One of the tables as LaTeX (booktabs, longtable), captioned with host and engine.

        Raises
        ------
        ValueError
            If there is no such table.
        """
        from .table_text import latex_text

        caption = f"{table.replace('_', ' ').capitalize()} of {self.host.formula}, engine {self.engine.name}."
        return latex_text(self.to_dataframe(table), caption, f"tab:{table}")

    def __repr__(self) -> str:
        """The answers of the study in a few lines."""
        return show(self, "text")

    def _repr_html_(self) -> str:
        return show(self, "html")
