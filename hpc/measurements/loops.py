"""A measured loop beside a study's grains: a CSV or a magnetometer's own file in, a table and a figure out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..assumptions import Said, read_assumptions
from ..errors import UserError
from ..study_folder.study_run import study_under
from ..study_folder.writing import write_whole
from ..terminal import Console
from ..terminal_table import TerminalTable
from .table import fields_of, folder_for_results, number_of

if TYPE_CHECKING:
    from ...analysis.magnetism.measured_loop import LoopComparison

STEM = "loop"
_MU0 = 1.25663706127e-6
_TO_TESLA = {
    "T": 1.0,
    "mT": 1e-3,
    "Oe": 1e-4,
    "kOe": 0.1,
    "A/m": _MU0,
    "kA/m": 1e3 * _MU0,
    "A_per_m": _MU0,
    "kA_per_m": 1e3 * _MU0,
}
_FIELD = re.compile(rf"(?:[Mm]agnetic )?[Ff]ield[ _(]*({'|'.join(map(re.escape, _TO_TESLA))})\)?$")
_MOMENT = re.compile(r"(long |dc )?(moment|magneti[sz]ation)\b|(moment|magneti[sz]ation)_", re.IGNORECASE)
WANTED = "a field, e.g. field_T, field_Oe or 'Magnetic Field (Oe)', and a moment, e.g. moment_emu or 'Moment (emu)'"


def is_loop(path: Path) -> bool:
    """Whether a file of measured data is one of a moment against a field.

    Raises
    ------
    UserError
        If the file cannot be read.
    """
    return any(_FIELD.match(name) for name in fields_of(path, WANTED)[0])


def read_loop(path: Path) -> tuple[list[float], list[float]]:
    """Fields in T and moments in the file's unit, in the order of the measurement; rows without either are left out.

    Raises
    ------
    UserError
        If a column is missing, or a value is no finite number.
    """
    names, lines = fields_of(path, WANTED)
    field = next((n for n in names if _FIELD.match(n)), None)
    # A magnetometer has a column for each of its ways to measure, and fills one.
    moments = [n for n in names if _MOMENT.match(n) and any(fields[names.index(n)] for _, fields in lines)]
    if field is None or not moments:
        missing = "a field with its unit" if field is None else "a moment with numbers"
        raise UserError(f"data {path} has no column of {missing}; it has {', '.join(names)}, and needs {WANTED}")
    match = _FIELD.match(field)
    factor = _TO_TESLA[match[1]] if match else 1.0
    used = [field, moments[0]]
    rows = [(at, [fields[names.index(name)] for name in used]) for at, fields in lines]
    table = [
        [number_of(path, at, name, said) for name, said in zip(used, row, strict=True)] for at, row in rows if all(row)
    ]
    return [factor * row[0] for row in table], [row[1] for row in table]


def fit_loop(folder: Path, data: Path, *, film: Said = None, output: Path | None = None) -> LoopComparison:
    """Set a measured loop beside the grains of a study; writes loop.json, loop.csv, loop.png and loop.svg.

    Parameters
    ----------
    folder
        Of a study with E(n) before and after a hop.
    data
        See `read_loop`.
    film
        What is assumed of the film, see `assumptions.read_assumptions`.
    output
        Folder for the files; the study's by default.

    Raises
    ------
    UserError
        If the study has no grains, or the file holds no loop.
    """
    from ...analysis.magnetism.measured_loop import compare_loop, measured_loop
    from ...analysis.plots.measured_loop import plot_comparison

    target = folder_for_results(output or folder, STEM, data)
    study, _ = study_under(folder, None if film is None else read_assumptions(film=film))
    device = study.device
    if device is None or not device.grains:
        why = study.not_done("anisotropy") or "no E(n) before and after a hop, or the film is above its T_C"
        raise UserError(f"{folder} has no grains to set a loop beside ({why})")
    assumed = device.film
    try:
        measured = measured_loop(*read_loop(data))
    except ValueError as error:
        raise UserError(f"{data}: {error}") from error
    found = compare_loop(
        measured,
        device.grains,
        diameter_m=assumed.grain_diameter_m,
        texture_deg=assumed.texture_deg or None,
        sweep_T_per_s=assumed.sweep_T_per_s,
        attempt_Hz=assumed.grain_attempt_Hz,
    )
    _print(found, assumed.temperature_K, Console())
    target.mkdir(parents=True, exist_ok=True)
    write_whole(target / f"{STEM}.json", found.model_dump_json(indent=1) + "\n")
    lines = [f"measured,{measured.coercive_T!r},{measured.shift_T!r},{measured.remanence!r},"]
    for one in found.states:
        diameter = "" if one.diameter_m is None else repr(one.diameter_m)
        lines.append(f"{one.state},{one.coercive_T!r},0.0,{one.remanence!r},{diameter}")
    write_whole(target / f"{STEM}.csv", "what,coercive_T,shift_T,remanence,diameter_m\n" + "\n".join(lines) + "\n")
    figure = plot_comparison(found)
    figure.savefig(target / f"{STEM}.png", dpi=160)
    figure.savefig(target / f"{STEM}.svg", metadata={"Date": None})
    return found


def _print(found: LoopComparison, temperature_K: float, console: Console) -> None:
    measured = found.measured
    title = f"the loop beside grains at {temperature_K:g} K"
    table = TerminalTable("what", "coercive field (T)", "shift (T)", "remanence", "diameter for it (nm)", title=title)
    table.add_row("measured", f"{measured.coercive_T:.3g}", f"{measured.shift_T:+.2g}", f"{measured.remanence:.2f}", "")
    for one in found.states:
        diameter = "none" if one.diameter_m is None else f"{one.diameter_m * 1e9:.3g}"
        table.add_row(f"{one.state} the hop", f"{one.coercive_T:.3g}", "0", f"{one.remanence:.2f}", diameter)
    console.print(table)
    for note in [*measured.notes, *(f"{s.state}: {s.why_not}" for s in found.states if s.why_not)]:
        console.print(f"note: {note}", style="yellow", markup=False)
    console.print("; ".join(found.assumptions), markup=False)
