"""``magnetoionics campaign``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def campaign(
    file: Annotated[Path, typer.Argument(help="YAML file of the campaign; `docs/howto_cluster.md` shows one.")],
    project: Annotated[str, typer.Option(help="Project that `magnetoionics cluster init` made.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the studies, submit nothing.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Show the studies submitted so far.")] = False,
    fetch: Annotated[Path | None, typer.Option(help="Bring finished studies into this folder, one each.")] = None,
) -> None:
    """Submit many studies at once; run it again to go on: nothing is doubled."""
    from ..campaigns.actions import fetch_campaign, list_campaign, show_campaign, start_campaign

    if dry_run:
        list_campaign(file)
    elif status:
        show_campaign(file, project)
    elif fetch is not None:
        fetch_campaign(file, project, fetch)
    elif not start_campaign(file, project):
        raise typer.Exit(1)
