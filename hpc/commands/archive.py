"""``magnetoionics archive``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import FolderArgument


def archive(
    folder: FolderArgument,
    output: Annotated[Path | None, typer.Option(help="The file [default: DIR.zip beside the folder].")] = None,
    licence: Annotated[
        str | None, typer.Option(help="Licence of the data, e.g. CC-BY-4.0 [default: said to be not stated].")
    ] = None,
) -> None:
    """Pack a finished study into one file for a repository: results, structures, bands, store, versions, licence."""
    from ..study_folder.archive import archive_study

    archive_study(folder, output, licence)
