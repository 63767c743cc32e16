"""The figures' common ground: our style, an axis to draw on, and a line that says which engine spoke."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..results.figures import style
from .text import formatted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE = Path(__file__).with_name("house.mplstyle")
BLUE, VERMILION, GREEN, PURPLE, ORANGE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"


@contextmanager
def canvas(
    ax: Axes | None, *, size: tuple[float, float] | None = None, projection: str | None = None
) -> Iterator[tuple[Figure, Axes]]:
    """The given axis and its figure, or new ones in our style.

    Parameters
    ----------
    ax
        Axis to draw on; None for a new figure.
    size
        Width and height of a new figure, inches.
    projection
        Projection of a new axis, e.g. ``"polar"``.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rc: Any = style()
    with mpl.rc_context(fname=str(STYLE)), mpl.rc_context(rc):
        if ax is not None:
            figure = ax.get_figure(root=True)
            if figure is None:
                raise ValueError("the axis belongs to no figure")
            yield figure, ax
            _name_plainly([ax])
            return
        figure = Figure(figsize=style().get("figure.figsize", size), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure, figure.add_subplot(projection=projection)
        _name_plainly(figure.axes)


def _name_plainly(axes: Sequence[Axes]) -> None:
    """Powers of ten at ticks as text, and names as they are written."""
    from .powers import plain_powers

    plain_powers(axes)
    _show_dollars(axes)


def _show_dollars(axes: Iterable[Axes]) -> None:
    """Titles, legends and notes hold names that a user has chosen: a dollar in them begins no formula.

    Formulas of our own stand in the labels of axes only.
    """
    from matplotlib.text import Text

    for ax in axes:
        legend = ax.get_legend()
        titles = [child for child in ax.get_children() if isinstance(child, Text)]
        for text in [*titles, *([] if legend is None else legend.get_texts())]:
            text.set_parse_math(False)


def sign(ax: Axes, text: str) -> None:
    """Small grey line under an axis: engine, cell, what is left out."""
    ax.annotate(
        formatted(text),
        xy=(1, 0),
        xycoords="axes fraction",
        xytext=(0, -34),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=6.5,
        color="0.45",
    )
