"""What is printed steers no terminal, whatever names and messages hold."""

import io

import pytest
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.terminal import Console, printable
from rich.table import Table
from rich.text import Text

EVIL = "a\x1b[2Jb\x1b]0;title\x07c\x9bd\u202ee"


@pytest.mark.parametrize("terminal", [True, False])
def test_no_control_of_the_text_is_printed(terminal):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=60, no_color=True, highlight=False)
    console.print(EVIL, markup=False)
    table = Table("name")
    table.add_row(Text(EVIL))
    console.print(table)
    said = stream.getvalue()
    assert said.count("a?[2Jb?]0;title") == 2
    assert not set(said) & set("\x07\x9b\u202e")
    assert "\x1b[2J" not in said


def test_style_is_still_written():
    stream = io.StringIO()
    Console(file=stream, force_terminal=True).print("red", style="red")
    assert stream.getvalue() == "\x1b[31mred\x1b[0m\n"


def test_errors_are_filtered(capsys):
    assert main(["report", f"no{EVIL}study"]) == 2
    said = capsys.readouterr().err
    assert "?[2J" in said
    assert "\x1b" not in said


def test_tabs_and_line_breaks_stay():
    assert printable("a\tb\nc") == "a\tb\nc"
