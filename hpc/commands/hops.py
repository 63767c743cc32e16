"""``magnetoionics hops``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..study_options import FieldOptions, StudyOptions
from .arguments import (
    BandStartOption,
    BornChargesOption,
    BreakdownOption,
    CalculatorOption,
    EngineOption,
    FieldAlongOption,
    FieldOption,
    FieldSizesOption,
    HostArgument,
    ImageDistanceOption,
    OrderOption,
    ProtocolOption,
    RelaxInFieldOption,
    ReuseOption,
    engine_or_calculator,
)


def hops(
    host: HostArgument,
    engine: EngineOption = "local",
    calculator: CalculatorOption = None,
    protocol: ProtocolOption = None,
    order: OrderOption = None,
    output: Annotated[Path | None, typer.Option(help="Folder for the results [default: HOST-hops].")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small cells: seconds, but with a size error.")] = False,
    field_v_per_m: FieldSizesOption = None,
    field_along: FieldAlongOption = "hop",
    field: FieldOption = None,
    relax_in_field: RelaxInFieldOption = False,
    breakdown_v_per_m: BreakdownOption = None,
    born_charges: BornChargesOption = None,
    band_start: BandStartOption = None,
    image_distance: ImageDistanceOption = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="Processes that compute at a time.")] = 1,
    reuse: ReuseOption = None,
) -> None:
    """Compute every distinct hop of a host: table, CSV and one figure of all bands with their saddles."""
    from ..study_folder.hop_run import is_whole, run_hops

    fields = FieldOptions(
        sizes_V_per_m=field_v_per_m,
        along=field_along,
        statements=tuple(field or ()),
        relaxed=relax_in_field,
        breakdown_V_per_m=breakdown_v_per_m,
        born_charges=born_charges,
    )
    found = run_hops(
        host,
        engine_name=engine_or_calculator(engine, calculator, protocol),
        order=order,
        output=output,
        quick=quick,
        jobs=jobs,
        reuse=reuse or (),
        options=StudyOptions(fields=fields, band_start=band_start, image_distance_A=image_distance),
    )
    if not is_whole(found):
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(hops)
