"""What a study offers to the audit, and what a judge hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from ..defects.binding import VacancyBinding
from ..defects.uptake import MomentCurve
from ..kinetics.migration import Migration
from ..kinetics.retention import Retention
from ..magnetism.unidirectional import UnidirectionalResult
from ..study.documents import HostResult, VacancyResult, Verdict
from ..thermodynamics.references import SpeciesFit
from ..thermodynamics.stability_window import ChemicalPotentials

Item = TypeVar("Item")


@dataclass(frozen=True)
class Evidence:
    """What a study offers to the audit; None where a stage was not done, or `refused` says why it is no result."""

    host: HostResult
    engine: str
    level_of_theory: str
    vacancies: list[VacancyResult]
    window: ChemicalPotentials | None
    references: SpeciesFit | None
    migration: Migration | None
    unidirectional: UnidirectionalResult | None
    retention: Retention | None
    binding: VacancyBinding | None = None
    contents: list[MomentCurve] = field(default_factory=list)
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Judgement:
    """Verdict, deciding number and reason of one claim; `by` overrides the engine's name."""

    verdict: Verdict
    value: float | None
    unit: str
    reason: str
    by: str | None = None


Judge = Callable[[Evidence], Judgement]


class NotDoneError(Exception):
    """A judge needs a stage that the study did not compute."""


def need(value: Item | None, stage: str) -> Item:
    """The value, or `NotDoneError` naming the stage that would have made it."""
    if value is None:
        raise NotDoneError(stage)
    return value
