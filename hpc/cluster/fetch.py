"""Brings a submitted study into a folder: the same store, results.json and report as a local run's."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...structures.io.safe_json import check_classes
from ..errors import UserError
from ..local.job_hashes import UnknownInputError, job_key
from ..local.sqlite_documents import Row, encode
from ..local.sqlite_store import SqliteStore
from .controller import studies
from .names import own_name
from .sharing import HANDS_OVER, Shared
from .waiting import completed

if TYPE_CHECKING:
    from jobflow_remote.jobs.jobcontroller import JobController

_INFO = {"_id": 0, "uuid": 1, "index": 1, "state": 1, "db_id": 1, "start_time": 1, "end_time": 1, "error": 1}
_INFO |= {"job.name": 1, "job.metadata": 1, "remote.error": 1, "remote.queue_err": 1}


@dataclass
class RemoteStudy:
    """A study's jobs in a project.

    Attributes
    ----------
    jobs
        Documents of the queue, in the order of their numbers.
    shared
        Jobs of other studies whose outputs this one takes.
    seconds_by_stage
        Wall time of the jobs that have ended, summed by stage.
    damage
        What was wrong with the folder's store and moved aside.
    collected
        Whether results and report were written without the parts that failed.
    """

    flow: str
    jobs: list[dict[str, Any]]
    shared: list[Shared] = field(default_factory=list)
    seconds_by_stage: dict[str, float] = field(default_factory=dict)
    damage: list[str] = field(default_factory=list)
    collected: bool = False

    @property
    def states(self) -> Counter[str]:
        """How many jobs are in each state."""
        return Counter(str(j["state"]) for j in self.jobs)

    @property
    def finished(self) -> bool:
        """Whether every job is completed."""
        return bool(self.jobs) and set(self.states) == {"COMPLETED"}


def remote_study(controller: JobController, flow: str) -> RemoteStudy:
    """State of a submitted study.

    Raises
    ------
    UserError
        If the project does not have it.
    """
    document = controller.flows.find_one({"uuid": flow}, {"jobs": 1})
    if document is None:
        raise UserError(f"the project has no flow {flow}; it was deleted, or this is another project")
    # What lets other studies go on is no part of this one.
    query = {"uuid": {"$in": document["jobs"]}, HANDS_OVER: {"$exists": False}}
    documents = list(controller.jobs.find(query, _INFO))
    documents.sort(key=lambda j: int("".join(c for c in str(j["db_id"]) if c.isdigit()) or 0))
    note = studies(controller).find_one({"flow": flow}, {"shared": 1}) or {}
    out = RemoteStudy(flow, documents, [Shared(**s) for s in note.get("shared", [])])
    for job in documents:
        if job.get("start_time") and job.get("end_time"):
            stage = str((job["job"].get("metadata") or {}).get("stage", "other"))
            seconds = (job["end_time"] - job["start_time"]).total_seconds()
            out.seconds_by_stage[stage] = out.seconds_by_stage.get(stage, 0.0) + seconds
    return out


def copy_outputs(controller: JobController, study: RemoteStudy, store: SqliteStore) -> int:
    """Copy the outputs of all completed jobs with their keys into a local store, one document at a time.

    Keys come last: one that is in the store has its output there, also after a broken connection.

    Returns
    -------
    int
        How many documents were copied.
    """
    # Every document is asked for by its uuid, and an index lets the database find it without reading all others.
    controller.jobstore.ensure_index("uuid")
    copied = 0
    for row in itertools.chain(_own_rows(controller, study), _shared_rows(controller, study)):
        store.write_rows([row])
        copied += 1
    store.write_rows(_keys(controller, study))
    return copied


def _own_rows(controller: JobController, study: RemoteStudy) -> Iterator[Row]:
    """Outputs of the study's own jobs, those of the same job in the order in which it was replaced."""
    for uuid, index in sorted({(j["uuid"], j["index"]) for j in study.jobs if j["state"] == "COMPLETED"}):
        yield from _row(controller, {"uuid": uuid, "index": index}, {})


def _shared_rows(controller: JobController, study: RemoteStudy) -> Iterator[Row]:
    """Outputs taken from other studies, under the names that they would have had in this one."""
    there = completed(controller, [s.owner for s in study.shared])
    for s in study.shared:
        if s.owner in there:
            here = {"uuid": s.uuid, "index": 1, "name": s.name, "metadata": {"stage": s.stage}, "hosts": [study.flow]}
            yield from _row(controller, {"uuid": s.owner}, here)


def _row(controller: JobController, query: dict[str, Any], changes: dict[str, Any]) -> list[Row]:
    """Latest output document of a job, with what is kept outside of it; none if it is not there."""
    document = controller.jobstore.query_one(query, load=True, sort={"index": -1})
    if document is None:
        return []
    document.pop("_id", None)
    document.pop("last_updated", None)
    document["name"] = own_name(str(document.get("name")), document.get("metadata"))
    document |= changes
    check_classes(document, f"output of {document.get('name')}")
    return [encode(document)]


def _keys(controller: JobController, study: RemoteStudy) -> list[Row]:
    """Keys of the completed jobs, so that a local run takes them over."""
    from jobflow import Job

    done = [j["uuid"] for j in study.jobs if j["state"] == "COMPLETED"]
    indices = Counter(j["uuid"] for j in study.jobs)
    # A job that made others has no output of its own to take over.
    waiting = [uuid for uuid in dict.fromkeys(done) if indices[uuid] == 1]
    rows = [_pointer(s.key, s.uuid) for s in study.shared]
    keys = {s.owner: s.key for s in study.shared}
    progress = True
    while progress:
        progress = False
        # In the order of their numbers few jobs stand before those that they refer to.
        for uuid in tuple(waiting):
            document = controller.jobs.find_one({"uuid": uuid}, {"_id": 0, "job": 1})
            if document is None:
                continue
            job: Any = Job.from_dict(document["job"])
            try:
                keys[uuid] = job_key(job, keys)
            except UnknownInputError:
                continue
            waiting.remove(uuid)
            progress = True
            rows.append(_pointer(keys[uuid], uuid))
    return rows


def _pointer(key: str, uuid: str) -> Row:
    return encode({"uuid": f"key-{key}", "index": 1, "name": "key", "job": [uuid, 1]})


def fetch_study(project_name: str, folder: Path, flow: str) -> RemoteStudy:
    """Bring a study's results into a folder, and write results.json and the report if it has finished.

    They are written as well if a part failed and nothing can go on: without that part, and with its reason.

    Parameters
    ----------
    project_name
        Project of jobflow-remote.
    folder
        The study's folder.
    flow
        The flow's uuid.

    Returns
    -------
    RemoteStudy
        Its state; what has finished is in the folder's store in any case.
    """
    from ..local.recovery import heal_store
    from ..local.store import open_store
    from ..study_folder.stored_study import STUDY_JOB
    from ..study_folder.study_run import finish_study
    from .controller import job_controller
    from .partial import collect_rest, failures_by_stage, is_stuck

    ran: set[str] = set()
    with job_controller(project_name) as controller:
        study = remote_study(controller, flow)
        study.damage = heal_store(folder)
        store = open_store(folder)
        docs = store.docs_store
        assert isinstance(docs, SqliteStore)
        copy_outputs(controller, study, docs)
        if is_stuck(set(study.states)):
            ran = collect_rest(controller, study, docs, store)
    if study.finished:
        finish_study(store, study.seconds_by_stage, flow, folder)
    elif STUDY_JOB in ran:
        finish_study(store, study.seconds_by_stage, flow, folder, failures_by_stage(study))
        study.collected = True
    store.close()
    return study
