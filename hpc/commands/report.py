"""``magnetoionics report``."""

from __future__ import annotations

from typing import Annotated

import typer

from .arguments import FilmOption, FolderArgument, PulseOption, ReferenceOption


def report(
    folder: FolderArgument,
    reference: ReferenceOption = None,
    pulse: PulseOption = None,
    film: FilmOption = None,
    png: Annotated[bool, typer.Option("--png", help="Write each figure as PNG too, beside the SVG.")] = False,
    further: Annotated[
        bool, typer.Option("--further", help="Draw the further figures of the sections too; they stay from then on.")
    ] = False,
) -> None:
    """Write results.json, report.html, figures and bands again from the store, without computing.

    With --reference, --pulse or --film under these assumptions; without, under those that the study ran with.
    """
    from ..assumptions import read_assumptions
    from ..study_folder.study_run import rebuild_report

    said = any(x is not None for x in (reference, pulse, film))
    rebuild_report(
        folder, assumptions=read_assumptions(reference, pulse, film) if said else None, png=png, further=further
    )
