"""``magnetoionics hops``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import JobsOption, ReuseOption
from .asked import AskedHops, takes
from .help_groups import RUNNING


@takes(AskedHops)
def hops(
    context: typer.Context,
    asked: AskedHops,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the results [default: HOST-hops].", rich_help_panel=RUNNING)
    ] = None,
    jobs: JobsOption = 1,
    reuse: ReuseOption = None,
) -> None:
    """Compute every distinct hop of a host: table, CSV and one figure of all bands with their saddles."""
    from ..study_folder.hop_run import is_whole, run_hops

    if not is_whole(run_hops(asked.host, output=output, jobs=jobs, reuse=reuse or (), **asked.study(context))):
        raise typer.Exit(1)
