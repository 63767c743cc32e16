"""What the report's template shows: plain text only, so that nothing a file holds can become markup."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Cell:
    """Text of a table cell; `style` is a class of the stylesheet."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Table:
    """Caption, column heads and rows; a `verbatim` one, of settings and versions, is printed letter for letter."""

    caption: str
    columns: Sequence[str]
    rows: list[list[Cell]]
    verbatim: bool = False


@dataclass(frozen=True)
class Picture:
    """A figure as base64 SVG with its alternative text and caption; a `wide` one takes the whole width."""

    svg_base64: str
    alt: str
    caption: str
    wide: bool = False


@dataclass(frozen=True)
class Answer:
    """One question of the study, its short answer and what stands behind it."""

    question: str
    short: str
    detail: str


@dataclass
class Section:
    """One section of the page."""

    anchor: str
    heading: str
    paragraphs: list[str] = field(default_factory=list)
    figures: list[Picture] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Viewer:
    """The 3D view: what it shows in words, its data (JSON safe in a script element), and the packed library."""

    text: str
    data: Markup
    library: str


@dataclass
class Page:
    """The whole report; `terms` are words and symbols with what they mean."""

    title: str
    subtitle: str
    warnings: list[str]
    answers: list[Answer]
    sections: list[Section]
    viewer: Viewer | None = None
    terms: Sequence[tuple[str, str]] = ()
    data_file: str = "results.json beside this file"


def picture(figure: Figure, alt: str, caption: str, *, wide: bool = False) -> Picture:
    """A matplotlib figure as a picture for the page."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return Picture(base64.b64encode(stream.getvalue().encode()).decode("ascii"), alt, caption, wide)


def number(value: float | None, digits: int = 3, *, signed: bool = False) -> Cell:
    """A right-aligned number with fixed digits; a dash for None."""
    if value is None:
        return Cell("–", "number")
    return Cell(f"{value:{'+' if signed else ''}.{digits}f}", "number")


def words(values: Iterable[object]) -> list[Cell]:
    """Plain text cells."""
    return [Cell(str(v)) for v in values]
