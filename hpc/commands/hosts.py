"""``magnetoionics hosts``."""

from __future__ import annotations

from typing import Annotated

import typer


def hosts(
    names: Annotated[list[str] | None, typer.Argument(help="Some hosts or host files [default: all].")] = None,
    engines: Annotated[bool, typer.Option("--engines", help="What each engine does of a study of each host.")] = False,
) -> None:
    """List the host materials; with --engines, what each engine does of a study of them and why not the rest."""
    from ..printing.tables import print_host_engines, print_hosts

    if engines or names:
        print_host_engines(names or ())
    else:
        print_hosts()
