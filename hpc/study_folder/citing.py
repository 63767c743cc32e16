"""What a study has to be cited for, with a paragraph on its methods."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from ..terminal import Console
from .files import read_study
from .writing import write_whole

if TYPE_CHECKING:
    from ...analysis.study.documents import Study


def cite_study(folder: Path, output: Path | None = None) -> None:
    """Print the paragraph and the BibTeX entries of a study, or write the entries to a file.

    Parameters
    ----------
    folder
        Of a finished study.
    output
        File for the entries; one that is there already is not replaced.

    Raises
    ------
    UserError
        If there is no study, or the file exists.
    """
    from ...analysis.study.citations import bibtex, citations_of
    from ...analysis.study.methods import methods_paragraph

    study = with_citations(read_study(folder))
    if output is not None and output.exists():
        raise UserError(f"{output} exists; give another file with --output, or move it")
    out = Console()
    out.print(methods_paragraph(study), markup=False, soft_wrap=True)
    entries = bibtex(citations_of(study))
    if output is None:
        out.print()
        out.print(entries, markup=False, soft_wrap=True)
    else:
        write_whole(output, entries)
        out.print(f"written: {output}", markup=False)


def with_citations(study: Study) -> Study:
    """A study that says what its engine and stages rest on, also if a version wrote it that did not state it."""
    from ...workflows.engine import UnknownEngineError, get_engine
    from ...workflows.flows.study import study_citations

    if study.citations:
        return study
    try:
        engine = get_engine(study.engine.name)
    except UnknownEngineError:  # one that is not installed here, or was a user's own
        engine = None
    return study.model_copy(update={"citations": study_citations(engine, {s.stage for s in study.stages if s.done})})
