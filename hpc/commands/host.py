"""``magnetoionics host new``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UserError

host_app = typer.Typer(name="host", help="Draft a host file from a structure.", no_args_is_help=True)


@host_app.command()
def new(
    file: Annotated[Path, typer.Argument(help="Structure file: CIF, mCIF, POSCAR, extended XYZ and more.")],
    output: Annotated[Path | None, typer.Option(help="Host file to write [default: NAME.yaml here].")] = None,
) -> None:
    """Draft a host file: valences, sublattices, spins, vacancies, hops, U, gap, references, each with its reason."""
    from ...structures.drafting.draft import summary
    from ...structures.drafting.files import write_host_file
    from ...structures.host import UnknownHostError, get_host

    try:
        written, draft = write_host_file(file, output)
        get_host(str(written))
    except UnknownHostError as error:
        raise UserError(str(error)) from error
    typer.echo(f"{written}: {summary(draft)}")
    typer.echo(f"Read it, correct what is wrong, then: magnetoionics run {written} --quick")


@host_app.callback()
def _group() -> None:
    """One command so far; without this typer would drop its name."""


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    app.add_typer(host_app)
