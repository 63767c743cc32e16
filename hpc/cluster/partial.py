"""What is left of a submitted study of which a part failed: steps that collect are run here, nothing is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...workflows.jobs.kinds import ROLE, STEP, kind_in
from ..local.execution import execute
from .names import own_name

if TYPE_CHECKING:
    from jobflow import JobStore
    from jobflow_remote.jobs.jobcontroller import JobController

    from ..local.sqlite_store import SqliteStore
    from .fetch import RemoteStudy

FAILED = ("FAILED", "REMOTE_ERROR", "USER_STOPPED")
# Nothing that the queue does by itself takes a job out of these.
RESTING = (*FAILED, "COMPLETED", "WAITING", "STOPPED")


def is_stuck(states: set[str]) -> bool:
    """Whether a part failed and no other job of the study can go on by itself."""
    return bool(states & set(FAILED)) and states <= set(RESTING)


def failures_by_stage(study: RemoteStudy) -> dict[str, list[str]]:
    """Jobs that failed, and the last line of what they said, by stage."""
    failures: dict[str, list[str]] = {}
    for job in study.jobs:
        if job["state"] not in FAILED:
            continue
        metadata = job["job"].get("metadata") or {}
        said = str(job.get("error") or (job.get("remote") or {}).get("error") or job["state"]).strip()
        name = own_name(str(job["job"]["name"]), metadata)
        failures.setdefault(str(metadata.get("stage", "other")), []).append(f"{name}: {said.splitlines()[-1]}")
    return failures


def collect_rest(controller: JobController, study: RemoteStudy, store: SqliteStore, outputs: JobStore) -> set[str]:
    """Run those waiting jobs that only build, read or collect, with what is missing as None where they allow it.

    The queue keeps all of them waiting, so that the study goes on there once the failed part is cured.

    Parameters
    ----------
    controller, study
        The queue and the study's jobs in it.
    store, outputs
        Where its outputs were copied to: the documents, and the job store that holds them.

    Returns
    -------
    set of str
        Names of the jobs that have run. One whose needed inputs are missing has not.
    """
    from jobflow import Flow, Job

    jobs: list[Any] = []
    for row in study.jobs:
        metadata = row["job"].get("metadata") or {}
        if row["state"] != "WAITING" or metadata.get(ROLE, STEP) != STEP or kind_in(metadata) != "local":
            continue
        document = controller.jobs.find_one({"uuid": row["uuid"], "index": row["index"]}, {"_id": 0, "job": 1})
        job: Any = Job.from_dict(document["job"] if document else {})
        job.name = own_name(job.name, job.metadata)
        job.hosts = []
        jobs.append(job)
    ran: set[str] = set()
    for job, _ in Flow(jobs, uuid=study.flow).iterflow():
        outcome = execute(job, outputs, None)
        # What asks for more jobs would compute; here nothing does.
        if not (outcome.error or outcome.more or outcome.stopped):
            store.write_rows(outcome.rows)
            ran.add(job.name)
    return ran
