"""``magnetoionics fit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import FilmOption, FolderArgument


def fit(
    folder: FolderArgument,
    data: Annotated[Path, typer.Argument(help="CSV with voltage_V, contrast and, if known, sigma.")],
    parameters: Annotated[str, typer.Option(help="Parameters to fit.")] = "barrier_eV,local_field_factor",
    pulse_s: Annotated[float, typer.Option(help="Length of the measured pulses, s.")] = 1.0,
    wait_s: Annotated[float, typer.Option(help="Time at 0 V before reading, s.")] = 0.0,
    film: FilmOption = None,
    output: Annotated[Path | None, typer.Option(help="Folder for fit.json, .csv, .png [default: the study].")] = None,
) -> None:
    """Fit the film of a study's hop to measured contrast against voltage, with standard errors."""
    from ..fitting import fit_study

    names = [p.strip() for p in parameters.split(",") if p.strip()]
    fit_study(folder, data, parameters=names, pulse_s=pulse_s, wait_s=wait_s, film=film, output=output)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(fit)
