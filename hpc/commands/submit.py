"""``magnetoionics submit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import EngineOption, HostArgument, OrderOption, StartsOption


def submit(
    host: HostArgument,
    project: Annotated[str, typer.Option(help="Project that `magnetoionics cluster init` made.")],
    engine: EngineOption = "local",
    order: OrderOption = None,
    output: Annotated[Path | None, typer.Option(help="Folder for the results [default: HOST-study].")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small cells.")] = False,
    stages: Annotated[str | None, typer.Option(help="Stages, e.g. vacancies,migration.")] = None,
    starts: StartsOption = None,
    priority: Annotated[int, typer.Option(help="Larger is sooner.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write inputs and costs, submit nothing.")] = False,
) -> None:
    """Submit a study to a cluster; the same study again is found, not doubled."""
    from ..cluster.actions import submit_study

    submit_study(
        host,
        project,
        engine_name=engine,
        order=order,
        output=output,
        quick=quick,
        stages=None if stages is None else [s.strip() for s in stages.split(",")],
        starts=starts,
        priority=priority,
        dry_run=dry_run,
    )


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(submit)
