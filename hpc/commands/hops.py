"""``magnetoionics hops``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import CalculatorOption, EngineOption, HostArgument, OrderOption, engine_or_calculator


def hops(
    host: HostArgument,
    engine: EngineOption = "local",
    calculator: CalculatorOption = None,
    order: OrderOption = None,
    output: Annotated[Path | None, typer.Option(help="Folder for the results [default: HOST-hops].")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small cells: seconds, but with a size error.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="Processes that compute at a time.")] = 1,
) -> None:
    """Compute every distinct hop of a host: table, CSV and one figure of all bands with their humps."""
    from ..hop_runner import run_hops

    run_hops(
        host,
        engine_name=engine_or_calculator(engine, calculator),
        order=order,
        output=output,
        quick=quick,
        jobs=jobs,
    )


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(hops)
