"""``magnetoionics atlas``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def atlas(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Folders of studies and hops, or a campaign's.")
    ],
    output: Annotated[Path, typer.Option(help="Folder for atlas.md, .csv, .json and images/atlas.png.")] = Path(),
    earlier: Annotated[
        Path | None, typer.Option(help="atlas.json of an earlier atlas, whose hops stay where the folders have none.")
    ] = None,
) -> None:
    """Put all finished studies and hops on one page: barriers, dipoles, retention against the field that writes."""
    from ..study_folder.atlas_page import write_atlas

    write_atlas(folders, output, earlier=earlier)
