"""A table whose names and numbers are never cut, however narrow the terminal."""

from __future__ import annotations

import textwrap
from itertools import zip_longest

import rich.table
from rich.console import Console, ConsoleOptions, RenderResult
from rich.errors import MarkupError
from rich.text import Text

# Narrower than this, running text becomes a column of syllables.
_LEAST_TEXT = 12
# Borders and padding of a column; one border more closes the table.
_FRAME = 3


class TerminalTable(rich.table.Table):
    """Rich's table, but words of one piece keep their column's width and only running text is folded.

    Where even that does not fit, each row is printed as a block of lines.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render as a table, or as blocks where the terminal is too narrow for one."""
        cells = [[_plain(cell) for cell in column.cells] for column in self.columns]
        least = []
        for column, texts in zip(self.columns, cells, strict=True):
            heading, foot = _plain(column.header), _plain(column.footer)
            words = [word for text in (*texts, heading, foot) for word in text.split()]
            longest_word = max((len(word) for word in words), default=0)
            column.overflow = "fold"
            if column.no_wrap or all(len(text.split()) < 2 for text in (*texts, foot)):
                longest = max(longest_word, *(len(text) for text in (*texts, foot)))
                column.no_wrap = True
                column.header = "\n".join(textwrap.wrap(heading, longest)) if heading else heading
                least.append(longest)
            else:
                column.min_width = min(longest_word, _LEAST_TEXT)
                least.append(column.min_width)
        if sum(least) + _FRAME * len(least) + 1 <= options.max_width:
            yield from super().__rich_console__(console, options)
        else:
            yield from self._blocks(cells)

    def _blocks(self, cells: list[list[str]]) -> RenderResult:
        """One row after the other: its first cell, then a line for each of the others that is not empty."""
        headings = [" ".join(_plain(column.header).split()) for column in self.columns]
        if self.title:
            yield Text(_plain(self.title), style="italic")
        for first, *rest in zip_longest(*cells, fillvalue=""):
            yield Text(first, style="bold")
            for heading, text in zip(headings[1:], rest, strict=True):
                if text:
                    yield Text(f"  {heading}: {text}", overflow="fold")
        if self.caption:
            yield Text(_plain(self.caption), style="dim")
        if self.show_footer and any(feet := [_plain(column.footer) for column in self.columns]):
            yield Text("  ".join(foot for foot in feet if foot), style="bold")


def _plain(cell: object) -> str:
    """What a cell says without its markup."""
    if isinstance(cell, Text):
        return cell.plain
    try:
        return Text.from_markup(str(cell)).plain
    except MarkupError:
        return str(cell)
