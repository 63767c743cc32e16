"""``magnetoionics status``."""

from __future__ import annotations

from typing import Annotated

import typer

from .arguments import FolderArgument


def status(
    folder: FolderArgument,
    watch: Annotated[bool, typer.Option("--watch", help="Redraw until the run ends.")] = False,
) -> None:
    """Show what of a study is done, running, failed and why. Exit code 1 if something failed."""
    from ..study_folder.status import show_status

    shown = show_status(folder, watch=watch)
    if any(j.state == "failed" for j in shown.jobs) and not shown.alive:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(status)
