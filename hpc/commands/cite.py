"""``magnetoionics cite``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import FolderArgument


def cite(
    folder: FolderArgument,
    output: Annotated[
        Path | None, typer.Option(help="File for the BibTeX entries, e.g. study.bib [default: printed].")
    ] = None,
) -> None:
    """Print a paragraph on a study's methods and the BibTeX entries of all that it rests on."""
    from ..study_folder.citing import cite_study

    cite_study(folder, output)
