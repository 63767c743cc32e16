"""Studies and reports with empty pictures, for tests that look at none.

A figure that cannot be drawn would not fail such a test either: it costs that figure alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

EMPTY = '<svg xmlns="http://www.w3.org/2000/svg"/>\n'


@contextmanager
def without_figures() -> Iterator[None]:
    """Nothing is drawn for a page or a folder; a figure that is asked for by itself is."""
    from magnetoionics.analysis.results.figures import NamedFigure

    with patch.object(NamedFigure, "svg", EMPTY):
        yield
