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
        typer.Argument(help="CSV of a measured curve, of times, of a cycle or of a loop, see the how-to of devices."),
    ],
    parameters: Annotated[
        str | None, typer.Option(help="Parameters to fit [default: barrier_eV,local_field_factor of a curve].")
    ] = None,
    pulse_s: Annotated[float, typer.Option(help="Length of the measured pulses, s.")] = 1.0,
    wait_s: Annotated[float, typer.Option(help="Time at 0 V before reading, s.")] = 0.0,
    voltage_v: Annotated[
        float | None, typer.Option("--voltage-V", help="Of the measurement, where the data are not against it, V.")
    ] = None,
    film: FilmOption = None,
    ranges: Annotated[
        str | None, typer.Option(help="With times: what is not known, e.g. 'thickness_nm: [5, 100], charge_e: 2'.")
    ] = None,
    temperature_k: Annotated[float, typer.Option("--temperature-K", help="Of a cycle, K.")] = 298.15,
    output: Annotated[Path | None, typer.Option(help="Folder for fit.json, .csv, .png [default: the study].")] = None,
) -> None:
    """Fit the film of a study's hop to a measured curve, times or a cycle, with errors.

    A moment against a field is a loop: it is set beside the grains of the study, with the diameter that has its
    coercive field, in loop.json, .csv and .png; only --film and --output count then.
    """
    from ..measurements.fitting import DEFAULT_PARAMETERS, fit_study
    from ..measurements.fitting_times import fit_cycle, fit_times, law_of
    from ..measurements.loops import fit_loop, is_loop

    if is_loop(data):
        fit_loop(folder, data, film=film, output=output)
        return
    names = None if parameters is None else [p.strip() for p in parameters.split(",") if p.strip()]
    law = law_of(data)
    if law == "times":
        fit_times(folder, data, ranges=ranges, output=output)
    elif law == "cycle":
        fit_cycle(folder, data, parameters=names, temperature_K=temperature_k, output=output)
    else:
        fit_study(
            folder,
            data,
            parameters=names or DEFAULT_PARAMETERS,
            pulse_s=pulse_s,
            wait_s=wait_s,
            voltage_V=voltage_v,
            film=film,
            output=output,
        )
