"""Python's search for circles of objects, made as often as a program needs that builds large documents."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# New objects before a search; Python's own 700 cost a tenth of a quick study, and there is hardly a circle to find.
_NEW_OBJECTS, _YOUNG, _OLD = 50_000, 20, 50


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Search for circles of objects less often; the caller's thresholds, or none, hold again afterwards."""
    before = gc.get_threshold()
    # Whoever has set it higher, or switched it off, knows why.
    if before[0] and before[0] < _NEW_OBJECTS:
        gc.set_threshold(_NEW_OBJECTS, _YOUNG, _OLD)
    try:
        yield
    finally:
        gc.set_threshold(*before)
