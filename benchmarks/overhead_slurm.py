"""Overhead per job on a real Slurm: this package's project, jobflow-remote's defaults, and no cluster at all.

Run: `python benchmarks/overhead_slurm.py --jobs 3`, as root, with what `.ci/cluster-setup PYTHON` installs.
Each project computes one chain of jobs that add two numbers; the services are those of the tests.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
import time
from contextlib import redirect_stdout
from operator import add
from pathlib import Path
from typing import Any

from jobflow import Flow, JobStore, job, run_locally
from maggma.stores import MemoryStore
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.store import open_store

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "builders"))

# What `cluster init` writes and jobflow-remote has its own values for.
OURS = (
    "delay_checkout",
    "delay_check_run_status",
    "delay_advance_status",
    "delay_update_batch",
    "delay_refresh_limited",
)


def chain(length: int) -> Flow:
    jobs = [job(add)(0, 1)]
    for n in range(1, length):
        jobs.append(job(add)(jobs[-1].output, n))
    return Flow(jobs)


def to_defaults(content: dict[str, Any]) -> None:
    """The same project with jobflow-remote's own polls and its own command."""
    for name in OURS:
        del content["runner"][name]
    for worker in content["workers"].values():
        del worker["execution_cmd"]
        # Its command is `jf`, which lies beside the interpreter.
        worker["pre_run"] = f"export PATH={Path(sys.executable).parent}:$PATH"


def on_slurm(cluster: Any, name: str, length: int, *words: str, defaults: bool = False) -> float:
    """Seconds from the runner's start to the end of the last job."""
    from cluster_machine import wait_until
    from jobflow_remote import set_run_config
    from magnetoionics.hpc.cluster.controller import job_controller
    from magnetoionics.hpc.cluster.submit import project_table

    with redirect_stdout(io.StringIO()):
        project = cluster.project(name, *words)
    if defaults:
        project.edit(to_defaults)
    entry = project_table(name).kinds["static"]
    flow = chain(length)
    set_run_config(flow, worker="cpu", resources=entry.qresources(), exec_config="default")
    with job_controller(name) as controller:
        controller.add_flow(flow, worker="cpu")
    runner = project.start_runner(3600)
    begin = time.perf_counter()
    try:
        wait_until(lambda: {j["state"] for j in project.jobs()} == {"COMPLETED"}, 120 * length + 120)
        return time.perf_counter() - begin
    finally:
        runner.kill()
        runner.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=3)
    length = parser.parse_args().jobs
    from cluster_machine import running_cluster

    print(f"a chain of {length} jobs, seconds a job; load average {os.getloadavg()[0]:.1f}")
    memory = JobStore(MemoryStore())
    memory.connect()
    run_locally(chain(1), store=memory, log=False)  # imports
    begin = time.perf_counter()
    run_locally(chain(length), store=memory, log=False, ensure_success=True)
    print(f"run_locally, memory store:                     {(time.perf_counter() - begin) / length:9.3f}")
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        assert LocalRunner(open_store(Path(folder))).run(chain(length)).finished
        print(f"this package's runner, SQLite store:           {(time.perf_counter() - begin) / length:9.3f}")
    with tempfile.TemporaryDirectory() as folder, running_cluster(Path(folder)) as cluster:
        for text, words, defaults in (
            ("Slurm, this package's project, polls of 1 s:   ", ("--poll", "1"), False),
            ("Slurm, this package's project as `init` has it:", ("--poll", "20"), False),
            ("Slurm, jobflow-remote's polls and command:     ", ("--poll", "20"), True),
        ):
            name = f"bench{len(text.split())}{words[1]}{'d' if defaults else ''}"
            print(f"{text}{on_slurm(cluster, name, length, *words, defaults=defaults) / length:9.1f}", flush=True)


if __name__ == "__main__":
    main()
