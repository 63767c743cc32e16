"""``magnetoionics status``."""

from __future__ import annotations

from typing import Annotated

import typer

from .arguments import FolderArgument


def status(
    folder: FolderArgument,
    watch: Annotated[bool, typer.Option("--watch", help="Redraw until the run ends.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check every written file against SHA256SUMS; nothing else is shown.")
    ] = False,
) -> None:
    """Show what of a study is done, running, failed and why. Exit code 1 if something failed or was altered."""
    from ..study_folder.status import show_status, show_verified

    if verify:
        if not show_verified(folder):
            raise typer.Exit(1)
        return

    folder_status = show_status(folder, watch=watch)
    if any(j.state == "failed" for j in folder_status.jobs) and not folder_status.alive:
        raise typer.Exit(1)
