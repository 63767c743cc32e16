"""``magnetoionics inputs``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import HostArgument, ImageDistanceOption, OrderOption, ProtocolOption, engine_or_calculator


def inputs(
    host: HostArgument,
    output: Annotated[Path, typer.Option(help="Folder for the inputs; must be new or empty.")],
    engine: Annotated[str, typer.Option(help="Engine that reads input files: vasp.")] = "vasp",
    protocol: ProtocolOption = None,
    order: OrderOption = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small supercells.")] = False,
    image_distance: ImageDistanceOption = None,
    project: Annotated[
        str | None, typer.Option(help="Project whose resources the ranks of a band are held against.")
    ] = None,
) -> None:
    """Write every input file of a study that is known beforehand, with a table of what each is for."""
    from ..input_files import write_inputs

    name = engine_or_calculator(engine, None, protocol)
    if project is not None:
        from ..cluster.actions import check_ranks_for

        check_ranks_for(name, project)
    readme = write_inputs(
        host,
        engine_name=name,
        order=order,
        output=output,
        quick=quick,
        image_distance_A=image_distance,
    )
    typer.echo(str(readme))
