"""Runs one job of a cluster in its folder: `python -m magnetoionics.hpc.cluster.job FOLDER`.

Half the start-up time of the `jf` command and no plugins; jobs that the job makes get plain names (see `names`).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .names import jobs_within, make_plain


def main(folder: str) -> None:
    """Run the job, and clean the names of what it asks for."""
    from jobflow_remote.jobs.data import OUT_FILENAME
    from jobflow_remote.jobs.run import run_remote_job

    run_remote_job(folder)
    clean(Path(folder) / OUT_FILENAME)


def clean(path: Path) -> None:
    """Plain names in the flows of a job's response."""
    content = json.loads(path.read_bytes())
    response = content.get("response") or {}
    made = [j for kind in ("replace", "addition", "detour") for j in jobs_within(response.get(kind))]
    if not made:
        return
    for job in made:
        make_plain(job)
    path.write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
