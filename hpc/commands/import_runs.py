"""``magnetoionics import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def import_command(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Folders with finished VASP runs, searched to the bottom.")
    ] = None,
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
    store: Annotated[
        str | None,
        typer.Option(
            help="A jobflow store with tasks of atomate2, too: folder of a study, file that describes a store, project "
            "of jobflow-remote, or jobflow for the store of its settings."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a study that the folder already holds.")
    ] = False,
) -> None:
    """Make a study of finished VASP runs: what each folder is, what it lacks, and the same report; computes nothing."""
    from ..importing.runs import import_runs

    import_runs(
        paths or [],
        host=host,
        output=output,
        dielectric=dielectric,
        accept=accept or (),
        store=store,
        overwrite=overwrite,
    )


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("import")(import_command)
