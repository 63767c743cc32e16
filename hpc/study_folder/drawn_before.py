"""Figures that need not be drawn again: the same numbers, drawn by the same code, are in the folder already.

Each SVG ends with a comment that names what it was drawn from. It is taken again only if the folder's checksums say
that nobody has touched it, and if it holds nothing but shapes: the report packs it into its page, and a folder may come
from somebody else.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    from ...analysis.results.figures import NamedFigure

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGE = __package__.split(".")[0]
_LARGEST_BYTES = 10**7
# What matplotlib writes into an SVG.
_TAGS = frozenset(
    {"svg", "metadata", "rdf:RDF", "cc:Work", "dc:type", "dc:format", "dc:creator", "cc:Agent", "dc:title", "defs"}
    | {"style", "g", "path", "use", "clipPath", "rect", "image", "pattern", "marker", "symbol", "circle", "line"}
    | {"polygon", "text", "tspan", "linearGradient", "stop"}
)
_TAG = re.compile(r"<\s*/?\s*([A-Za-z_][\w:.-]*)")
_LINK = re.compile(r"(?:href|src)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
# Handlers, links in styles, and whatever the parser of a page might read in another way than this one.
_ACTIVE = re.compile(r"\son\w+\s*=|javascript:|@import|url\((?!#)|<!ENTITY|<!\[CDATA\[|<\?(?!xml )", re.IGNORECASE)


def origin(figure: NamedFigure) -> str | None:
    """What a figure is drawn from: its function, its data, and the code and the library that draw it.

    Returns
    -------
    str or None
        64 hexadecimal digits; None if the figure is another package's, or its data are not all known.
    """
    function: Any = figure.function
    given = []
    try:
        while isinstance(function, partial):
            given.append([[_plain(a) for a in function.args], {k: _plain(v) for k, v in function.keywords.items()}])
            function = function.func
        module = str(function.__module__)
        if module.split(".")[0] != _PACKAGE:
            return None
        text = json.dumps([_drawing_code(), module, function.__qualname__, given], sort_keys=True)
    except (TypeError, ValueError, AttributeError):
        return None
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """A document or a plain value as JSON takes it.

    Raises
    ------
    TypeError
        For anything else.
    """
    if isinstance(value, BaseModel):
        return [type(value).__name__, value.model_dump(mode="json")]
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"{type(value).__name__} is no plain value")


@lru_cache(maxsize=1)
def _drawing_code() -> str:
    """Versions and sources of what draws."""
    digest = hashlib.sha256(f"matplotlib {version('matplotlib')} numpy {version('numpy')}".encode())
    for room in ("analysis", "structures"):
        for path in sorted((_ROOT / room).rglob("*")):
            if path.suffix in (".py", ".mplstyle"):
                digest.update(path.relative_to(_ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def signed(svg: str, key: str) -> str:
    """An SVG with what it was drawn from."""
    return f"{svg.rstrip()}\n{_signature(key)}"


def _signature(key: str) -> str:
    return f"<!-- drawn from {key} -->\n"


def drawn_before(path: Path, key: str) -> str | None:
    """The SVG of a file as it was drawn, if it was drawn from this and holds nothing but shapes."""
    if not path.is_file() or path.is_symlink() or path.stat().st_size > _LARGEST_BYTES:
        return None
    text = path.read_bytes().decode("utf-8", "replace")
    end = _signature(key)
    return text.removesuffix(end) if text.endswith(end) and is_only_shapes(text) else None


def is_only_shapes(svg: str) -> bool:
    """Whether an SVG document has no script, no handler and no link out of itself."""
    if set(_TAG.findall(svg)) - _TAGS or _ACTIVE.search(svg):
        return False
    links = (a or b for a, b in _LINK.findall(svg))
    return all(link.startswith(("#", "data:image/png;base64,")) for link in links)
