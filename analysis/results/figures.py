"""Figures of documents: plot modules register them by type, `Document.plot` draws them, with one set of options."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from .registry import ByType

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from plotly.graph_objects import Figure as PlotlyFigure

Plot = TypeVar("Plot", bound=Callable[..., Any])


@dataclass(frozen=True)
class NamedFigure:
    """A figure that is drawn when it is asked for.

    Attributes
    ----------
    section
        Section of the report that it belongs to.
    function
        Draws it; takes ``ax``.
    alt, caption
        What it shows, for who cannot see it and for who can.
    wide
        It holds text beside its axes.
    aside
        A page shows it when a reader opens the further figures of its section.
    """

    section: str
    function: Callable[..., Any]
    alt: str
    caption: str
    wide: bool = False
    aside: bool = False

    @cached_property
    def figure(self) -> Figure:
        """The figure on its own, drawn once."""
        return draw_with(self.function)

    @cached_property
    def svg(self) -> str:
        """The figure as an SVG document without a date, written once however often it is shown."""
        return svg_of(self.figure)

    def keep(self, svg: str) -> None:
        """Take an SVG that this figure was drawn as before."""
        vars(self)["svg"] = svg


def svg_of(figure: Figure) -> str:
    """A figure as an SVG document; equal figures give equal text."""
    from matplotlib import rc_context

    stream = io.StringIO()
    engine = figure.get_layout_engine()
    if engine is not None:
        # Matplotlib would draw the whole figure once more to find its layout.
        engine.execute(figure)
        figure.set_layout_engine(None)
    try:
        # Without a salt the names of clip paths are drawn by lot.
        with rc_context({"svg.hashsalt": "magnetoionics"}):
            figure.savefig(stream, format="svg", metadata={"Date": None})
    finally:
        figure.set_layout_engine(engine)
    return stream.getvalue()


FigureSet = Callable[[Any], dict[str, NamedFigure]]
_SETS: ByType[FigureSet] = ByType("figures", "plots")
_FIGURES: ByType[Callable[..., Any]] = ByType("figure", "plots")
_INTERACTIVE: ByType[Callable[..., Any]] = ByType("interactive figure", "plots")
# What the caller of a figure asked for beside its data; read where the axis is made.
_STYLE: ContextVar[dict[str, Any] | None] = ContextVar("style", default=None)


def figure(kind: type, name: str, *, first: bool = False) -> Callable[[Plot], Plot]:
    """Decorator of a function that draws a type of document under this name.

    The function takes the document, ``ax=None`` and options of its own, and returns the matplotlib Figure; the first
    one of a type is its default.
    """
    return _FIGURES.register(kind, name, first=first)  # type: ignore[return-value]


def figure_set(kind: type) -> Callable[[FigureSet], FigureSet]:
    """Decorator of a function from a document of many figures, a study, to those that it has, by name."""
    return _SETS.register(kind, "figures")


def interactive_figure(kind: type, name: str, *, first: bool = False) -> Callable[[Plot], Plot]:
    """Decorator of a function that draws a type of document by plotly, under this name."""
    return _INTERACTIVE.register(kind, name, first=first)  # type: ignore[return-value]


def draw_interactive(document: object, name: str | None = None, **options: Any) -> PlotlyFigure:
    """An interactive figure of a document.

    Parameters
    ----------
    document
        Anything that a plot module registered an interactive figure for.
    name
        Which one; the first by default.
    **options
        Options of the figure.

    Raises
    ------
    ValueError
        If there is no such figure or option, or the document has nothing to draw.
    """
    function = _INTERACTIVE.get(type(document), name)
    known = list(inspect.signature(function).parameters)[1:]
    if unknown := sorted(set(options) - set(known)):
        raise ValueError(f"no option {', '.join(unknown)} of this figure; it has: {', '.join(known) or 'none'}")
    drawing: PlotlyFigure = function(document, **options)
    return drawing


def figures_of(kind: type) -> dict[str, Callable[..., Any]]:
    """Functions that draw a type of document, by name."""
    return _FIGURES.of(kind)


def draw(document: object, name: str | None = None, *, ax: Axes | None = None, **options: Any) -> Figure:
    """Draw a document.

    Parameters
    ----------
    document
        Anything that a plot module registered a figure for.
    name
        Which figure; the first by default.
    ax
        Axis to draw on; a new figure by default.
    **options
        Options of the figure, e.g. ``normal=(1, 1, 0)``, ``figsize`` in inches, and matplotlib's parameters with an
        underscore for the dot: ``font_size=9``, ``lines_linewidth=2``.

    Raises
    ------
    ValueError
        If there is no such figure or option.
    """
    sets = _SETS.of(type(document))
    if not sets:
        return draw_with(_FIGURES.get(type(document), name), document, ax=ax, **options)
    figures = {key: named_figure for collect in sets.values() for key, named_figure in collect(document).items()}
    chosen = next(iter(figures), None) if name is None else name
    if chosen is None or chosen not in figures:
        raise ValueError(
            f"this {type(document).__name__.lower()} has no figure {name or ''!r}; it has: "
            f"{', '.join(figures) or 'none'}"
        )
    named_figure = figures[chosen]
    return named_figure.figure if ax is None and not options else draw_with(named_figure.function, ax=ax, **options)


def draw_with(function: Callable[..., Any], *documents: object, ax: Axes | None = None, **options: Any) -> Figure:
    """Call a function that draws, with its own options; the others are those of style."""
    own = {k: v for k, v in options.items() if k in inspect.signature(function).parameters}
    with styled(**{k: v for k, v in options.items() if k not in own}):
        drawing: Figure = function(*documents, ax=ax, **own) if _takes_axis(function) else function(*documents, **own)
    return drawing


def _takes_axis(function: Callable[..., Any]) -> bool:
    return "ax" in inspect.signature(function).parameters


@contextmanager
def styled(**options: Any) -> Iterator[None]:
    """Options of style for every figure that is begun inside.

    Raises
    ------
    ValueError
        If there is no such option.
    """
    token = _STYLE.set(_parameters(options))
    try:
        yield
    finally:
        _STYLE.reset(token)


def style() -> dict[str, Any]:
    """Matplotlib's parameters that the caller asked for."""
    return _STYLE.get() or {}


def _parameters(options: dict[str, Any]) -> dict[str, Any]:
    if not options:
        return {}
    from matplotlib import rcParams

    known = {"figsize": "figure.figsize"} | {key.replace(".", "_"): key for key in rcParams} | {k: k for k in rcParams}
    if unknown := sorted(set(options) - set(known)):
        raise ValueError(
            f"no option {', '.join(unknown)} of this figure; of style there are figsize and matplotlib's parameters, "
            "e.g. font_size, lines_linewidth, axes_titlesize"
        )
    return {known[key]: value for key, value in options.items()}
