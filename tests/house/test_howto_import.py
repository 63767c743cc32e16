"""The commands of docs/howto_import.md, run where the public data are beside the checkout."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from magnetoionics.hpc.cli import main

DATA = {
    "runs": "gaas_study_5.2.2",
    "competing-phases": "la_zro2_competing_phases_hse_5.4.4",
    "srtio3": "srtio3_v_o_hse_6.3.0",
}


@pytest.fixture
def folder(real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, data in DATA.items():
        (tmp_path / name).symlink_to(real / "vasp/collection/f_defects" / data, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_commands_of_the_page_run(folder: Path, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pydefect")
    page = (repository / "docs/howto_import.md").read_text()
    commands = [line for block in re.findall(r"```bash\n(.*?)```", page, re.S) for line in block.splitlines() if line]
    assert len(commands) == 4
    # The group's own store, which is not here: the words are right, and what is missing is named.
    (of_store,) = [c for c in commands if "--store" in c]
    assert main(shlex.split(of_store)[1:]) == 2
    assert "ferrites" in capsys.readouterr().err
    commands.remove(of_store)
    for command in commands:
        words = shlex.split(command)
        assert words[0] == "magnetoionics"
        assert main(words[1:]) == 0, capsys.readouterr().err
        study = folder / words[words.index("--output") + 1]
        assert "Imported folders" in (study / "report.html").read_text()
        assert (study / "results.json").is_file()
    # A second time the folder holds a study, which is not overwritten unasked.
    assert main(shlex.split(commands[0])[1:]) == 2


def test_python_of_the_page_runs(folder: Path, repository: Path) -> None:
    page = (repository / "docs/howto_import.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    names: dict[str, object] = {}
    exec(compile(code, "howto_import.md", "exec"), names)
    assert names["study"].host.formula == "GaAs"  # type: ignore[attr-defined]


def test_mistakes_are_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, reason in (
        (["nowhere"], "does not exist"),
        (["competing-phases"], "name it with --host"),
        (["runs", "--host", "Xx2"], "no built-in host, no file and no formula"),
        (["runs", "--dielectric", "1,2"], "got 2 numbers"),
        (["runs", "--dielectric", "0.5"], "at least 1"),
        (["runs", "--accept", "EVERYTHING"], "no kind of difference EVERYTHING"),
    ):
        assert main(["import", *words, "--output", "out"]) == 2
        assert reason in capsys.readouterr().err
        assert not Path("out").exists()
