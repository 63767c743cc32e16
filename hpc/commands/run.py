"""``magnetoionics run``."""

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
    ReuseOption,
    StagesOption,
    engine_or_calculator,
)
from .help_groups import RUNNING
from .stage_options import WithStageOptions, said_of_stages


def run(
    context: typer.Context,
    host: HostArgument,
    engine: EngineOption = "local",
    calculator: CalculatorOption = None,
    protocol: ProtocolOption = None,
    order: OrderOption = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the study [default: HOST-study].", rich_help_panel=RUNNING)
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
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", help="Processes that compute at a time.", rich_help_panel=RUNNING)
    ] = 1,
    reuse: ReuseOption = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace a study that the folder already holds.", rich_help_panel=RUNNING),
    ] = False,
) -> None:
    """Run a whole study, or go on with an unfinished one; writes results.json, report.html, figures, bands, store."""
    from ..assumptions import read_assumptions
    from ..study_folder.study_run import has_failures, run_study

    fields = FieldOptions(
        sizes_V_per_m=field_v_per_m,
        along=field_along,
        statements=tuple(field or ()),
        relaxed=relax_in_field,
        breakdown_V_per_m=breakdown_v_per_m,
        born_charges=born_charges,
    )
    folder = run_study(
        host,
        engine_name=engine_or_calculator(engine, calculator, protocol),
        order=order,
        output=output,
        quick=quick,
        overwrite=overwrite,
        jobs=jobs,
        reuse=reuse or (),
        assumptions=read_assumptions(reference, pulse, film, enthalpies),
        stages=None if stages is None else [s.strip() for s in stages.split(",")],
        options=StudyOptions(
            fields=fields,
            band_start=band_start,
            of_stages=said_of_stages(context),
            image_distance_A=image_distance,
        ),
    )
    if has_failures(folder):
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(cls=WithStageOptions)(run)
