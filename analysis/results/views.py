"""Texts and pages about a document by its type: the report registers them, documents ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .registry import ByType

View = Callable[[Any], str]
_VIEWS: ByType[View] = ByType("view", "report")


def view(kind: type, name: str) -> Callable[[View], View]:
    """Decorator of a function from a document of this type to a text; ``text`` and ``html`` are asked for here."""
    return _VIEWS.register(kind, name)


def show(document: object, name: str) -> str:
    """A document as its view of this name says it.

    Raises
    ------
    ValueError
        If there is no such view.
    """
    return _VIEWS.get(type(document), name)(document)
