"""Jobs that ended while no runner was on: the project's record calls them running, the scheduler knows them no more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .controller import project_of

if TYPE_CHECKING:
    from jobflow_remote.config.base import Project
    from jobflow_remote.jobs.jobcontroller import JobController

ON_A_QUEUE = ("SUBMITTED", "RUNNING")


def gone_jobs(controller: JobController, name: str) -> Iterator[tuple[str, str, str]]:
    """Subject, problem and cure of every job that its scheduler has ended and nobody has noticed.

    A runner that is on looks at the queue itself; then nothing is asked here.
    """
    if isinstance(controller.get_running_runner(), dict):
        return
    waiting: dict[str, list[dict[str, Any]]] = {}
    fields = {
        "db_id": 1,
        "job.name": 1,
        "state": 1,
        "worker": 1,
        "remote.process_id": 1,
        "run_dir": 1,
    }
    for job in controller.jobs.find({"state": {"$in": list(ON_A_QUEUE)}, "lock_id": None}, fields):
        waiting.setdefault(str(job["worker"]), []).append(job)
    for worker, jobs in waiting.items():
        queued = in_queue(project_of(controller), worker, [str(j["remote"]["process_id"]) for j in jobs])
        if queued is None:
            continue
        for job in jobs:
            if str(job["remote"]["process_id"]) not in queued:
                yield (
                    f"job {job['db_id']} ({job['job']['name']})",
                    f"{job['state']} by the project's record, and no longer in the queue of worker {worker}: it ended "
                    f"or died while no runner was on; its folder {job.get('run_dir') or ''} is kept",
                    f"jf -p {name} runner start, then: magnetoionics cluster doctor {name} --fix",
                )


def in_queue(project: Project, worker_name: str, numbers: list[str]) -> set[str] | None:
    """Which of some jobs the worker's scheduler still knows; None if it does not answer."""
    from jobflow_remote.remote.queue import QueueManager
    from qtoolkit.core.data_objects import QState

    if worker_name not in project.workers:
        return None
    worker = project.workers[worker_name]
    host = worker.get_host()
    try:
        host.connect()
        queue = QueueManager(worker.get_scheduler_io(), host)
        in_queue_now = queue.get_jobs_list(jobs=numbers, user=worker.scheduler_username)
    except Exception:  # one kind for every way to reach a scheduler
        return None
    finally:
        host.close()
    ended = (QState.DONE, QState.FAILED)
    return {str(job.job_id) for job in in_queue_now if job.state not in ended}
