"""``magnetoionics cost``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import HostArgument, ImageDistanceOption, OrderOption, ProtocolOption, engine_or_calculator


def cost(
    host: HostArgument,
    engine: Annotated[str, typer.Option(help="Engine that can say what its jobs cost: vasp.")] = "vasp",
    protocol: ProtocolOption = None,
    order: OrderOption = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small supercells.")] = False,
    image_distance: ImageDistanceOption = None,
    cores: Annotated[int, typer.Option(min=1, help="Cores per node.")] = 128,
    outcar: Annotated[
        Path | None, typer.Option(help="OUTCAR of a run on your machine: its times calibrate the estimate.")
    ] = None,
    charged: Annotated[
        str | None,
        typer.Option(help="Count the charged stage too, with these starts of every charge, e.g. as_built or all."),
    ] = None,
    most_starts: Annotated[
        int | None, typer.Option(min=1, help="With --charged: starts for each charge at most [default: no limit].")
    ] = None,
) -> None:
    """Expected cost of every job of a study: electrons, plane waves, k points, memory, node hours."""
    from ..printing.expected_cost import expected_table, study_costs
    from ..terminal import Console

    costs = study_costs(
        host,
        engine_name=engine_or_calculator(engine, None, protocol),
        order=order,
        quick=quick,
        image_distance_A=image_distance,
        outcar=outcar,
        charged_starts=charged,
        most_starts=most_starts,
    )
    Console(width=170).print(expected_table(costs, cores))
