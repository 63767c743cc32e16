"""``magnetoionics report``."""

from __future__ import annotations

import typer

from .arguments import FolderArgument


def report(folder: FolderArgument) -> None:
    """Write results.json, report.html, figures and bands again from the store, without computing."""
    from ..study_runner import rebuild_report

    rebuild_report(folder)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(report)
