"""Nothing computed is computed twice: keys, taking over, resuming after a failure and after kill -9."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from jobflow import Flow, JobStore
from magnetoionics.analysis.study import Study
from magnetoionics.hpc.errors import StudyFailedError
from magnetoionics.hpc.keys import UnknownInputError, job_key
from magnetoionics.hpc.runner import LocalRunner
from magnetoionics.hpc.sqlite_store import SqliteStore
from magnetoionics.hpc.study_runner import run_study
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine


def relax_and_static(fmax=0.01):
    engine = get_engine("local", fmax_eV_per_A=fmax)
    first = engine.relax(get_host("cofe2o4").structure("normal"), name="bulk", cell=True)
    return first, engine.static(first.output.structure, name="static")


def open_store(path):
    store = JobStore(SqliteStore(str(path)))
    store.connect()
    return store


def test_key_knows_inputs_engine_and_settings_but_not_the_run():
    (a, b), (c, d) = relax_and_static(), relax_and_static()
    assert a.uuid != c.uuid
    keys = {a.uuid: job_key(a, {}), c.uuid: job_key(c, {})}
    assert keys[a.uuid] == keys[c.uuid]
    assert job_key(b, keys) == job_key(d, keys)
    assert job_key(relax_and_static(0.02)[0], {}) != keys[a.uuid]
    with pytest.raises(UnknownInputError):
        job_key(b, {})


def test_equal_jobs_take_the_stored_output_over(tmp_path, monkeypatch):
    store = open_store(tmp_path / "jobs.sqlite")
    first = relax_and_static()
    LocalRunner(store).run(Flow(list(first)))
    energy = first[1].output.resolve(store).energy_eV

    def refuse(*args, **kwargs):
        raise AssertionError("computed again")

    monkeypatch.setattr("magnetoionics.calculators.rigid_ion.RigidIonCalculator.calculate", refuse)
    second = relax_and_static()
    summary = LocalRunner(store).run(Flow(list(second)))
    assert summary.finished
    assert summary.reused == 2
    assert second[1].output.resolve(store).energy_eV == energy
    assert store.count({"name": "bulk"}) == 1
    other = LocalRunner(store).run(Flow(list(relax_and_static(0.02))))
    assert not other.finished


def test_failed_study_resumes_where_it_stopped(tmp_path, monkeypatch):
    folder = tmp_path / "cfo"
    with monkeypatch.context() as broken:

        def fail(*args, **kwargs):
            raise RuntimeError("planted")

        broken.setattr("magnetoionics.workflows.engines.local.single_ion_map", fail)
        with pytest.raises(StudyFailedError, match="planted"):
            run_study("cofe2o4", quick=True, output=folder)
    assert not (folder / "results.json").exists()

    def refuse(*args, **kwargs):
        raise AssertionError("computed again")

    monkeypatch.setattr("magnetoionics.calculators.rigid_ion.RigidIonCalculator.calculate", refuse)
    run_study("cofe2o4", quick=True, output=folder)
    assert Study.model_validate_json((folder / "results.json").read_text()).migration[0].converged


def results_without_timings(folder):
    raw = json.loads((folder / "results.json").read_text())
    raw.pop("timings")
    return raw


@pytest.mark.slow
def test_kill_and_resume_gives_the_same_results(tmp_path):
    run_study("cofe2o4", quick=True, output=tmp_path / "whole")
    folder = tmp_path / "killed"
    command = [sys.executable, "-c", "from magnetoionics.hpc.cli import entry; entry()"]
    command += ["run", "cofe2o4", "--quick", "--output", str(folder)]
    kills = 0
    for pause in (2.5, 3.5, 4.5, 3.0, 5.0, 5.5, 6.0, 60.0):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        end = time.monotonic() + pause
        while time.monotonic() < end and process.poll() is None:
            time.sleep(0.05)
        if process.poll() is not None:
            break
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
    assert process.returncode == 0
    assert kills >= 2
    assert results_without_timings(folder) == results_without_timings(tmp_path / "whole")
