"""Nothing computed is computed twice: keys, taking over, resuming after a failure and after kill -9."""

import contextlib
import json
import multiprocessing
import operator
import os
import re
import signal
import sqlite3
import time

import pytest
from jobflow import Flow, JobStore, job
from magnetoionics.analysis.study.documents import Study
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.local.job_hashes import UnknownInputError, job_key
from magnetoionics.hpc.local.run_log import FolderInUseError, RunLog, read_run_log
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.sqlite_documents import DamagedStoreError
from magnetoionics.hpc.local.sqlite_errors import StoreUnavailableError
from magnetoionics.hpc.local.sqlite_store import SqliteStore
from magnetoionics.hpc.local.store import open_store as open_folder
from magnetoionics.hpc.study_folder.study_run import run_study
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


@pytest.mark.usefixtures("no_figures")
def test_failed_study_resumes_where_it_stopped(tmp_path, monkeypatch):
    folder = tmp_path / "cfo"
    with monkeypatch.context() as broken:

        def fail(*args, **kwargs):
            raise RuntimeError("made to fail")

        broken.setattr("magnetoionics.workflows.engines.local.single_ion_map", fail)
        run_study("cofe2o4", quick=True, output=folder)
    # A part that failed costs that part; its reason is in the study.
    partial = Study.model_validate_json((folder / "results.json").read_text())
    assert partial.anisotropy is None
    assert "made to fail" in next(s.reason for s in partial.stages if s.stage == "anisotropy")

    def refuse(*args, **kwargs):
        raise AssertionError("computed again")

    monkeypatch.setattr("magnetoionics.calculators.rigid_ion.RigidIonCalculator.calculate", refuse)
    run_study("cofe2o4", quick=True, output=folder)
    assert Study.model_validate_json((folder / "results.json").read_text()).migration[0].converged


def test_studies_share_what_they_have_in_common(tmp_path, monkeypatch):
    """Another study's store is read, never written; the same study is instant, another takes the bulk cell."""
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    bulk, static = relax_and_static()
    LocalRunner(open_store(old)).run(Flow([bulk, static]))
    before = old.read_bytes()
    other = SqliteStore(str(old), read_only=True)
    store = open_store(new)
    bulk, _ = relax_and_static()
    loose = get_engine("local", fmax_eV_per_A=0.02).static(bulk.output.structure, name="another engine")
    summary = LocalRunner(store, others=[other]).run(Flow([bulk, loose]))
    assert (summary.jobs, summary.reused, summary.borrowed) == (2, 1, 1)

    def refuse(*args, **kwargs):
        raise AssertionError("computed again")

    monkeypatch.setattr("magnetoionics.calculators.rigid_ion.RigidIonCalculator.calculate", refuse)
    again = relax_and_static()
    summary = LocalRunner(store, others=[other]).run(Flow(list(again)))
    assert (summary.finished, summary.reused, summary.borrowed) == (True, 2, 1)
    assert again[1].output.resolve(store).energy_eV == pytest.approx(again[0].output.resolve(store).energy_eV)
    assert old.read_bytes() == before
    with pytest.raises(StoreUnavailableError, match="readonly"):
        other.write_rows([("x", 1, "x", b"")])


def test_damage_in_another_study_is_named_and_nothing_taken_from_it(tmp_path):
    old = open_store(tmp_path / "old.sqlite")
    LocalRunner(old).run(Flow([job(operator.add)(1, 2)]))
    with sqlite3.connect(tmp_path / "old.sqlite") as db:
        db.execute("UPDATE documents SET body = ? WHERE name = 'add'", (b"torn",))
    other = SqliteStore(str(tmp_path / "old.sqlite"), read_only=True)
    store = open_store(tmp_path / "new.sqlite")
    summary = LocalRunner(store, others=[other]).run(Flow([made := job(operator.add)(1, 2)]))
    assert (summary.finished, summary.reused) == (True, 0)
    assert "is damaged" in summary.damaged[0]
    assert store.get_output(made.uuid) == 3
    with pytest.raises(DamagedStoreError):
        old.count({"name": "add"})


@pytest.mark.usefixtures("no_figures")
def test_reuse_on_the_command_line(tmp_path, capsys):
    assert main(["run", "cofe2o4", "--quick", "--output", str(tmp_path / "a"), "--reuse", str(tmp_path)]) == 2
    assert "no job store" in capsys.readouterr().err
    words = ["run", "cofe2o4", "--quick", "--stages", "host", "--output"]
    assert main([*words, str(tmp_path / "a")]) == 0
    capsys.readouterr()
    assert main([*words, str(tmp_path / "b"), "--reuse", str(tmp_path / "a"), "--jobs", "2"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    jobs = re.search(r"(\d+) jobs, (\d+) of them computed before \((\d+) in other studies\)", said)
    assert jobs is not None
    assert len(set(jobs.groups())) == 1
    assert results_without_timings(tmp_path / "a") == results_without_timings(tmp_path / "b")


def test_study_at_work_is_not_overwritten(tmp_path):
    """Nothing of a folder that another process computes in is moved or removed."""
    open_folder(tmp_path).docs_store.update({"uuid": "a", "index": 1, "name": "precious"})
    runner = RunLog(tmp_path / "store")
    runner.begin()
    try:
        for overwrite in (True, False):
            with pytest.raises(FolderInUseError):
                run_study("cofe2o4", quick=True, output=tmp_path, overwrite=overwrite)
    finally:
        runner.finish()
    assert open_folder(tmp_path).docs_store.count({"name": "precious"}) == 1


def results_without_timings(folder):
    raw = json.loads((folder / "results.json").read_text())
    raw.pop("timings")
    return raw


def jobs_computed(folder):
    """By the run that is under way."""
    log = read_run_log(folder / "store") if (folder / "store").exists() else None
    return sum(j.ended is not None and not j.reused for j in log[1]) if log and log[0].alive else 0


def run_in_child(folder):
    """A whole study by the command, in a process that has imported everything already."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        os._exit(main(["run", "cofe2o4", "--quick", "--output", str(folder)]))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork: starting Python anew takes most of the time")
@pytest.mark.usefixtures("no_figures")
def test_kill_and_resume_gives_the_same_results(quick_study, tmp_path):
    folder = tmp_path / "killed"
    for jobs in (1, 4, 9, None):
        process = multiprocessing.get_context("fork").Process(target=run_in_child, args=(folder,))
        process.start()
        if jobs is not None:
            while jobs_computed(folder) < jobs:
                assert process.is_alive()
                time.sleep(0.05)
            process.kill()
        process.join()
        assert process.exitcode == (0 if jobs is None else -signal.SIGKILL)
    assert results_without_timings(folder) == results_without_timings(quick_study)
