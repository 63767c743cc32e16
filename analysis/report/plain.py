"""Section of a document for which none is registered: its values, and what its provenance leaves out."""

from __future__ import annotations

from ..plots.text import name_and_unit
from ..results.document import Document, Provenance
from ..results.page_parts import Section, Table, words
from ..study.observables import observable_frame, plain_values


def plain_section(document: Document) -> Section:
    """Table of the plain values of a document, its own table where it has one, and what it assumes and leaves out."""
    provenance = getattr(document, "provenance", None)
    engine = f", engine {provenance.engine}" if isinstance(provenance, Provenance) else ""
    rows = [words([*name_and_unit(name), _short(value)]) for name, value in plain_values(document).items()]
    tables = [Table(f"Values{engine}", ["quantity", "unit", "value"], [[a, b, c] for a, b, c in rows])] if rows else []
    if hasattr(document, "to_dataframe"):
        frame = observable_frame(document)
        heads = [" ".join(filter(None, name_and_unit(str(name)))) for name in frame.columns]
        tables.append(
            Table(f"Results{engine}", heads, [words(map(_short, row)) for row in frame.itertuples(index=False)])
        )
    assumed = [str(line) for line in getattr(document, "assumptions", [])]
    return Section(
        "",
        "",
        tables=tables,
        notes=[*assumed, *(provenance.left_out if isinstance(provenance, Provenance) else [])],
        notes_heading="Assumed and left out" if assumed else "Left out",
    )


def _short(value: object) -> str:
    if value is None or value != value:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
