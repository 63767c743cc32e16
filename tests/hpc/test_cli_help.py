"""Help, version, completion and the reference page of the command line say what the code does."""

import contextlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from magnetoionics import __version__
from magnetoionics.hpc.cli import _with_parameters_of, app, main
from magnetoionics.hpc.cli_page import cli_page
from magnetoionics.workflows.engine import engine_names
from magnetoionics.workflows.stage import stage_names, stage_options

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def module(*words):
    return subprocess.run(
        [sys.executable, "-m", "magnetoionics", *words], capture_output=True, text=True, check=True
    ).stdout


def test_module_is_the_program():
    assert module("--version").strip() == __version__


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_of_run_groups_its_options_and_lists_stages(word, capsys):
    assert main(["run", word]) == 0
    said = capsys.readouterr().out
    place = {heading: said.index(f"\n{heading}:\n") for heading in ("Engine", "Electric field", "Stages")}
    assert place["Engine"] < said.index("--protocol") < place["Electric field"] < said.index("--field-along")
    listed = said[place["Stages"] :]
    for stage in stage_names():
        assert re.search(rf"^  {stage.replace(' ', '_')} ", listed, re.MULTILINE), stage
    for option in stage_options().values():
        assert option.flag in said


@pytest.mark.parametrize("words", [[], ["--help"], ["host", "--help"], ["cluster", "--help"], ["report", "--help"]])
def test_help_lists_what_the_whole_application_has(words, capsys):
    with contextlib.suppress(Exception):  # Typer says so where no word is given
        typer.main.get_command(app).main(args=words, prog_name="magnetoionics", standalone_mode=False)
    whole = capsys.readouterr().out
    main(words)
    assert capsys.readouterr().out == whole


def test_a_command_that_is_not_named_is_not_read():
    made = typer.main.get_command(_with_parameters_of(["report", "q"]))
    counts = {name: len(command.params) for name, command in made.commands.items()}
    assert {name for name, count in counts.items() if count} == {"report"}
    assert set(counts) == set(typer.main.get_command(app).commands)


def test_shell_completes_hosts_engines_and_the_last_stage_of_a_list(monkeypatch, capsys):
    def completed(text):
        asked = {"COMP_WORDS": text, "COMP_CWORD": str(text.count(" ")), "TERM": "dumb"}
        for name, value in {"_MAGNETOIONICS_COMPLETE": "complete_bash", **asked}.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        with contextlib.suppress(SystemExit):
            main([])
        return capsys.readouterr().out.split()

    assert completed("magnetoionics run cof") == ["cofe2o4"]
    assert completed("magnetoionics run cofe2o4 --engine ") == sorted(["auto", *engine_names()])
    assert completed("magnetoionics run cofe2o4 --stages vacancies,mig") == ["vacancies,migration"]


def test_page_holds_every_command_with_every_option():
    sections = dict(
        re.findall(r"^## (magnetoionics .+?)\n\n```text\n(.*?)\n```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    )
    made = dict(re.findall(r"^## (magnetoionics .+?)\n\n```text\n(.*?)\n```$", cli_page(), re.MULTILINE | re.DOTALL))
    assert list(sections) == list(made)
    root = typer.main.get_command(app)
    for path in made:
        command = root
        for word in path.split()[1:]:
            command = command.commands[word]
        kept = " ".join(sections[path].split())
        for param in command.get_params(typer.main.get_command(app).make_context("x", [], resilient_parsing=True)):
            assert all(flag in kept for flag in param.opts if flag.startswith("-")), (path, param.opts)
            told = " ".join((getattr(param, "help", None) or "").split())
            assert told in kept, f"{path}: make docs/cli.md again, see its head"
