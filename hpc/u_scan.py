"""One study for several U: a verdict of DFT+U is worth what of it stays when U changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import UserError
from .terminal import Console

if TYPE_CHECKING:
    from ..analysis.study.documents import Study
    from ..structures.host import HostKey
    from ..workflows.engine import Engine

OWN = "own"
TABLE, REPORT = "u_scan.csv", "comparison.html"


def engine_with_u(engine: Engine, host_key: HostKey, word: str) -> Engine:
    """An engine with the U that one word of a scan states.

    Parameters
    ----------
    engine
        Whose U changes.
    host_key
        The host, whose elements count.
    word
        ``own`` (the engine's U), a number (that U, in eV, on every element of the host that has one), or
        ``Co=3+Fe=4`` (elements that are not named keep theirs).

    Raises
    ------
    UserError
        If the word states no U, or the engine has none to choose.
    """
    from ..structures.host import get_host
    from ..workflows.errors import CannotDoError

    host = get_host(host_key)
    there = {str(e) for e in host.structure().composition.elements}
    own = {e: u for e, u in engine.provenance().hubbard_U_eV.items() if u and e in there}
    open_shells = sorted({*own, *(e for e, u in host.hubbard_U_eV.items() if u)})
    text = word.strip()
    try:
        if text == OWN:
            values = own
        elif "=" in text:
            values = {e.strip(): float(u) for e, _, u in (part.partition("=") for part in text.split("+"))}
        else:
            values = dict.fromkeys(open_shells, float(text))
    except ValueError:
        raise UserError(f"U {word!r} of a scan is none: give {OWN}, a number in eV, or Co=3+Fe=4") from None
    if strange := sorted(set(values) - there):
        raise UserError(
            f"U {word!r} of a scan: {host.key} holds no {', '.join(strange)}, only {', '.join(sorted(there))}"
        )
    if not all(math.isfinite(u) for u in values.values()):
        raise UserError(f"U {word!r} of a scan: U must be a finite number in eV")
    try:
        return engine.with_hubbard_U(values)
    except CannotDoError as error:
        raise UserError(f"a scan of U: {error}") from error
    except ValueError as error:
        raise UserError(f"U {word!r} of a scan: {error}") from error


def u_engines(engine: Engine, host_key: HostKey, words: str) -> dict[str, Engine]:
    """Engines of a scan by the name of their U, e.g. ``Co3-Fe3``.

    Raises
    ------
    UserError
        For less than three different U, and as `engine_with_u`.
    """
    from ..analysis.audit.first_principles import SETS_OF_U
    from ..structures.host import get_host

    there = {str(e) for e in get_host(host_key).structure().composition.elements}
    engines = {}
    for word in filter(None, (w.strip() for w in words.split(","))):
        changed = engine_with_u(engine, host_key, word)
        u = {e: v for e, v in changed.provenance().hubbard_U_eV.items() if e in there}
        engines["-".join(f"{e}{v:g}" for e, v in sorted(u.items()))] = changed
    if len(engines) < SETS_OF_U:
        raise UserError(
            f"a scan of U over {words} has {len(engines)} different ones; a verdict asks for {SETS_OF_U}, "
            f"e.g. {OWN},3,4"
        )
    return engines


def run_u_scan(host: HostKey, words: str, *, output: Path | None = None, **asked: Any) -> Path:
    """Run a study for each U into a folder of its own, and write one table of all.

    Parameters
    ----------
    host, words
        Which host, and its U, see `u_engines`.
    output
        Folder for the studies; ``HOST-study`` by default.
    **asked
        As `study_folder.study_run.run_study` takes it.

    Returns
    -------
    Path
        The folder, with `TABLE` and a report that sets the studies side by side.
    """
    from ..workflows.engine import get_engine
    from .study_folder.asked import resolved_engine
    from .study_folder.comparing import compare_studies
    from .study_folder.files import read_study
    from .study_folder.study_run import default_folder, run_study

    chosen = resolved_engine(host, asked.pop("engine_name", "local"), asked.get("order"), asked.get("stages"))
    engines = u_engines(get_engine(chosen), host, words)
    folder = output or default_folder(host)
    folders = {
        name: run_study(host, engine_name=engine, output=folder / name, **asked) for name, engine in engines.items()
    }
    studies = {name: read_study(where) for name, where in folders.items()}
    compare_studies(list(folders.values()), folder / REPORT, overwrite=True)
    _show_and_write(studies, folder)
    return folder


def _show_and_write(studies: Mapping[str, Study], folder: Path) -> None:
    """Print numbers and verdicts against U, and write both as CSV."""
    import pandas as pd

    from ..analysis.study.comparison import compare, verdicts_against
    from ..analysis.study.table_text import csv_text
    from .study_folder.writing import write_whole
    from .terminal_table import TerminalTable

    rows = [[r.quantity, r.unit, *("" if v is None else f"{v:.4g}" for v in r.values)] for r in compare(studies)]
    verdicts = verdicts_against(studies)
    table = TerminalTable("quantity", "unit", *studies)
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.print(table)
    for claim, by_study in verdicts.items():
        console.print(f"{claim}: {holds_for(by_study)}", markup=False)
        rows.append([f"{claim}: {holds_for(by_study)}", "", *by_study.values()])
    write_whole(folder / TABLE, csv_text(pd.DataFrame(rows, columns=["quantity", "unit", *studies])))
    console.print(f"written: {folder / TABLE}, {folder / REPORT}", markup=False)


def holds_for(by_u: Mapping[str, str]) -> str:
    """E.g. ``reproduced for U in Co3-Fe3, Co4-Fe4; contradicted for U in Co3.32-Fe5.3``."""
    verdicts = dict.fromkeys(by_u.values())
    return "; ".join(f"{v} for U in {', '.join(u for u, said in by_u.items() if said == v)}" for v in verdicts)
