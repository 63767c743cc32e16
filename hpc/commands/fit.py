"""``magnetoionics fit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import FilmOption, FolderArgument


def fit(
    folder: FolderArgument,
    data: Annotated[
        Path,
        typer.Argument(help="CSV of a measured curve, see the how-to of devices."),
    ],
    parameters: Annotated[str, typer.Option(help="Parameters to fit.")] = "barrier_eV,local_field_factor",
    pulse_s: Annotated[float, typer.Option(help="Length of the measured pulses, s.")] = 1.0,
    wait_s: Annotated[float, typer.Option(help="Time at 0 V before reading, s.")] = 0.0,
    voltage_v: Annotated[
        float | None, typer.Option("--voltage-V", help="Of the measurement, where the data are not against it, V.")
    ] = None,
    film: FilmOption = None,
    output: Annotated[Path | None, typer.Option(help="Folder for fit.json, .csv, .png [default: the study].")] = None,
) -> None:
    """Fit the film of a study's hop to a measured curve, with standard errors."""
    from ..fitting import fit_study

    names = [p.strip() for p in parameters.split(",") if p.strip()]
    fit_study(
        folder,
        data,
        parameters=names,
        pulse_s=pulse_s,
        wait_s=wait_s,
        voltage_V=voltage_v,
        film=film,
        output=output,
    )
