"""Documents of further stages as a study shows them: names of their tables, figures and sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..results.calculation import Check
from ..results.document import Document

if TYPE_CHECKING:
    import pandas as pd

    from .documents import Study

Scalar = int | float | str | bool


def table_name(stage: str) -> str:
    """Name of a stage's table and of its first figure: the stage's own with underscores."""
    return stage.replace(" ", "_")


def anchor_of(stage: str, number: int = 0) -> str:
    """Where a section of a stage is on the page."""
    plain = f"stage-{stage.replace(' ', '-')}"
    return plain if number == 0 else f"{plain}-{number + 1}"


def observable_tables(study: Study) -> dict[str, Document]:
    """Documents of further stages by the name of their table."""
    return {table_name(stage): document for stage, document in study.observables.items()}


def observable_frame(document: Document) -> pd.DataFrame:
    """The document's own table, else one row of its plain values."""
    import pandas as pd

    own = getattr(document, "to_dataframe", None)
    frame: pd.DataFrame = own() if own is not None else pd.DataFrame([plain_values(document)])
    return frame


def checks_of(document: Document) -> list[Check]:
    """Checks that a document carries."""
    return [c for c in getattr(document, "checks", []) if isinstance(c, Check)]


def plain_values(document: Document) -> dict[str, Scalar]:
    """Numbers and words of a document, without what it holds in lists and documents."""
    return {name: value for name, value in document if isinstance(value, int | float | str)}
