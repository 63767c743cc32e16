"""Overhead per job of the durable runner against jobflow's run_locally, of submission, and growth of the store.

Run: `python benchmarks/overhead.py local|store|submit`.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from operator import add
from pathlib import Path
from typing import Any

from jobflow import Flow, JobStore, job, run_locally
from maggma.stores import MemoryStore
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.sqlite_documents import encode
from magnetoionics.hpc.local.sqlite_store import SqliteStore
from magnetoionics.hpc.local.store import open_store


def chain(length: int) -> Flow:
    jobs = [job(add)(0, 1)]
    for n in range(1, length):
        jobs.append(job(add)(jobs[-1].output, n))
    return Flow(jobs)


class Stopwatch:
    """Time spent inside the store's transactions."""

    def __init__(self, store: SqliteStore) -> None:
        self.seconds = 0.0
        write = store.write_rows

        def timed(*args: Any, **kwargs: Any) -> None:
            begin = time.perf_counter()
            write(*args, **kwargs)
            self.seconds += time.perf_counter() - begin

        store.write_rows = timed  # type: ignore[method-assign]


def local(length: int) -> None:
    memory = JobStore(MemoryStore())
    memory.connect()
    flow = chain(length)
    begin = time.perf_counter()
    run_locally(flow, store=memory, log=False, ensure_success=True)
    plain = time.perf_counter() - begin
    print(f"run_locally, memory store:        {1e3 * plain / length:7.2f} ms per job")
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        flow = chain(length)
        begin = time.perf_counter()
        run_locally(flow, store=store, log=False, ensure_success=True)
        whole = time.perf_counter() - begin
        print(f"run_locally, this store:          {1e3 * whole / length:7.2f} ms per job")
    for workers in (1, 2):
        durable(length, workers)


def durable(length: int, workers: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        watch = Stopwatch(store.docs_store)
        ends: list[tuple[float, float]] = []
        runner = LocalRunner(store, lambda event: ends.append((time.perf_counter(), watch.seconds)), jobs=workers)
        begin = time.perf_counter()
        assert runner.run(chain(length)).finished
        whole = time.perf_counter() - begin
        # The first job waits for imports and for its process: a cost of the run, told by itself.
        (first, wrote), (last, written) = ends[1], ends[-1]
        each, write = (1e3 * x / (length - 1) for x in (last - first, written - wrote))
        print(
            f"durable runner, {workers} process(es):     {each:7.2f} ms per job, of which the store's write "
            f"{write:.2f}; beyond it {each - write:.2f}; first job done after {first - begin:.2f} s, "
            f"{1e3 * whole / length:.2f} ms per job with it"
        )
        begin = time.perf_counter()
        assert LocalRunner(open_store(Path(folder))).run(chain(length)).reused == length
        print(f"  taken over again:               {1e3 * (time.perf_counter() - begin) / length:7.2f} ms per job")


def simulated(study: int, template: list[dict[str, Any]], bodies: list[bytes], readable: bool) -> list[Any]:
    """Documents of one study as a real one leaves them, under other names; only those looked up are encoded anew."""
    names = [f"{d['uuid']}-{study}" for d in template]
    if readable:
        return [encode({**d, "uuid": name}) for d, name in zip(template, names, strict=True)]
    return [(n, d.get("index", 1), d.get("name"), b) for n, d, b in zip(names, template, bodies, strict=True)]


def store_growth(source: Path, most: int) -> None:
    """Size, memory and look-up time against the number of studies, from a finished study's own documents."""
    from magnetoionics.hpc.local.store import STORE_FILE, STORE_FOLDER

    original = SqliteStore(str(source / STORE_FOLDER / STORE_FILE))
    original.connect()
    template = list(original.query())
    original.close()
    bodies = [encode(d)[3] for d in template]
    marks = [n for n in (1, 10, 100, 1000, 3000, 10000) if n <= most]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jobs.sqlite"
        store = SqliteStore(str(path))
        store.connect()
        begin, previous = time.perf_counter(), 0
        for n in range(1, most + 1):
            store.write_rows(simulated(n, template, bodies, n - 1 in {m // 2 for m in marks}))
            if n not in marks:
                continue
            wrote = (time.perf_counter() - begin) / (n - previous)
            name = f"{template[len(template) // 2]['uuid']}-{n // 2 + 1}"
            look = time.perf_counter()
            for _ in range(20):
                assert store.query_one({"uuid": name}) is not None
            found = (time.perf_counter() - look) / 20
            size = sum(p.stat().st_size for p in Path(folder).iterdir()) / 1024**2
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{n:6d} studies, {store.count():8d} documents: {size:9.1f} MB on disk, {memory:6.0f} MB in memory, "
                f"{1e3 * wrote:6.1f} ms to write a study, {1e3 * found:6.2f} ms to find a job"
            )
            begin, previous = time.perf_counter(), n


def submission(project: str, number: int, alone: bool) -> None:
    """Time to submit many different studies to a project with one controller; `alone`: none shares a job."""
    from magnetoionics.hpc.campaigns.campaign import StudySpec, campaign_status, submit_campaign
    from magnetoionics.hpc.cluster import sharing
    from magnetoionics.hpc.cluster.controller import job_controller
    from magnetoionics.hpc.cluster.submit import project_table

    if alone:
        sharing.find_owners = lambda *given: {}
    fields = ((0.0, 1e6 * (n + 1)) for n in range(number))
    studies = [StudySpec("cofe2o4", quick=True, fields_V_per_m=f) for f in fields]
    with job_controller(project) as controller:
        begin, cpu = time.perf_counter(), time.process_time()
        done = submit_campaign("benchmark", studies, controller, project_table(project), max_queued=10**9)
        seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
        print(
            f"{len(done.submitted)} studies ({sum(len(d.costs) for d in done.submitted)} jobs, "
            f"{sum(d.shared for d in done.submitted)} shared) submitted in {seconds:.1f} s, "
            f"{1e3 * seconds / number:.1f} ms each ({1e3 * cpu / number:.1f} ms of CPU time)"
        )
        begin = time.perf_counter()
        rows = campaign_status(controller, "benchmark")
        print(f"status of {len(rows)} studies in {time.perf_counter() - begin:.2f} s")
        begin = time.perf_counter()
        again = submit_campaign("benchmark", studies[:50], controller, project_table(project), max_queued=10**9)
        print(f"{len(again.known)} found again in {time.perf_counter() - begin:.1f} s, {len(again.submitted)} new")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["local", "store", "submit"])
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--study", type=Path, help="Folder of a finished study, for `store`.")
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--project", help="Project of jobflow-remote, for `submit`.")
    parser.add_argument("--alone", action="store_true", help="Let no study share a job, for `submit`.")
    given = parser.parse_args()
    if given.what == "local":
        local(given.jobs)
    elif given.what == "store":
        store_growth(given.study, given.studies)
    else:
        submission(given.project, given.studies, given.alone)


if __name__ == "__main__":
    main()
