"""Asks every worker, in the environment of its jobs, for the codes and data that the project's engines need."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from .probe import PROBES
from .table import ResourceTable

if TYPE_CHECKING:
    from jobflow_remote.config.base import ExecutionConfig, Project

# Where no study says more: the host of the tutorial.
DEFAULT_HOST = "cofe2o4"
_TAIL = 200


def needed_codes(studies: Sequence[dict[str, Any]], asked: Sequence[str] = ()) -> dict[str, list[str]]:
    """Engines with a code of their own, and the elements of their hosts.

    Parameters
    ----------
    studies
        ``about`` of the project's studies.
    asked
        Engines that a user wants checked in any case.

    Raises
    ------
    UserError
        If an asked engine has nothing to check.
    """
    from ...structures.host import UnknownHostError, get_host

    for engine in asked:
        if engine not in PROBES:
            raise UserError(f"engine {engine!r} has no code to look for; known: {', '.join(PROBES)}")
    hosts: dict[str, set[str]] = {engine: set() for engine in asked}
    for about in studies:
        engine = str(about.get("engine")).partition(":")[0]  # a settings file may follow the name
        if engine in PROBES:
            hosts.setdefault(engine, set()).add(str(about.get("host")))
    out = {}
    for engine, names in hosts.items():
        elements: set[str] = set()
        for name in names or {DEFAULT_HOST}:
            try:
                elements |= {e.symbol for e in get_host(name).structure().composition}
            except (UnknownHostError, OSError, ValueError):
                continue  # a file of the person who submitted
        out[engine] = sorted(elements)
    return out


def code_problems(
    project: Project, table: ResourceTable, needed: dict[str, list[str]]
) -> Iterator[tuple[str, str, str]]:
    """Subject, problem and cure of every code or data set that is missing where an engine's jobs run."""
    places = {
        (entry.worker, entry.exec_config or "default")
        for kind, entry in table.kinds.items()
        if kind not in ("local", "ml") and entry.worker in project.workers
    }
    seen: set[tuple[str, ...]] = set()
    for worker_name, config_name in sorted(places):
        worker = project.workers[worker_name]
        config = project.exec_config.get(config_name)
        python = (worker.execution_cmd or "python").split()[0]
        before = environment_of(worker, config)
        # Workers that share a machine, an interpreter and an environment are asked once.
        place = (str(getattr(worker, "host", None)), python, before)
        if place in seen:
            continue
        seen.add(place)
        host = worker.get_host()
        try:
            host.connect()
            for engine, elements in needed.items():
                for problem, cure in ask(host, before, python, engine, elements):
                    yield f"{engine} on worker {worker_name}", problem, cure
        finally:
            host.close()


def environment_of(worker: Any, config: ExecutionConfig | None) -> str:
    """Shell lines that jobflow-remote puts before a job's command."""
    lines = [worker.pre_run or "", (config.pre_run if config else None) or ""]
    lines += [f"export {k}={v}" for k, v in ((config.export if config else None) or {}).items()]
    lines += [f"module load {m}" for m in (config.modules if config else None) or []]
    return "\n".join(line for line in lines if line)


def ask(host: Any, before: str, python: str, engine: str, elements: Sequence[str]) -> list[tuple[str, str]]:
    """What `probe` says on a machine; a probe that cannot run is a problem itself."""
    module = __name__.rpartition(".")[0] + ".probe"
    try:
        out, error, code = host.execute(f"{before}\n{python} -m {module} {engine} {' '.join(elements)}")
    except Exception as reason:  # one kind for every way to reach a machine; a minute without answer is one
        return [(f"cannot be looked for ({type(reason).__name__})", "see that the worker answers, then ask again")]
    try:
        if code:
            raise ValueError(f"exit code {code}")
        return [(str(problem), str(cure)) for problem, cure in json.loads(str(out).strip().splitlines()[-1])]
    except (ValueError, IndexError) as reason:
        last = (str(error).strip().splitlines() or [str(reason)])[-1]
        return [(f"cannot be looked for: {last[:_TAIL]}", "correct pre_run, modules or exec_config of the project")]
