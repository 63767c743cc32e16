"""``magnetoionics run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import JobsOption, ReuseOption
from .asked import AskedStudy, takes
from .help_groups import ENGINE, RUNNING
from .stage_options import WithStageOptions

CLASS = WithStageOptions


@takes(AskedStudy)
def run(
    context: typer.Context,
    asked: AskedStudy,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the study [default: HOST-study].", rich_help_panel=RUNNING)
    ] = None,
    jobs: JobsOption = 1,
    reuse: ReuseOption = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace a study that the folder already holds.", rich_help_panel=RUNNING),
    ] = False,
    u_scan: Annotated[
        str | None,
        typer.Option(
            "--u-scan",
            help="Run it for three U or more, e.g. own,3,Co=4+Fe=4 (eV), and write one table of all.",
            rich_help_panel=ENGINE,
        ),
    ] = None,
) -> None:
    """Run a whole study, or go on with an unfinished one; writes results.json, report.html, figures, bands, store."""
    from ..study_folder.study_run import has_failures, run_study
    from ..u_scan import run_u_scan

    request = {"output": output, "overwrite": overwrite, "jobs": jobs, "reuse": reuse or (), **asked.study(context)}
    if u_scan is not None:
        run_u_scan(asked.host, u_scan, **request)
        return
    folder = run_study(asked.host, **request)
    if has_failures(folder):
        raise typer.Exit(1)
