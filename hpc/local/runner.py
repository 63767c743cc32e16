"""Runs a jobflow flow here, serially or on several processes, reporting every job as it starts and ends.

What has been computed is never computed again: a finished job leaves its output and its key (see
`keys`) in the store in one transaction, and a job whose key is there takes the stored output over.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from .execution import Outcome, execute
from .job_hashes import UnknownInputError, job_key
from .old_keys import old_job_key, still_holds
from .run_log import FolderInUseError, JobState, RunLog
from .schedule import Node, Schedule
from .sqlite_documents import DamagedStoreError, Row, SqliteDocuments, decode, encode
from .sqlite_store import SqliteStore

if TYPE_CHECKING:
    from jobflow import Flow, Job, JobStore

    from .pool import WorkerPool


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
    """What ran or was taken over (`borrowed`: from other studies), how long a stage took (s), what failed and why."""

    seconds_by_stage: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    failed_by_stage: dict[str, list[str]] = field(default_factory=dict)
    jobs: int = 0
    reused: int = 0
    borrowed: int = 0
    damaged: list[str] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        """Whether nothing failed."""
        return not self.failed


_ONE_IN_PROCESS = threading.Lock()


def stage_of(job: Job) -> str:
    """The study stage that a job belongs to, as its flow says."""
    return str((job.metadata or {}).get("stage", "other"))


def is_tolerant(job: Job) -> bool:
    """Whether a job runs although some of its inputs failed, which come to it as None."""
    return str(getattr(job.config.on_missing_references, "value", "")) == "none"


class LocalRunner:
    """Runner with events; its account is the run log beside a SQLite store.

    Parameters
    ----------
    store
        Connected job store.
    on_event
        Called with a `JobEvent` at every start and end.
    jobs
        Processes that compute at a time; more than one needs a `SqliteStore`.
    others
        Stores of other studies, asked for a job that `store` does not have; what they have is copied.
    """

    def __init__(
        self,
        store: JobStore,
        on_event: Callable[[JobEvent], None] | None = None,
        *,
        jobs: int = 1,
        others: Sequence[SqliteDocuments] = (),
    ) -> None:
        docs = store.docs_store
        if jobs < 1:
            raise UserError(f"{jobs} processes cannot compute anything; give --jobs 1 or more")
        if jobs > 1 and not isinstance(docs, SqliteStore):
            raise UserError(f"--jobs {jobs} needs the SQLite store, not a {type(docs).__name__}")
        self.store = store
        self.workers = jobs
        self._others = list(others)
        self._docs = docs if isinstance(docs, SqliteStore) else None
        self._tell = on_event or (lambda event: None)
        self._keys: dict[str, str] = {}
        # Keys of version 1, where a store may know them.
        self._old_keys: dict[str, str] = {}
        self._stores_of_version_1 = any(s.is_of_version_1 for s in (self._docs, *self._others) if s is not None)
        self._in_flight: dict[str, list[Node]] = {}
        self._mine: set[tuple[str, int]] = set()
        self._run_log: RunLog | None = None
        self.summary = RunSummary()

    def run(self, flow: Flow | Job) -> RunSummary:
        """Run all jobs in dependency order; a failed job stops only what depends on it.

        Raises
        ------
        FolderInUseError
            If another runner works on the same store, or anywhere in this process: a job may change the current
            folder and the environment, which all threads of a process share.
        """
        if not _ONE_IN_PROCESS.acquire(blocking=False):
            raise FolderInUseError(
                "another study is being computed in this Python process, and two would change each other's current "
                "folder; wait for it, or start this one in a process of its own (`magnetoionics run`)"
            )
        try:
            return self._run(flow)
        finally:
            _ONE_IN_PROCESS.release()

    def _run(self, flow: Flow | Job) -> RunSummary:
        self._schedule = Schedule()
        if self._docs is not None:
            self._run_log = RunLog(Path(self._docs.path).parent)
            self._run_log.begin(self.workers)
        pool = self._pool()
        try:
            self._plan(self._schedule.add(flow))
            if pool is None:
                self._run_serially()
            else:
                self._run_in_parallel(pool)
        finally:
            if pool is not None:
                pool.close()
            if self._run_log is not None:
                self._run_log.finish()
        return self.summary

    def _pool(self) -> WorkerPool | None:
        """The processes of a parallel run; the first one starts while the flow is being ordered."""
        if self.workers == 1 or self._docs is None:
            return None
        from .pool import WorkerPool

        pool = WorkerPool(self._docs.path, self.workers)
        pool.start()
        return pool

    def _plan(self, nodes: list[Node]) -> None:
        self._mine.update((n.job.uuid, n.job.index) for n in nodes)
        if self._run_log is not None:
            self._run_log.add((n.id, n.job.name, stage_of(n.job)) for n in nodes)

    def _run_serially(self) -> None:
        while (node := self._schedule.take()) is not None:
            if not self._settled_before(node):
                self._end(node, execute(node.job, self.store, self._keys.get(node.job.uuid)))

    def _run_in_parallel(self, pool: WorkerPool) -> None:
        while self._schedule.open:
            self._feed(pool)
            if not pool.running:
                break
            for node, outcome in pool.outcomes():
                self._end(node, outcome)

    def _feed(self, pool: WorkerPool) -> None:
        while pool.running < pool.size and (node := self._schedule.take()) is not None:
            if not self._settled_before(node):
                pool.submit(node, node.job, self._keys.get(node.job.uuid))

    def _settled_before(self, node: Node) -> bool:
        """Skip a job whose input failed, or take a stored output over; otherwise it is now running.

        A job equal to one that is being computed waits for it.
        """
        job = node.job
        if node.bad and not is_tolerant(job):
            self.summary.failed[job.name] = "an input failed"
            self._finish(node, "skipped", error="an input failed")
            return True
        # What came of a part of its inputs is not what comes of all: it is neither looked up nor kept under the key.
        key = None if node.bad else self._key(job)
        if node.bad:
            self._keys.pop(job.uuid, None)
            node.bad = False
        if key and key in self._in_flight:
            self._in_flight[key].append(node)
            return True
        if self._run_log is not None:
            self._run_log.started(node.id)
        self._tell(JobEvent(job.name, stage_of(job), "running"))
        begin = time.perf_counter()
        if key and self._take_over(job, key):
            self.summary.reused += 1
            self._count(job, time.perf_counter() - begin)
            self._finish(node, "done", seconds=time.perf_counter() - begin, reused=True)
            return True
        if key:
            self._in_flight[key] = []
        return False

    def _end(self, node: Node, outcome: Outcome) -> None:
        """Write what a computed job left, and go on from there."""
        job, key = node.job, self._keys.get(node.job.uuid)
        # A job that has stopped something, or asked for more, is asked again in the next run.
        if key and not (outcome.error or outcome.more or outcome.stopped):
            self._write([*outcome.rows, encode(_pointer(key, job))])
        else:
            self._write(outcome.rows)
        if outcome.error:
            self.summary.failed[job.name] = outcome.error
            self.summary.failed_by_stage.setdefault(stage_of(job), []).append(f"{job.name}: {outcome.error}")
            self._finish(node, "failed", seconds=outcome.seconds, error=outcome.error)
        else:
            self._count(job, outcome.seconds)
            for flow in outcome.more:
                self._plan(self._schedule.add(flow, node))
            self._finish(node, "done", seconds=outcome.seconds, bad=outcome.stopped)
        for equal in self._in_flight.pop(key, []) if key else []:
            self._schedule.put_back(equal)

    def _finish(
        self,
        node: Node,
        state: JobState,
        *,
        seconds: float = 0.0,
        error: str = "",
        reused: bool = False,
        bad: bool = False,
    ) -> None:
        if self._run_log is not None:
            self._run_log.ended(node.id, state, reused=reused, error=error)
        self._tell(JobEvent(node.job.name, stage_of(node.job), state, seconds, error))
        self._schedule.finish(node, bad=bad or bool(error))

    def _count(self, job: Job, seconds: float) -> None:
        stage = stage_of(job)
        self.summary.jobs += 1
        self.summary.seconds_by_stage[stage] = self.summary.seconds_by_stage.get(stage, 0.0) + seconds

    def _write(self, rows: list[Row]) -> None:
        if self._docs is not None:
            self._docs.write_rows(rows)
            return
        for row in rows:  # another store wrote the output itself; left is the pointer
            self.store.docs_store.update(decode(row))

    def _key(self, job: Job) -> str | None:
        """Key of a job; None if it takes the output of a job outside this run."""
        try:
            key = job_key(job, self._keys)
        except UnknownInputError:
            self._keys.pop(job.uuid, None)
            return None
        self._keys[job.uuid] = key
        if self._stores_of_version_1 and (old := old_job_key(job, self._old_keys)) is not None:
            self._old_keys[job.uuid] = old
        return key

    def _borrow(self, job: Job, key: str) -> bool:
        """Copy the output of an equal job from another study's store; a damaged one there is named and passed over."""
        for other in self._others:
            try:
                document = other.by_key(key) or self._by_old_key(other, job)
            except DamagedStoreError as error:
                self.summary.damaged.append(f"{job.name} is not taken from another study: {error}")
                continue
            if document is not None:
                self._write(_rows_for(job, key, document))
                self.summary.borrowed += 1
                return True
        return False

    def _by_old_key(self, store: SqliteDocuments, job: Job) -> dict[str, Any] | None:
        """Output that version 1 left under the job's old key, if what computed it is what would compute it now."""
        old = self._old_keys.get(job.uuid)
        document = store.by_key(old) if old is not None else None
        return document if document is not None and still_holds(document, job) else None

    def _take_over(self, job: Job, key: str) -> bool:
        """Give the stored output of an equal job to this one; False if there is none or it is damaged."""
        try:
            pointer = self.store.docs_store.query_one({"uuid": f"key-{key}"})
            if pointer is None:
                document = None if self._docs is None else self._by_old_key(self._docs, job)
                if document is None:
                    return self._borrow(job, key)
                uuid, index = document["uuid"], document["index"]
            else:
                uuid, index = pointer["job"]
                document = self.store.docs_store.query_one({"uuid": uuid, "index": index})
        except DamagedStoreError as error:
            if self._docs is None or error.row is None:
                raise
            self._docs.set_aside(*error.row)
            self.summary.damaged.append(f"{job.name}: {error}")
            return False
        if document is None:
            return False
        if (uuid, index) == (job.uuid, job.index):
            return True
        rows = _rows_for(job, key, document)
        # Two equal jobs of one run keep an output each: others refer to both.
        old = [] if (uuid, index) in self._mine else [(uuid, index)]
        if self._docs is not None:
            self._docs.write_rows(rows, remove=old)
        else:
            self._write(rows)
            for uuid, index in old:
                self.store.docs_store.remove_docs({"uuid": uuid, "index": index})
        return True


def _rows_for(job: Job, key: str, document: dict[str, Any]) -> list[Row]:
    """A stored output under another job's name, with the key."""
    mine = {"uuid": job.uuid, "index": job.index, "name": job.name, "metadata": job.metadata, "hosts": job.hosts}
    return [encode(document | mine), encode(_pointer(key, job))]


def _pointer(key: str, job: Job) -> dict[str, object]:
    """The document that leads from a key to the job that holds its output."""
    return {"uuid": f"key-{key}", "index": 1, "name": "key", "job": [job.uuid, job.index]}
