"""A film of a study's hop through pulses or a sweep: tables and figures in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .assumptions import Said
from .errors import UserError
from .study_folder.files import read_study
from .study_folder.writing import write_whole
from .terminal import Console
from .terminal_table import TerminalTable

if TYPE_CHECKING:
    from ..analysis.device.film_monte_carlo import FilmWalk
    from ..analysis.device.film_run import FilmRun

STEM = "film"
_MOST_PER_ION = 100.0
EXAMPLE = "'thickness_nm: 20, permittivity: 10, occupation: 0.05, left: {kind: reservoir, barrier_eV: 0.6}'"


def film_study(
    folder: Path,
    *,
    model: Said = None,
    voltage_V: float = 1.0,
    pulse_s: float = 1.0,
    wait_s: float = 60.0,
    cycles: int = 1,
    sweep_V_per_s: float | None = None,
    side: int | None = None,
    per_ion_muB: float | None = None,
    per_ion_meV: float | None = None,
    output: Path | None = None,
    console: Console | None = None,
) -> FilmRun:
    """Film of a study's hop, written, read and erased, or swept; writes film.json, film.csv and figures.

    Several cycles make film-endurance.csv and .svg too.

    Parameters
    ----------
    folder
        Of a study with a hop.
    model
        Fields of `analysis.device.film_model.FilmModel` that the user assumes.
    voltage_V, pulse_s, wait_s, cycles
        Pulse of +V, wait, pulse of -V, wait, so many times.
    sweep_V_per_s
        Instead of pulses a loop 0, +V, -V, 0 at this rate.
    side
        Places along a plane of the same film that is walked ion by ion beside it: film-ion_by_ion.csv.
    per_ion_muB, per_ion_meV
        What an ion adds to the moment of the film, and to the anisotropy of the interface that it stands beside.
    output
        Folder for the files; the study's by default.

    Raises
    ------
    UserError
        If the study has no sound hop, or an entry or a number is not what is asked for.
    """
    from pandas import isna
    from pydantic import ValidationError

    from ..analysis.device.film_monte_carlo import walk_film
    from ..analysis.device.film_of_study import film_model_of_hop
    from ..analysis.device.film_run import run_film, sweep, write_read_erase
    from ..analysis.results.document import first_wrong
    from ..workflows.flows.film import film_entries

    study = read_study(folder)
    if not study.migration:
        raise UserError(
            f"{folder} has no hop to make a film of ({study.not_done('migration')}); run its stage migration"
        )
    target = output or folder
    if target.exists() and not target.is_dir():
        raise UserError(f"output {target} is a file; give a folder with --output")
    for name, value in (("--per-ion-muB", per_ion_muB), ("--per-ion-meV", per_ion_meV)):
        if value is not None and not abs(value) < _MOST_PER_ION:
            raise UserError(f"{name} {value:g} must lie between -{_MOST_PER_ION:g} and {_MOST_PER_ION:g}")
    try:
        entries = {} if model is None else film_entries(model)
        film = film_model_of_hop(study.migration[0], study.host.structure, study.vibrations, **entries)
        steps = (
            write_read_erase(voltage_V, pulse_s, wait_s, cycles)
            if sweep_V_per_s is None
            else sweep(voltage_V, sweep_V_per_s)
        )
        run = run_film(film, steps)
        walk = None if side is None else walk_film(film, steps, side=side)
    except ValueError as error:
        said = first_wrong(error) if isinstance(error, ValidationError) else str(error)
        raise UserError(f"no film of {folder}: {said}; e.g. --model {EXAMPLE}") from error
    target.mkdir(parents=True, exist_ok=True)
    write_whole(target / f"{STEM}.json", run.model_dump_json(indent=1) + "\n")
    table = run.to_dataframe(per_ion_muB=per_ion_muB, per_ion_meV=per_ion_meV)
    write_whole(target / f"{STEM}.csv", table.to_csv(index=False))
    for name in ("film", "profile", "current_voltage"):
        run.plot(name).savefig(target / f"{STEM if name == 'film' else f'{STEM}-{name}'}.svg", metadata={"Date": None})
    endurance = run.endurance()
    if not endurance.empty:
        write_whole(target / f"{STEM}-endurance.csv", endurance.to_csv(index=False))
        run.plot("endurance").savefig(target / f"{STEM}-endurance.svg", metadata={"Date": None})
    if walk is not None:
        write_whole(target / f"{STEM}-ion_by_ion.csv", walk.to_dataframe().to_csv(index=False))
    _print(run, walk, console or Console())
    if not endurance.empty:
        begin, end = endurance.iloc[0], endurance.iloc[-1]
        window = f"window of contrast {begin['window']:+.3g} after one cycle and {end['window']:+.3g} after "
        if isna(begin["of_first"]):
            window = "no window: what a pulse writes is forgotten within the wait, in each cycle up to "
        (console or Console()).print(
            f"{window}{end['cycle']:.0f}; fatigue: {'no mechanism stated' if film.traps is None else 'stated traps'}",
            markup=False,
        )
    for column, values in table.filter(like="_change_").items():
        last = [f"{values[n]:.3g}" for n in run.ends()]
        (console or Console()).print(f"{column} at the end of every step: {', '.join(last)}", markup=False)
    return run


def _print(run: FilmRun, walk: FilmWalk | None, console: Console) -> None:
    table = TerminalTable(
        "V", "s", "contrast", "left plane", "right plane", "content /nm²", "times", title="end of every step"
    )
    if walk is not None:
        table.add_column("ion by ion")
    for k, (step, n, why) in enumerate(zip(run.steps, run.ends(), run.no_times, strict=True)):
        table.add_row(
            f"{step.voltage_V if step.end_V is None else step.end_V:g}",
            f"{step.duration_s:.3g}",
            f"{run.contrast[n]:+.3f}",
            f"{run.left_occupation[n]:.3g}",
            f"{run.right_occupation[n]:.3g}",
            f"{run.content_per_nm2[n]:.4g}",
            "no result" if why else "",
            *([] if walk is None else [f"{walk.contrast[k]:+.3f}"]),
        )
    console.print(table)
    for note in run.notes:
        console.print(f"note: {note}", style="yellow", markup=False)
