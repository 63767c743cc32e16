"""Documents whose type is not known where they are kept: written with the name of their type, read by it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema

from .document import Document
from .registry import discover_rooms

TYPE_KEY = "document"


def document_type(name: str) -> type[Document]:
    """The class of a document by its name; every room of `analysis` is searched.

    Raises
    ------
    ValueError
        If there is no such document, or there are two.
    """
    if not _named(name):
        discover_rooms()
    matches = _named(name)
    if len(matches) != 1:
        raise ValueError(f"{len(matches) or 'no'} documents are called {name!r}; is the file that defines it missing?")
    return matches[0]


def _named(name: str) -> list[type[Document]]:
    """Documents of this name that their module still holds: a class that was defined again is no second one."""
    return [
        kind
        for kind in _subclasses(Document)
        if kind.__name__ == name and getattr(sys.modules.get(kind.__module__), name, None) is kind
    ]


def _subclasses(kind: type[Document]) -> Iterator[type[Document]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def _write(document: Document) -> dict[str, Any]:
    return {TYPE_KEY: type(document).__name__, **document.model_dump(mode="json", by_alias=True)}


def _read(value: Any, info: ValidationInfo) -> Document:
    if isinstance(value, Document):
        return value
    if not isinstance(value, dict) or TYPE_KEY not in value:
        raise ValueError(f"an observable is a document with its type under {TYPE_KEY!r}")
    content = {k: v for k, v in value.items() if k != TYPE_KEY}
    return document_type(str(value[TYPE_KEY])).model_validate(content, context=info.context)


ObservableField = Annotated[
    Document,
    PlainSerializer(_write),
    PlainValidator(_read),
    WithJsonSchema({"type": "object", "required": [TYPE_KEY], "properties": {TYPE_KEY: {"type": "string"}}}),
]
