"""Outputs and functions of jobs, for code that is given either a value or a promise of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobflow import Flow, Job


def output_of(job: Job | Flow) -> Any:
    """Output of a job or flow, to be given to whatever takes the value itself: it is there when that one runs."""
    return job.output


def function_of(decorated: Callable[..., Any]) -> Callable[..., Any]:
    """The function that a job runs, to be called at once inside another job."""
    original: Callable[..., Any] = vars(decorated)["original"]
    return original
