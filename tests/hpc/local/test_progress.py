"""The bars of a run: names of stages are whole on a narrow terminal, also where a job failed with a long reason."""

import io

from jobflow import Flow, job
from magnetoionics.hpc.local.progress import StageProgress
from magnetoionics.hpc.local.runner import JobEvent
from magnetoionics.hpc.terminal import Console


@job
def nothing():
    return None


def test_stages_are_named_whole_beside_a_failure():
    jobs = []
    for stage in ("chemical potentials", "migration"):
        made = nothing()
        made.update_metadata({"stage": stage})
        jobs.append(made)
    out = io.StringIO()
    with StageProgress(Flow(jobs), Console(file=out, width=60, force_terminal=True)) as progress:
        progress.on_event(JobEvent("references", "chemical potentials", "done", 1.0))
        progress.on_event(JobEvent("band of a very long name", "migration", "running"))
        progress.on_event(JobEvent("band of a very long name", "migration", "failed", error="a long reason " * 20))
    last = out.getvalue().rsplit("\r", 1)[-1] or out.getvalue()
    for stage in ("chemical potentials", "migration"):
        assert stage in out.getvalue()
    assert "1 not done" in last
    assert "chemical …" not in out.getvalue()
