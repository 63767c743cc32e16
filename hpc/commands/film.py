"""``magnetoionics film``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import FolderArgument


def film(
    folder: FolderArgument,
    model: Annotated[
        str | None,
        typer.Option(help="Film, e.g. 'thickness_nm: 20, permittivity: 10, left: {kind: reservoir}'; or a .yaml file."),
    ] = None,
    voltage_v: Annotated[float, typer.Option("--voltage-V", help="Of the pulses or the sweep, V.")] = 1.0,
    pulse_s: Annotated[float, typer.Option(help="Length of a pulse, s.")] = 1.0,
    wait_s: Annotated[float, typer.Option(help="Time at 0 V after each pulse, s.")] = 60.0,
    cycles: Annotated[int, typer.Option(help="Write and erase so many times.")] = 1,
    sweep_v_per_s: Annotated[
        float | None, typer.Option("--sweep-V-per-s", help="Sweep 0, +V, -V, 0 at this rate instead of pulses.")
    ] = None,
    ion_by_ion: Annotated[
        int | None, typer.Option(help="Walk it ion by ion too, with so many places along each side of a plane.")
    ] = None,
    per_ion_mub: Annotated[
        float | None, typer.Option("--per-ion-muB", help="Moment that an ion brings into the film: M_s in film.csv.")
    ] = None,
    per_ion_mev: Annotated[
        float | None,
        typer.Option("--per-ion-meV", help="Anisotropy that an ion adds to the interface beside it: K in film.csv."),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder for film.json, .csv, .svg [default: the study].")] = None,
) -> None:
    """Write, read and erase a film of a study's hop: ions, current and contrast against voltage and time."""
    from ..filming import film_study

    film_study(
        folder,
        model=model,
        voltage_V=voltage_v,
        pulse_s=pulse_s,
        wait_s=wait_s,
        cycles=cycles,
        sweep_V_per_s=sweep_v_per_s,
        side=ion_by_ion,
        per_ion_muB=per_ion_mub,
        per_ion_meV=per_ion_mev,
        output=output,
    )
