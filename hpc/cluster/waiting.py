"""Jobs that wait for outputs of other studies, and how they go on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobflow_remote.jobs.jobcontroller import JobController

WAITS_FOR = "job.metadata.waits_for"


def completed(controller: JobController, uuids: Iterable[str]) -> set[str]:
    """Which of some jobs have their output: with all that they were replaced by."""
    last: dict[str, str] = {}
    query = {"uuid": {"$in": list(uuids)}}
    for row in controller.jobs.find(query, {"uuid": 1, "state": 1}).sort("index", 1):
        last[row["uuid"]] = row["state"]
    return {uuid for uuid, state in last.items() if state == "COMPLETED"}


def release(controller: JobController, owners: Iterable[str]) -> int:
    """Let jobs go on that wait for outputs of other studies, if all of those are there.

    Returns
    -------
    int
        How many.
    """
    query = {"state": "PAUSED", "lock_id": None, WAITS_FOR: {"$in": list(owners)}}
    waiting = list(controller.jobs.find(query, {WAITS_FOR: 1, "job.hosts": 1}))
    there = completed(controller, {u for row in waiting for u in row["job"]["metadata"]["waits_for"]})
    flows: dict[str, int] = {}
    for row in waiting:
        if not set(row["job"]["metadata"]["waits_for"]) <= there:
            continue
        same = {"_id": row["_id"], "state": "PAUSED", "lock_id": None}
        if controller.jobs.update_one(same, {"$set": {"state": "WAITING"}}).modified_count:
            host = row["job"]["hosts"][-1]
            flows[host] = flows.get(host, 0) + 1
    for host in flows:
        # A waiting job whose parents in its own flow have ended becomes ready here.
        controller.refresh_children(controller.flows.find_one({"uuid": host}, {"jobs": 1})["jobs"])
        controller.update_flow_state(host)
    return sum(flows.values())
