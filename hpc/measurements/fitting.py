"""Fit of a study's film to measured contrast against voltage: a CSV in, parameters with errors and a figure out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..assumptions import Said, read_assumptions
from ..errors import UserError
from ..study_folder.files import read_study
from ..study_folder.writing import write_whole
from ..terminal import Console
from ..terminal_table import TerminalTable
from .table import fields_of, folder_for_results, number_of

if TYPE_CHECKING:
    from ...analysis.device.ensemble_fit import EnsembleFit

STEM = "fit"
ABSCISSAE = ("voltage_V", "time_s", "wait_s", "temperature_K")
QUANTITIES = ("contrast", "moment", "magneti", "current", "coercive")
_WANTED = (
    f"one of {', '.join(ABSCISSAE)}, one whose name begins with contrast, moment, magnetisation, current or coercive, "
    "and, if known, sigma"
)
DEFAULT_PARAMETERS = ("barrier_eV", "local_field_factor")


def fit_study(
    folder: Path,
    data: Path,
    *,
    parameters: Sequence[str] = DEFAULT_PARAMETERS,
    pulse_s: float = 1.0,
    wait_s: float = 0.0,
    voltage_V: float | None = None,
    film: Said = None,
    output: Path | None = None,
) -> EnsembleFit:
    """Fit assumed parameters of a study's film to a user's data; writes fit.json, fit.csv, fit.png and fit.svg.

    Parameters
    ----------
    folder
        Of a study with a hop; its barrier, asymmetry, charge and distance are where the fit starts.
    data
        CSV with a head line, an abscissa (`ABSCISSAE`), a measured quantity (`QUANTITIES`) and, if known, ``sigma``
        (its error, in its unit); a scale is fitted, so that it may have any unit, and an offset to a moment or a
        coercive field.
    parameters
        Fields of `analysis.device.ensemble.EnsembleParameters` to fit.
    pulse_s, wait_s, voltage_V
        Of the measurement; the voltage where it is not the abscissa.
    film
        What is assumed of the film, see `assumptions.read_assumptions`.
    output
        Folder for the files; the study's by default.

    Raises
    ------
    UserError
        If the study has no hop, the file or a parameter is not what is asked for, or the data are too few.
    """
    from ...analysis.device.ensemble_fit import Measurement, fit_curve
    from ...analysis.device.film import film_of_hop
    from ...analysis.plots.ensemble import plot_fit

    study = read_study(folder)
    if not study.migration:
        raise UserError(f"{folder} has no hop to fit ({study.not_done('migration')}); run its stage migration")
    if not pulse_s > 0 or wait_s < 0:
        raise UserError(f"pulse of {pulse_s} s and wait of {wait_s} s: a pulse must be positive, a wait not negative")
    target = folder_for_results(output or folder, STEM, data)
    curve = read_curve(data)
    said = read_assumptions(film=film).film
    retention, film_K = study.retention, said.temperature_K
    attempt = None if retention is None else math.sqrt(math.prod(retention.attempts_Hz(film_K)))
    start = film_of_hop(study.migration[0], said, attempt_Hz=attempt)
    try:
        measured = Measurement.model_validate(
            {
                "against": curve.against,
                "quantity": _quantity(curve.quantity),
                "pulse_s": pulse_s,
                "wait_s": wait_s,
                "voltage_V": voltage_V,
            }
        )
        fit = fit_curve(start, measured, curve.x, curve.y, parameters, sigma=curve.sigma)
    except ValueError as error:
        raise UserError(f"{data} cannot be fitted: {error}") from error
    _print(fit, Console())
    target.mkdir(parents=True, exist_ok=True)
    write_whole(target / f"{STEM}.json", fit.model_dump_json(indent=1) + "\n")
    lines = [
        f"{n},{v!r},{fit.errors[n]!r},{fit.intervals[n][0]!r},{fit.intervals[n][1]!r}" for n, v in fit.values.items()
    ]
    lines.append(f"scale,{fit.scale!r},{fit.scale_error!r},,")
    if fit.measurement.quantity == "offset and contrast":
        lines.append(f"offset,{fit.offset!r},{fit.offset_error!r},,")
    write_whole(target / f"{STEM}.csv", "parameter,value,standard_error,low,high\n" + "\n".join(lines) + "\n")
    figure = plot_fit(fit, curve.x, curve.y, sigma=curve.sigma)
    figure.savefig(target / f"{STEM}.png", dpi=160)
    figure.savefig(target / f"{STEM}.svg", metadata={"Date": None})
    return fit


@dataclass(frozen=True)
class Measured:
    """A curve of a CSV file: names of its columns, values, and errors where they are given."""

    against: str
    quantity: str
    x: list[float]
    y: list[float]
    sigma: list[float] | None


def read_curve(path: Path) -> Measured:
    """A measured curve of a CSV file.

    Columns may be parted by commas, semicolons or tabs; with semicolons or tabs a comma in a number is a decimal one.

    Raises
    ------
    UserError
        If there is no such file, a column is missing, or a value is no finite number.
    """
    names, lines = fields_of(path, _WANTED)
    against = next((c for c in ABSCISSAE if c in names), None)
    column = next((c for c in names if c not in (*ABSCISSAE, "sigma") and c.lower().startswith(QUANTITIES)), None)
    if against is None or column is None:
        missing = ABSCISSAE[0] if against is None else "contrast"
        raise UserError(f"data {path} has no column {missing}; it has {', '.join(names)}, and needs {_WANTED}")
    used = [against, column, *(["sigma"] if "sigma" in names else [])]
    table = [[number_of(path, at, name, fields[names.index(name)]) for name in used] for at, fields in lines]
    if not table:
        raise UserError(f"data {path} has a head line and no rows")
    columns = [list(values) for values in zip(*table, strict=True)]
    if "sigma" in used and min(columns[2]) <= 0:
        raise UserError(f"data {path}: every sigma must be positive; leave the column out if the errors are not known")
    return Measured(against, column, columns[0], columns[1], columns[2] if len(columns) == 3 else None)


def _quantity(column: str) -> str:
    """What a column holds, by its name."""
    name = column.lower()
    if name.startswith("contrast"):
        return "contrast"
    return "current" if name.startswith("current") else "offset and contrast"


def _print(fit: EnsembleFit, console: Console) -> None:
    table = TerminalTable("parameter", "value", "standard error", "68 % within", title="fitted")
    for name, value in fit.values.items():
        mark = " (unphysical)" if any(said.startswith(f"{name} =") for said in fit.unphysical) else ""
        low, high = fit.intervals[name]
        table.add_row(name + mark, f"{value:.5g}", f"{fit.errors[name]:.2g}", f"{low:.5g} to {high:.5g}")
    table.add_row("scale", f"{fit.scale:.5g}", f"{fit.scale_error:.2g}", "")
    console.print(table)
    for note in fit.notes:
        console.print(f"note: {note}", style="yellow", markup=False)
    parameters = [line for line in fit.parameters.listed() if line.split(" = ")[0] not in fit.values]
    console.print(
        f"residual {fit.residual_rms:.3g} (rms, unit of the data); kept: {'; '.join(parameters)}", markup=False
    )
