"""``magnetoionics diffusion``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def diffusion(
    data: Annotated[Path, typer.Argument(help="CSV of measured tracer diffusion, see the how-to of hops.")],
    folders: Annotated[list[Path], typer.Argument(help="Folders of studies with the stage transport; one or more.")],
    ion: Annotated[str, typer.Option(help="Whose D it is, where the file has no column ion.")] = "",
    composition: Annotated[str, typer.Option(help="Crystal, where the file does not say it.")] = "",
    output: Annotated[
        Path | None, typer.Option(help="Folder for diffusion.csv, .png and .svg [default: the first study].")
    ] = None,
) -> None:
    """Hold measured tracer diffusion against studies: rms, slopes and minimum of each, all in one figure."""
    from ..measurements.diffusion_rows import compare_diffusion

    compare_diffusion(data, folders, ion=ion, composition=composition, output=output)
