"""Arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import help_groups as groups

HostArgument = Annotated[
    str,
    typer.Argument(
        help="Host material, a host file (.yaml) or a structure file (CIF, ...); `hosts` lists materials.",
        autocompletion=groups.complete_host,
    ),
]
FolderArgument = Annotated[Path, typer.Argument(help="Folder of a study.")]
EngineOption = Annotated[
    str,
    typer.Option(
        help="Engine; `magnetoionics engines` lists them; auto: the best installed one that can.",
        rich_help_panel=groups.ENGINE,
        autocompletion=groups.complete_engine,
    ),
]
ProtocolOption = Annotated[
    str | None,
    typer.Option(
        help="fast (to look), balanced or stringent (to converge): the engine's numbers [default: its own].",
        rich_help_panel=groups.ENGINE,
        autocompletion=groups.complete_protocol,
    ),
]
OrderOption = Annotated[
    str | None, typer.Option(help="Cation order; the host's first by default.", rich_help_panel=groups.COMPUTED)
]
CalculatorOption = Annotated[
    str | None,
    typer.Option(
        help="Any ASE calculator as engine: package.module:Class, or 'p.m:Class {\"option\": 1}'; or a force field "
        "that atomate2 knows: atomate2:NAME.",
        rich_help_panel=groups.ENGINE,
    ),
]
ReferenceOption = Annotated[
    str | None,
    typer.Option(
        help="What is frozen, as YAML or a .yaml file, e.g. 'sublattice: A, p: [1, 1, 0], h_meV: 20' [default: none].",
        rich_help_panel=groups.ASSUMED,
    ),
]
PulseOption = Annotated[
    str | None,
    typer.Option(
        help="Field pulse of the switching path, e.g. 'field_V_per_m: 1e8, duration_s: 1, temperature_K: 300'.",
        rich_help_panel=groups.ASSUMED,
    ),
]
FilmOption = Annotated[
    str | None,
    typer.Option(
        help="Film of the device figures, e.g. 'thickness_m: 2e-8, texture_deg: 10, barrier_spread_eV: 0.05'.",
        rich_help_panel=groups.ASSUMED,
    ),
]
EnthalpiesOption = Annotated[
    str | None,
    typer.Option(
        help="Formation enthalpies of your own for the stability window, kJ/mol, as YAML or a .yaml file, e.g. "
        "'LiFe5O8: -2368' [default: the table's].",
        rich_help_panel=groups.ASSUMED,
    ),
]
BandStartOption = Annotated[
    str | None,
    typer.Option(
        help="Cheaper engine that finds the path of the band first, e.g. local or sevennet.",
        rich_help_panel=groups.COMPUTED,
    ),
]
ReuseOption = Annotated[
    list[Path] | None,
    typer.Option(
        help="Folder of another study whose equal calculations are taken, e.g. the bulk cell; repeatable.",
        rich_help_panel=groups.RUNNING,
    ),
]
JobsOption = Annotated[
    int, typer.Option("--jobs", "-j", help="Processes that compute at a time.", rich_help_panel=groups.RUNNING)
]
ImageDistanceOption = Annotated[
    float | None,
    typer.Option(
        "--image-distance",
        help="Least distance of a defect and its images, Angstrom, which the supercell follows from [default: the "
        "ordered cell 2x2x2, or as it is with --quick; small cells are repeated to 10 A, or 7 A].",
        rich_help_panel=groups.COMPUTED,
    ),
]

QuickOption = Annotated[
    bool,
    typer.Option("--quick", help="Small cells: seconds, but with a size error.", rich_help_panel=groups.COMPUTED),
]


def engine_or_calculator(engine: str, calculator: str | None, protocol: str | None = None) -> str:
    """Name of the engine with its protocol and settings, or that of an ASE calculator.

    Raises
    ------
    typer.BadParameter
        If what was given excludes each other, or there is no such protocol.
    """
    if protocol is not None:
        from ...structures.similar import did_you_mean
        from ...workflows.engine import PROTOCOLS

        if protocol not in PROTOCOLS:
            raise typer.BadParameter(
                f"--protocol {protocol} is none of {', '.join(PROTOCOLS)}{did_you_mean(protocol, PROTOCOLS)}"
            )
        if calculator is not None:
            raise typer.BadParameter(f"--protocol {protocol} and --calculator exclude each other; leave one out")
        name, colon, text = engine.partition(":")
        return f"{name}:{protocol}{'+' if colon else ''}{text}"
    if calculator is None:
        return engine
    if engine != "local":
        raise typer.BadParameter(f"--engine {engine} and --calculator {calculator} exclude each other; leave one out")
    return f"ase:{calculator}"
