"""Writes a study's figures as PNG and SVG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...analysis.results.figures import NamedFigure


def write_figures(figures: Mapping[str, NamedFigure], folder: Path) -> None:
    """Write every figure as ``NAME.png`` and ``NAME.svg``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, made in figures.items():
        made.figure.savefig(folder / f"{name}.png", dpi=160)
        made.figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
