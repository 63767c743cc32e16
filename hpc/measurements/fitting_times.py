"""Fits of switching and retention times, and of a cycle of intercalation: a CSV in, parameters with errors out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..study_folder.files import read_study
from ..study_folder.writing import write_whole
from ..terminal import Console
from ..terminal_table import TerminalTable
from .table import fields_of, folder_for_results, number_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...analysis.device.intercalation import IsothermFit
    from ...analysis.device.inverse_events import InverseFit

STEM = "fit"
TIMES = ("switching_time_s", "retention_time_s")
_OPTIONAL = ("voltage_V", "temperature_K", "share", "hops", "error_decades")
_OF_TIMES = f"{TIMES[0]} or {TIMES[1]}, voltage_V, temperature_K and, if known, share, hops and error_decades"
_OF_CYCLES = "voltage_V, one whose name begins with moment or magnetisation, and branch (in or out)"
_BRANCHES = {"in": 1.0, "out": -1.0, "rest": 0.0, "discharge": 1.0, "charge": -1.0, "1": 1.0, "-1": -1.0, "0": 0.0}
_ROOM_K = 300.0


def law_of(path: Path) -> str:
    """What the columns of a file ask for: ``times``, ``cycle`` or ``curve``.

    Raises
    ------
    UserError
        If the file cannot be read.
    """
    names, _ = fields_of(path, f"of a curve, or {_OF_TIMES}, or {_OF_CYCLES}")
    if any(name in TIMES for name in names):
        return "times"
    return "cycle" if "branch" in names else "curve"


def fit_times(
    folder: Path,
    data: Path,
    *,
    ranges: str | Mapping[str, Any] | None = None,
    output: Path | None = None,
) -> InverseFit:
    """Barrier, thickness and whatever else several measured times determine, beside the study's hop.

    Parameters
    ----------
    folder
        Of a study with a hop: charge and distance are its own unless `ranges` has them.
    data
        CSV with a time in every row.
    ranges
        What is not known, as YAML: `thickness_nm: [5, 100]`; one number fixes a quantity. `other_layers_nm: [[5, 4]]`
        are further dielectrics of the stack, (nm, permittivity).
    output
        Folder for fit.json, fit.csv, fit.png and fit.svg; the study's by default.

    Raises
    ------
    UserError
        If the study has no hop, or the file or a range is not what is asked for.
    """
    from ...analysis.device.inverse_events import RANGES, SwitchingEvent, fit_events
    from ...analysis.plots.inverse import plot_times

    target = folder_for_results(output or folder, STEM, data)
    study = read_study(folder)
    if not study.migration:
        raise UserError(f"{folder} has no hop to fit ({study.not_done('migration')}); run its stage migration")
    hop = study.migration[0]
    charge = abs(hop.images[-1].dipole_along_hop_e_A) / hop.distance_A
    own = {"distance_A": (hop.distance_A, hop.distance_A)} | ({"charge_e": (charge, charge)} if charge > 0 else {})
    names, lines = fields_of(data, _OF_TIMES)
    which = [name for name in TIMES if name in names]
    if len(which) != 1 or ("voltage_V" not in names and which[0] != TIMES[1]):
        raise UserError(f"data {data} has {', '.join(names)}; it needs {_OF_TIMES}")
    events = []
    for at, fields in lines:
        row = {n: number_of(data, at, n, fields[names.index(n)]) for n in _OPTIONAL if n in names}
        row = (
            {"temperature_K": _ROOM_K} | row | {"time_s": number_of(data, at, which[0], fields[names.index(which[0])])}
        )
        try:
            events.append(SwitchingEvent.model_validate(row | ({"voltage_V": 0.0} if which[0] == TIMES[1] else {})))
        except ValueError as error:
            raise UserError(f"data {data}: line {at}: {_first(error)}") from error
    try:
        asked, layers = _ranges(ranges)
        found = fit_events(events, own | asked, other_layers_nm=layers)
    except ValueError as error:
        raise UserError(f"{data} cannot be fitted: {error}; ranges are of {', '.join(RANGES)}") from error
    table = TerminalTable("quantity", "50 %", "16 to 84 %", "computed", title="what gives these times")
    rows = {"barrier_eV": found.barrier_eV}
    rows |= {} if found.asymmetry_eV is None else {"asymmetry_eV": found.asymmetry_eV}
    beside = {"barrier_eV": (hop.forward_eV + hop.backward_eV) / 2}
    for name, (low, middle, high) in (rows | found.remains).items():
        computed = f"{beside[name]:.3g}" if name in beside else ""
        table.add_row(
            name + (" (free)" if name in found.free else ""), f"{middle:.3g}", f"{low:.3g} to {high:.3g}", computed
        )
    _finish(target, table, found, plot_times(found), [f"misfit {found.misfit_decades:.2g} decades (rms)"])
    return found


def fit_cycle(
    folder: Path,
    data: Path,
    *,
    parameters: list[str] | None = None,
    temperature_K: float = 298.15,
    output: Path | None = None,
) -> IsothermFit:
    """Isotherm of intercalation fitted to moments over a cycle.

    Parameters
    ----------
    folder, output
        Where fit.json, fit.csv, fit.png and fit.svg go: the second one if given.
    data
        CSV of voltage, moment and branch.
    parameters
        Of `intercalation.NAMES`.
    temperature_K
        Of the measurement.

    Raises
    ------
    UserError
        If the file or a parameter is not what is asked for.
    """
    from ...analysis.device.intercalation import fit_isotherm
    from ...analysis.plots.inverse import plot_cycle

    target = folder_for_results(output or folder, STEM, data)
    names, lines = fields_of(data, _OF_CYCLES)
    column = next((n for n in names if n.lower().startswith(("moment", "magneti"))), None)
    if column is None or not {"voltage_V", "branch"} <= set(names):
        raise UserError(f"data {data} has {', '.join(names)}; it needs {_OF_CYCLES}")
    volts, moments, ways = [], [], []
    for at, fields in lines:
        volts.append(number_of(data, at, "voltage_V", fields[names.index("voltage_V")]))
        moments.append(number_of(data, at, column, fields[names.index(column)]))
        said = fields[names.index("branch")].lower()
        if said not in _BRANCHES:
            raise UserError(
                f"data {data}: line {at} has {said or 'nothing'} as branch; write one of {', '.join(_BRANCHES)}"
            )
        ways.append(_BRANCHES[said])
    asked = parameters or ["middle_V", "repulsion_eV", "moment", "per_ion"]
    if parameters is None and len(set(ways)) > 1:
        asked.append("overpotential_V")
    try:
        found = fit_isotherm(volts, moments, names=asked, branch=ways, temperature_K=temperature_K)
    except ValueError as error:
        raise UserError(f"{data} cannot be fitted: {error}") from error
    table = TerminalTable("parameter", "value", "standard error", title="isotherm")
    for name, value in found.values.items():
        table.add_row(name, f"{value:.5g}", f"{found.errors[name]:.2g}")
    figure = plot_cycle(found, volts, moments, ways)
    _finish(target, table, found, figure, [f"residual {found.residual_rms:.3g} (rms, unit of the data)"])
    return found


def _finish(
    target: Path,
    table: TerminalTable,
    found: InverseFit | IsothermFit,
    figure: Figure,
    said: list[str],
) -> None:
    """Print, and write the files."""
    console = Console()
    console.print(table)
    for note in found.notes:
        console.print(f"note: {note}", style="yellow", markup=False)
    console.print("; ".join(said), markup=False)
    target.mkdir(parents=True, exist_ok=True)
    write_whole(target / f"{STEM}.json", found.model_dump_json(indent=1) + "\n")
    write_whole(target / f"{STEM}.csv", _as_csv(found.model_dump()))
    figure.savefig(target / f"{STEM}.png", dpi=160)
    figure.savefig(target / f"{STEM}.svg", metadata={"Date": None})


def _as_csv(found: dict[str, Any]) -> str:
    """Quantities with their ends, or parameters with their errors."""
    if "values" in found:
        rows = [f"{n},{v!r},{found['errors'][n]!r}" for n, v in found["values"].items()]
        return "parameter,value,standard_error\n" + "\n".join(rows) + "\n"
    triples = {n: found[n] for n in ("barrier_eV", "asymmetry_eV") if found[n] is not None} | found["remains"]
    rows = [f"{n},{middle!r},{low!r},{high!r}" for n, (low, middle, high) in triples.items()]
    return "quantity,middle,low,high\n" + "\n".join(rows) + "\n"


def _ranges(said: str | Mapping[str, Any] | None) -> tuple[dict[str, tuple[float, float]], list[tuple[float, float]]]:
    """Ranges, and further layers of the stack."""
    import yaml

    from ...structures.io.untrusted_input import plain_yaml

    try:
        entries = dict(plain_yaml("{" + said + "}", "ranges") if isinstance(said, str) else said or {})
        layers = [(float(t), float(eps)) for t, eps in entries.pop("other_layers_nm", [])]
        ranges = {str(n): x if isinstance(x, (list, tuple)) else (x, x) for n, x in entries.items()}
        return {n: (float(low), float(high)) for n, (low, high) in ranges.items()}, layers
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise UserError(f"ranges {said!r} cannot be read ({error}); write e.g. 'thickness_nm: [5, 100]'") from error


def _first(error: ValueError) -> str:
    from pydantic import ValidationError

    from ...analysis.results.document import first_wrong

    return first_wrong(error) if isinstance(error, ValidationError) else str(error)
