"""Tables as text for other programs: CSV that no spreadsheet takes for formulas, and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# A cell of text that begins so is run as a formula when a spreadsheet opens the file.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_DIGITS = "%.6g"


def csv_text(frame: pd.DataFrame) -> str:
    """A table as CSV with its index; text that would be a formula in a spreadsheet is led by an apostrophe.

    Parameters
    ----------
    frame
        Numbers are written with all their digits.
    """
    return str(_as_text(frame, _safe).to_csv(index=False, lineterminator="\n"))


def latex_text(frame: pd.DataFrame, caption: str, label: str) -> str:
    """A table as LaTeX for the packages booktabs and longtable, all text escaped.

    Parameters
    ----------
    frame
        Numbers are written with six digits.
    caption, label
        Of the table.
    """
    shown = _as_text(frame, lambda value: _escaped(_cell(value)))
    return str(
        shown.to_latex(
            index=False, float_format=_DIGITS, na_rep="--", longtable=True, caption=_escaped(caption), label=label
        )
    )


def _as_text(frame: pd.DataFrame, write: Callable[[object], object]) -> pd.DataFrame:
    """The table with its index as columns, heads and all that is no number as `write` has them."""
    from pandas.api.types import is_numeric_dtype

    flat = frame.reset_index(drop=frame.index.names == [None])
    plain = {name for name in flat.columns if is_numeric_dtype(flat[name])}
    columns = {
        str(write(str(name))): flat[name] if name in plain else [write(value) for value in flat[name].astype(object)]
        for name in flat.columns
    }
    return type(frame)(columns)


def _cell(value: object) -> str:
    """A cell in words: lists by their members."""
    if value is None or value != value:
        return "--"
    if isinstance(value, list | tuple):
        return ", ".join(_cell(v) for v in value)
    return _DIGITS % value if isinstance(value, float) else str(value)


_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "_": r"\_",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
    }
)


def _escaped(text: str) -> str:
    return text.replace("->", "\0").translate(_LATEX).replace("\0", r"$\rightarrow$")


def _safe(value: object) -> object:
    if not isinstance(value, str) or not _FORMULA.match(value):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
