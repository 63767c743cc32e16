"""Names of points of a figure, put where they cover neither each other nor another point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

# Places around a point, the first that is free is taken: offset in points, and how the name is aligned to it.
_PLACES = (
    (5, 3, "left", "bottom"),
    (5, -3, "left", "top"),
    (-5, 3, "right", "bottom"),
    (-5, -3, "right", "top"),
    (7, 0, "left", "center"),
    (-7, 0, "right", "center"),
    (0, 6, "center", "bottom"),
    (0, -6, "center", "top"),
    *((12 * n, 12 * n, "left", "bottom") for n in (1, 2)),
    *((12 * n, -12 * n, "left", "top") for n in (1, 2)),
    *((-12 * n, 12 * n, "right", "bottom") for n in (1, 2)),
    *((-12 * n, -12 * n, "right", "top") for n in (1, 2)),
)
# From here on a thin line leads to the point.
_FAR = 8
_MARKER_POINTS = 6.0


class Label(NamedTuple):
    """A name and the data coordinates of its point."""

    text: str
    x: float
    y: float


def write_labels(
    axis: Axes,
    labels: Sequence[Label],
    *,
    beside: Sequence[tuple[float, float]] = (),
    size_points: float = 6.0,
    colour: str = "0.25",
) -> None:
    """Write each name at the place around its point where it covers least.

    The axis has its final limits, scales and legend; what is drawn later is not looked at.

    Parameters
    ----------
    axis
        Where the points are.
    labels
        In the order in which they choose their places.
    beside
        Data coordinates of points without names, which no name covers either.
    size_points
        Of the letters.
    colour
        Of the letters.
    """
    from matplotlib.transforms import Bbox

    figure = axis.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    half = _MARKER_POINTS / 2 * figure.dpi / 72
    points = [*((one.x, one.y) for one in labels), *beside]
    centres = [axis.transData.transform(point) for point in points]
    covered = [Bbox.from_extents(x - half, y - half, x + half, y + half) for x, y in centres]
    legend = axis.get_legend()
    if legend is not None:
        covered.append(legend.get_window_extent())
    covered += [text.get_window_extent() for text in axis.texts]
    for one in labels:
        tried = axis.annotate(one.text, (one.x, one.y), xytext=(0, 0), textcoords="offset points", fontsize=size_points)
        boxes = []
        for right, up, across, along in _PLACES:
            tried.set(position=(right, up), horizontalalignment=across, verticalalignment=along)
            boxes.append(Bbox(tried.get_window_extent().get_points()))
        tried.remove()
        costs = [_cost(box, covered, axis.bbox) for box in boxes]
        best = costs.index(min(costs))
        right, up, across, along = _PLACES[best]
        axis.annotate(
            one.text,
            (one.x, one.y),
            xytext=(right, up),
            textcoords="offset points",
            ha=across,
            va=along,
            fontsize=size_points,
            color=colour,
            arrowprops={"arrowstyle": "-", "lw": 0.5, "color": "0.6", "shrinkA": 0} if best >= _FAR else None,
        )
        covered.append(boxes[best])


def _cost(name: Bbox, covered: Sequence[Bbox], inside: Bbox) -> float:
    """Area in pixels that a name covers of others, or that lies outside."""
    area = name.width * name.height
    return sum(_shared(name, other) for other in covered) + area - _shared(name, inside)


def _shared(one: Bbox, other: Bbox) -> float:
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return width * height if width > 0 and height > 0 else 0.0
