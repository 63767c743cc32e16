"""Tables of tracer diffusion in a JSON file, told by their titles, as the columns and lines of a CSV file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import UserError

# In a title D stands alone, or with its logarithm; the d of "Fe3-dO4" does not.
_D = re.compile(r"(?<!\w)(?P<log>log10|log|lg|ln)?[ (]*D[*]?(?:_(?P<ion>[A-Z][a-z]?))?(?![\w*])")
_D0 = re.compile(r"(?<!\w)(?P<log>log10|log|lg|ln)?[ (]*D0(?!\w)")
_AREA_RATE = r"[cmµun]?m\^?[2²](?:\s*/\s*s|_per_s|[ ·*]s\^?-1|[ ·*]s⁻¹)"
_UNIT_OF_D = re.compile(rf"\(?\b({_AREA_RATE})(?!\w)\)?")
_ENERGY = re.compile(r"(?<!\w)(?:E|Ea|Q)[ ,(/\[]*(?:in )?(kJ/mol|J/mol|kcal/mol|eV)(?!\w)")
_TEMPERATURE = re.compile(
    r"(?:\bat\s+|,\s*)?(?:\bT\s*=\s*)?(?<![\w.])(\d+(?:\.\d+)?(?:\s*(?:-|–|to)\s*\d+(?:\.\d+)?)?)\s*(?:°|deg)?\s*(K|C)\b"
)
_GAS = re.compile(r"\b(?:in|under)\s+(pure oxygen|oxygen|air|O2)\b")
_ACTIVITY = re.compile(
    r"(?:\b(?:at|and|in)\s+|,\s*)?((?:\b(?:log10|log|lg)\s*)?\b[apP](?:_?O2|\(O2\))?)\s*=\s*"
    r"([-+\d.][-+\d.eE^]*)\s*((?:atm|bar|mbar|Pa|hPa|kPa|torr)\b)?"
)
_ION = re.compile(r"\bof\s+([\w+-]+)")
_TRACER = re.compile(r"^\s*([\w+-]+)\s+tracer\b")
_CRYSTAL = re.compile(r"\bin\s+(.+)")
_PAIR = ["log10 a", "log10 D"]
SAID = (
    "e.g. 'log10 D of Co (cm2/s) in Fe3O4 at 1473 K: [log10 a, log10 D]' with pairs by name, or 'NiFe2O4 in air "
    "1130-1280 C, D0 cm2/s, E kJ/mol' with pairs by ion; or write a CSV"
)


@dataclass(frozen=True)
class TracerTable:
    """Head and lines of a table.

    Attributes
    ----------
    title
        What its file calls it; empty for rows with names of their own.
    names
        Of the columns, as a CSV would have them.
    lines
        Number of each in the table, and what stands in it.
    """

    title: str
    names: list[str]
    lines: list[tuple[int, list[str]]] = field(default_factory=list)


def tables_of(path: Path) -> list[TracerTable]:
    """Every table of a JSON file: rows or columns with names, or tables whose titles say what their numbers are.

    Titles that speak of no D are passed over.

    Raises
    ------
    UserError
        If the file cannot be read or holds no table, or a title that speaks of D cannot be understood.
    """
    from ...structures.io.untrusted_input import read_text

    try:
        content = json.loads(read_text(path))
    except (OSError, ValueError) as error:
        raise UserError(f"data {path} cannot be read as JSON ({error}); mend it, or write a CSV") from error
    out = list(_tables(content, path))
    if not out:
        raise UserError(f"data {path} has no table of tracer diffusion: title one {SAID}")
    return out


def _tables(content: Any, path: Path) -> Iterator[TracerTable]:
    if (plain := _with_names(content)) is not None:
        yield plain
        return
    for title, table in content.items() if isinstance(content, dict) else ():
        if isinstance(table, dict | list) and (_D.search(title) or _D0.search(title)):
            yield _Title(title, path).table(table)
        elif (plain := _with_names(table)) is not None:
            yield plain


def _with_names(content: Any) -> TracerTable | None:
    """Objects with one set of names each, or one object of columns of equal length; None if it is neither."""
    if isinstance(content, list) and content and all(isinstance(row, dict) for row in content):
        names = list(dict.fromkeys(name for row in content for name in row))
        return _table("", names, [[row.get(name) for name in names] for row in content])
    if not isinstance(content, dict) or not content or not all(isinstance(c, list) for c in content.values()):
        return None
    columns = list(content.values())
    if len({len(c) for c in columns}) > 1 or any(isinstance(value, list | dict) for c in columns for value in c):
        return None
    return _table("", list(content), [list(row) for row in zip(*columns, strict=True)])


def _table(title: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> TracerTable:
    """Numbers as words, and nothing for what is not there."""
    said = [["" if value is None else str(value) for value in row] for row in rows]
    return TracerTable(title, list(names), list(enumerate(said, start=1)))


class _Title:
    """A title, taken apart."""

    def __init__(self, title: str, path: Path) -> None:
        self.title, self.path = title, path
        head, _, after = title.partition("[") if "[" in title else (title, "", "")
        self.given = [name.strip() for name in after.rstrip("] .").split(",")] if after else []
        self.unit = ""
        self.fixed: dict[str, str] = {}
        rest = self._unit(head.rstrip(": "))
        self.activated = bool(_D0.search(rest))
        rest = self._conditions(rest)
        glued = (_D.search(rest) or {"ion": None})["ion"]
        self.ion = glued or next((m[1] for m in (_ION.search(rest), _TRACER.match(rest)) if m), "")
        self.crystal = self._crystal(rest)

    def _unit(self, text: str) -> str:
        """The unit of D and, of an activation law, that of its energy are taken out."""
        if (found := _UNIT_OF_D.search(text)) is not None:
            self.unit = found[1]
            text = text.replace(found[0], " ", 1)
        self.energy = ""
        if (found := _ENERGY.search(text)) is not None:
            self.energy = found[1]
            text = text.replace(found[0], " ", 1)
        return text

    def _conditions(self, text: str) -> str:
        """What holds for every number is taken out: temperature, gas, activity."""
        if (found := _TEMPERATURE.search(text)) is not None:
            self.fixed[f"temperature_{found[2]}"] = re.sub(r"\s*(–|to)\s*", "-", found[1])
            text = text.replace(found[0], "|", 1)
        if (found := _GAS.search(text)) is not None:
            self.fixed["atmosphere"] = found[1]
            text = text.replace(found[0], "|", 1)
        if (found := _ACTIVITY.search(text)) is not None:
            self.fixed[f"{found[1]} {found[3] or ''}".strip()] = found[2]
            text = text.replace(found[0], "|", 1)
        return text

    def _crystal(self, text: str) -> str:
        """What stands behind "in", or before the gas."""
        found = _CRYSTAL.search(text)
        words = found[1] if found else text.split("|")[0] if "|" in text and not _D.search(text.split("|")[0]) else ""
        return re.split(r"[|:]|,\s", words)[0].strip(" ,:|")

    def _columns(self) -> list[str]:
        """Names of the numbers of a row, each with its unit."""
        if self.activated:
            log = (_D0.search(self.title) or [""])["log"] or ""  # type: ignore[call-overload]
            return [f"{log} D0 {self.unit}".strip(), f"E {self.energy}".strip()]
        names = self.given or (_PAIR if len(self.fixed) < 2 else _PAIR[1:])
        if not self.given and not (_D.search(self.title) or {"log": ""})["log"]:
            self._refuse("says of no column whether it is a logarithm")
        return [f"{n} {self.unit}" if _D.match(n) and not _UNIT_OF_D.search(n) else n for n in names]

    def table(self, content: Mapping[str, Any] | Sequence[Any]) -> TracerTable:
        """Its numbers as lines of a CSV file.

        Raises
        ------
        UserError
            If a row has another number of values than the title names.
        """
        columns = self._columns()
        if not self.unit and not any(_UNIT_OF_D.search(n) for n in self.given):
            self._refuse("has no unit of D; it may be in cm2/s or m2/s")
        source = ""
        groups: dict[str, Any] = {"": content}
        if isinstance(content, Mapping):
            source = str(content.get("source", ""))
            groups = {k: v for k, v in content.items() if not isinstance(v, str)}
        rows: list[list[Any]] = []
        for name, values in groups.items():
            ion, crystal = self._whose(name)
            for row in self._rows(name, values, len(columns)):
                rows.append([*self.fixed.values(), ion, crystal, source, *row])
        return _table(self.title, [*self.fixed, "ion", "composition", "source", *columns], rows)

    def _whose(self, name: str) -> tuple[str, str]:
        """Ion and crystal of the numbers that stand by a name: of an ion, of a share x, or of a crystal."""
        if not self.ion:
            return name, self.crystal
        share = f"x = {name}" if re.fullmatch(r"[\d.,/]+", name) else name
        return self.ion, ", ".join(part for part in (self.crystal, share) if part)

    def _rows(self, name: str, values: Any, count: int) -> list[list[Any]]:
        """Rows of one name: a list of them, or one alone."""
        rows = values if isinstance(values, list) else [values]
        if not any(isinstance(row, list) for row in rows):
            rows = [rows] if count > 1 else [[row] for row in rows]
        for row in rows:
            if not isinstance(row, list) or len(row) != count:
                said = json.dumps(row)
                self._refuse(f"names {count} numbers, and {name or 'a row'} has {said[:60]}")
        return rows

    def _refuse(self, why: str) -> None:
        raise UserError(f"data {self.path}: the table {self.title!r} {why}; title it {SAID}")
