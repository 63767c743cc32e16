"""``magnetoionics campaign``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import JobsOption


def campaign(
    file: Annotated[Path, typer.Argument(help="YAML file of the campaign; `docs/howto_cluster.md` shows one.")],
    project: Annotated[str | None, typer.Option(help="Project that `magnetoionics cluster init` made.")] = None,
    here: Annotated[
        Path | None, typer.Option(help="Run it on this machine into this folder, one study after the other.")
    ] = None,
    jobs: JobsOption = 1,
    limit: Annotated[
        float | None, typer.Option(help="With --here: longest time of one study, minutes; the next call goes on.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the studies, submit nothing.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Show the studies submitted so far.")] = False,
    fetch: Annotated[Path | None, typer.Option(help="Bring finished studies into this folder, one each.")] = None,
) -> None:
    """Submit many studies at once; run it again to go on: nothing is doubled."""
    from ..campaigns.actions import fetch_campaign, list_campaign, run_campaign_here, show_campaign, start_campaign

    if here is not None and (project is not None or status or fetch is not None):
        raise typer.BadParameter("--here takes no project and nothing of one: leave --project, --status, --fetch out")
    if limit is not None and here is None:
        raise typer.BadParameter("--limit is for --here: leave it out, or give the folder")
    if dry_run:
        list_campaign(file)
    elif here is not None:
        if not run_campaign_here(file, here, jobs, limit):
            raise typer.Exit(1)
    elif project is None:
        raise typer.BadParameter("give --project, or --here with a folder to run it on this machine")
    elif status:
        show_campaign(file, project)
    elif fetch is not None:
        fetch_campaign(file, project, fetch)
    elif not start_campaign(file, project):
        raise typer.Exit(1)
