"""``magnetoionics import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def import_command(
    paths: Annotated[list[Path], typer.Argument(help="Folders with finished VASP runs, searched to the bottom.")],
    host: Annotated[
        str | None,
        typer.Option(
            help="Host: built in, a host file (.yaml), a structure file or a formula [default: the run that most "
            "others differ from by a defect]."
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder for the study [default: FORMULA-import].")] = None,
    dielectric: Annotated[
        str | None,
        typer.Option(
            help="Static relative permittivity for charged cells: 1, 3 or 9 numbers with commas [default: a LEPSILON "
            "run among the folders]."
        ),
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(help="A difference of settings that you answer for, e.g. LASPH; may be repeated."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a study that the folder already holds.")
    ] = False,
) -> None:
    """Make a study of finished VASP runs: what each folder is, what it lacks, and the same report; computes nothing."""
    from ..importing import import_runs

    import_runs(paths, host=host, output=output, dielectric=dielectric, accept=accept or (), overwrite=overwrite)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("import")(import_command)
