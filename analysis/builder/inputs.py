"""What a study is built from: one mapping of each stage's name to its output, and the parts that are read from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ...stored.base import Stored
from ...structures.host import Host, HostKey, get_host
from ..defects.charged_cells import ChargedVacancies
from ..defects.vacancies import VacancySet
from ..device.assumptions import Assumptions
from ..kinetics.attempt_frequency import AttemptFrequency
from ..kinetics.field_treatments import FieldStudy
from ..kinetics.migration import Migration
from ..magnetism.anisotropy import AnisotropyMap
from ..results.calculation import Calculation
from ..results.checks import InvalidResultError, invalid_because, no_result, require_valid
from ..results.document import Document
from ..study.documents import EngineResult, StageResult
from ..thermodynamics.computed_phases import ComputedPhases, ReferenceMode
from ..thermodynamics.references import SpeciesFit
from .attempts import Attempts
from .post_processing import HopEnds

# Stages whose outputs have a place of their own in a study; the document of any other one is an observable.
_OWN_PLACE = (
    "host",
    "vacancies",
    "point defects",
    "competing phases",
    "chemical potentials",
    "migration",
    "vibrations",
    "anisotropy",
    "charged defects",
)


@dataclass
class StudyInputs(Stored):
    """A study that has been computed.

    Attributes
    ----------
    host_key, order, engine
        What was computed, and who did.
    stages
        What was to be computed and what not.
    outputs
        Output of each stage by its name; stages that were not done are not there.
    assumptions
        Frozen reference, pulse, film and enthalpies.
    reference_mode
        Where the energies of the elements come from, see `computed_phases`.
    citations
        What engine and stages rest on; no number depends on it.
    """

    run_only: ClassVar[frozenset[str]] = frozenset({"citations"})

    host_key: HostKey | Host
    order: str
    engine: EngineResult
    stages: list[StageResult]
    outputs: dict[str, Any]
    assumptions: Assumptions = field(default_factory=Assumptions)
    reference_mode: ReferenceMode = "redox ladder"
    citations: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class StudyParts:
    """The outputs, each under its type; None or empty where a stage was not done."""

    host: Host
    order: str
    engine: EngineResult
    stages: list[StageResult]
    bulks: Mapping[str, Calculation]
    assumptions: Assumptions
    references: SpeciesFit | None
    vacancies: VacancySet | None
    phases: ComputedPhases | None
    migration: Migration | None
    ends: HopEnds | None
    relation_matrices: list[list[list[float]]]
    keffer: Mapping[str, list[float]]
    fields: Sequence[FieldStudy]
    vibrations: AttemptFrequency | None
    maps: Mapping[str, AnisotropyMap] | None
    warm: Mapping[str, AnisotropyMap]
    charged: ChargedVacancies | None
    observables: dict[str, Document]
    reference_mode: ReferenceMode
    gone: tuple[str, ...] = ()


def parts_of(inputs: StudyInputs) -> StudyParts:
    """Take the outputs of the stages apart.

    Raises
    ------
    InvalidResultError
        If the host failed a guard; another cation order that did is left out.
    TypeError
        If a stage without a place of its own gives anything but a document.
    """
    outputs = inputs.outputs
    bulks: dict[str, Calculation] = {
        name: map_data for name, map_data in (outputs["host"] or {}).items() if map_data is not None
    }
    if inputs.order not in bulks:
        raise InvalidResultError(f"the host's cell {inputs.order} was not computed, and everything rests on it")
    require_valid(bulks[inputs.order].checks, bulks[inputs.order].name)
    migration = outputs.get("migration") or {}
    anisotropy = outputs.get("anisotropy") or {}
    moved = migration.get("read") or {}
    # A hop without its ends is known at zero field only.
    known = moved.get("before") is not None
    ends = None
    if known:
        ends = HopEnds(
            moved["before"], moved["after"], moved["mover"], anisotropy.get("turned"), moved.get("end_moments_muB")
        )
    return StudyParts(
        host=get_host(inputs.host_key),
        order=inputs.order,
        engine=inputs.engine,
        stages=inputs.stages,
        bulks={name: map_data for name, map_data in bulks.items() if not invalid_because(map_data.checks)},
        assumptions=inputs.assumptions,
        references=outputs.get("chemical potentials"),
        vacancies=_defects(outputs.get("vacancies"), outputs.get("point defects")),
        phases=outputs.get("competing phases"),
        migration=moved.get("migration"),
        ends=ends,
        relation_matrices=moved.get("relation_matrices", []),
        keffer=moved.get("keffer", {}),
        fields=[field_data for field_data in migration.get("fields") or [] if field_data is not None],
        vibrations=outputs.get("vibrations"),
        maps=anisotropy.get("maps"),
        warm=anisotropy.get("warm") or {},
        charged=outputs.get("charged defects"),
        observables=_observables(outputs),
        reference_mode=inputs.reference_mode,
        gone=_gone(inputs),
    )


def _defects(vacancies: VacancySet | None, others: VacancySet | None) -> VacancySet | None:
    """Vacancies and other point defects in one set; of a label that is in both the vacancies' own."""
    if vacancies is None or others is None:
        return vacancies or others
    known = {v.label for v in vacancies.vacancies}
    more = [v for v in others.vacancies if v.label not in known]
    left_out = {**others.left_out, **vacancies.left_out}
    return vacancies.model_copy(update={"vacancies": [*vacancies.vacancies, *more], "left_out": left_out})


def _gone(inputs: StudyInputs) -> tuple[str, ...]:
    """Stages that were to be done and of which nothing came."""
    # Outputs of several parts: the part without which there is nothing.
    heart = {"migration": "read", "anisotropy": "maps"}
    lost = []
    for stage in (s.stage for s in inputs.stages if s.done and s.stage in inputs.outputs):
        output = inputs.outputs[stage]
        if output is None or (stage in heart and not output.get(heart[stage])):
            lost.append(stage)
    return tuple(lost)


def _observables(outputs: Mapping[str, Any]) -> dict[str, Document]:
    outputs_by_stage = {
        name: output for name, output in outputs.items() if name not in _OWN_PLACE and output is not None
    }
    for name, output in outputs_by_stage.items():
        if not isinstance(output, Document):
            raise TypeError(f"stage {name} gives a {type(output).__name__}; a study takes its document")
    return outputs_by_stage


def sound_maps(inputs: StudyParts, attempts: Attempts) -> Mapping[str, AnisotropyMap] | None:
    """Maps that passed their checks, of structures that did: those of other electronic states do not compare."""
    sound = {}
    ends = [] if inputs.migration is None else inputs.migration.why_not_two_states
    for state, map_ in (inputs.maps or {}).items():
        why = [*invalid_because(map_.checks), *(ends if state in ("before", "after") else [])]
        if why:
            attempts.refuse("anisotropy", f"E(n) of {state}: {no_result(why)}")
        else:
            sound[state] = map_
    return sound or None
