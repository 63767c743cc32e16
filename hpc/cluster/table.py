"""Which worker, resources and environment each kind of job gets: a YAML table that users edit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...stored.resolve import defining_module
from ...structures.io.untrusted_input import read_yaml
from ..errors import UserError
from .names import own_name
from .ranks import shared_per_node

if TYPE_CHECKING:
    from jobflow import Flow, Job

    from .project import ClusterSettings

TABLE_FILE = "resources.yaml"
Kind = Literal["relax", "static", "neb", "spin-orbit", "phonon", "ml", "local"]
KINDS: tuple[Kind, ...] = ("relax", "static", "neb", "spin-orbit", "phonon", "ml", "local")

# What a job's name says of it, tried in this order; jobs made while running are told by it too.
_BY_NAME: tuple[tuple[str, Kind], ...] = (
    ("band", "neb"),
    ("neb", "neb"),
    ("NEB", "neb"),
    ("E(n)", "spin-orbit"),
    ("spin-orbit", "spin-orbit"),
    ("spin orbit", "spin-orbit"),
    ("non-collinear", "spin-orbit"),
    ("soc", "spin-orbit"),
    ("phonon", "phonon"),
    ("vibrations", "phonon"),
    ("relax", "relax"),
    ("bulk", "relax"),
    ("static", "static"),
    ("supercell", "static"),
    ("reference", "static"),
)
_HEADER = """\
# Worker, resources and environment of each kind of job. A job's resources replace those of its worker,
# so every entry is complete. `resources` are qtoolkit's: nodes, processes_per_node, threads_per_process,
# time_limit (seconds), queue_name, account, qos, gpus_per_job, memory_per_thread (MB), scheduler_kwargs.
# For Grid Engine they are the options of its script: queue, model (parallel environment and slots), walltime.
# Batch workers ignore `resources`. `rules` are tried in order against the job's name; the first part of a
# name that fits decides, e.g. `- {name: V_O, kind: static}`.
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
        """Kind of a job, by the user's rules, the engine's level of theory, the job's function and its name."""
        name = own_name(str(job.name), job.metadata)
        for rule in self.rules:
            if rule.name in name:
                return rule.kind
        if not _computes(job):
            return "local"
        if _level_of_theory(job) == "ML":
            return "ml"
        if (job.metadata or {}).get("stage") == "anisotropy":
            return "spin-orbit"
        return next((kind for part, kind in _BY_NAME if part in name), "static")


def _computes(job: Job) -> bool:
    """Whether a job is an engine's, and not one of the small ones that build, collect and judge."""
    if (job.metadata or {}).get("own_folder") or hasattr(job.maker, "run_vasp_kwargs"):
        return True
    module = defining_module(job.function)
    package = __name__.split(".")[0]
    if not module.startswith(f"{package}."):
        return module != "jobflow.core.job"
    return ".engines." in module or module.endswith(
        (".ase.jobs", ".field.jobs", ".gpaw.jobs", ".vasp.jobs", ".vibrations.jobs")
    )


def _level_of_theory(job: Job) -> str:
    values = [*job.function_args, *job.function_kwargs.values()]
    return next((str(v.tier) for v in values if hasattr(v, "tier") and hasattr(v, "require")), "")


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
    """Give every job of a flow, and those it will make while running, its worker and resources."""
    from jobflow_remote import set_run_config

    def give(job: Job, kind: Kind, part: str | None, dynamic: bool) -> None:
        entry = table.kinds[kind]
        set_run_config(
            job,
            name_filter=cast(str, part),
            worker=entry.worker,
            resources=entry.qresources(),
            exec_config=entry.exec_config or "default",
            priority=priority + (entry.priority or 0),
            dynamic=dynamic,
        )

    for job in (j for j, _ in jobs.iterflow()) if hasattr(jobs, "iterflow") else jobs:
        kind = table.kind_of(job)
        # Otherwise jobflow gives a job's own settings to all that it makes, over the ones below.
        job.update_config({"pass_manager_config": False}, attributes=["pass_manager_config"], dynamic=True)
        give(job, kind, None, True)
        if kind != "ml":
            # Later ones win: the first rules come last. What the job itself is, its function has said.
            for part, other in reversed([*((r.name, r.kind) for r in table.rules), *_BY_NAME]):
                give(job, other, part, True)
        give(job, "local", "store_inputs", True)
        give(job, kind, None, False)
