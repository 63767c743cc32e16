"""``magnetoionics compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compare(
    folders: Annotated[list[Path], typer.Argument(help="Folders of studies of one material; at least two.")],
    output: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("comparison.html"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
) -> None:
    """Write one report that sets several studies of a material side by side."""
    from ..study_folder.comparing import compare_studies

    compare_studies(folders, output, overwrite=overwrite)
