"""``magnetoionics claims``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def claims(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[DIR]...", help="Folders of studies, side by side.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for claims.json, .csv and .md [default: the study, if it is one].")
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="What is said without a study of yours: shipped calculations, closed forms."),
    ] = False,
) -> None:
    """Print and write the claims table of one or more studies; without a study, what needs none."""
    if everything and folders:
        raise typer.BadParameter("--all needs no study: leave out --all, or the folders")
    from ..study_folder.claims_table import print_and_write

    print_and_write(folders or [], output)
