"""Brings a submitted study into a folder: the same store, results.json and report as a local run's."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...structures.safe_json import check_classes
from ..errors import UserError
from ..keys import UnknownInputError, job_key
from ..sqlite_store import Row, SqliteStore, encode

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
    seconds_by_stage
        Wall time of the jobs that have ended, summed by stage.
    """

    flow: str
    jobs: list[dict[str, Any]]
    seconds_by_stage: dict[str, float] = field(default_factory=dict)

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
    found = list(controller.jobs.find({"uuid": {"$in": document["jobs"]}}, _INFO))
    found.sort(key=lambda j: int("".join(c for c in str(j["db_id"]) if c.isdigit()) or 0))
    out = RemoteStudy(flow, found)
    for job in found:
        if job.get("start_time") and job.get("end_time"):
            stage = str((job["job"].get("metadata") or {}).get("stage", "other"))
            seconds = (job["end_time"] - job["start_time"]).total_seconds()
            out.seconds_by_stage[stage] = out.seconds_by_stage.get(stage, 0.0) + seconds
    return out


def copy_outputs(controller: JobController, study: RemoteStudy, store: SqliteStore) -> int:
    """Copy the outputs of all completed jobs with their keys into a local store.

    Returns
    -------
    int
        How many documents were copied.
    """
    outputs = controller.jobstore
    done = [(j["uuid"], j["index"]) for j in study.jobs if j["state"] == "COMPLETED"]
    uuids = sorted({uuid for uuid, _ in done})
    rows: list[Row] = []
    for document in outputs.query({"uuid": {"$in": uuids}}, load=True):
        if (document["uuid"], document["index"]) not in done:
            continue
        document.pop("_id", None)
        document.pop("last_updated", None)
        row = encode(document)
        check_classes(document, f"output of {document.get('name')}")
        rows.append(row)
    copied = len(rows)
    store.write_rows([*rows, *_keys(controller, uuids)])
    return copied


def _keys(controller: JobController, uuids: list[str]) -> list[Row]:
    """Keys of the completed jobs, so that a local run takes them over."""
    from jobflow import Job

    waiting = {}
    indices = Counter[str]()
    for d in controller.jobs.find({"uuid": {"$in": uuids}}, {"_id": 0, "uuid": 1, "index": 1, "job": 1}):
        indices[d["uuid"]] += 1
        waiting[d["uuid"]] = d["job"]
    rows, keys = [], {}
    # A job that made others has no output of its own to take over.
    waiting = {uuid: Job.from_dict(job) for uuid, job in waiting.items() if indices[uuid] == 1}
    progress = True
    while progress:
        progress = False
        for uuid, job in list(waiting.items()):
            try:
                keys[uuid] = job_key(job, keys)
            except UnknownInputError:
                continue
            del waiting[uuid]
            progress = True
            rows.append(encode({"uuid": f"key-{keys[uuid]}", "index": 1, "name": "key", "job": [uuid, 1]}))
    return rows


def fetch_study(project_name: str, folder: Path, flow: str) -> RemoteStudy:
    """Bring a study's results into a folder, and write results.json and the report if it has finished.

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
    from ..quarantine import heal_store
    from ..store import open_store
    from ..study_runner import finish_study
    from .controller import job_controller

    with job_controller(project_name) as controller:
        study = remote_study(controller, flow)
        heal_store(folder)
        store = open_store(folder)
        docs = store.docs_store
        assert isinstance(docs, SqliteStore)
        copy_outputs(controller, study, docs)
    if study.finished:
        finish_study(store, study.seconds_by_stage, flow, folder)
    return study
