"""One job computed, with everything that it wants written held back, so that it is written at once."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .job_errors import reason_of
from .sqlite_documents import Row
from .sqlite_store import SqliteStore

if TYPE_CHECKING:
    from jobflow import Flow, Job, JobStore

# The name that `workflows.evaluation.checkpoint` reads; that module takes ASE with it.
CHECKPOINTS = "MAGNETOIONICS_CHECKPOINTS"


@dataclass
class Outcome:
    """What came of a job.

    Attributes
    ----------
    rows
        Encoded documents to write; none if the store took them itself.
    more
        Flows that the job asked for.
    stopped
        The job stops what depends on it.
    error
        Why it failed; empty if it did not.
    """

    rows: list[Row] = field(default_factory=list)
    more: list[Flow | Job] = field(default_factory=list)
    stopped: bool = False
    error: str = ""
    seconds: float = 0.0


def execute(job: Job, store: JobStore, key: str | None = None) -> Outcome:
    """Run a job, in a folder of its own if it writes files; an exception becomes the outcome's error.

    A job with a `key` has the same folder in every run, so that one that was cut off finds what it left there.
    """
    begin = time.perf_counter()
    docs = store.docs_store
    root = Path(docs.path).resolve().parent if isinstance(docs, SqliteStore) else None
    try:
        if isinstance(docs, SqliteStore) and root is not None:
            with docs.holding() as rows, checkpoints(root), own_folder(job, root, key):
                response = job.run(store=store)
        else:
            with own_folder(job, Path.cwd(), key):
                rows, response = [], job.run(store=store)
    except Exception as error:
        return Outcome(error=reason_of(error, job.name, root), seconds=time.perf_counter() - begin)
    more: list[Any] = [m for m in (response.replace, response.detour, response.addition) if m is not None]
    stopped = bool(response.stop_children or response.stop_jobflow)
    return Outcome(rows, more, stopped, seconds=time.perf_counter() - begin)


@contextlib.contextmanager
def checkpoints(root: Path) -> Iterator[None]:
    """Where long calculations keep what a killed one goes on from; a folder that the user has set stays."""
    if CHECKPOINTS in os.environ:
        yield
        return
    os.environ[CHECKPOINTS] = str(root / "checkpoints")
    try:
        yield
    finally:
        del os.environ[CHECKPOINTS]


def own_folder(job: Job, root: Path, key: str | None = None) -> contextlib.AbstractContextManager[None]:
    """A folder below ``root/files`` for a job whose metadata name ``own_folder``, else the current one.

    Parameters
    ----------
    job
        With the name that the folder is called by.
    root
        Folder of the store.
    key
        Also in the folder's name; the uuid of a job without a key.
    """
    if not (job.metadata or {}).get("own_folder"):
        return contextlib.nullcontext()
    name = "".join(c if c.isalnum() else "_" for c in job.name)
    place = root.resolve() / "files" / f"{name}_{(key or job.uuid)[:8]}"
    place.mkdir(parents=True, exist_ok=True)
    return contextlib.chdir(place)


def to_plain(value: Job | Flow) -> Any:
    """A job or flow as JSON values, to be sent to another process."""
    from monty.json import jsanitize

    return jsanitize(value, strict=True, enum_values=True)
