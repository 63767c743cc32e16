"""What a judge of a claim asks of a study, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..kinetics.migration import Migration
from ..kinetics.retention import Retention
from ..results.checks import invalid_because, no_result
from ..study.documents import Study, VacancyResult, Verdict

Item = TypeVar("Item")


@dataclass(frozen=True)
class Judgement:
    """Verdict, deciding number and reason of one claim; `by` overrides the engine's name."""

    verdict: Verdict
    value: float | None
    unit: str
    reason: str
    by: str | None = None


Judge = Callable[[Study], Judgement]


class NotDoneError(Exception):
    """A judge needs a stage that the study did not compute, or whose result is none, for the reason given."""

    def __init__(self, stage: str, reason: str = "") -> None:
        super().__init__(f"the {stage} of this study is {reason}" if reason else f"this study has no {stage}")


def need(value: Item | None, stage: str) -> Item:
    """The value, or `NotDoneError` naming the stage that would have made it."""
    if value is None:
        raise NotDoneError(stage)
    return value


def sound_vacancies(study: Study) -> list[VacancyResult]:
    """Vacancies that no failed check keeps from being results."""
    return [v for v in study.vacancies if not invalid_because(v.checks)]


def sound_hop(study: Study) -> Migration:
    """The study's hop.

    Raises
    ------
    NotDoneError
        If it has none, or one that rests on a failed check.
    """
    hop = need(next(iter(study.migration), None), "migration")
    if hop.why_no_result:
        raise NotDoneError("migration", no_result(hop.why_no_result))
    return hop


def sound_retention(study: Study, at_K: float | None = None) -> Retention:
    """Retention of the study's hop; errors as `sound_hop`, and without a rate law at a temperature, if one is given."""
    retention = need(study.retention, "retention")
    if study.migration and study.migration[0].why_no_result:
        raise NotDoneError("retention", no_result(study.migration[0].why_no_result))
    if at_K is not None and (why := retention.why_no_rate(at_K)):
        raise NotDoneError("retention", no_result([why]))
    return retention
