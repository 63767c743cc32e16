"""Arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HostArgument = Annotated[
    str, typer.Argument(help="Host material, or a host file (.yaml); `magnetoionics hosts` lists them.")
]
FolderArgument = Annotated[Path, typer.Argument(help="Folder of a study.")]
EngineOption = Annotated[str, typer.Option(help="Engine; `magnetoionics engines` lists them.")]
OrderOption = Annotated[str | None, typer.Option(help="Cation order; the host's first by default.")]
StartsOption = Annotated[
    str | None,
    typer.Option(
        help="Starts of each vacancy: as_built,rattled,localised or all; the lowest is kept [default: as_built]."
    ),
]
CalculatorOption = Annotated[
    str | None, typer.Option(help="Any ASE calculator as engine: package.module:Class, or 'p.m:Class {\"option\": 1}'.")
]


def engine_or_calculator(engine: str, calculator: str | None) -> str:
    """Name of the engine: the one given, or that of an ASE calculator.

    Raises
    ------
    typer.BadParameter
        If both were given.
    """
    if calculator is None:
        return engine
    if engine != "local":
        raise typer.BadParameter(f"--engine {engine} and --calculator {calculator} exclude each other; leave one out")
    return f"ase:{calculator}"
