"""``magnetoionics submit``."""

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
    EnthalpiesOption,
    FieldAlongOption,
    FieldOption,
    FieldSizesOption,
    FilmOption,
    HostArgument,
    ImageDistanceOption,
    OrderOption,
    ProtocolOption,
    PulseOption,
    QuickOption,
    ReferenceOption,
    RelaxInFieldOption,
    StagesOption,
    engine_or_calculator,
)
from .help_groups import RUNNING
from .stage_options import WithStageOptions, said_of_stages


def submit(
    context: typer.Context,
    host: HostArgument,
    project: Annotated[
        str, typer.Option(help="Project that `magnetoionics cluster init` made.", rich_help_panel=RUNNING)
    ],
    engine: EngineOption = "local",
    calculator: CalculatorOption = None,
    protocol: ProtocolOption = None,
    order: OrderOption = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the results [default: HOST-study].", rich_help_panel=RUNNING)
    ] = None,
    quick: QuickOption = False,
    stages: StagesOption = None,
    reference: ReferenceOption = None,
    pulse: PulseOption = None,
    film: FilmOption = None,
    enthalpies: EnthalpiesOption = None,
    field_v_per_m: FieldSizesOption = None,
    field_along: FieldAlongOption = "hop",
    field: FieldOption = None,
    relax_in_field: RelaxInFieldOption = False,
    breakdown_v_per_m: BreakdownOption = None,
    born_charges: BornChargesOption = None,
    band_start: BandStartOption = None,
    image_distance: ImageDistanceOption = None,
    priority: Annotated[int, typer.Option(help="Larger is sooner.", rich_help_panel=RUNNING)] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write inputs and costs, submit nothing.", rich_help_panel=RUNNING)
    ] = False,
) -> None:
    """Submit a study to a cluster; the same study again is found, not doubled."""
    from ..assumptions import read_assumptions
    from ..cluster.actions import submit_study

    fields = FieldOptions(
        sizes_V_per_m=field_v_per_m,
        along=field_along,
        statements=tuple(field or ()),
        relaxed=relax_in_field,
        breakdown_V_per_m=breakdown_v_per_m,
        born_charges=born_charges,
    )
    submit_study(
        host,
        project,
        engine_name=engine_or_calculator(engine, calculator, protocol),
        order=order,
        output=output,
        quick=quick,
        stages=None if stages is None else [s.strip() for s in stages.split(",")],
        options=StudyOptions(
            fields=fields,
            band_start=band_start,
            of_stages=said_of_stages(context),
            image_distance_A=image_distance,
        ),
        assumptions=read_assumptions(reference, pulse, film, enthalpies),
        priority=priority,
        dry_run=dry_run,
    )


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(cls=WithStageOptions)(submit)
