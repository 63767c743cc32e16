"""``magnetoionics structures``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UserError
from .arguments import HostArgument, OrderOption

# Reaches the second neighbours in a spinel's 56-atom cube and stays below half its edge.
COMPLEX_CUTOFF_A = 4.0


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
        str | None, typer.Option(help="Ion for the empty polyhedra, e.g. Li+: lists them and its hops.")
    ] = None,
    field: Annotated[
        str | None, typer.Option(help="Direction of the field, e.g. 0,0,1: lists its angle to every hop.")
    ] = None,
    complexes: Annotated[
        list[str] | None,
        typer.Option("--complex", help="Two or three defects, e.g. 'V_Fe(B)+V_O within 4'; may be repeated."),
    ] = None,
    charges: Annotated[
        bool,
        typer.Option("--charges", help="Lists the charge states of every vacancy and the ions that make up for them."),
    ] = False,
    film: Annotated[
        str | None,
        typer.Option(
            help="A film, e.g. 'plane: [0, 0, 1], substrate: MgO, miscut_deg: 5, towards: [1, 1, 0], slab_A: 10, "
            "top: FeO2': strains the cell, puts the field along its normal, cuts slabs."
        ),
    ] = None,
) -> None:
    """Print every distinct vacancy and hop of a host, and write their cells as POSCAR, CIF and extxyz."""
    from ..printing.structures import list_structures

    list_structures(
        host,
        order=order,
        output=output,
        image_distance_A=image_distance,
        insert=insert,
        field=None if field is None else _direction(field),
        complexes=[_complex(text) for text in complexes or ()],
        charges=charges,
        film=film,
    )


def _complex(text: str) -> tuple[str, float]:
    members, _, within = text.partition(" within ")
    try:
        return members, float(within.removesuffix("A")) if within else COMPLEX_CUTOFF_A
    except ValueError:
        raise UserError(f"{text!r} does not end in a distance in Angstrom; write e.g. 'V_Fe(B)+V_O within 4'") from None


def _direction(text: str) -> list[float]:
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 3:
        raise UserError(f"the field's direction {text!r} is not three numbers with commas, such as 0,0,1")
    return numbers
