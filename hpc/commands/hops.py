"""``magnetoionics hops``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import JobsOption, ReuseOption
from .asked import AskedHops, takes
from .help_groups import COMPUTED, RUNNING


@takes(AskedHops)
def hops(
    context: typer.Context,
    asked: AskedHops,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the results [default: HOST-hops].", rich_help_panel=RUNNING)
    ] = None,
    jobs: JobsOption = 1,
    reuse: ReuseOption = None,
    diffusion_k: Annotated[
        str | None,
        typer.Option(
            "--diffusion-K",
            help="Temperatures at which vacancies and tracers diffuse over all hops, e.g. 900,1173 (extra transport).",
            rich_help_panel=RUNNING,
        ),
    ] = None,
    occupation: Annotated[
        float | None,
        typer.Option(
            help="Share of their places that the ions fill, 0 to 1, to walk all of them at those temperatures too.",
            rich_help_panel=RUNNING,
        ),
    ] = None,
    insert: Annotated[
        str | None,
        typer.Option(help="Hops of an ion put into the host instead, e.g. Li+ or H+.", rich_help_panel=COMPUTED),
    ] = None,
) -> None:
    """Compute every distinct hop of a host: table, CSV and one figure of all bands with their saddles."""
    from ..study_folder.hop_run import is_whole, run_hops

    hop_set = run_hops(
        asked.host,
        output=output,
        jobs=jobs,
        reuse=reuse or (),
        diffusion_K=diffusion_k,
        occupation=occupation,
        insert=insert,
        **asked.study(context),
    )
    if not is_whole(hop_set):
        raise typer.Exit(1)
