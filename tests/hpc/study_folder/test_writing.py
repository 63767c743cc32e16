"""Files are whole or not there, whatever ends the process that writes them."""

import subprocess
import sys

import pytest
from magnetoionics.hpc.study_folder.writing import remove_leftovers, write_whole

# The command line as the console script starts it; the report is one file, and the signal comes while it is written.
SCRIPT = """
import os, signal, sys
from pathlib import Path
from magnetoionics.hpc import cli
from magnetoionics.hpc.study_folder import study_run, writing

def report(folder, **_):
    writing.write_whole(folder / "results.json", "{{}}")
    def killed(*_): os.kill(os.getpid(), signal.{name})
    writing.Path.replace = killed
    writing.write_whole(folder / "report.html", "half")

study_run.rebuild_report = report
sys.argv = ["magnetoionics", "report", sys.argv[1]]
cli.entry()
"""


def end_while_writing(folder, name):
    command = [sys.executable, "-c", SCRIPT.format(name=name), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_time_limit_is_one_line_and_leaves_no_half_file(tmp_path):
    done = end_while_writing(tmp_path, "SIGTERM")
    assert done.returncode == 143, done.stderr
    assert done.stderr.startswith("magnetoionics: error: ended by the system (SIGTERM")
    assert done.stderr.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


def test_what_a_killed_writer_left_goes_with_the_next_report(tmp_path):
    assert end_while_writing(tmp_path, "SIGKILL").returncode == -9
    left = sorted(p.name for p in tmp_path.iterdir())
    assert left[0].startswith(".report.html.")
    assert len(left) == 2
    (tmp_path / ".report.html.mine").write_text("somebody's")
    (tmp_path / ".notes.txt.20260101").write_text("somebody's")
    remove_leftovers(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".notes.txt.20260101", ".report.html.mine", "results.json"]


def test_a_file_that_cannot_be_written_whole_stays_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "results.json"
    write_whole(path, "before")
    monkeypatch.setattr("os.fdopen", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        write_whole(path, "after")
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]
