"""Input files of programs of micromagnetics and spin dynamics, from a finished study."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from ..terminal import Console
from .files import RESULTS, read_study
from .writing import write_whole

if TYPE_CHECKING:
    from ...analysis.study.simulators import SimulatorInput

README = "README.txt"


def export_to(
    folder: Path,
    program: str,
    output: Path | None = None,
    *,
    temperature_K: float = 300.0,
    ordering_K: float | None = None,
    shares: str | None = None,
) -> Path:
    """Write a study's magnet as input of a program; see `analysis.study.simulators.simulator_input`.

    A folder of TB2J, or its ``exchange.out``, is handed over to programs of atomistic spins.

    Parameters
    ----------
    folder
        Of a finished study, or of TB2J.
    program
        ``mumax3``, ``ubermag``, ``oommf``, ``vampire``, ``spirit`` or ``uppasd``.
    output
        New folder; ``FOLDER-PROGRAM`` beside it by default.
    temperature_K, ordering_K
        Of the simulation, and T_C; the measured one by default.
    shares
        Numbers from 0 to 1 with commas, from the bottom of the film to its top.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UserError
        If there is no study, the output is there already, or the study or a number is not what is needed.
    """
    resolved = folder.resolve()
    target = output or resolved.with_name(f"{resolved.stem}-{program}")
    if target.exists():
        raise UserError(f"{target} exists; give another folder with --output, or move it")
    if not (math.isfinite(temperature_K) and temperature_K >= 0):
        raise UserError(f"temperature {temperature_K} K must be 0 or more")
    if ordering_K is not None and not (math.isfinite(ordering_K) and ordering_K > 0):
        raise UserError(f"T_C = {ordering_K} K must be above 0")
    chosen = None if shares is None else _numbers(shares)
    try:
        head, simulator_input = _made(folder, program, temperature_K, ordering_K, chosen)
    except ValueError as error:
        raise UserError(f"no input of {program} from {folder}: {error}") from error
    target.mkdir(parents=True)
    for name, text in simulator_input.files.items():
        write_whole(target / name, text)
    write_whole(
        target / README,
        "\n".join([f"{head}, for {program}", "", *(f"- {note}" for note in simulator_input.notes)]) + "\n",
    )
    console = Console(stderr=True)
    console.print(f"{target}  ({len(simulator_input.files) + 1} files)", style="bold", markup=False)
    for note in simulator_input.notes:
        console.print(f"note: {note}", markup=False)
    return target


def _made(
    folder: Path, program: str, temperature_K: float, ordering_K: float | None, shares: list[float] | None
) -> tuple[str, SimulatorInput]:
    """What is handed over, and whose it is."""
    from ...analysis.audit.known_values import measured_ordering
    from ...analysis.magnetism.tb2j import FILE, read_tb2j
    from ...analysis.study.simulators import couplings_over, simulator_input

    if folder.is_file() or ((folder / FILE).is_file() and not (folder / RESULTS).exists()):
        return f"couplings of {FILE}", couplings_over(read_tb2j(folder), program, temperature_K)
    study = read_study(folder)
    end = ordering_K or measured_ordering(study.host.key)[0]
    return f"{study.host.title}, engine {study.engine.name}", simulator_input(
        study, program, temperature_K=temperature_K, ordering_K=end, shares=shares
    )


def _numbers(text: str) -> list[float]:
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError as error:
        raise UserError(f"--shares {text!r} must be numbers from 0 to 1 with commas, e.g. 0,0.5,1") from error
    if wrong := [x for x in numbers if not 0 <= x <= 1]:
        raise UserError(f"--shares: {wrong} must be from 0 to 1")
    return numbers
