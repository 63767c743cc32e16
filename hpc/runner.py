"""Runs a jobflow flow here, one job after another, reporting every job as it starts and ends.

What has been computed is never computed again: every finished job leaves its key in the store
(see `keys`), and a job whose key is there takes the stored output over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .keys import UnknownInputError, job_key

if TYPE_CHECKING:
    from jobflow import Flow, Job, JobStore


@dataclass(frozen=True)
class JobEvent:
    """A job has started or ended; `seconds` is 0 at the start."""

    name: str
    stage: str
    state: str
    seconds: float = 0.0
    error: str = ""


@dataclass
class RunSummary:
    """What ran or was taken over, how long each stage took (s), and what failed and why."""

    seconds_by_stage: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    jobs: int = 0
    reused: int = 0

    @property
    def finished(self) -> bool:
        """Whether nothing failed."""
        return not self.failed


def stage_of(job: Job) -> str:
    """The study stage that a job belongs to, as its flow declared it."""
    return str((job.metadata or {}).get("stage", "other"))


def set_stage(flow: Flow | Job, stage: str) -> Flow | Job:
    """Declare the stage of every job of a flow, those made while running included."""
    flow.update_metadata({"stage": stage}, dynamic=True)
    return flow


class LocalRunner:
    """Serial runner with events.

    Parameters
    ----------
    store
        Connected job store.
    on_event
        Called with a `JobEvent` at every start and end.
    """

    def __init__(self, store: JobStore, on_event: Callable[[JobEvent], None] | None = None) -> None:
        self.store = store
        self._tell = on_event or (lambda event: None)
        self._bad: set[str] = set()
        self._keys: dict[str, str] = {}
        self.summary = RunSummary()

    def run(self, flow: Flow | Job) -> RunSummary:
        """Run all jobs in dependency order; a failed job stops only what depends on it.

        Returns
        -------
        RunSummary
        """
        from jobflow.core.flow import get_flow

        for job, parents in get_flow(flow).iterflow():
            self._run_job(job, parents)
        return self.summary

    def _run_job(self, job: Job, parents: list[str]) -> None:
        stage = stage_of(job)
        if self._bad.intersection(parents):
            self._bad.add(job.uuid)
            self.summary.failed[job.name] = "an input failed"
            self._tell(JobEvent(job.name, stage, "skipped", error="an input failed"))
            return
        self._tell(JobEvent(job.name, stage, "running"))
        begin = time.perf_counter()
        key = self._key(job)
        if key and self._take_over(job, key):
            self.summary.reused += 1
            self._count(job, stage, time.perf_counter() - begin)
            return
        try:
            response = job.run(store=self.store)
        except Exception as error:
            self._bad.add(job.uuid)
            reason = f"{type(error).__name__}: {error}"
            self.summary.failed[job.name] = reason
            self._tell(JobEvent(job.name, stage, "failed", time.perf_counter() - begin, reason))
            return
        more = [m for m in (response.replace, response.detour, response.addition) if m is not None]
        if key and not more and not response.stop_children and not response.stop_jobflow:
            self.store.docs_store.update(_pointer(key, job))
        self._count(job, stage, time.perf_counter() - begin)
        if response.stop_children or response.stop_jobflow:
            self._bad.add(job.uuid)
        for flow in more:
            self.run_more(flow, job.uuid)

    def _count(self, job: Job, stage: str, seconds: float) -> None:
        self.summary.jobs += 1
        self.summary.seconds_by_stage[stage] = self.summary.seconds_by_stage.get(stage, 0.0) + seconds
        self._tell(JobEvent(job.name, stage, "done", seconds))

    def _key(self, job: Job) -> str | None:
        """Key of a job; None if it takes the output of a job outside this run."""
        try:
            key = job_key(job, self._keys)
        except UnknownInputError:
            return None
        self._keys[job.uuid] = key
        return key

    def _take_over(self, job: Job, key: str) -> bool:
        """Give the stored output of an equal job to this one; False if there is none."""
        pointer = self.store.docs_store.query_one({"uuid": f"key-{key}"})
        if pointer is None:
            return False
        uuid, index = pointer["job"]
        document = self.store.docs_store.query_one({"uuid": uuid, "index": index})
        if document is None:
            return False
        if (uuid, index) != (job.uuid, job.index):
            document |= {"uuid": job.uuid, "index": job.index, "name": job.name, "metadata": job.metadata}
            self.store.docs_store.update([document, _pointer(key, job)])
            self.store.docs_store.remove_docs({"uuid": uuid, "index": index})
        return True

    def run_more(self, flow: Flow | Job, owner: str) -> None:
        """Run the jobs that a job asked for; a failure among them counts as its own."""
        from jobflow.core.flow import get_flow

        before = len(self.summary.failed)
        for job, parents in get_flow(flow, allow_external_references=True).iterflow():
            self._run_job(job, parents)
        if len(self.summary.failed) > before:
            self._bad.add(owner)


def _pointer(key: str, job: Job) -> dict[str, object]:
    """The document that leads from a key to the job that holds its output."""
    return {"uuid": f"key-{key}", "index": 1, "name": "key", "job": [job.uuid, job.index]}
