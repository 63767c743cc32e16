"""``magnetoionics submit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .asked import AskedStudy, takes
from .help_groups import RUNNING
from .stage_options import WithStageOptions

CLASS = WithStageOptions


@takes(AskedStudy)
def submit(
    context: typer.Context,
    asked: AskedStudy,
    project: Annotated[
        str, typer.Option(help="Project that `magnetoionics cluster init` made.", rich_help_panel=RUNNING)
    ],
    output: Annotated[
        Path | None, typer.Option(help="Folder for the results [default: HOST-study].", rich_help_panel=RUNNING)
    ] = None,
    priority: Annotated[int, typer.Option(help="Larger is sooner.", rich_help_panel=RUNNING)] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write inputs and costs, submit nothing.", rich_help_panel=RUNNING)
    ] = False,
) -> None:
    """Submit a study to a cluster; the same study again is found, not doubled."""
    from ..cluster.actions import submit_study

    submit_study(asked.host, project, output=output, priority=priority, dry_run=dry_run, **asked.study(context))
