"""The command line: lists, and every bad input as one clear line with exit code 2 and nothing written."""

import dataclasses
import io
import subprocess
import sys
from pathlib import Path

import pytest
from magnetoionics.hpc.cli import main


def complain(capsys, *words):
    code = main([str(w) for w in words])
    captured = capsys.readouterr()
    return code, captured.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "unobtainium"], "known hosts: "),
        (["run", "cofe2o4", "--engine", "abacus"], "known engines: "),
        (["run", "cofe2o4", "--order", "Pnma"], "Imma"),
        (["run", "cofe2o4", "--colour", "red"], "--colour"),
        (["run"], "HOST"),
        (["fly"], "fly"),
        (["report", "nowhere"], "no job store"),
        (["claims", "nowhere"], "holds no results.json"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, error = complain(capsys, *words)
    assert code == 2
    assert said.lower() in error.lower()
    assert error.startswith("magnetoionics: error: ")
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_material_that_the_engine_cannot_describe_is_refused_before_computing(capsys, tmp_path, monkeypatch):
    from magnetoionics.structures import host as hosts
    from magnetoionics.structures.cells.spinel import inverse_spinel

    cadmium = dataclasses.replace(
        hosts.get_host("cofe2o4"), build_cell=lambda order: inverse_spinel(8.7, 0.381, "Cd", "Fe", order)
    )
    monkeypatch.setattr("magnetoionics.workflows.flows.study.get_host", lambda key: cadmium)
    code, error = complain(capsys, "run", "cofe2o4", "--output", tmp_path / "study")
    assert code == 2
    assert "no Cd" in error
    assert "sevennet" in error
    assert not (tmp_path / "study").exists()


def test_existing_study_is_not_overwritten(capsys, tmp_path):
    (tmp_path / "results.json").write_text("{}")
    code, error = complain(capsys, "run", "cofe2o4", "--output", tmp_path)
    assert code == 2
    assert "--overwrite" in error
    assert (tmp_path / "results.json").read_text() == "{}"


def test_folder_with_other_files_is_left_alone(capsys, tmp_path):
    (tmp_path / "thesis.tex").write_text("important")
    code, error = complain(capsys, "run", "cofe2o4", "--output", tmp_path)
    assert code == 2
    assert "thesis.tex" in error
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_output_that_is_a_file_or_below_one_is_refused(capsys, tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    for output in (file, file / "below"):
        code, error = complain(capsys, "run", "cofe2o4", "--output", output)
        assert code == 2
        assert str(file) in error or str(output) in error
    assert file.read_text() == "x"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that nobody may write to")
def test_unwritable_output_is_refused(capsys):
    code, error = complain(capsys, "run", "cofe2o4", "--output", "/proc/study")
    assert code == 2
    assert "cannot be written" in error


def test_results_of_another_make_are_refused(capsys, tmp_path):
    (tmp_path / "results.json").write_text('{"schema": "magnetoionics.study/1"}')
    code, error = complain(capsys, "claims", tmp_path)
    assert code == 2
    assert "no study of this version" in error


def test_lists(capsys):
    assert main(["hosts"]) == 0
    assert "cofe2o4" in capsys.readouterr().out
    assert main(["engines"]) == 0
    assert "local" in capsys.readouterr().out
    from magnetoionics.hpc.printing.tables import print_engines
    from rich.console import Console

    wide = Console(width=400, file=io.StringIO())
    print_engines(wide)
    for line in wide.file.getvalue().splitlines():
        if "not installed" in line:
            assert "pip install 'magnetoionics[" in line
    assert main(["version"]) == 0


def test_help_is_plain_and_names_every_command():
    done = subprocess.run(
        [sys.executable, "-c", "from magnetoionics.hpc.cli import entry; entry()", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for command in ("run", "report", "claims", "hosts", "engines"):
        assert command in done.stdout


def test_ctrl_c_says_that_the_same_command_goes_on(monkeypatch, capsys):
    """Whatever Typer makes of the key, as an exception or as an exit code."""
    from magnetoionics.hpc.study_folder import archive

    def pressed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(archive, "archive_study", pressed)
    assert main(["archive", "somewhere"]) == 130
    said = capsys.readouterr().err
    assert "interrupted; nothing that finished is lost, and the same command goes on from there" in said
