"""The reference page of the command line, made from the code: ``python -m magnetoionics.hpc.cli_page docs/cli.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

_WIDTH = 100
_HEAD = """# Command line

Every command with its options, as `--help` says it, made by `python -m magnetoionics.hpc.cli_page docs/cli.md`.
`magnetoionics --install-completion` lets the shell complete hosts, engines, protocols and stages;
`python -m magnetoionics` is the same program.
"""


def cli_page() -> str:
    """Markdown of the page."""
    from .cli import app

    root = typer.main.get_command(app)
    with root.make_context("magnetoionics", [], resilient_parsing=True) as context:
        rows = [f"## {name}\n\n```text\n{text}\n```\n" for name, text in _helps(root, context)]
    return "\n".join([_HEAD, *rows])


def _helps(command: Any, context: Any) -> Iterator[tuple[str, str]]:
    """Path and help text of every command below one, in the order of the help."""
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        with child.make_context(name, [], parent=context, resilient_parsing=True) as own:
            own.terminal_width = own.max_content_width = _WIDTH
            if hasattr(child, "list_commands"):
                yield from _helps(child, own)
            else:
                yield own.command_path, child.get_help(own)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(cli_page())
