"""``magnetoionics fetch``."""

from __future__ import annotations

from typing import Annotated

import typer

from .arguments import FolderArgument


def fetch(
    folder: FolderArgument,
    project: Annotated[str | None, typer.Option(help="Project [default: where the folder was submitted].")] = None,
) -> None:
    """Bring a submitted study's results into its folder. Exit code 1 while it has not finished."""
    from ..cluster.actions import fetch_folder

    if not fetch_folder(folder, project):
        raise typer.Exit(1)
