"""Submits a study to a project: once, with the table's resources, or as a dry run."""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...stored.resolve import defining_module
from ..errors import UserError
from ..local.store import STORE_FOLDER, SUBMISSION_FILE
from ..study_folder.files import DRY_RUN
from ..study_folder.writing import write_whole
from .controller import project_of
from .project import projects_folder
from .ranks import check_band_ranks, images_of
from .table import TABLE_FILE, ResourceTable, apply_table, read_table

if TYPE_CHECKING:
    from jobflow import Flow, Job
    from jobflow_remote.jobs.jobcontroller import JobController


@dataclass(frozen=True)
class JobCost:
    """What one job of a flow asks for at most."""

    stage: str
    name: str
    kind: str
    worker: str
    nodes: int
    core_hours: float


@dataclass
class Submission:
    """A submitted study.

    Attributes
    ----------
    key
        Hash of everything that the study computes; equal studies have equal keys.
    flow
        The flow's uuid in the project.
    is_new
        False if the same study had been submitted before.
    costs
        Of the jobs that were added.
    shared
        How many jobs of other studies it takes outputs of, instead of its own.
    """

    key: str
    flow: str
    is_new: bool
    costs: list[JobCost] = field(default_factory=list)
    shared: int = 0


def job_keys(jobs: Iterable[Job]) -> dict[str, str]:
    """Key of every job by uuid; jobs in an order in which each comes after those that it takes outputs of."""
    from ..local.job_hashes import job_key

    keys: dict[str, str] = {}
    for job in jobs:
        keys[job.uuid] = job_key(job, keys)
    return keys


def study_key(keys: Mapping[str, str]) -> str:
    """Key of a study: the keys of all its jobs, whatever their names in this run."""
    return hashlib.sha256("\n".join(sorted(keys.values())).encode()).hexdigest()


def project_table(project_name: str) -> ResourceTable:
    """The resources of a project."""
    return read_table(projects_folder() / project_name / TABLE_FILE)


def job_costs(flow: Flow, table: ResourceTable) -> list[JobCost]:
    """Worker, nodes and largest core hours of every job known beforehand.

    Raises
    ------
    UserError
        If the images of a band cannot share its ranks.
    """
    jobs = [job for job, _ in flow.iterflow()]
    check_band_ranks(table, images_of(jobs))
    return list(_costs(jobs, table))


def _costs(jobs: Iterable[Job], table: ResourceTable) -> Iterator[JobCost]:
    from ..local.runner import stage_of

    for job in jobs:
        kind = table.kind_of(job)
        entry = table.kinds[kind]
        yield JobCost(stage_of(job), str(job.name), kind, entry.worker, entry.nodes, entry.core_hours)


def submit_flow(
    flow: Flow,
    controller: JobController,
    table: ResourceTable,
    *,
    about: dict[str, Any],
    priority: int = 0,
    campaign: str | None = None,
) -> Submission:
    """Add a study to a project's database, unless it is there.

    Parameters
    ----------
    flow
        Fresh flow of the study.
    controller
        Of the project.
    table
        Resources by kind of job.
    about
        Host, order, engine and the like, for people.
    priority
        Larger is sooner.
    campaign
        Name that `magnetoionics campaign` gives.

    Raises
    ------
    UserError
        If the table names a worker or environment that the project does not have.
    """
    from ..local.runner import stage_of
    from .controller import studies
    from .sharing import Shared, find_owners, insert_jobs

    check_table(table, controller)
    # Ordering a flow looks through all its inputs: it is done once.
    plan = list(flow.iterflow())
    check_band_ranks(table, images_of(job for job, _ in plan))
    keys = job_keys(job for job, _ in plan)
    key = study_key(keys)
    known = _claim(controller, key, {"flow": flow.uuid, "about": about, "campaign": campaign}, table)
    if known is not None:
        return Submission(key, known, False)
    owners = find_owners(controller, plan, keys)
    own = [job for job, _ in plan if job.uuid not in owners]
    for job, _ in plan:
        job.update_metadata({"study": key}, dynamic=True)
        job.metadata["key"] = keys[job.uuid]
    apply_table(own, table, priority=priority)
    stand_ins = [
        vars(Shared(job.uuid, owners[job.uuid].uuid, keys[job.uuid], str(job.name), stage_of(job)))
        for job, _ in plan
        if job.uuid in owners
    ]
    studies(controller).update_one({"_id": key}, {"$set": {"shared": stand_ins}})
    insert_jobs(controller, flow, plan, owners, table.kinds["local"].worker)
    return Submission(key, flow.uuid, True, list(_costs(own, table)), len(owners))


def _claim(controller: JobController, key: str, content: dict[str, Any], table: ResourceTable) -> str | None:
    """Take a study for this submission; the flow of an earlier one if that has it."""
    from pymongo.errors import DuplicateKeyError

    from .controller import studies
    from .sharing import awaited_by, see_to_hand_over

    claims = studies(controller)
    claim = {"_id": key, "submitted": time.time(), **content}
    try:
        claims.insert_one(claim)
    except DuplicateKeyError:
        known = str(claims.find_one({"_id": key})["flow"])
        if controller.flows.find_one({"uuid": known}, {"uuid": 1}) is not None:
            # That one may have died before its last step.
            see_to_hand_over(controller, awaited_by(controller, key), table.kinds["local"].worker)
            return known
        # A submission that died between its claim and its flow: this one takes its place.
        if claims.find_one_and_replace({"_id": key, "flow": known}, claim) is None:
            return str(claims.find_one({"_id": key})["flow"])
    return None


def check_table(table: ResourceTable, controller: JobController) -> None:
    """Refuse a table that does not fit its project."""
    project = project_of(controller)
    for kind, entry in table.kinds.items():
        if entry.worker not in project.workers:
            raise UserError(f"{kind} goes to worker {entry.worker!r}; the project has {', '.join(project.workers)}")
        if entry.exec_config and entry.exec_config not in project.exec_config:
            raise UserError(
                f"{kind} wants exec_config {entry.exec_config!r}; the project has {', '.join(project.exec_config)}"
            )


def remember(folder: Path, project_name: str, submission: Submission, about: dict[str, Any]) -> None:
    """Note in a study's folder where it was submitted; no address, user or password."""
    content = {"project": project_name, "key": submission.key, "flow": submission.flow, "about": about}
    write_whole(folder / STORE_FOLDER / SUBMISSION_FILE, json.dumps(content, indent=1) + "\n")


def recall(folder: Path) -> dict[str, Any]:
    """What `remember` wrote.

    Raises
    ------
    UserError
        If the folder was not submitted.
    """
    path = folder / STORE_FOLDER / SUBMISSION_FILE
    try:
        content = json.loads(path.read_bytes())
        return {k: content[k] for k in ("project", "key", "flow", "about")}
    except FileNotFoundError:
        raise UserError(
            f"{folder} was not submitted from here; `magnetoionics submit HOST --output {folder}` finds the study again"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is damaged ({error}); submit again: what was submitted is found, not doubled"
        ) from error


def write_dry_run(flow: Flow, table: ResourceTable, folder: Path) -> list[JobCost]:
    """Write the inputs that are known before anything runs, and the table of costs; nothing is submitted.

    Returns
    -------
    list of JobCost
        Also in ``jobs.csv``.
    """
    costs = job_costs(flow, table)
    target = folder / DRY_RUN
    target.mkdir(parents=True, exist_ok=True)
    with (target / "jobs.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["stage", "job", "kind", "worker", "nodes", "core_hours_at_most"])
        rows.writerows([c.stage, c.name, c.kind, c.worker, c.nodes, f"{c.core_hours:g}"] for c in costs)
    for number, (job, _) in enumerate(flow.iterflow()):
        _write_inputs(job, target / f"{number:02d}-{_file_name(str(job.name))}")
    return costs


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)[:60]


def _write_inputs(job: Job, folder: Path) -> None:
    from monty.json import jsanitize
    from pymatgen.core import Structure

    from ...structures.io.files import write_structure

    folder.mkdir(exist_ok=True)
    plain = {
        "job": job.name,
        "function": f"{defining_module(job.function)}.{job.function.__qualname__}",
        "arguments": jsanitize([list(job.function_args), dict(job.function_kwargs)], strict=True),
    }
    write_whole(folder / "job.json", json.dumps(plain, indent=1) + "\n")
    for value in [*job.function_args, *job.function_kwargs.values()]:
        if isinstance(value, Structure):
            write_structure(value, folder / "structure.vasp")
