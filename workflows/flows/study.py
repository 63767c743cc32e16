"""The whole study as one flow: host, references, vacancies, migration, anisotropy, assembly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jobflow import Flow, Maker, job

from ...analysis.builder.build import StudyInputs, build_study
from ...analysis.builder.post_processing import HopEnds
from ...analysis.defects.binding import VacancyBinding
from ...analysis.defects.charged_cells import ChargedVacancies
from ...analysis.defects.vacancies import VacancySet
from ...analysis.device.assumptions import Assumptions
from ...analysis.kinetics.attempt_frequency import AttemptFrequency
from ...analysis.kinetics.field_treatments import FieldStudy
from ...analysis.magnetism.anisotropy import AnisotropyMap
from ...analysis.results.calculation import Calculation, invalid_because, require_valid
from ...analysis.study.documents import EngineResult, Stage, StageResult, Study
from ...analysis.thermodynamics.computed_phases import ComputedPhases
from ...analysis.thermodynamics.phases import formula_composition
from ...analysis.thermodynamics.references import SpeciesFit
from ...calculators.field import V_PER_M, check_below
from ...structures.cells.competing_phases import rival_oxides
from ...structures.defects.initial_states import StartKind
from ...structures.host import Host, HostKey, get_host, portable_host
from ..engine import Engine
from ..field.requests import FieldRequest
from .anisotropy import AnisotropyMaker
from .binding import BindingMaker
from .building import Repeats, accept_structure, vacancy_sites
from .charged_defects import ChargedVacanciesMaker
from .competing_phases import CompetingPhasesMaker
from .frozen_exchange import FrozenExchangeMaker, check_reference, needs_engine
from .migration import MigrationMaker, hop_label
from .plan import plan_stages
from .vacancies import VacancyFormationMaker, chosen_sites, vacancy_structure
from .vibrations import RADIUS_A, VibrationsMaker

if TYPE_CHECKING:
    from jobflow import Job
    from pymatgen.core import Structure

FIELDS_V_PER_M = (0.0, 1e7, -1e7, 5e7, -5e7, 1e8, -1e8, 2e8, -2e8, 5e8, -5e8, 1e9, -1e9)
# Random cells of the stage "binding", eight vacancies each.
_RANDOM_CELLS, _QUICK_RANDOM_CELLS = 12, 5


@dataclass
class MagnetoionicStudyMaker(Maker):
    """Which vacancy forms, which ion moves, over what barrier, with what effect, for how long.

    Attributes
    ----------
    engine
        Supplies every calculation.
    repeats
        Supercell repeats of the host's ordered cell.
    lebedev_order
        Order of the direction set of E(n).
    fields_V_per_m
        Signed fields along the hop, for the tiers that need no calculation.
    fields
        Other fields, directions, charges and bands relaxed in the field, see `FieldRequest`.
    is_quick
        Noted in the result.
    stages
        Which of `plan.REQUESTABLE` to compute; None computes what the engine and the host allow.
    vacancies
        Elements and sublattices of the only vacancies to compute; None computes all that the host declares.
    starts
        Kinds of start of each vacancy, see `VacancyFormationMaker`.
    vacancy_maps
        Labels of vacancies, e.g. ``V_O(1)``, whose E(n) is computed beside that of the host and the hop, in the state
        that their relaxation was kept in: with a start that places the electrons, Fe2+ beside V_O is Fe2+ there.
    vibrating_radius_A
        Ions within this distance of the mover vibrate in the stage ``vibrations``; None takes all.
    assumptions
        Frozen reference, field pulse and film, see `Assumptions`.
    """

    engine: Engine = field(kw_only=True)
    repeats: Repeats = (2, 2, 2)
    lebedev_order: int = 15
    fields_V_per_m: Sequence[float] = FIELDS_V_PER_M
    fields: FieldRequest = field(default_factory=FieldRequest)
    is_quick: bool = False
    stages: Sequence[str] | None = None
    vacancies: Sequence[tuple[str, str]] | None = None
    starts: Sequence[StartKind] = ("as built",)
    vacancy_maps: Sequence[str] = ()
    vibrating_radius_A: float | None = RADIUS_A
    assumptions: Assumptions = field(default_factory=Assumptions)
    name: str = "magneto-ionic study"

    @classmethod
    def full(cls, engine: Engine, stages: Sequence[str] | None = None) -> MagnetoionicStudyMaker:
        """Cells of about 450 atoms."""
        return cls(engine=engine, stages=stages)

    @classmethod
    def quick(cls, engine: Engine, stages: Sequence[str] | None = None) -> MagnetoionicStudyMaker:
        """Cells of about 56 atoms: seconds, with a size error of the order of 0.1 eV."""
        return cls(engine=engine, repeats=(1, 1, 1), lebedev_order=13, is_quick=True, stages=stages)

    def plan(self, host_key: HostKey, order: str | None = None) -> list[StageResult]:
        """What the study will compute and what not; see `plan.plan_stages`.

        Raises
        ------
        ValueError
            If the host or the order is unknown, a field is beyond breakdown, or a stage asked for cannot be done.
        CannotDoError
            If the engine cannot describe the material.
        """
        host = get_host(host_key)
        chosen = host.orders[0] if order is None else order
        self._check_enthalpies(host)
        planned = plan_stages(self.engine, host, chosen, self.stages, self.repeats, self.assumptions.enthalpies)
        if tuple(self.starts) != ("as built",) and not any(s.stage == "vacancies" and s.done for s in planned):
            raise ValueError("starts are those of vacancies, and this study computes none; add vacancies to the stages")
        for kind in self.starts if any(s.stage == "vacancies" and s.done for s in planned) else ():
            if reason := self.engine.cannot_start(kind):
                raise ValueError(f"engine {self.engine.name} cannot start a vacancy {kind}: {reason}")
        if any(s.stage == "migration" and s.done for s in planned):
            cell = host.structure(chosen)
            self.fields.check(self.engine, cell, host.gap_eV, self.fields_V_per_m, self.repeats)
            check_below(self.assumptions.pulse.field_V_per_m, self.fields.limit_V_per_m(host.gap_eV, cell))
        check_reference(self.assumptions.reference, self.engine, planned)
        self._check_vacancy_maps(host_key, chosen, {s.stage for s in planned if s.done})
        return planned

    def _check_vacancy_maps(self, host_key: HostKey, order: str, done: set[Stage]) -> None:
        if not self.vacancy_maps:
            return
        if not {"vacancies", "anisotropy"} <= done:
            raise ValueError("maps of vacancies need the stages vacancies and anisotropy")
        known = [s.label for s in chosen_sites(vacancy_sites(host_key, order), self.vacancies)]
        if unknown := [label for label in self.vacancy_maps if label not in known]:
            raise ValueError(f"no vacancy {', '.join(unknown)} to map; this study computes {', '.join(known)}")

    def _check_enthalpies(self, host: Host) -> None:
        elements = set(formula_composition(host.formula))
        for p in self.assumptions.enthalpies:
            if foreign := sorted(set(formula_composition(p.formula)) - elements):
                raise ValueError(
                    f"the enthalpy of {p.formula} does not bear on {host.formula}, which has no {', '.join(foreign)}"
                )

    def make(self, host_key: HostKey, order: str | None = None) -> Flow:
        """Flow whose output is a `Study`.

        Parameters
        ----------
        host_key
            A host of `structures.hosts`, or a user's host file; its content goes into the jobs, so that they run
            where there is no such file.
        order
            Cation order; the host's first by default.

        Raises
        ------
        ValueError
            As `plan`.
        CannotDoError
            As `plan`.
        """
        host_key = portable_host(host_key)
        planned = self.plan(host_key, order)
        host = get_host(host_key)
        chosen = host.orders[0] if order is None else order
        flow = _StagedFlow({s.stage for s in planned if s.done})

        bulks = {name: self.engine.relax(host.structure(name), name=f"bulk {name}", cell=True) for name in host.orders}
        for made in bulks.values():
            flow.add("host", made)
        bulk = bulks[chosen].output
        phases = flow.make("competing phases", lambda: self._competing_phases(host, chosen))
        # Competing phases hold the oxides that references are fitted to: nothing is relaxed twice.
        references = None
        if phases is None:
            references = flow.make(
                "chemical potentials",
                lambda: self.engine.references(host.references, name="reference energies"),
            )
        vacancies = flow.make(
            "vacancies",
            lambda: VacancyFormationMaker(
                engine=self.engine, repeats=self.repeats, only=self.vacancies, starts=self.starts
            ).make(bulk, host_key, chosen),
        )
        moved = flow.make("migration", lambda: self._migration(bulk, host_key, chosen)) or {}
        migration = moved.get("read")
        vibrations = flow.make(
            "vibrations",
            lambda: VibrationsMaker(engine=self.engine, radius_A=self.vibrating_radius_A).make(
                moved["band"], hop_label(host)
            ),
        )
        maps = flow.make("anisotropy", lambda: self._maps(bulk, migration, vacancies))
        turned = None
        if maps is not None and migration is not None and needs_engine(self.assumptions.reference):
            turning = FrozenExchangeMaker(engine=self.engine, reference=self.assumptions.reference)
            turned = flow.add("anisotropy", turning.make(migration["before"], migration["after"], migration["mover"]))
        cells = _QUICK_RANDOM_CELLS if self.is_quick else _RANDOM_CELLS
        binding = flow.make("binding", lambda: BindingMaker(engine=self.engine, cells=cells).make(host_key, chosen))
        charged = flow.make(
            "charged defects",
            lambda: ChargedVacanciesMaker(engine=self.engine, repeats=self.repeats, only=self.vacancies).make(
                bulk, host_key, chosen
            ),
        )
        last = study_job(
            host_key,
            chosen,
            self._engine_result(host.structure(chosen)),
            planned,
            {name: made.output for name, made in bulks.items()},
            references,
            vacancies,
            migration,
            maps,
            binding,
            vibrations,
            phases,
            self.assumptions,
            turned,
            moved.get("fields"),
            charged,
        )
        flow.add("analysis", last)
        return Flow(flow.jobs, output=last.output, name=f"{self.name}: {host.formula}")

    def _competing_phases(self, host: Host, order: str) -> Flow:
        """Every known oxide of the host's elements but the host itself, whose cell the study has."""
        elements = {str(e) for e in host.structure(order).composition.elements}
        return CompetingPhasesMaker(engine=self.engine).make(sorted(elements), rival_oxides(host.formula, elements))

    def _migration(self, bulk: Any, host_key: HostKey, order: str) -> Flow:
        maker = MigrationMaker(
            engine=self.engine,
            repeats=self.repeats,
            fields_V_per_A=[f * V_PER_M for f in self.fields_V_per_m],
            fields=self.fields,
        )
        return maker.make(bulk, host_key, order=order)

    def _maps(self, bulk: Any, migration: Any, vacancies: Any) -> Flow:
        pristine = accept_structure(bulk)
        states = {"pristine": pristine.output}
        if migration is not None:
            states |= {state: migration[state] for state in ("before", "after")}
        picked = {label: vacancy_structure(vacancies, label) for label in self.vacancy_maps}
        states |= {label: made.output for label, made in picked.items()}
        maps = AnisotropyMaker(engine=self.engine, lebedev_order=self.lebedev_order).make(states)
        return Flow([pristine, *picked.values(), maps], output=maps.output)

    def _engine_result(self, cell: Structure) -> EngineResult:
        return EngineResult(
            name=self.engine.name,
            tier=self.engine.tier,
            summary=self.engine.summary,
            cannot={str(k): v for k, v in self.engine.cannot_with(cell).items()},
            supercell_repeats=list(self.repeats),
            quick=self.is_quick,
            provenance=self.engine.provenance(),
        )


class _StagedFlow:
    """Collects the jobs of the stages that will be done, each marked with its stage."""

    def __init__(self, done: set[Stage]) -> None:
        self._done = done
        self.jobs: list[Any] = []

    def add(self, stage: str, made: Job | Flow) -> Any:
        """Add a job or flow; returns its output."""
        made.update_metadata({"stage": stage}, dynamic=True)
        self.jobs.append(made)
        return made.output

    def make(self, stage: Stage, build: Callable[[], Job | Flow]) -> Any:
        """Output of a stage, or None if it will not be done."""
        return self.add(stage, build()) if stage in self._done else None


@job(name="assemble study")
def study_job(
    host_key: HostKey,
    order: str,
    engine: EngineResult,
    stages: list[StageResult],
    bulks: dict[str, Calculation],
    references: SpeciesFit | None = None,
    vacancies: VacancySet | None = None,
    migration: dict[str, Any] | None = None,
    maps: dict[str, AnisotropyMap] | None = None,
    binding: VacancyBinding | None = None,
    vibrations: AttemptFrequency | None = None,
    phases: ComputedPhases | None = None,
    assumptions: Assumptions | None = None,
    turned: dict[str, float] | None = None,
    fields: list[FieldStudy] | None = None,
    charged: ChargedVacancies | None = None,
) -> Study:
    """Judge everything that was computed; outputs a `Study`. `migration` is what `read_migration` gives.

    Raises
    ------
    InvalidResultError
        If the host failed a guard; another cation order that did is left out.
    """
    moved = migration or {}
    ends = HopEnds(moved["before"], moved["after"], moved["mover"], turned) if moved else None
    require_valid(bulks[order].checks, bulks[order].name)
    bulks = {name: made for name, made in bulks.items() if not invalid_because(made.checks)}
    inputs = StudyInputs(
        host=get_host(host_key),
        order=order,
        engine=engine,
        stages=stages,
        bulks=bulks,
        references=references,
        vacancies=vacancies,
        migration=moved.get("migration"),
        relation_matrices=moved.get("relation_matrices", []),
        keffer=moved.get("keffer", {}),
        maps=maps,
        binding=binding,
        vibrations=vibrations,
        phases=phases,
        ends=ends,
        assumptions=assumptions or Assumptions(),
        fields=fields or [],
        charged=charged,
    )
    from threadpoolctl import threadpool_limits

    # The order of a sum depends on the number of threads, and the bottom of E(n) is flat: one thread, the same digits.
    with threadpool_limits(1):
        return build_study(inputs)
