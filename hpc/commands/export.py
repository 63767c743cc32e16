"""``magnetoionics export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import FolderArgument


def export(
    folder: FolderArgument,
    output: Annotated[Path | None, typer.Option(help="New folder [default: DIR-export beside the folder].")] = None,
) -> None:
    """Write the tables of a study as CSV and LaTeX, and its structures for OPTIMADE and pymatgen."""
    from ..study_folder.export import export_study

    export_study(folder, output)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(export)
