"""Which stages of a study can be done, decided before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...analysis.study.documents import StageResult
from ...analysis.thermodynamics.phases import Phase
from ...structures.host import Host
from ..engine import CannotDoError, Engine, get_engine
from ..field.requests import FieldRequest
from ..stage import Question, Stage, stage_name, stages


def plan_stages(
    engine: Engine,
    host: Host,
    order: str,
    requested: Sequence[str] | None = None,
    repeats: tuple[int, int, int] | None = None,
    enthalpies: Sequence[Phase] = (),
    vacancies: Sequence[tuple[str, str]] | None = None,
    fields: FieldRequest | None = None,
    default_fields_V_per_A: Sequence[float] = (),
) -> list[StageResult]:
    """What a study will compute and what not, with the reasons.

    Parameters
    ----------
    engine, host, order
        Who computes what.
    requested
        Some of `stage.stage_names`, with spaces, ``_`` or ``-``; by default those that each stage says are done unasked
        (competing phases only where the engine can afford and order them: there they come with the vacancies, asked
        for or not). The host is always computed.
    repeats
        Supercell repeats of the ordered cell, if a hop is to be refused that they leave no room for.
    enthalpies
        Formation enthalpies of the user's own, which may give a window where the table gives none.
    vacancies
        Elements and sublattices of the only vacancies to compute; None for all.
    fields, default_fields_V_per_A
        Fields asked for and those taken unasked, if a note is to say which of them the host does not stand.

    Returns
    -------
    list of StageResult
        One entry per stage, in order; those done on request only if they were asked for.

    Raises
    ------
    ValueError
        If a requested stage is unknown, or was asked for by name and cannot be done.
    CannotDoError
        If the engine cannot describe the material, cannot relax it, or can do nothing but the host
        of a whole study.
    """
    asked = None if requested is None else [stage_name(name) for name in requested]
    cell = host.structure(order)
    engine.check(cell)
    missing = {**engine.missing(), **engine.cannot_with(cell)}
    question = Question(
        engine,
        host,
        order,
        cell,
        asked,
        repeats,
        enthalpies,
        missing,
        vacancies is not None,
        fields,
        default_fields_V_per_A,
    )
    known = stages()
    for stage in known:
        if stage.when != "on request" or stage.name in (asked or ()):
            question.reasons[stage.name] = _reason(stage, question)
    reasons = question.reasons
    main = [s.name for s in known if s.main]
    if asked is None and all(reasons[name] for name in main):
        raise CannotDoError("; ".join(f"{name}: {reasons[name]}" for name in main))
    notes = {stage.name: stage.note(question) for stage in known if reasons.get(stage.name) == ""}
    return [
        StageResult(stage=name, done=not reason, reason=reason, note=notes.get(name, ""))
        for name, reason in reasons.items()
    ]


@dataclass(frozen=True)
class EngineStages:
    """What an engine does of a whole study of one material.

    Attributes
    ----------
    done
        Stages.
    left_out
        Reasons by stage; of an engine that does nothing, one reason under its own name.
    """

    done: tuple[str, ...]
    left_out: dict[str, str]


def stages_by_engine(host: Host, names: Sequence[str], order: str | None = None) -> dict[str, EngineStages]:
    """What each engine would do of a whole study, nothing being computed.

    Parameters
    ----------
    host, order
        Material and its cation order; the first one by default.
    names
        Engines.

    Returns
    -------
    dict
        By engine; one that is not installed or cannot describe the material does nothing, with its reason.
    """
    out = {}
    for name in names:
        try:
            planned = plan_stages(get_engine(name), host, order or host.orders[0])
        except ValueError as error:
            out[name] = EngineStages((), {name: str(error)})
            continue
        reasons = {s.stage: f"{s.stage}: {s.reason}" for s in planned if not s.done and s.reason}
        out[name] = EngineStages(tuple(s.stage for s in planned if s.done), reasons)
    return out


def _reason(stage: Stage, question: Question) -> str:
    """Why a stage is not done; empty if it will be."""
    host, asked, engine = question.host, question.requested, question.engine
    film = f"{host.key} is a film: {stage.not_for_films}" if host.layers and stage.not_for_films else ""
    reason = film or stage.why_not(question)
    if stage.when == "unasked of quick engines" and asked is None and not engine.quick_forces:
        reason = reason or f"hundreds of single points of engine {engine.name}: only if named among the stages"
    if stage.name == "host" and reason:
        raise CannotDoError(reason)
    if asked is None:
        return reason
    if stage.name in asked and reason:
        raise ValueError(f"stage {stage.name} cannot be done: {reason}")
    return reason if stage.name in asked or stage.follows(question) else "not asked for"
