"""Writes a jobflow-remote project: workers for a scheduler, polling, database, and the table of resources."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from ...workflows.jobs.kinds import Kind
from ..errors import UserError
from ..local.execution import CHECKPOINTS
from .table import TABLE_FILE, default_table, write_table

if TYPE_CHECKING:
    from jobflow_remote.config.base import Project

Scheduler = Literal["slurm", "pbs", "sge", "shell"]
SCHEDULERS: tuple[Scheduler, ...] = ("slurm", "pbs", "sge", "shell")
WORKERS = ("local", "cpu", "neb", "gpu", "batch")
PASSWORD_VARIABLE = "MAGNETOIONICS_DB_PASSWORD"
_RUN = "{python} -m magnetoionics.hpc.cluster.job {{}}"


@dataclass(frozen=True)
class Database:
    """Where jobflow-remote keeps its jobs; the password comes from the environment, never from a command line."""

    host: str = "localhost"
    port: int = 27017
    name: str = "magnetoionics"
    user: str | None = None
    auth_source: str | None = None

    def store(self, collection: str, kind: str = "MongoStore") -> dict[str, Any]:
        """Specification of a maggma store."""
        out: dict[str, Any] = {
            "type": kind,
            "host": self.host,
            "port": self.port,
            "database": self.name,
            "collection_name": collection,
        }
        if self.user:
            password = os.environ.get(PASSWORD_VARIABLE)
            if not password:
                raise UserError(f"user {self.user} needs a password: set {PASSWORD_VARIABLE} in the environment")
            out |= {"username": self.user, "password": password}
            out |= {"auth_source": self.auth_source} if self.auth_source else {}
        return out


@dataclass(frozen=True)
class ClusterSettings:
    """What `cluster init` asks for.

    Attributes
    ----------
    name
        Of the project.
    scheduler
        One of `SCHEDULERS`.
    work_dir
        Folder on the cluster for the jobs; absolute.
    host, user
        Login node for ssh; None if the scheduler is on this machine.
    python
        Interpreter on the cluster that has this package.
    pre_run
        Shell lines before every job, e.g. to load modules.
    queue, gpu_queue
        Partitions; the scheduler's default if None.
    parallel_environment
        Of Grid Engine, for jobs on several slots.
    cores_per_node, neb_nodes, walltime_s
        Size of the default resources.
    poll_s
        Seconds between looks at the scheduler.
    """

    name: str
    scheduler: Scheduler
    work_dir: str
    host: str | None = None
    user: str | None = None
    python: str | None = None
    pre_run: str = ""
    queue: str | None = None
    gpu_queue: str | None = None
    account: str | None = None
    parallel_environment: str = "mpi"
    cores_per_node: int = 32
    neb_nodes: int = 4
    walltime_s: int = 86400
    poll_s: float = 20.0
    max_queued: int = 100
    database: Database = field(default_factory=Database)


def check_settings(settings: ClusterSettings) -> None:
    """Refuse settings that cannot work.

    Raises
    ------
    UserError
        With the value, what is allowed, and the fix.
    """
    name = settings.name
    if not name or not all(c.isalnum() or c in "-_" for c in name):
        raise UserError(f"project name {name!r} may hold letters, digits, - and _ only")
    if settings.scheduler not in SCHEDULERS:
        raise UserError(f"unknown scheduler {settings.scheduler!r}; known: {', '.join(SCHEDULERS)}")
    if not settings.work_dir.startswith("/"):
        raise UserError(f"the work folder {settings.work_dir!r} must be absolute on the cluster")
    for label in ("cores_per_node", "neb_nodes", "walltime_s", "max_queued"):
        if getattr(settings, label) < 1:
            raise UserError(f"{label} is {getattr(settings, label)}; it must be 1 or more")
    if settings.poll_s <= 0:
        raise UserError(f"poll_s is {settings.poll_s}; it must be above 0")


def project_dict(settings: ClusterSettings) -> dict[str, Any]:
    """The project file's content.

    Workers: ``local`` runs the small jobs beside the runner, ``cpu`` and ``gpu`` one calculation per
    allocation, ``neb`` several nodes, ``batch`` many small calculations in one allocation.
    """
    check_settings(settings)
    db = settings.database
    status = settings.poll_s
    quick = min(5.0, status)
    return {
        "name": settings.name,
        "runner": {
            "delay_checkout": quick,
            "delay_check_run_status": status,
            "delay_advance_status": quick,
            "delay_update_batch": status,
            "delay_refresh_limited": max(60.0, status),
            "delta_retry": [min(30.0, 5 * status), min(300.0, 30 * status), 1200.0],
        },
        "workers": {name: _worker(name, settings) for name in WORKERS},
        "exec_config": {"default": {"export": {CHECKPOINTS: "."}}, "single": _single_thread()},
        "queue": {"store": db.store("jobs")},
        "jobstore": {
            "docs_store": db.store("outputs"),
            "additional_stores": {"data": db.store("outputs_blobs", "GridFSStore")},
        },
    }


def _single_thread() -> dict[str, Any]:
    # Checkpoints in the job's folder: a rerun that keeps the folder goes on from there.
    return {"export": {CHECKPOINTS: ".", "OMP_NUM_THREADS": 1}}


def _worker(name: str, settings: ClusterSettings) -> dict[str, Any]:
    here = name == "local" or settings.host is None
    python = sys.executable if here and settings.python is None else (settings.python or "python")
    folder = str(Path.home() / ".magnetoionics" / settings.name) if name == "local" and settings.host else None
    work = folder or settings.work_dir
    out: dict[str, Any] = {
        "type": "local" if here else "remote",
        "scheduler_type": "shell" if name == "local" else settings.scheduler,
        "work_dir": f"{work}/{name}",
        "execution_cmd": _RUN.format(python=sys.executable if name == "local" else python),
        "max_jobs": 2 if name == "local" else settings.max_queued,
    }
    if not here:
        out |= {"host": settings.host, **({"user": settings.user} if settings.user else {})}
    if name != "local":
        if settings.pre_run:
            out["pre_run"] = settings.pre_run
        kinds: dict[str, Kind] = {"cpu": "relax", "neb": "neb", "gpu": "ml", "batch": "static"}
        if settings.scheduler != "shell":
            out["resources"] = default_table(settings).kinds[kinds[name]].qresources()
            if name == "batch":
                out["resources"] = script_options(out["resources"], settings.scheduler)
    if name == "batch":
        # jobflow-remote starts a batch with `jf`, which lies beside the interpreter.
        if "/" in python:
            out["pre_run"] = f"{settings.pre_run}\nexport PATH={Path(python).parent}:$PATH".strip()
        out |= {
            "batch": {
                "jobs_handle_dir": f"{work}/batch-handle",
                "work_dir": f"{work}/batch-work",
                "max_jobs_per_batch": 50,
                "max_wait": 60,
                # No new calculation in the last fifth of the allocation.
                "max_time": round(0.8 * settings.walltime_s),
            },
            "max_jobs": 2,
        }
    return out


def script_options(resources: dict[str, Any], scheduler: str) -> dict[str, Any]:
    """Resources as plain options of the scheduler's script: jobflow-remote decodes no others for a batch."""
    from monty.json import MontyDecoder
    from qtoolkit.core.data_objects import QResources
    from qtoolkit.io import scheduler_mapping

    decoded = MontyDecoder().process_decoded(resources)
    if not isinstance(decoded, QResources):
        return dict(resources)
    options: dict[str, Any] = scheduler_mapping[scheduler]().check_convert_qresources(decoded)
    return {k: v for k, v in options.items() if v is not None}


def projects_folder() -> Path:
    """Where jobflow-remote looks for projects."""
    settings = jobflow_remote().SETTINGS
    return Path(settings.projects_folder).expanduser()


def jobflow_remote() -> Any:
    """The package, or the line that installs it.

    Raises
    ------
    UserError
        If it is not installed.
    """
    try:
        import jobflow_remote
    except ImportError as error:
        raise UserError(
            "clusters need jobflow-remote; install it with: pip install 'magnetoionics[cluster]'"
        ) from error
    return jobflow_remote


def write_project(settings: ClusterSettings, *, overwrite: bool = False) -> tuple[Path, Path]:
    """Write the project file and the table of resources.

    Returns
    -------
    tuple of Path
        The project, readable by its owner only because it may hold the database's password, and the table.

    Raises
    ------
    UserError
        If the project is there already, or jobflow-remote does not accept the settings.
    """
    jobflow_remote()
    content = project_dict(settings)
    folder = projects_folder()
    path = folder / f"{settings.name}.yaml"
    table = folder / settings.name / TABLE_FILE
    if path.exists() and not overwrite:
        raise UserError(f"project {settings.name} exists; edit {path}, or replace it with --overwrite")
    _validated(content)
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        os.fchmod(stream.fileno(), 0o600)
        stream.write(
            "# Written by `magnetoionics cluster init`. Edit freely; `magnetoionics cluster doctor` checks it.\n"
        )
        yaml.safe_dump(content, stream, sort_keys=False)
    table.parent.mkdir(parents=True, exist_ok=True)
    write_table(default_table(settings), table)
    return path, table


def _validated(content: dict[str, Any]) -> Project:
    from jobflow_remote.config.base import Project
    from pydantic import ValidationError

    try:
        return Project.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(x) for x in first["loc"])
        # Only the last line: a trace may show the database's password.
        reason = str(first["msg"]).strip().splitlines()[-1]
        raise UserError(f"jobflow-remote refuses {where}: {reason}") from error


def load_project(name: str) -> Project:
    """A project by name.

    Raises
    ------
    UserError
        If there is none, or its file cannot be used.
    """
    jobflow_remote()
    folder = projects_folder()
    path = folder / f"{name}.yaml"
    if not name or Path(name).name != name or not path.is_file():
        known = sorted(p.stem for p in folder.glob("*.yaml")) if folder.is_dir() else []
        raise UserError(
            f"no project {name!r}; known: {', '.join(known) or 'none'}; make one with `magnetoionics cluster init`"
        )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read as YAML ({type(error).__name__})") from error
    return _validated(content)
