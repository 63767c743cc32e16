"""``magnetoionics hosts``."""

from __future__ import annotations

import typer


def hosts() -> None:
    """List the host materials."""
    from ..tables import print_hosts

    print_hosts()


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(hosts)
