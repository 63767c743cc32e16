"""Types for what atomate2 and emmet leave open: decorators of runs, parts of a parsed run that may be missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from atomate2.vasp.jobs.base import vasp_job

if TYPE_CHECKING:
    from jobflow import Job

Part = TypeVar("Part")


def there(part: Part | None, what: str) -> Part:
    """A part that a finished run must have.

    Raises
    ------
    ValueError
        If it is missing.
    """
    if part is None:
        raise ValueError(f"the parsed run holds no {what}: it was cut off, or its output could not be read")
    return part


def folder_of(task: Any) -> str:
    """Where a task ran."""
    return str(there(task.dir_name, "folder"))


def vasp_run(method: Callable[..., Any]) -> Callable[..., Job]:
    """atomate2's decorator of a VASP run, with the type of what it makes."""
    return cast("Callable[..., Job]", vasp_job(method))
