"""Runs one job of a cluster in its folder: `python -m magnetoionics.hpc.cluster.job FOLDER`.

Half the start-up time of the `jf` command and no plugins; jobs that the job makes get plain names (see `names`).
A runner that is killed between the scheduler's answer and its own note submits the job a second time: the second one
waits for the first and leaves its output alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .names import jobs_within, make_plain
from .table import place

LOCK_FILE = "one-run.lock"


def main(folder: str) -> None:
    """Run the job unless its output is there, and clean the names of what it asks for."""
    from jobflow_remote.jobs.data import OUT_FILENAME
    from jobflow_remote.jobs.run import run_remote_job

    place = Path(folder)
    with alone(place):
        if has_run(place):
            return
        run_remote_job(folder)
        clean(place / OUT_FILENAME)


@contextmanager
def alone(place: Path) -> Iterator[None]:
    """Wait for another process that runs the same job; on a file system without locks nobody waits."""
    try:
        import fcntl
    except ImportError:  # no such locks on Windows, and no such clusters
        yield
        return
    with (place / LOCK_FILE).open("w") as handle:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def has_run(place: Path) -> bool:
    """Whether the folder holds a whole output without error that is younger than its input.

    A rerun writes the input anew, so that it is computed again.
    """
    from jobflow_remote.jobs.data import IN_FILENAME, OUT_FILENAME

    out = place / OUT_FILENAME
    try:
        content = json.loads(out.read_bytes())
        younger = out.stat().st_mtime_ns >= (place / IN_FILENAME).stat().st_mtime_ns
    except (OSError, ValueError):
        return False
    return younger and bool(content.get("response")) and content.get("error") is None


def clean(path: Path) -> None:
    """Plain names, workers and resources of the jobs in a job's response."""
    content = json.loads(path.read_bytes())
    response = content.get("response") or {}
    new_jobs = [j for kind in ("replace", "addition", "detour") for j in jobs_within(response.get(kind))]
    if not new_jobs:
        return
    for job in new_jobs:
        place(job)
        make_plain(job)
    path.write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
