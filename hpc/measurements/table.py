"""Tables of measurements as people write them: commas, or semicolons or tabs with decimal commas."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from ..errors import UserError

_DATA = "[Data]"


def fields_of(path: Path, wanted: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Head and lines of a CSV file; with semicolons or tabs a comma in a number becomes a point.

    What a magnetometer of Quantum Design writes above its columns is passed over.

    Parameters
    ----------
    path
        The file; lines that begin with ``#`` are left out.
    wanted
        What it should hold, for the message.

    Returns
    -------
    tuple
        Names of the columns, and for every line its number in the file and its fields, as many as there are names.

    Raises
    ------
    UserError
        If the file cannot be read, has no head line, or a line has another number of fields.
    """
    from ...structures.io.untrusted_input import text_in_any_code

    try:
        text = text_in_any_code(path, []).lstrip("﻿")
    except (OSError, ValueError) as error:
        raise UserError(f"data {path} cannot be read ({error}); write a CSV with the columns {wanted}") from error
    lines = [(n, ln) for n, ln in enumerate(text.splitlines(), start=1) if ln.strip() and not ln.startswith("#")]
    above = next((k for k, (_, line) in enumerate(lines) if line.strip() == _DATA), None)
    lines = lines if above is None else lines[above + 1 :]
    if not lines:
        raise UserError(f"data {path} is empty; write a CSV with the columns {wanted}")
    head = lines[0][1]
    separator = ";" if ";" in head else "\t" if "\t" in head else ","
    names = [name.strip() for name in next(csv.reader([head], delimiter=separator))]
    table = []
    for number, line in lines[1:]:
        fields = [f.strip() for f in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]
        if len(fields) != len(names):
            raise UserError(f"data {path}: line {number} has {len(fields)} fields and the head {len(names)}; mend it")
        table.append((number, [_point(f) for f in fields] if separator != "," else fields))
    return names, table


def number_of(path: Path, at: int, name: str, field: str) -> float:
    """The finite number in a field.

    Raises
    ------
    UserError
        If it is none.
    """
    try:
        value = float(field)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(
            f"data {path}: line {at} has a value that is no finite number, {field or 'nothing'} as {name}; mend or "
            "delete it"
        )
    return value


def _point(field: str) -> str:
    """The field with a decimal point, if it is a number with a decimal comma."""
    with_point = field.replace(",", ".")
    try:
        float(with_point)
    except ValueError:
        return field
    return with_point


def folder_for_results(target: Path, stem: str, data: Path) -> Path:
    """Where results named by a stem go, once it is sure that they do not replace the measurement itself.

    Raises
    ------
    UserError
        If `target` is a file, or if `data` has the name of a result in it.
    """
    if target.exists() and not target.is_dir():
        raise UserError(f"output {target} is a file; give a folder with --output")
    if data.stem == stem and target.resolve() == data.resolve().parent:
        raise UserError(f"{data} would be replaced by the result of this name; give another folder with --output")
    return target
