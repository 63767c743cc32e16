"""What the report's template shows beside the parts of `results.page_parts`: answers, the 3D view, the page."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..results.page_parts import Cell, Picture, Section, Table, number, number_with_error, words

if TYPE_CHECKING:
    from markupsafe import Markup


__all__ = [
    "Answer",
    "Cell",
    "Page",
    "Picture",
    "Section",
    "Table",
    "Viewer",
    "capital",
    "first_clauses",
    "number",
    "number_with_error",
    "picture",
    "words",
]


_ROOM_ON_A_CARD = 130
# A semicolon inside brackets ends no clause.
_BETWEEN_CLAUSES = re.compile(r"; (?![^()]*\))")


def capital(text: str) -> str:
    """A text as a sentence begins."""
    return text[:1].upper() + text[1:]


def first_clauses(text: str, room: int) -> tuple[str, str]:
    """As many whole clauses of a text as there is room for, one in any case, and those after them."""
    clauses = _BETWEEN_CLAUSES.split(text)
    taken = 1
    while taken < len(clauses) and len("; ".join(clauses[: taken + 1])) <= room:
        taken += 1
    return "; ".join(clauses[:taken]), "; ".join(clauses[taken:])


@dataclass(frozen=True)
class Answer:
    """One question of the study, its short answer and what stands behind it.

    Attributes
    ----------
    detail
        Everything behind the answer; `beside` ends it.
    beside
        What always stands beside the answer: better levels of theory, or the spread over hops and orders.
    """

    question: str
    short: str
    detail: str
    beside: str = ""

    @property
    def shown(self) -> str:
        """First clauses of its own detail, which fit on a card."""
        return self._split()[0]

    @property
    def folded(self) -> str:
        """The clauses after them, which a reader opens."""
        return self._split()[1]

    def _split(self) -> tuple[str, str]:
        return first_clauses(self.detail.removesuffix(self.beside).rstrip("; ."), _ROOM_ON_A_CARD)


@dataclass(frozen=True)
class Viewer:
    """A 3D view: what it shows in words, its data (JSON safe in a script element), and the packed library.

    `suffix` makes the names of its elements its own; `ends` and `step` are the words on its buttons and slider.
    """

    text: str
    data: Markup
    library: str
    heading: str = "Structure"
    suffix: str = ""
    ends: tuple[str, str] = ("Before", "After")
    step: str = "Image"
    label: str = "Atoms around the hop with their moments"


@dataclass
class Page:
    """The whole report; `terms` are words and symbols with what they mean."""

    title: str
    subtitle: str
    warnings: list[str]
    answers: list[Answer]
    sections: list[Section]
    viewers: list[Viewer] = field(default_factory=list)
    terms: Sequence[tuple[str, str]] = ()
    data_file: str = "results.json beside this file"


def picture(svg: str, alt: str, caption: str, *, wide: bool = False, aside: bool = False) -> Picture:
    """An SVG document as a picture for the page."""
    return Picture(base64.b64encode(svg.encode()).decode("ascii"), alt, caption, wide, aside)
