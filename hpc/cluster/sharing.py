"""Studies of one project share their equal jobs: what has run, runs or waits already is not submitted again.

A job's key (see `keys`) is in its metadata. A study whose job has the key of another study's job leaves its own
out and takes the other's output by its uuid. jobflow-remote knows no dependence between flows: while the other job
has not ended, those that need it are paused, and a job `hand over`, added behind it in its own flow, releases them.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..local.old_keys import old_job_key, still_holds
from .controller import project_of
from .hand_over import hand_over
from .names import make_plain
from .waiting import WAITS_FOR, completed, release

if TYPE_CHECKING:
    from jobflow import Flow, Job
    from jobflow_remote.jobs.jobcontroller import JobController

KEY = "job.metadata.key"
HANDS_OVER = "job.metadata.hands_over"
# Whose output will not come by itself: such a job is computed anew.
_NEVER = ("FAILED", "REMOTE_ERROR", "STOPPED", "USER_STOPPED")
_LOCK_WAIT_S = 60
# Hand-overs go before all calculations: others wait for them.
_FIRST = 1_000_000


@dataclass(frozen=True)
class Owner:
    """The job of another study that has an output, or will have it."""

    uuid: str
    done: bool


@dataclass(frozen=True)
class Shared:
    """A job of a study that another study's job stands for."""

    uuid: str
    owner: str
    key: str
    name: str
    stage: str


def find_owners(
    controller: JobController, jobs: Sequence[tuple[Job, list[str]]], keys: Mapping[str, str]
) -> dict[str, Owner]:
    """Jobs of the project that compute the same as some of a new flow, by the uuid in the new flow.

    The last jobs of a flow, whose output no other takes, are always its own.
    """
    owners = _owners(controller, jobs, keys)
    return {**_owners_of_version_1(controller, jobs), **owners}


def _owners_of_version_1(controller: JobController, jobs: Sequence[tuple[Job, list[str]]]) -> dict[str, Owner]:
    """Finished jobs that were submitted with the keys of version 1, if what computed them is what would now."""
    by_uuid = {job.uuid: job for job, _ in jobs}
    old: dict[str, str] = {}
    for uuid, job in by_uuid.items():
        if (key := old_job_key(job, old)) is not None:
            old[uuid] = key
    owners = _owners(controller, [(job, [p for p in parents if p in old]) for job, parents in jobs], old)
    done = {uuid: owner for uuid, owner in owners.items() if owner.done}
    query = {"uuid": {"$in": [owner.uuid for owner in done.values()]}}
    wanted = ["uuid", "output.provenance", "completed_at"]
    outputs = {d["uuid"]: d for d in controller.jobstore.query(query, wanted, sort={"index": 1})} if done else {}
    return {u: o for u, o in done.items() if o.uuid in outputs and still_holds(outputs[o.uuid], by_uuid[u])}


def _owners(
    controller: JobController, jobs: Sequence[tuple[Job, list[str]]], keys: Mapping[str, str]
) -> dict[str, Owner]:
    needed = set(itertools.chain.from_iterable(parents for _, parents in jobs))
    wanted: dict[str, list[str]] = {}
    for uuid in needed:
        wanted.setdefault(keys[uuid], []).append(uuid)
    fields = {"uuid": 1, "index": 1, "state": 1, KEY: 1, WAITS_FOR: 1}
    latest: dict[str, dict[str, Any]] = {}
    for row in controller.jobs.find({KEY: {"$in": list(wanted)}}, fields).sort("index", 1):
        latest[row["uuid"]] = row
    owners: dict[str, Owner] = {}
    for row in latest.values():
        state, metadata = row["state"], row["job"]["metadata"]
        if state in _NEVER or (state == "PAUSED" and not metadata.get("waits_for")):
            continue
        for uuid in wanted[metadata["key"]]:
            if uuid not in owners or not owners[uuid].done:
                owners[uuid] = Owner(row["uuid"], state == "COMPLETED")
    return owners


def insert_jobs(
    controller: JobController,
    flow: Flow,
    jobs: Sequence[tuple[Job, list[str]]],
    owners: Mapping[str, Owner],
    worker: str,
) -> None:
    """Add the jobs that a flow does not share to the queue, in three writes whatever their number.

    Parameters
    ----------
    controller
        Of the project.
    flow
        The whole flow.
    jobs
        All its jobs with their parents, in order.
    owners
        What `find_owners` gave.
    worker
        For jobs that name none.
    """
    from jobflow_remote.jobs.data import get_initial_flow_doc_dict, get_initial_job_doc_dict

    own = [(job, parents) for job, parents in jobs if job.uuid not in owners]
    counter = controller.auxiliary.find_one_and_update({"next_id": {"$exists": True}}, {"$inc": {"next_id": len(own)}})
    prefix, names = project_of(controller).queue.db_id_prefix or "", {u: o.uuid for u, o in owners.items()}
    documents, awaited = [], set()
    for number, (job, parents) in enumerate(own, counter["next_id"]):
        here = [p for p in parents if p not in owners]
        document = get_initial_job_doc_dict(
            job, here, f"{prefix}{number}", worker=worker, exec_config=None, resources=None, priority=0
        )
        document["job"] = _with_names(document["job"], names)
        make_plain(document["job"])
        open_owners = sorted({owners[p].uuid for p in parents if p in owners and not owners[p].done})
        if open_owners:
            document["state"] = "PAUSED"
            document["job"]["metadata"]["waits_for"] = open_owners
            awaited.update(open_owners)
        documents.append(document)
    # The flow first, as jobflow-remote does: a job without its flow would be an error.
    controller.flows.insert_one(get_initial_flow_doc_dict(flow, documents))
    controller.jobs.insert_many(documents)
    see_to_hand_over(controller, awaited, worker)


def _with_names(value: Any, names: Mapping[str, str]) -> Any:
    """The same with references to some jobs' outputs turned to others'."""
    if isinstance(value, dict):
        if value.get("@class") == "OutputReference":
            return {**value, "uuid": names.get(value["uuid"], value["uuid"])}
        return {k: _with_names(v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [_with_names(v, names) for v in value]
    return value


def see_to_hand_over(controller: JobController, owners: Iterable[str], worker: str) -> None:
    """Put a job `hand over` behind every owner that has none, and release what owners that have ended hold up."""
    wanted = set(owners)
    if not wanted:
        return
    there = controller.jobs.find({HANDS_OVER: {"$in": list(wanted)}}, {HANDS_OVER: 1})
    for uuid in sorted(wanted - {row["job"]["metadata"]["hands_over"] for row in there}):
        _add_hand_over(controller, uuid, worker)
    # An owner may have ended, and its hand over may have run, before the waiting jobs were there.
    release(controller, wanted)


def awaited_by(controller: JobController, study: str) -> set[str]:
    """Owners that jobs of a submitted study, given by its key, wait for."""
    query = {"job.metadata.study": study, "state": "PAUSED", WAITS_FOR: {"$exists": True}}
    return {u for row in controller.jobs.find(query, {WAITS_FOR: 1}) for u in row["job"]["metadata"]["waits_for"]}


def _add_hand_over(controller: JobController, owner: str, worker: str) -> None:
    from jobflow import Flow
    from jobflow_remote import set_run_config
    from jobflow_remote.jobs.data import DynamicResponseType

    # No job of a locked flow can end, so that the owner does not do so between the look and the addition.
    with controller.lock_flow(filter={"jobs": owner}, sleep=0.1, max_wait=_LOCK_WAIT_S) as lock:
        host = lock.locked_document
        if host is None or owner in completed(controller, [owner]):
            return
        job = hand_over(project_of(controller).name, owner)
        job.name = "hand over"
        job.metadata = {"hands_over": owner}
        set_run_config(
            job,
            worker=beside_runner(controller, worker),
            exec_config="default",
            resources={},
            priority=_FIRST,
            dynamic=False,
        )
        flow = Flow([job], name="hand over")
        flow.add_hosts_uuids([host["uuid"]])
        controller._append_flow(
            {"uuid": owner, "parents": []},
            host,
            json.loads(flow.to_json()),
            worker=worker,
            response_type=DynamicResponseType.ADDITION,
        )


def beside_runner(controller: JobController, worker: str) -> str:
    """The worker on the runner's machine, which reaches the database; another one only if there is none."""
    return "local" if "local" in project_of(controller).workers else worker
