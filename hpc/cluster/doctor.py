"""Finds what is wrong with a project or hangs in it, and names the command that cures it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.text import Text

from ..errors import UserError
from ..terminal import Console
from ..terminal_table import TerminalTable
from .codes import code_problems, needed_codes
from .controller import DatabaseDownError, job_controller, ping_database, project_of, studies
from .gone import gone_jobs
from .project import load_project
from .ranks import USUAL, check_band_ranks, ranks_of_kind
from .submit import check_table, project_table
from .waiting import WAITS_FOR, completed, release

if TYPE_CHECKING:
    from jobflow_remote.config.base import Project
    from jobflow_remote.jobs.jobcontroller import JobController

# What the scheduler writes into a job that it ends for its time: Slurm, PBS, SGE.
_WALLTIME = ("DUE TO TIME LIMIT", "walltime", "exceeded limit", "h_rt", "s_rt", "stopped before its time limit")
# What it writes into one that somebody cancels.
_CANCELLED = ("CANCELLED AT", "CANCELLED BY", "DUE TO PREEMPTION", "has been cancelled", "qdel")
# How often a job whose time was up is started again, and where that is counted.
MOST_CONTINUATIONS = 5
CONTINUED = "continued"
_TAIL = 200


@dataclass(frozen=True)
class Finding:
    """Something wrong.

    Attributes
    ----------
    subject, problem
        Where and what.
    cure
        Command or edit that cures it.
    fix
        Does what `cure` says; None where a person has to.
    """

    subject: str
    problem: str
    cure: str
    fix: Callable[[], object] | None = None


def examine(
    project_name: str,
    *,
    fix: bool = False,
    stale_s: float = 1800.0,
    engines: Sequence[str] = (),
    jobs_only: bool = False,
    console: Console | None = None,
) -> bool:
    """Print all findings, cure the safe ones if asked, and say whether nothing is left.

    `engines` are looked for besides those of the project's studies. With `jobs_only` workers and codes are not asked.

    Raises
    ------
    UserError
        If the project does not exist.
    """
    console = console or Console()
    project = load_project(project_name)
    findings = [] if jobs_only else [*check_project(project, project_name), *check_workers(project)]
    try:
        ping_database(project.queue.store)
    except DatabaseDownError as error:
        findings.append(Finding("database", str(error), "start mongod, then run the doctor again"))
        findings += [] if jobs_only else check_codes(project, project_name, [], engines)
        return _report(findings, [], console)
    with job_controller(project_name) as controller:
        known = [s.get("about") or {} for s in studies(controller).find({}, {"about": 1})]
        findings += [] if jobs_only else check_codes(project, project_name, known, engines)
        findings += check_jobs(controller, project_name, stale_s)
        cured = [f for f in findings if fix and f.fix is not None]
        for finding in cured:
            assert finding.fix is not None
            finding.fix()
    return _report([f for f in findings if f not in cured], cured, console)


def _report(findings: list[Finding], cured: list[Finding], console: Console) -> bool:
    if findings or cured:
        table = TerminalTable("what", "problem", "cure", show_lines=True)
        for finding in cured:
            table.add_row(Text(finding.subject), Text(finding.problem), Text("cured", style="green"))
        for finding in findings:
            cure = f"{finding.cure}{'  (or --fix)' if finding.fix else ''}"
            table.add_row(Text(finding.subject), Text(finding.problem, style="red"), Text(cure))
        console.print(table)
    else:
        console.print("nothing is wrong")
    return not findings


def check_project(project: Project, name: str) -> Iterator[Finding]:
    """The project's table against its workers, and who may read its file."""
    from .project import projects_folder

    path = projects_folder() / f"{name}.yaml"
    if path.stat().st_mode & 0o077 and project.queue.store.get("password"):
        yield Finding(
            "project file", "others may read the database's password", f"chmod 600 {path}", lambda: path.chmod(0o600)
        )
    try:
        table = project_table(name)
        check_table(table, _ProjectOnly(project))  # type: ignore[arg-type]
        if (ranks_of_kind(table.kinds["neb"]) or 0) > USUAL:
            check_band_ranks(table, USUAL)
    except UserError as error:
        yield Finding("table of resources", str(error), "edit the table")


@dataclass(frozen=True)
class _ProjectOnly:
    """Stands for a controller where only its project is asked."""

    project: Project


def check_workers(project: Project) -> Iterator[Finding]:
    """Connection, scheduler and work folder of every worker, and whether its queues exist."""
    asked: set[tuple[object, str]] = set()
    for name, worker in project.workers.items():
        host = worker.get_host()
        try:
            host.connect()
            if problem := host.test():
                yield Finding(f"worker {name}", _last_line(str(problem)), "check `host` and your ssh keys")
                continue
            yield from _check_scheduler(name, worker, host)
            python = (worker.execution_cmd or "python").split()[0]
            place = (getattr(worker, "host", None), python)
            if place not in asked:
                asked.add(place)
                yield from _check_python(name, worker, host, python)
            if worker.batch is not None:
                yield from _check_batch(name, worker, host, python)
            host.mkdir(str(worker.work_dir), recursive=True)
            _, error, code = host.execute(f"test -w '{worker.work_dir}'")
            if code:
                yield Finding(f"worker {name}", f"cannot write {worker.work_dir} {error}", "edit `work_dir`")
        except Exception as error:
            yield Finding(
                f"worker {name}",
                f"no connection ({type(error).__name__}: {str(error)[:_TAIL]})",
                "check `host`, `user` and your ssh keys in the project file",
            )
        finally:
            host.close()


_QUEUES = {"slurm": "sinfo -h -o %R", "pbs": "qstat -Q", "sge": "qconf -sql"}
_SUBMIT = {"slurm": "sbatch", "pbs": "qsub", "sge": "qsub"}


def _check_scheduler(name: str, worker: Any, host: Any) -> Iterator[Finding]:
    kind = worker.scheduler_type
    if kind not in _SUBMIT:
        return
    _, _, code = host.execute(f"command -v {_SUBMIT[kind]}")
    if code:
        yield Finding(
            f"worker {name}", f"no command {_SUBMIT[kind]} there", f"install {kind}, or edit `scheduler_type`"
        )
        return
    _, error, code = host.execute(_QUEUES[kind])
    if code:
        yield Finding(f"worker {name}", f"the scheduler does not answer: {str(error)[:_TAIL]}", "ask its operator")


def queues_of(project: Project, worker_name: str) -> list[str]:
    """Queues that the worker's scheduler offers; empty if it cannot say."""
    worker = project.workers[worker_name]
    kind = worker.scheduler_type
    if not isinstance(kind, str) or kind not in _QUEUES:
        return []
    host = worker.get_host()
    try:
        host.connect()
        out, _, code = host.execute(_QUEUES[kind])
        lines = str(out).split("\n")
        if code:
            return []
        if kind == "pbs":
            lines = [line.split()[0] for line in lines[2:] if line.split()]
        return sorted({line.strip() for line in lines if line.strip()})
    finally:
        host.close()


def _check_python(name: str, worker: Any, host: Any, python: str) -> Iterator[Finding]:
    """Whether the interpreter of the jobs has this package, in this version: another one computes other keys."""
    from ... import __version__

    package = __name__.split(".")[0]
    ask = f"import jobflow_remote, {package}; print({package}.__version__)"
    before = f"{worker.pre_run}\n" if worker.pre_run else ""
    out, error, code = host.execute(f'{before}{python} -c "{ask}"')
    lines = str(out).strip().splitlines()[-1:] or [""]
    if code:
        yield Finding(
            f"worker {name}",
            f"{python} cannot import {package} and jobflow_remote: {_last_line(str(error))}",
            f"{python} -m pip install '{package}[cluster]' there, or edit `execution_cmd`",
        )
    elif lines[0] != __version__:
        yield Finding(
            f"worker {name}", f"{package} {lines[0]} there, {__version__} here", "install the same version on both"
        )


def _check_batch(name: str, worker: Any, host: Any, python: str) -> Iterator[Finding]:
    """Whether a batch, which jobflow-remote starts with `jf`, finds it."""
    before = f"{worker.pre_run}\n" if worker.pre_run else ""
    _, _, code = host.execute(f"{before}command -v jf")
    if code:
        folder = python.rpartition("/")[0] or "the folder of its jf"
        yield Finding(f"worker {name}", "batches cannot start: no command jf", f"pre_run: export PATH={folder}:$PATH")


def check_codes(
    project: Project, name: str, studies: Sequence[dict[str, Any]], asked: Sequence[str]
) -> Iterator[Finding]:
    """Codes, pseudopotentials and setups of the engines in use, where their jobs run."""
    needed = needed_codes(studies, asked)
    if not needed:
        return
    try:
        table = project_table(name)
    except UserError:
        return  # `check_project` says it
    for subject, problem, cure in code_problems(project, table, needed):
        yield Finding(subject, problem, cure)


def check_jobs(controller: JobController, name: str, stale_s: float) -> Iterator[Finding]:
    """Locks of dead runners, jobs that the scheduler refused or ended, and batches that no process serves."""
    yield from _stale_locks(controller, name, stale_s)
    yield from _postponed(controller, name)
    for job in controller.get_jobs_info_query({"state": {"$in": ["FAILED", "REMOTE_ERROR"]}}):
        yield from _broken_job(controller, name, job)
    yield from _stuck_batches(controller, name, stale_s)
    yield from _paused(controller, name)
    yield from _no_runner(controller, name, stale_s)
    for subject, problem, cure in gone_jobs(controller, name):
        yield Finding(subject, problem, cure)


def _before(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def _stale_locks(controller: JobController, name: str, stale_s: float) -> Iterator[Finding]:
    old = {"lock_id": {"$ne": None}, "lock_time": {"$lt": _before(stale_s)}}
    for job in controller.jobs.find(old, {"db_id": 1, "job.name": 1, "lock_id": 1}):
        yield Finding(
            f"job {job['db_id']} ({job['job']['name']})",
            f"locked for more than {stale_s / 60:g} minutes by a runner that is gone",
            f"jf -p {name} admin unlock -did {job['db_id']}",
            _unlocker(controller.jobs, job),
        )
    for flow in controller.flows.find(old, {"uuid": 1, "name": 1, "lock_id": 1}):
        yield Finding(
            f"flow {flow['name']}",
            f"locked for more than {stale_s / 60:g} minutes by a runner that is gone",
            f"jf -p {name} admin unlock-flow -fid {flow['uuid']}",
            _unlocker(controller.flows, flow),
        )


def _unlocker(collection: Any, document: dict[str, Any]) -> Callable[[], object]:
    """Opens exactly the lock that was seen: one taken since then stays."""
    same = {"_id": document["_id"], "lock_id": document["lock_id"]}
    return lambda: collection.update_one(same, {"$set": {"lock_id": None, "lock_time": None}})


def _postponed(controller: JobController, name: str) -> Iterator[Finding]:
    """Jobs put off for up to 20 minutes after an error: one lock of a dead runner does it to a whole flow."""
    query = {"remote.retry_time_limit": {"$gt": _before(0.0)}, "remote.error": {"$ne": None}, "lock_id": None}
    fields = {"db_id": 1, "job.name": 1, "state": 1, "remote": 1}
    for job in controller.jobs.find({**query, "state": {"$ne": "REMOTE_ERROR"}}, fields):
        again = job["remote"]["retry_time_limit"].replace(tzinfo=UTC)
        wait_s = (again - datetime.now(UTC)).total_seconds()
        yield Finding(
            f"job {job['db_id']} ({job['job']['name']})",
            f"{job['state']}, not tried again for {wait_s:.0f} s after: {_last_line(job['remote']['error'])}",
            f"jf -p {name} job retry -did {job['db_id']}",
            partial(controller.retry_job, db_id=job["db_id"]),
        )


def _broken_job(controller: JobController, name: str, job: Any) -> Iterator[Finding]:
    subject = f"job {job.db_id} ({job.name})"
    remote = job.remote
    if job.state.value == "REMOTE_ERROR":
        error = _last_line(remote.error or job.error or "")
        queues = queues_of(project_of(controller), job.worker)
        document = controller.jobs.find_one({"db_id": job.db_id}, {"resources": 1}) or {}
        queue = _queue(document.get("resources") or {})
        if queue and queues and queue not in queues:
            yield Finding(
                subject,
                f"queue {queue!r} does not exist; there are {', '.join(queues)}",
                f"correct the queue in the table of resources, then: magnetoionics cluster doctor {name} --fix",
                _requeue(controller, name, job),
            )
            return
        yield Finding(subject, f"REMOTE_ERROR: {error}", f"jf -p {name} job retry {job.db_id}", _retry(controller, job))
        return
    said = f"{remote.queue_err or ''}\n{job.error or ''}"
    again = f"jf -p {name} job rerun --no-delete {job.db_id}"
    if any(word in said for word in _WALLTIME):
        yield from _out_of_time(controller, name, job, subject, again)
        return
    if any(word in said for word in _CANCELLED):
        yield Finding(subject, "cancelled, by a person or by the scheduler; its folder is kept", again)
        return
    # The folder stays: a relaxation or a band has steps in it to go on from.
    reason = _last_line(job.error or remote.queue_err or "")
    yield Finding(subject, f"FAILED: {reason}", f"jf -p {name} job info {job.db_id}; after the cure: {again}")


def _out_of_time(controller: JobController, name: str, job: Any, subject: str, again: str) -> Iterator[Finding]:
    """A job whose time was up: started again in its folder, but not for ever."""
    document = controller.jobs.find_one({"db_id": job.db_id}, {"job.metadata": 1}) or {}
    times = int(((document.get("job") or {}).get("metadata") or {}).get(CONTINUED) or 0)
    if times >= MOST_CONTINUATIONS:
        yield Finding(
            subject,
            f"its time was up, and it was gone on with {times} times already",
            f"more time or nodes in the table of resources, or a look at whether it converges; then: {again}",
        )
        return

    def go_on() -> None:
        controller.jobs.update_one({"db_id": job.db_id}, {"$inc": {f"job.metadata.{CONTINUED}": 1}})
        controller.rerun_job(db_id=job.db_id, delete_files=False)

    yield Finding(
        subject,
        f"ended for its time (gone on with {times} of {MOST_CONTINUATIONS} times); relaxations and bands go on from "
        "their last step",
        again,
        go_on,
    )


def _queue(resources: dict[str, Any]) -> str | None:
    """Queue by qtoolkit's name for it, or by Grid Engine's."""
    return resources.get("queue_name") or resources.get("queue")


def _retry(controller: JobController, job: Any) -> Callable[[], object]:
    return lambda: controller.retry_job(db_id=job.db_id)


def _requeue(controller: JobController, name: str, job: Any) -> Callable[[], object] | None:
    """Give a refused job the resources that the table has now, and try again; None while they are the same."""
    from jobflow import Job

    document = controller.jobs.find_one({"db_id": job.db_id}, {"job": 1, "resources": 1, "worker": 1})
    entry_of = project_table(name)
    refused: Any = Job.from_dict(document["job"])
    entry = entry_of.kinds[entry_of.kind_of(refused)]
    queues = queues_of(project_of(controller), entry.worker)
    queue = _queue(entry.resources)
    if queue is not None and queues and queue not in queues:
        return None

    def cure() -> None:
        controller.set_job_run_properties(
            db_ids=job.db_id, worker=entry.worker, resources=entry.qresources(), update=False
        )
        controller.retry_job(db_id=job.db_id)

    return cure


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return lines[-1][:_TAIL] if lines else "no reason was recorded"


def _stuck_batches(controller: JobController, name: str, stale_s: float) -> Iterator[Finding]:
    """Jobs given to a batch process that is gone."""
    if controller.batches is None:
        return
    query = {"state": {"$in": ["BATCH_SUBMITTED", "BATCH_RUNNING"]}, "updated_on": {"$lt": _before(stale_s)}}
    for job in controller.jobs.find(query, {"db_id": 1, "job.name": 1, "worker": 1, "state": 1}):
        serving = controller.batches.count_documents(
            {"worker": job["worker"], "batch_state": {"$in": ["SUBMITTED", "RUNNING"]}}
        )
        if serving:
            continue
        db_id = job["db_id"]
        yield Finding(
            f"job {db_id} ({job['job']['name']})",
            f"{job['state']}, and no batch process of worker {job['worker']} is left",
            f"jf -p {name} job rerun --force --no-delete {db_id}",
            partial(controller.rerun_job, db_id=db_id, force=True, delete_files=False),
        )


def _paused(controller: JobController, name: str) -> Iterator[Finding]:
    """Jobs that wait for another study's output although it is there, or will never come."""
    query = {"state": "PAUSED", WAITS_FOR: {"$exists": True}}
    waiting = list(controller.jobs.find(query, {"db_id": 1, "job.name": 1, "job.hosts": 1, WAITS_FOR: 1}))
    owners = {u for row in waiting for u in row["job"]["metadata"]["waits_for"]}
    there = set(controller.jobs.distinct("uuid", {"uuid": {"$in": list(owners)}}))
    done = completed(controller, owners)
    for row in waiting:
        wanted = set(row["job"]["metadata"]["waits_for"])
        subject = f"job {row['db_id']} ({row['job']['name']})"
        if wanted <= done:
            yield Finding(
                subject,
                "paused for an output of another study, which is there",
                "submit its study again",
                partial(release, controller, wanted),
            )
        elif wanted - there:
            yield Finding(
                subject,
                "paused for an output of another study, whose flow was deleted",
                f"jf -p {name} flow delete -fid {row['job']['hosts'][-1]}, then submit its study again",
            )


def _no_runner(controller: JobController, name: str, stale_s: float) -> Iterator[Finding]:
    """Jobs that wait although nothing stops them: nobody runs the project."""
    ready = {"state": {"$in": ["READY", "CHECKED_OUT", "RUN_FINISHED", "DOWNLOADED", "UPLOADED"]}, "lock_id": None}
    count = controller.jobs.count_documents({**ready, "updated_on": {"$lt": _before(stale_s)}})
    runner = controller.get_running_runner()
    if count and not isinstance(runner, dict):
        yield Finding("runner", f"{count} jobs are ready and no runner is on", f"jf -p {name} runner start")
