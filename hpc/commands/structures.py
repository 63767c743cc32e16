"""``magnetoionics structures``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UserError
from .arguments import HostArgument, OrderOption


def structures(
    host: HostArgument,
    order: OrderOption = None,
    output: Annotated[
        Path | None, typer.Option(help="New or empty folder for cells and tables; nothing is written without.")
    ] = None,
    image_distance: Annotated[
        float, typer.Option(help="Smallest distance of a defect from its images, Angstrom.")
    ] = 8.0,
    insert: Annotated[
        str | None, typer.Option(help="Ion for the empty polyhedra, e.g. Li+: lists voids and its hops.")
    ] = None,
    field: Annotated[
        str | None, typer.Option(help="Direction of the field, e.g. 0,0,1: lists its angle to every hop.")
    ] = None,
) -> None:
    """Print every distinct vacancy and hop of a host, and write their cells as POSCAR, CIF and extxyz."""
    from ..structure_files import list_structures

    list_structures(
        host,
        order=order,
        output=output,
        image_distance_A=image_distance,
        insert=insert,
        field=None if field is None else _direction(field),
    )


def _direction(text: str) -> list[float]:
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 3:
        raise UserError(f"the field's direction {text!r} is not three numbers with commas, such as 0,0,1")
    return numbers


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(structures)
