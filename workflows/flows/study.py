"""The whole study as one flow: host, references, vacancies, migration, anisotropy, document."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from jobflow import Flow, job

from ...analysis.builder.build import build_study
from ...analysis.builder.inputs import StudyInputs
from ...analysis.device.assumptions import Assumptions
from ...analysis.kinetics.applied_field import check_breakdown
from ...analysis.kinetics.switching import FieldPulse
from ...analysis.study.documents import EngineResult, StageResult, Study
from ...analysis.thermodynamics.phases import formula_composition
from ...structures.defects.initial_states import StartKind, require_shakenbreak
from ...structures.host import Host, HostKey, get_host, portable_host
from ...structures.units import V_PER_M_TO_V_PER_A
from ..engine import Engine
from ..field.requests import FieldRequest
from ..maker import EngineMaker
from ..stage import StudyInMaking, read_options, stage_options, stages
from .building import Repeats, tolerant, vacancy_sites
from .frozen_exchange import check_reference
from .plan import plan_stages
from .vacancies import study_sites
from .vibrations import RADIUS_A

if TYPE_CHECKING:
    from jobflow import Job
    from pymatgen.core import Structure

FIELDS_V_PER_M = (0.0, 1e7, -1e7, 5e7, -5e7, 1e8, -1e8, 2e8, -2e8, 5e8, -5e8, 1e9, -1e9)


@dataclass
class MagnetoionicStudyMaker(EngineMaker):
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
        Signed fields along the hop, for the treatments that need no calculation.
    fields
        Other fields, directions, charges and bands relaxed in the field, see `FieldRequest`.
    is_quick
        Noted in the result.
    stages
        Which of `stage.stage_names` to compute; None computes what the engine and the host allow.
    vacancies
        Elements and sublattices of the only vacancies to compute; None computes all that the host names.
    starts
        Kinds of start of each vacancy, see `VacancyFormationMaker`.
    vacancy_maps
        Labels of vacancies, e.g. ``V_O(1)``, whose E(n) is computed beside that of the host and the hop, in the state
        that their relaxation was kept in: with a start that places the electrons, Fe2+ beside V_O is Fe2+ there.
    vibrating_radius_A
        Ions within this distance of the mover vibrate in the stage ``vibrations``; None takes all.
    assumptions
        Frozen reference, field pulse and film, see `Assumptions`.
    stage_options
        Other options of stages by name, as those read them; see `with_options`.
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
    stage_options: Mapping[str, Any] = field(default_factory=dict)
    name: str = "magneto-ionic study"

    @classmethod
    def full(cls, engine: Engine, stages: Sequence[str] | None = None) -> MagnetoionicStudyMaker:
        """Cells of about 450 atoms."""
        return cls(engine=engine, stages=stages)

    @classmethod
    def quick(cls, engine: Engine, stages: Sequence[str] | None = None) -> MagnetoionicStudyMaker:
        """Cells of about 56 atoms: seconds, with a size error of the order of 0.1 eV."""
        return cls(engine=engine, repeats=(1, 1, 1), lebedev_order=13, is_quick=True, stages=stages)

    @property
    def default_fields_V_per_A(self) -> list[float]:
        """`fields_V_per_m` as engines take them."""
        return [f * V_PER_M_TO_V_PER_A for f in self.fields_V_per_m]

    def with_options(self, **said: Any) -> MagnetoionicStudyMaker:
        """The same with options of stages, see `stage.stage_options`; what is None is as it was.

        Raises
        ------
        ValueError
            If no stage has such an option, or it cannot be read.
        """
        read, known = read_options(said), stage_options()
        own = {known[name].of_maker: value for name, value in read.items() if known[name].of_maker}
        others = {name: value for name, value in read.items() if not known[name].of_maker}
        return replace(self, **own, stage_options={**self.stage_options, **others})

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
        planned = plan_stages(
            self.engine,
            host,
            chosen,
            self.stages,
            self.repeats,
            self.assumptions.enthalpies,
            self.vacancies,
            self.fields,
            self.default_fields_V_per_A,
        )
        if tuple(self.starts) != ("as built",) and not any(s.stage == "vacancies" and s.done for s in planned):
            raise ValueError("starts are those of vacancies, and this study computes none; add vacancies to the stages")
        for kind in self.starts if any(s.stage == "vacancies" and s.done for s in planned) else ():
            if reason := self.engine.cannot_start(kind):
                raise ValueError(f"engine {self.engine.name} cannot start a vacancy {kind}: {reason}")
            if kind == "distorted":
                require_shakenbreak()
        if any(s.stage == "migration" and s.done for s in planned):
            cell = host.structure(chosen)
            fields = self.fields.checked(self.engine, cell, host.gap_eV, self.default_fields_V_per_A, self.repeats)
            if self.assumptions.pulse != FieldPulse():
                check_breakdown(self.assumptions.pulse.field_V_per_m * V_PER_M_TO_V_PER_A, fields.limit_V_per_A)
        check_reference(self.assumptions.reference, self.engine, planned)
        self._check_stage_options({s.stage for s in planned if s.done})
        self._check_vacancy_maps(host_key, chosen, {s.stage for s in planned if s.done})
        return planned

    def _check_vacancy_maps(self, host_key: HostKey, order: str, done: set[str]) -> None:
        if not self.vacancy_maps:
            return
        if not {"vacancies", "anisotropy"} <= done:
            raise ValueError("maps of vacancies need the stages vacancies and anisotropy")
        known = [s.label for s in study_sites(self.engine, vacancy_sites(host_key, order), self.vacancies)]
        if unknown := [label for label in self.vacancy_maps if label not in known]:
            raise ValueError(f"no vacancy {', '.join(unknown)} to map; this study computes {', '.join(known)}")

    def _check_stage_options(self, done: set[str]) -> None:
        for stage in (s for s in stages() if s.name not in done):
            if given := [o.flag for o in stage.options if o.name in self.stage_options]:
                raise ValueError(f"{given[0]} is for the stage {stage.name}, which this study does not compute")

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
        done = {s.stage for s in planned if s.done}
        study = StudyInMaking(self, host_key, host, chosen)
        jobs: list[Job | Flow] = []
        results: dict[str, Any] = {}
        for stage in (s for s in stages() if s.name in done):
            job = stage.build(study)
            if job is None:
                continue
            job.update_metadata({"stage": stage.name}, dynamic=True)
            jobs.append(job)
            study.outputs[stage.name] = job.output
            results[stage.name] = stage.result(job.output)
        engine = self.engine_result(host.structure(chosen))
        citations = study_citations(self.engine, done)
        inputs = StudyInputs(host_key, chosen, engine, planned, results, self.assumptions, citations=citations)
        last = tolerant(study_job(inputs))
        last.update_metadata({"stage": "analysis"}, dynamic=True)
        return Flow([*jobs, last], output=last.output, name=f"{self.name}: {host.formula}")

    def engine_result(self, cell: Structure) -> EngineResult:
        """What a study says of its engine and cells."""
        return EngineResult(
            name=self.engine.name,
            level_of_theory=self.engine.level_of_theory,
            summary=self.engine.summary,
            cannot={str(k): v for k, v in self.engine.cannot_with(cell).items()},
            supercell_repeats=list(self.repeats),
            quick=self.is_quick,
            provenance=self.engine.provenance(),
        )


def study_citations(engine: Engine | None, done: Collection[str]) -> list[str]:
    """What an engine and stages rest on, each once."""
    of_stages = [key for stage in stages() if stage.name in done for key in stage.citations]
    return list(dict.fromkeys([*(engine.citations if engine is not None else ()), *of_stages]))


@job(name="study")
def study_job(inputs: StudyInputs) -> Study:
    """Judge everything that was computed; outputs a `Study`.

    Raises
    ------
    InvalidResultError
        If the host failed a guard; another cation order that did is left out.
    """
    from threadpoolctl import threadpool_limits

    # The order of a sum depends on the number of threads, and the bottom of E(n) is flat: one thread, the same digits.
    with threadpool_limits(1):
        return build_study(inputs)
