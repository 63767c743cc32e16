"""Names of points that lie close together: none covers another name or a point, and each stays with its own."""

from itertools import combinations

import numpy as np
import pytest
from magnetoionics.analysis.plots.labels import Label, write_labels
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox


@pytest.fixture
def axis():
    figure = Figure(figsize=(6, 4))
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    axis.set(xlim=(0, 10), ylim=(0, 10))
    return axis


def extents(axis, first=0):
    axis.figure.draw_without_rendering()
    # An annotation's own extent would hold its line to the point.
    return [Bbox(super(type(text), text).get_window_extent().get_points()) for text in axis.texts[first:]]


def overlap(one, other):
    shared = np.minimum(one.max, other.max) - np.maximum(one.min, other.min)
    return bool((shared > 0.5).all())


def test_a_lonely_name_stands_right_above_its_point(axis):
    write_labels(axis, [Label("CoO", 5.0, 5.0)])
    (box,) = extents(axis)
    x, y = axis.transData.transform((5.0, 5.0))
    assert 0 < box.x0 - x < 10
    assert 0 < box.y0 - y < 10


def test_a_name_stays_inside(axis):
    write_labels(axis, [Label("a long name", 9.9, 9.9)])
    (box,) = extents(axis)
    assert box.x1 < axis.bbox.x1
    assert box.y1 < axis.bbox.y1


def test_names_of_a_crowd_cover_neither_each_other_nor_points(axis):
    places = [(4.0, 5.0), (4.2, 5.1), (4.4, 5.0), (4.3, 5.3), (4.1, 4.8)]
    nameless = [(5.0, 5.3), (3.4, 5.1)]
    axis.text(3.0, 4.2, "what stood there")
    write_labels(axis, [Label(f"NiFe2O4 {n}", *place) for n, place in enumerate(places)], beside=nameless)
    boxes = extents(axis)
    assert not [pair for pair in combinations(boxes, 2) if overlap(*pair)]
    points = axis.transData.transform([*places, *nameless])
    assert not [p for p in points if any(box.contains(*p) for box in boxes[1:])]
    # Who had to go farther has a line to its point.
    for box, place, written in zip(boxes[1:], points, axis.texts[1:], strict=False):
        gap = np.maximum(np.maximum(box.min - place, place - box.max), 0).max()
        assert (written.arrow_patch is not None) == (gap > 9)
