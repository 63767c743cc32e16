"""The audit of several studies side by side: printed and written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from ..errors import UserError
from ..terminal import Console
from ..terminal_table import TerminalTable
from .files import read_study
from .writing import write_whole

if TYPE_CHECKING:
    from ...analysis.study.documents import Claim

_STYLE = {
    "reproduced": "green",
    "consistent": "cyan",
    "contradicted": "red",
    "undecided": "yellow",
    "not computed": "dim",
}
_COLUMNS = ("id", "system", "claim", "study", "verdict", "value", "unit", "engine", "reason", "would_change")
STEM = "claims"
# A smaller number is printed as nothing but smaller.
_SMALLEST = 1e-9


def collect(folders: Sequence[Path]) -> dict[str, list[Claim]]:
    """Claims by study; the closed forms alone if no folder is given.

    Raises
    ------
    UserError
        If a folder holds no study.
    """
    from ...analysis.audit.judging import closed_forms

    if not folders:
        return {"without a study of yours: shipped calculations and closed forms": closed_forms()}
    claims: dict[str, list[Claim]] = {}
    for folder in folders:
        study = read_study(folder)
        name = f"{folder.resolve().name} ({study.engine.name}, {study.host.formula}, {study.host.order})"
        claims[name] = study.claims
    return claims


def claim_rows(studies: dict[str, list[Claim]]) -> list[dict[str, str | float | None]]:
    """One row per claim and study that says something; a claim on which all are silent has one row."""
    out: list[dict[str, str | float | None]] = []
    order = list(dict.fromkeys(c.id for claims in studies.values() for c in claims))
    for key in order:
        said = [(name, c) for name, claims in studies.items() for c in claims if c.id == key]
        speaking = [(n, c) for n, c in said if c.verdict != "not computed"] or said[:1]
        seen: list[tuple[str, float | None, str]] = []
        for name, claim in speaking:
            mark = (claim.verdict, claim.value, claim.reason)
            # A closed form is the same in every study.
            if mark in seen:
                continue
            seen.append(mark)
            values = claim.model_dump()
            out.append({c: name if c == "study" else values[c] for c in _COLUMNS})
    return out


def print_and_write(folders: Sequence[Path], output: Path | None = None, console: Console | None = None) -> None:
    """Print the table, and write it as JSON, CSV and Markdown beside the study or into `output`.

    Raises
    ------
    UserError
        If a folder holds no study, or the output is a file.
    """
    table_rows = claim_rows(collect(folders))
    target = output or (folders[0] if len(folders) == 1 else None)
    if target is not None and target.exists() and not target.is_dir():
        raise UserError(f"output {target} is a file; give a folder with --output")
    names = list(dict.fromkeys(str(r["study"]) for r in table_rows))
    several = len(names) > 1
    table = TerminalTable("id", *(["study"] if several else []), "verdict", "number", "engine")
    for r in table_rows:
        style = _STYLE[str(r["verdict"])]
        verdict = f"[{style}]{r['verdict']}[/{style}]"
        study = [escape(str(r["study"]))] if several else []
        table.add_row(str(r["id"]), *study, verdict, escape(printed_number(r)), escape(str(r["engine"])))
    out = console or Console()
    if not several:
        out.print(*names, markup=False)
    out.print(table)
    for r in table_rows:
        whose = f" ({escape(str(r['study']))})" if several else ""
        out.print(f"[bold]{r['id']}[/bold] {escape(str(r['claim']))}{whose}")
        out.print(f"   [{_STYLE[str(r['verdict'])]}]{r['verdict']}[/]: {escape(str(r['reason']))}.")
        out.print(f"   would change it: {escape(str(r['would_change']))}.", style="dim")
    if target is not None:
        target.mkdir(parents=True, exist_ok=True)
        write_whole(target / f"{STEM}.json", json.dumps(table_rows, indent=2) + "\n")
        write_whole(target / f"{STEM}.csv", _csv(table_rows))
        write_whole(target / f"{STEM}.md", _markdown(table_rows))
        out.print(f"written: {target / STEM}.json, .csv, .md", markup=False)


def printed_number(row: Mapping[str, str | float | None]) -> str:
    """The number of a row with its unit; a bound for one that is nothing but small."""
    value = row["value"]
    if isinstance(value, float) and 0 < abs(value) < _SMALLEST:
        return f"below {_SMALLEST:g} {row['unit']}"
    return "" if value is None else f"{value:.3g} {row['unit']}"


def _csv(table_rows: Sequence[dict[str, str | float | None]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table_rows)
    return stream.getvalue()


def _markdown(table_rows: Sequence[dict[str, str | float | None]]) -> str:
    head = "| id | claim | study | verdict | number | engine | reason | what would change it |\n|-|-|-|-|-|-|-|-|\n"
    lines = []
    for r in table_rows:
        cells = (
            r["id"],
            r["claim"],
            r["study"],
            r["verdict"],
            printed_number(r),
            r["engine"],
            r["reason"],
            r["would_change"],
        )
        lines.append("| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |\n")
    return head + "".join(lines)
