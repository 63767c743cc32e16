"""``magnetoionics engines``."""

from __future__ import annotations

import typer


def engines() -> None:
    """List the engines and what each cannot do."""
    from ..printing.tables import print_engines

    print_engines()


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(engines)
