"""Every document with its fields, from the code: the page of the documentation and the command that prints it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...stored import PACKAGE
from ..errors import UserError

if TYPE_CHECKING:
    from ...analysis.results.document import Document


_ROOMS = ("analysis", "workflows", "structures")
# Fields that mean the same in every document, where it does not say more of them.
_COMMON = {
    "provenance": "Who computed it and how: engine, level of theory, settings, versions, what is left out.",
    "checks": "What was held against a limit; a number that rests on a failed one is no result.",
    "structure": "Cell with its site properties: valence, sublattice, moment.",
    "label": "Its name in tables and figures.",
    "formula": "Formula unit.",
    "force_calls": "Evaluations of energy and forces.",
    "assumptions": "What is assumed, one line each.",
    "note": "What a reader has to know of it.",
    "charge": "In e.",
    "source": "Where it comes from.",
    "indicative": "Whether only differences of like things are meant.",
}


@dataclass(frozen=True)
class FieldLine:
    """One field of a document: its type in words, whether it may be left out, and what it is."""

    name: str
    kind: str
    optional: bool
    words: str


def document_kinds() -> list[type[Document]]:
    """All documents of the package, by name; modules that need a package which is not installed are left out."""
    from ...analysis.results.document import Document

    for room in _ROOMS:
        _import_all(f"{PACKAGE}.{room}")
    kinds = {kind.__name__: kind for kind in _subclasses(Document) if kind.__module__.startswith(f"{PACKAGE}.")}
    return [kinds[name] for name in sorted(kinds)]


def document_fields(kind: type[Document]) -> list[FieldLine]:
    """Fields of a document in their order, those of its bases before its own."""
    words: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        words |= _described(inspect.cleandoc(base.__doc__ or "")) if base.__module__.startswith(PACKAGE) else {}
    return [
        FieldLine(name, _kind(kind, name), not info.is_required(), words.get(name, _COMMON.get(name, "")))
        for name, info in kind.model_fields.items()
    ]


def documents_page() -> str:
    """Markdown page of all documents."""
    parts = [
        "# Documents",
        "",
        "What stores, `results.json` and the Python interface hold, from the code. A name ends in its unit (`_eV`,",
        "`_A`, `_muB`, `_K`); fields marked with ° may be left out. `magnetoionics documents NAME` prints one of them.",
        "",
    ]
    for kind in document_kinds():
        first = inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " ")
        rows = [
            f"| `{f.name}`{'°' if f.optional else ''} | `{f.kind.replace('|', chr(92) + '|')}` | {_cell(f.words)} |"
            for f in document_fields(kind)
        ]
        parts += [f"## {kind.__name__}", "", first, "", f"`{kind.__module__}`", ""]
        parts += ["| field | type | what it is |", "|-|-|-|", *rows, ""]
    return "\n".join(parts)


def one_document(name: str) -> tuple[str, list[FieldLine]]:
    """What a document is, and its fields.

    Raises
    ------
    UserError
        If there is no such document.
    """
    kinds = {kind.__name__.lower(): kind for kind in document_kinds()}
    found = kinds.get(name.strip().lower())
    if found is None:
        near = [k.__name__ for low, k in kinds.items() if name.strip().lower() in low]
        known = f"did you mean {', '.join(near)}?" if near else "`magnetoionics documents` lists them"
        raise UserError(f"no document is called {name!r}; {known}")
    return f"{found.__name__} ({found.__module__}): {inspect.cleandoc(found.__doc__ or '').splitlines()[0]}", (
        document_fields(found)
    )


def _import_all(package: str) -> None:
    place = importlib.import_module(package)
    for module in pkgutil.walk_packages(place.__path__, f"{package}."):
        try:
            importlib.import_module(module.name)
        except ImportError as error:
            if (error.name or "").startswith(PACKAGE):
                raise


def _subclasses(kind: type[Document]) -> Iterator[type[Document]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def _described(text: str) -> dict[str, str]:
    """Fields of the section Attributes of a docstring, one or several names over one indented text."""
    _, _, rest = text.partition("\nAttributes\n----------\n")
    words: dict[str, str] = {}
    names: list[str] = []
    for line in rest.splitlines():
        if line and not line.startswith(" "):
            if re.fullmatch(r"\w+(, \w+)*", line) is None:
                break
            names = line.split(", ")
        elif line.strip():
            for name in names:
                words[name] = f"{words.get(name, '')} {line.strip()}".strip()
        elif names and not line:
            continue
    return words


def _kind(kind: type[Document], name: str) -> str:
    """Type of a field as its class writes it, without what it is stored as."""
    for base in kind.__mro__:
        if name in (own := inspect.get_annotations(base)):
            return str(own[name]).removesuffix("Field")
    return str(kind.model_fields[name].annotation)


def _cell(words: str) -> str:
    return words.replace("|", "\\|")
