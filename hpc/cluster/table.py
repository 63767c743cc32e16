"""Which worker, resources and environment each kind of job gets: a YAML table that users edit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...structures.io.untrusted_input import read_yaml
from ...workflows.jobs.kinds import KINDS, Kind, kind_in
from ..errors import UserError
from .names import own_name
from .ranks import shared_per_node

if TYPE_CHECKING:
    from jobflow import Flow, Job

    from .project import ClusterSettings

TABLE_FILE = "resources.yaml"
# Key of the metadata under which a job carries the table.
PLACEMENT = "placement"

_HEADER = """\
# Worker, resources and environment of each kind of job. A job's resources replace those of its worker,
# so every entry is complete. `resources` are qtoolkit's: nodes, processes_per_node, threads_per_process,
# time_limit (seconds), queue_name, account, qos, gpus_per_job, memory_per_thread (MB), scheduler_kwargs.
# For Grid Engine they are the options of its script: queue, model (parallel environment and slots), walltime.
# Batch workers ignore `resources`. Every job says its own kind; `rules` of yours come before: they are tried in order
# against the job's name, and the first part of a name that fits decides, e.g. `- {name: V_O, kind: static}`.
"""


class KindSettings(BaseModel):
    """Worker, complete resources and environment of one kind of job."""

    model_config = ConfigDict(extra="forbid")

    worker: str
    resources: dict[str, Any] = Field(default_factory=dict)
    exec_config: str | None = None
    priority: int | None = None

    def qresources(self) -> dict[str, Any]:
        """Resources for jobflow-remote: qtoolkit's own, or plain options of the scheduler's script.

        Raises
        ------
        ValueError, TypeError
            For names that neither qtoolkit nor a scheduler's script has.
        """
        if not self.resources:
            return {}
        from qtoolkit.core.data_objects import QResources

        known = {f.name for f in fields(QResources)}
        if set(self.resources) <= known:
            full = QResources(**self.resources).as_dict()
            return {k: v for k, v in full.items() if v not in (None, {}) and k != "@version"}
        if strange := sorted(set(self.resources) - _script_options()):
            raise ValueError(f"no resources are called {', '.join(strange)}; known: {', '.join(sorted(known))}")
        return dict(self.resources)

    def configuration(self, priority: int = 0) -> dict[str, Any]:
        """What jobflow-remote reads of a job: worker, resources, environment and priority."""
        return {
            "worker": self.worker,
            "resources": self.qresources(),
            "exec_config": self.exec_config or "default",
            "priority": priority + (self.priority or 0),
        }

    @property
    def nodes(self) -> int:
        """Nodes of one job, as far as the resources say."""
        return int(self.resources.get("nodes") or 1)

    @property
    def core_hours(self) -> float:
        """Largest cost of one job: all its cores for its whole time limit."""
        r = self.resources
        if not r:
            return 0.0
        if "model" in r:  # Grid Engine's parallel environment: its name and the number of slots
            return int(str(r["model"]).split()[-1]) * _hours(str(r.get("walltime", "0:0:0")))
        tasks = int(r.get("processes") or self.nodes * int(r.get("processes_per_node") or 1))
        return tasks * int(r.get("threads_per_process") or 1) * float(r.get("time_limit") or 0) / 3600


def _hours(clock: str) -> float:
    hours, minutes, seconds = (float(x) for x in clock.split(":"))
    return hours + minutes / 60 + seconds / 3600


def _script_options() -> set[str]:
    """Options of the schedulers' scripts, by the names in qtoolkit's templates."""
    from qtoolkit.io import scheduler_mapping
    from qtoolkit.io.base import QTemplate

    return {name for io in scheduler_mapping.values() for name in QTemplate(io().header_template).get_identifiers()}


class Rule(BaseModel):
    """Jobs whose name holds `name` are of this kind."""

    model_config = ConfigDict(extra="forbid")

    name: str
    kind: Kind


class ResourceTable(BaseModel):
    """The whole table."""

    model_config = ConfigDict(extra="forbid")

    kinds: dict[Kind, KindSettings]
    rules: list[Rule] = Field(default_factory=list)

    def kind_of(self, job: Job) -> Kind:
        """Kind of a job: by the user's rules, else as the job itself says; see `kinds`."""
        return kind_by(self.rules, own_name(str(job.name), job.metadata), job.metadata)

    def placement(self, priority: int = 0) -> dict[str, Any]:
        """The table as a job carries it, for the jobs that it will make: configurations by kind, and the rules."""
        return {
            "kinds": {kind: entry.configuration(priority) for kind, entry in self.kinds.items()},
            "rules": [rule.model_dump() for rule in self.rules],
        }


def kind_by(rules: Iterable[Rule], name: str, metadata: Mapping[str, Any] | None) -> Kind:
    """Kind of the job of this name and these metadata; the first rule that fits decides."""
    return next((rule.kind for rule in rules if rule.name in name), kind_in(metadata))


def default_table(settings: ClusterSettings) -> ResourceTable:
    """Table for a new project."""
    cores = settings.cores_per_node

    def entry(worker: str, nodes: int, per_node: int, environment: str = "default") -> KindSettings:
        return KindSettings(
            worker=worker,
            resources=_default_resources(settings, nodes, per_node, worker == "gpu"),
            exec_config=environment,
        )

    return ResourceTable(
        kinds={
            "relax": entry("cpu", 1, cores),
            "static": entry("cpu", 1, cores),
            "neb": entry("neb", settings.neb_nodes, shared_per_node(settings.neb_nodes, cores)),
            "spin-orbit": entry("cpu", 1, cores),
            "phonon": entry("cpu", 1, cores),
            "ml": entry("gpu", 1, 1),
            "local": KindSettings(worker="local", exec_config="single"),
        }
    )


def _default_resources(settings: ClusterSettings, nodes: int, per_node: int, gpu: bool) -> dict[str, Any]:
    queue = (settings.gpu_queue if gpu else None) or settings.queue
    out: dict[str, Any]
    if settings.scheduler == "shell":
        return {}
    if settings.scheduler == "sge":
        # qtoolkit writes PBS's select for Grid Engine, which has none: the script's own options instead.
        hours, rest = divmod(settings.walltime_s, 3600)
        out = {"walltime": f"{hours}:{rest // 60:02d}:{rest % 60:02d}", "queue": queue, "device": settings.account}
        out |= {"select": "gpu=1"} if gpu else {"model": f"{settings.parallel_environment} {nodes * per_node}"}
        return {k: v for k, v in out.items() if v is not None}
    out = {"nodes": nodes, "processes_per_node": per_node, "time_limit": settings.walltime_s}
    out |= {"queue_name": queue, "account": settings.account}
    if gpu and settings.scheduler == "pbs":
        out["scheduler_kwargs"] = {"select": f"select={nodes}:ncpus={per_node}:mpiprocs={per_node}:ngpus=1"}
    elif gpu:
        out["gpus_per_job"] = 1
    return {k: v for k, v in out.items() if v is not None}


def write_table(table: ResourceTable, path: Path) -> None:
    """Write the table as YAML with a head that explains it."""
    content = table.model_dump(exclude_none=True, exclude_defaults=False)
    path.write_text(_HEADER + yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def read_table(path: Path) -> ResourceTable:
    """The table that a user may have edited.

    Raises
    ------
    UserError
        If it cannot be read, lacks a kind, or has resources that do not exist.
    """
    if not path.is_file():
        raise UserError(f"{path} is missing; `magnetoionics cluster init --overwrite` writes it anew")
    try:
        table = ResourceTable.model_validate(read_yaml(path))
        for kind, entry in table.kinds.items():
            try:
                entry.qresources()
            except (TypeError, ValueError) as error:
                raise UserError(f"{path}: resources of {kind}: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(x) for x in first["loc"])
        raise UserError(f"{path}: {where}: {first['msg']}") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    missing = [k for k in KINDS if k not in table.kinds]
    if missing:
        raise UserError(f"{path} has no entry for {', '.join(missing)}")
    return table


def apply_table(jobs: Flow | Iterable[Job], table: ResourceTable, *, priority: int = 0) -> None:
    """Give every job of a flow its worker and resources, and the table to choose by for those it will make."""
    placement = table.placement(priority)
    for job in (j for j, _ in jobs.iterflow()) if hasattr(jobs, "iterflow") else jobs:
        job.config.manager_config = dict(placement["kinds"][table.kind_of(job)])
        # Otherwise jobflow gives a job's own settings to all that it makes.
        job.update_config({"pass_manager_config": False}, attributes=["pass_manager_config"], dynamic=True)
        job.update_metadata({PLACEMENT: placement}, dynamic=True)


def place(job: dict[str, Any]) -> None:
    """Give a serialised job, made by another one while that ran, what the table says of its kind."""
    metadata = job.get("metadata") or {}
    if (table := metadata.get(PLACEMENT)) is None:
        return
    rules = [Rule.model_validate(rule) for rule in table["rules"]]
    kind = kind_by(rules, own_name(str(job["name"]), metadata), metadata)
    job["config"]["manager_config"] = table["kinds"][kind]
