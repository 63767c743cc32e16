"""Measured tracer diffusion beside one or several studies: a table, a CSV and one figure."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from ..study_folder.files import read_study
from ..study_folder.writing import write_whole
from ..terminal import Console
from ..terminal_table import TerminalTable
from .table import folder_for_results
from .tracer_file import read_tracer_rows

if TYPE_CHECKING:
    from ...analysis.study.tracer_rows import RowsBeside

STEM = "diffusion"


def compare_diffusion(
    data: Path,
    folders: Sequence[Path],
    *,
    ion: str = "",
    composition: str = "",
    output: Path | None = None,
    console: Console | None = None,
) -> list[RowsBeside]:
    """Every group of measured rows beside every study; writes diffusion.csv, diffusion.png and diffusion.svg.

    Parameters
    ----------
    data
        CSV, see `tracer_file.read_tracer_rows`.
    folders
        Of studies with the stage transport.
    ion, composition
        Where the file does not say them.
    output
        Folder for the files; the first study's by default.

    Raises
    ------
    UserError
        If the file is not what is asked for, or a study has no transport.
    """
    from ...analysis.plots.tracer_rows import plot_rows
    from ...analysis.study.tracer_rows import beside_rows

    target = folder_for_results(output or folders[0], STEM, data)
    groups = read_tracer_rows(data, ion=ion, composition=composition)
    found = []
    for folder in folders:
        study = read_study(folder)
        try:
            found += [beside_rows(study, rows, name=folder.resolve().name) for rows in groups]
        except ValueError as error:
            raise UserError(f"{folder}: {error}") from error
    _print(found, console or Console())
    target.mkdir(parents=True, exist_ok=True)
    write_whole(target / f"{STEM}.csv", _as_csv(found))
    figure = plot_rows(found)
    figure.savefig(target / f"{STEM}.png", dpi=160)
    figure.savefig(target / f"{STEM}.svg", metadata={"Date": None})
    return found


def _print(found: list[RowsBeside], console: Console) -> None:
    table = TerminalTable(
        *("study", "engine", "tracer", "rms", "mean", "slope at high a", "at low a", "minimum", "E (eV)"),
        title="log10 D computed (measured)",
    )
    for one in found:
        many = len(one.slopes) > 1
        high, low = (
            "; ".join(f"{f'{at}: ' if many else ''}{s[k]:+.2f} ({s[k + 2]:+.2f})" for at, s in one.slopes.items())
            for k in (0, 1)
        )
        table.add_row(
            one.study,
            one.engine,
            f"{one.rows.ion} in {one.rows.composition or '?'}",
            _number(one.rms_decades, ".1f"),
            _number(one.mean_decades, "+.1f"),
            high or "–",
            low or "–",
            _pair(one.minimum_computed, one.minimum_measured, ".1f"),
            _pair(one.energy_computed_eV, one.energy_measured_eV, ".2f"),
        )
    console.print(table)
    for note in dict.fromkeys(f"{one.study}: {note}" for one in found for note in one.notes):
        console.print(f"note: {note}", style="yellow", markup=False)


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _pair(computed: float | None, measured: float | None, form: str) -> str:
    """Computed and, in brackets, measured."""
    return "–" if computed is None and measured is None else f"{_number(computed, form)} ({_number(measured, form)})"


def _as_csv(found: list[RowsBeside]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        [
            *("study", "engine", "tracer", "composition", "temperature_K", "log10_a", "log10_D_measured_cm2_per_s"),
            *("ion_computed", "log10_D_computed_cm2_per_s", "inside_window", "source"),
        ]
    )
    for one in found:
        rows = one.rows
        for n, kelvin in enumerate(rows.temperature_K):
            D = one.log10_computed[n]
            place = [rows.ion, rows.composition, f"{kelvin:g}", f"{rows.log10_a[n]:.4g}", f"{rows.log10_D[n]:.4f}"]
            own = [one.ion, "" if D is None else f"{D:.4f}", one.inside_window[n], rows.source]
            table.writerow([one.study, one.engine, *place, *own])
    return text.getvalue()
