"""``magnetoionics export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import FolderArgument


def export(
    folder: FolderArgument,
    output: Annotated[
        Path | None, typer.Option(help="New folder [default: DIR-export or DIR-PROGRAM beside the folder].")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            help="Input for mumax3, ubermag (oommf), vampire, spirit or uppasd [default: tables, structures]."
        ),
    ] = None,
    temperature_k: Annotated[
        float, typer.Option("--temperature-K", help="Of the constants and the simulation, with --to.")
    ] = 300.0,
    ordering_k: Annotated[
        float | None,
        typer.Option("--ordering-K", help="T_C at which M ends, with --to [default: the measured one]."),
    ] = None,
    shares: Annotated[
        str | None,
        typer.Option(
            help="Share of the state after the hop from the film's bottom to its top, e.g. 0,1 [default: what the "
            "assumed pulses leave]."
        ),
    ] = None,
    point: Annotated[
        str | None,
        typer.Option(
            help="Chemical potentials of a formation diagram that is drawn beside the tables: middle, O-poor, Co-rich, "
            "'1000 K, 1e-6 atm' or 'O=-1.9, Co=-0.7'."
        ),
    ] = None,
) -> None:
    """Write the tables of a study as CSV and LaTeX and its structures for OPTIMADE and pymatgen.

    With --to a simulator's input instead: files of a micromagnetic film or of atomistic spins, with a README of
    conventions and sources.
    """
    from ..study_folder.export import export_study
    from ..study_folder.simulators import export_to

    if to is None:
        export_study(folder, output, point)
    else:
        export_to(folder, to, output, temperature_K=temperature_k, ordering_K=ordering_k, shares=shares)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(export)
