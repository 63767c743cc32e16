"""Writes a study's figures as SVG, and as PNG where that is asked for."""

from __future__ import annotations

import io
from collections.abc import Container, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .drawn_before import drawn_before, origin, signed
from .writing import write_whole

if TYPE_CHECKING:
    from ...analysis.results.figures import NamedFigure

PNG_DPI = 160


def write_figures(
    figures: Mapping[str, NamedFigure], folder: Path, *, png: bool = False, untouched: Container[str] = ()
) -> tuple[list[str], list[str]]:
    """Write every figure whole as ``NAME.svg``, and as ``NAME.png``.

    Parameters
    ----------
    figures
        By file stem.
    folder
        Where to.
    png
        Whether to write each as PNG too.
    untouched
        Names of the files in the folder that are what an earlier report wrote: one that shows the same is kept.

    Returns
    -------
    tuple of list of str
        Names of the files, and one line for each figure that could not be drawn.
    """
    written, failed = [], []
    for name, figure in figures.items():
        try:
            key = origin(figure)
            drawn = drawn_before(folder / f"{name}.svg", key) if key and f"{name}.svg" in untouched else None
            if drawn is not None:
                figure.keep(drawn)
            pictures: dict[str, str | bytes] = {f"{name}.svg": signed(figure.svg, key) if key else figure.svg}
            if png:
                stream = io.BytesIO()
                figure.figure.savefig(stream, format="png", dpi=PNG_DPI)
                pictures[f"{name}.png"] = stream.getvalue()
        except Exception as error:
            # One figure that cannot be drawn costs that figure.
            failed.append(f"figure {name} is not drawn: {type(error).__name__}, {error}")
            continue
        if not png:  # one of an earlier report shows other numbers
            (folder / f"{name}.png").unlink(missing_ok=True)
        for file, content in pictures.items():
            write_whole(folder / file, content)
            written.append(file)
    return written, failed
