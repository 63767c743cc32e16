"""``magnetoionics claims``."""

from __future__ import annotations

import typer

from .arguments import FolderArgument


def claims(folder: FolderArgument) -> None:
    """Print the claims table of a study."""
    from ..tables import print_claims

    print_claims(folder)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(claims)
