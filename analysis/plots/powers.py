"""Tick labels of logarithmic axes as plain text: the formula of a power of ten takes longer to set than its figure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from .text import powered

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FORMULA = re.compile(r"\$\\mathdefault\{([−+-]?)(?:(\d+(?:\.\d+)?)\\times)?10\^\{([−-]?\d+)\}\}\$")


def plain_powers(axes: Iterable[Axes]) -> None:
    """Name the ticks of logarithmic axes as ``2×10⁻³``; what is no power of ten stays as it is."""
    from matplotlib.ticker import LogFormatterMathtext

    for ax in axes:
        for axis in (ax.xaxis, ax.yaxis):
            if isinstance(formatter := axis.get_major_formatter(), LogFormatterMathtext):
                axis.set_major_formatter(_plain_powers()(formatter))
            if isinstance(formatter := axis.get_minor_formatter(), LogFormatterMathtext):
                axis.set_minor_formatter(_plain_powers()(formatter))


@cache
def _plain_powers() -> Any:
    """Class of the formatter; made when first used, since documents are read without matplotlib."""
    from matplotlib.ticker import Formatter, LogFormatterMathtext

    class PlainPowers(Formatter):
        """What another formatter says, in plain text."""

        def __init__(self, formatter: LogFormatterMathtext) -> None:
            self._formatter = formatter

        def __call__(self, x: float, pos: int | None = None) -> str:
            said = str(self._formatter(x, pos))
            match = _FORMULA.fullmatch(said)
            return powered(match[1], match[2] or "", int(match[3].replace("−", "-"))) if match else said

        def set_axis(self, axis: Any) -> None:
            super().set_axis(axis)
            self._formatter.set_axis(axis)

        def set_locs(self, locs: Sequence[float]) -> None:
            # A short axis also names those between powers.
            super().set_locs(list(locs))
            self._formatter.set_locs(list(locs))

    return PlainPowers
