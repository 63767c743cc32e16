"""The account of a run: what is done, running, failed and why; a dead runner is seen."""

import os
import signal
import subprocess
import sys
import time
from operator import add

import pytest
from jobflow import Flow, JobStore, job
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.local.run_log import RUN_LOG_FILE, FolderInUseError, RunLog, read_run_log
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.store import open_store
from magnetoionics.hpc.study_folder.status import folder_status, show_status, status_table
from rich.console import Console

SLEEPER = """
import sys, time
from pathlib import Path
from jobflow import Flow, job
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.store import open_store
nap = job(time.sleep)(float(sys.argv[2]))
LocalRunner(open_store(Path(sys.argv[1]))).run(Flow([nap]))
"""


def shown(folder):
    console = Console(width=200, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(status_table(folder_status(folder)))
    return console.export_text()


def test_done_failed_and_skipped_are_told_apart(tmp_path):
    good, bad = job(add)(1, 2), job(add)(1, "[bold]no markup[/bold]")
    after = job(add)(bad.output, 1)
    after.name = "after the bad one"
    LocalRunner(open_store(tmp_path)).run(Flow([good, bad, after]))
    status = folder_status(tmp_path)
    assert [j.state for j in status.jobs] == ["done", "failed", "skipped"]
    assert "TypeError" in status.jobs[1].error
    assert "1 done, 1 failed, 1 skipped" in status.summary
    assert not status.alive
    text = shown(tmp_path)
    assert "after the bad one" in text
    assert "an input failed" in text
    assert main(["status", str(tmp_path)]) == 1


def test_a_report_that_is_not_there_is_not_named(tmp_path):
    LocalRunner(open_store(tmp_path)).run(Flow([job(add)(1, 2)]))
    (tmp_path / "results.json").write_text("{}")
    assert f"no report.html, which `magnetoionics report {tmp_path}` writes" in folder_status(tmp_path).summary
    (tmp_path / "report.html").write_text("")
    assert folder_status(tmp_path).summary == f"finished: 1 done; {tmp_path / 'report.html'}"


def test_second_run_is_marked_as_taken_over(tmp_path):
    for reused in (False, True):
        LocalRunner(open_store(tmp_path)).run(Flow([job(add)(1, 2)]))
        (row,) = folder_status(tmp_path).jobs
        assert row.state == "done"
        assert row.reused is reused


def test_folder_without_study_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no study"):
        folder_status(tmp_path)


def test_submitted_folder_says_where_to_ask(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "submission.json").write_text("{}")
    assert "fetch" in folder_status(tmp_path).summary


def test_run_log_that_cannot_be_written_ends_no_run(tmp_path, monkeypatch):
    import sqlite3

    class Full:
        def __init__(self, connection):
            self.connection = connection

        def __enter__(self):
            raise sqlite3.OperationalError("database or disk is full")

        def __exit__(self, *args):
            pass

        def close(self):
            self.connection.close()

    begin = RunLog.begin

    def broken(self, workers=1):
        begin(self, workers)
        self._connection = Full(self._connection)

    monkeypatch.setattr(RunLog, "begin", broken)
    assert LocalRunner(open_store(tmp_path)).run(Flow([job(add)(1, 2)])).finished


def start_sleeper(folder, seconds):
    process = subprocess.Popen([sys.executable, "-c", SLEEPER, str(folder), str(seconds)])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = read_run_log(folder / "store") if (folder / "store").exists() else None
        if found and any(j.state == "running" for j in found[1]):
            return process
        time.sleep(0.05)
    process.kill()
    raise AssertionError("the runner did not start")


def test_running_then_killed_runner_is_seen_and_its_folder_is_free(tmp_path):
    process = start_sleeper(tmp_path, 60)
    try:
        status = folder_status(tmp_path)
        assert status.alive
        assert status.run.pid == process.pid
        assert status.jobs[0].seconds(time.time()) > 0
        with pytest.raises(FolderInUseError, match=str(process.pid)):
            LocalRunner(open_store(tmp_path)).run(Flow([job(add)(1, 2)]))
        assert folder_status(tmp_path).alive
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    status = folder_status(tmp_path)
    assert not status.alive
    assert status.jobs[0].state == "stopped"
    assert f"process {process.pid}" in status.summary
    assert LocalRunner(open_store(tmp_path)).run(Flow([job(add)(1, 2)])).finished


def test_watch_ends_with_the_run(tmp_path):
    process = start_sleeper(tmp_path, 2)
    console = Console(file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115
    last = show_status(tmp_path, watch=True, console=console)
    process.wait()
    assert [j.state for j in last.jobs] == ["done"]


def test_damaged_run_log_costs_no_result(tmp_path):
    LocalRunner(open_store(tmp_path)).run(Flow([job(add)(1, 2)]))
    (tmp_path / "store" / RUN_LOG_FILE).write_bytes(b"x" * 5000)
    for tail in ("-wal", "-shm"):
        (tmp_path / "store" / f"{RUN_LOG_FILE}{tail}").unlink(missing_ok=True)
    assert read_run_log(tmp_path / "store") is None
    assert [j.state for j in folder_status(tmp_path).jobs] == ["done"]
    summary = LocalRunner(open_store(tmp_path)).run(Flow([job(add)(1, 2)]))
    assert summary.reused == 1
    assert folder_status(tmp_path).jobs[0].reused


def test_run_log_of_another_machine_counts_as_alive_while_it_beats(tmp_path, monkeypatch):
    run_log = RunLog(tmp_path)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("socket.gethostname", lambda: "node17")
        run_log.begin()
        run_log.add([("a:1", "band", "migration")])
        run_log.started("a:1")
    run, (row,) = read_run_log(tmp_path)
    assert (run.alive, row.state) == (True, "running")
    later = time.time() + 3600
    monkeypatch.setattr("magnetoionics.hpc.local.run_log.time.time", lambda: later)
    run, (row,) = read_run_log(tmp_path)
    assert (run.alive, row.state) == (False, "stopped")
    run_log.finish()


def test_store_without_sqlite_runs_without_a_run_log():
    from maggma.stores import MemoryStore

    store = JobStore(MemoryStore())
    store.connect()
    assert LocalRunner(store).run(Flow([job(add)(1, 2)])).finished
    assert LocalRunner(store).run(Flow([job(add)(1, 2)])).reused == 1
    with pytest.raises(UserError, match="SQLite"):
        LocalRunner(store, jobs=2)
