"""Looks after a project beside its runner: cures what is safe again and again, until no job is left to wait for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from ..errors import UserError
from ..terminal import Console
from .controller import DatabaseDownError, job_controller
from .doctor import examine

# States of a job that runs or will run: one that waits for a failed one for good waits in vain.
STILL_TO_COME = (
    "READY",
    "CHECKED_OUT",
    "UPLOADED",
    "SUBMITTED",
    "RUNNING",
    "RUN_FINISHED",
    "DOWNLOADED",
    "BATCH_SUBMITTED",
    "BATCH_RUNNING",
)


def watch(
    project_name: str,
    minutes: float,
    *,
    stale_s: float = 1800.0,
    engines: Sequence[str] = (),
    console: Console | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> bool:
    """Examine and cure again and again; jobs whose time was up go on by themselves, each as often as the doctor allows.

    Parameters
    ----------
    project_name
        Project of jobflow-remote.
    minutes
        Between two looks.
    stale_s, engines
        See `doctor.examine`.
    console
        Where to report.
    wait
        Called with the seconds between two looks.

    Returns
    -------
    bool
        Whether everything has come to its end and nothing is wrong.

    Raises
    ------
    UserError
        If the time is not positive, or the project does not exist.
    """
    if not minutes > 0:
        raise UserError(f"--watch {minutes:g}: minutes between two looks must be positive, e.g. --watch 10")
    console = console or Console()
    look = partial(examine, project_name, fix=True, stale_s=stale_s, console=console)
    good = look(engines=engines)
    while _to_come(project_name):
        wait(60.0 * minutes)
        good = look(jobs_only=True)
    console.print("no job is left to wait for")
    return good


def _to_come(project_name: str) -> bool:
    """Whether a job runs or will run; also while the database does not answer."""
    try:
        with job_controller(project_name) as controller:
            return bool(controller.jobs.count_documents({"state": {"$in": list(STILL_TO_COME)}}, limit=1))
    except DatabaseDownError:
        return True
