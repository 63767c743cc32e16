"""``magnetoionics documents``."""

from __future__ import annotations

from typing import Annotated

import typer


def documents(
    name: Annotated[str | None, typer.Argument(help="One of them, e.g. Migration; all are listed by default.")] = None,
    page: Annotated[bool, typer.Option("--page", help="The documentation's page of all of them, in Markdown.")] = False,
) -> None:
    """List the documents that results and stores hold, or the fields of one."""
    from rich.console import Console

    from ..printing.documents import document_kinds, documents_page, one_document
    from ..terminal_table import TerminalTable

    console = Console()
    if page:
        typer.echo(documents_page())
        return
    if name is None:
        for kind in document_kinds():
            console.print(f"{kind.__name__}: {(kind.__doc__ or '').strip().splitlines()[0]}", markup=False)
        return
    title, fields = one_document(name)
    table = TerminalTable("field", "type", "what it is", title=title)
    for field in fields:
        table.add_row(field.name + ("°" if field.optional else ""), field.kind, field.words)
    table.caption = "°: may be left out"
    console.print(table, markup=False)
