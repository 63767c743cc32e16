"""Parts of a page about results: plain text only, so that nothing a file holds can become markup.

A section of the report is found by the type of its document: `section` registers a function for it, in the module of
the document or in one of the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .registry import ByType


@dataclass(frozen=True)
class Cell:
    """Text of a table cell; `style` is a class of the stylesheet."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Table:
    """Caption, column heads and rows.

    Attributes
    ----------
    verbatim
        Settings and versions, printed letter for letter.
    folded
        What stands behind a result: its caption shows, and a reader opens the rows.
    note
        How the numbers were had, too long for a caption.
    """

    caption: str
    columns: Sequence[str]
    rows: list[list[Cell]]
    verbatim: bool = False
    folded: bool = False
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """A figure as base64 SVG with its alternative text and caption.

    Attributes
    ----------
    wide
        It takes the whole width.
    aside
        It is one of the further figures, which a reader opens.
    """

    svg_base64: str
    alt: str
    caption: str
    wide: bool = False
    aside: bool = False


@dataclass(frozen=True)
class Frames:
    """A curve that a reader moves through time: one picture per frame, the last one without JavaScript.

    Attributes
    ----------
    caption, x_label, y_label
        What is shown.
    x
        Abscissa of all frames.
    frames
        Ordinates, shape (frames, points).
    names
        What each frame is, such as its time and voltage.
    """

    caption: str
    x_label: str
    y_label: str
    x: Sequence[float]
    frames: Sequence[Sequence[float]]
    names: Sequence[str]

    @property
    def top(self) -> float:
        """Largest ordinate of all frames; 1 if there is none above zero."""
        return max((max(f) for f in self.frames), default=0.0) or 1.0

    @property
    def paths(self) -> list[str]:
        """Each frame in a box of 1700 by 1000, y downwards, as an SVG polyline takes its points."""
        low, wide = self.x[0], (self.x[-1] - self.x[0]) or 1.0
        return [
            " ".join(
                f"{1700 * (x - low) / wide:.0f},{1000 * (1 - y / self.top):.0f}"
                for x, y in zip(self.x, frame, strict=True)
            )
            for frame in self.frames
        ]


@dataclass
class Section:
    """One section of the page; `notes_heading` says what its notes are, `further` which figures are not drawn."""

    anchor: str
    heading: str
    paragraphs: list[str] = field(default_factory=list)
    figures: list[Picture] = field(default_factory=list)
    further: list[str] = field(default_factory=list)
    moving: list[Frames] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    notes_heading: str = "Left out"


def number(value: float | None, digits: int = 3, *, signed: bool = False) -> Cell:
    """A right-aligned number with fixed digits; a dash for None."""
    if value is None:
        return Cell("–", "number")
    return Cell(f"{value:{'+' if signed else ''}.{digits}f}", "number")


def number_with_error(value: float | None, error: float | None) -> Cell:
    """A number and its error; a dash where either is missing."""
    return Cell("–" if value is None or error is None else f"{value:.2f} ± {error:.2f}", "number")


def words(values: Iterable[object]) -> list[Cell]:
    """Plain text cells."""
    return [Cell(str(v)) for v in values]


def folded(table: Table) -> Table:
    """The table with its rows folded away, unless something in it failed."""
    failed = any(cell.style == "failed" for row in table.rows for cell in row)
    return table if failed else replace(table, folded=True)


Build = Callable[[Any], "Section | None"]


@dataclass(frozen=True)
class PlacedSection:
    """A function from a document to its section of the page, and where on the page it goes."""

    place: float
    build: Build


_SECTIONS: ByType[PlacedSection] = ByType("section", "report")


def section(kind: type, name: str = "section", *, place: float = 500.0) -> Callable[[Build], Build]:
    """Decorator of a function from a document of this type to its section, or None if it has nothing to say.

    Parameters
    ----------
    kind
        Type of the document.
    name
        Of the section, where a type has several.
    place
        Sections stand in the order of their places.
    """

    def add(build: Build) -> Build:
        _SECTIONS.register(kind, name)(PlacedSection(place, build))
        return build

    return add


def sections_of(kind: type) -> list[PlacedSection]:
    """Functions that build the sections of a type of document, in the order of the page."""
    return sorted(_SECTIONS.of(kind).values(), key=lambda s: s.place)
