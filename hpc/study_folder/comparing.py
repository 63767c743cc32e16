"""Sets the studies of several folders side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..errors import UserError
from ..terminal import Console
from .files import read_study
from .writing import write_whole


def compare_studies(folders: Sequence[Path], output: Path, *, overwrite: bool = False) -> Path:
    """Write the comparison of finished studies.

    Parameters
    ----------
    folders
        At least two folders of finished studies of one material.
    output
        HTML file.
    overwrite
        Replace the file if it is there.

    Raises
    ------
    UserError
        For a folder without a study, fewer than two, different materials, or an existing file.
    """
    from ...analysis.report.comparison import comparison_html

    if output.exists() and not overwrite:
        raise UserError(f"{output} exists; choose another --output or replace it with --overwrite")
    studies = {name: read_study(folder) for name, folder in zip(_names(folders), folders, strict=True)}
    try:
        text = comparison_html(studies)
    except ValueError as error:
        raise UserError(str(error)) from error
    write_whole(output, text)
    Console(stderr=True).print(f"{output}", style="bold", markup=False)
    return output


def _names(folders: Sequence[Path]) -> list[str]:
    """Folder names, with their parents where two are alike."""
    plain = [f.resolve().name for f in folders]
    counts = Counter(plain)
    return [name if counts[name] == 1 else f.resolve().as_posix() for name, f in zip(plain, folders, strict=True)]
