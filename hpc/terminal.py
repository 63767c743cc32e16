"""What is printed: names and messages may come from files of others, and must not steer the terminal."""

from __future__ import annotations

import re
from typing import Any

import rich.console
from rich.console import ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment

# C0 and C1 controls but for tab and newline, and the marks that turn the direction of writing.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """A text with ``?`` in place of every control character; tabs and line breaks stay.

    Examples
    --------
    >>> printable("host\x1b[2J")
    'host?[2J'
    """
    return _CONTROLS.sub("?", text)


class _Filtered:
    def __init__(self, inner: ConsoleRenderable) -> None:
        self.inner = inner

    def __rich_console__(self, console: rich.console.Console, options: ConsoleOptions) -> RenderResult:
        for part in console.render(self.inner, options):
            yield part if part.control else Segment(printable(part.text), part.style)


class _Filter(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Filtered(r) for r in renderables]


class Console(rich.console.Console):
    """Rich's console, which styles text but lets no control character of the text itself through."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.push_render_hook(_Filter())
