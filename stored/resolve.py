"""From a stored name to the class or job function that has it today, and back."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

from . import PACKAGE
from .renamed import NAMES

_ROOT = Path(__file__).parents[1]
_ROOMS = ("structures", "calculators", "analysis", "workflows", "hpc")
_DEFINED = re.compile(r"^(?:class|def) ([A-Za-z]\w*)", re.MULTILINE)


def homes() -> Mapping[str, tuple[str, ...]]:
    """Modules of this package, relative to it, by the names that their sources define at the top level.

    A folder that somebody has appended to the ``__path__`` of one of its rooms counts as part of that room.
    """
    added = [
        (room, str(folder))
        for room in _rooms()
        for folder in list(getattr(sys.modules.get(f"{PACKAGE}.{room}"), "__path__", ()))[1:]
    ]
    return _homes(tuple(sorted(added)))


@cache
def _rooms() -> tuple[str, ...]:
    """Every folder with modules, relative to the package."""
    folders = [path.parent for room in _ROOMS for path in (_ROOT / room).rglob("__init__.py")]
    return tuple(".".join(folder.relative_to(_ROOT).parts) for folder in folders)


@cache
def _homes(added: tuple[tuple[str, str], ...]) -> Mapping[str, tuple[str, ...]]:
    own = [path for room in _ROOMS for path in sorted((_ROOT / room).rglob("*.py"))]
    modules = [(".".join(path.relative_to(_ROOT).with_suffix("").parts), path) for path in own]
    modules += [(f"{room}.{path.stem}", path) for room, folder in added for path in sorted(Path(folder).glob("*.py"))]
    homes: dict[str, tuple[str, ...]] = {}
    for module, path in modules:
        for name in _DEFINED.findall(path.read_text(encoding="utf-8")):
            homes[name] = (*homes.get(name, ()), module.removesuffix(".__init__"))
    return homes


def is_own(value: Any) -> bool:
    """Whether a class or function is defined in this package."""
    return f"{getattr(value, '__module__', '')}.".startswith(f"{PACKAGE}.")


def is_stored_kind(value: Any) -> bool:
    """Whether it is a document, a settings class or a job function of this package."""
    if not is_own(value):
        return False
    if isinstance(value, type):
        from monty.json import MSONable
        from pydantic import BaseModel

        return issubclass(value, BaseModel | MSONable)
    return isinstance(value, FunctionType) and hasattr(value, "original")


def stored_homes(name: str) -> tuple[str, ...]:
    """Modules, relative to the package, that may hold what has a stored name; nothing is imported."""
    return homes().get(NAMES.get(name, name), ())


@cache
def stored_object(name: str) -> Any:
    """The class or job function of a stored name.

    Raises
    ------
    AttributeError
        If nothing that is stored has this name.
    ImportError
        If its module needs a package that is not installed.
    """
    today = NAMES.get(name, name)
    for module in stored_homes(name):
        stored = getattr(importlib.import_module(f"{PACKAGE}.{module}"), today, None)
        if is_stored_kind(stored):
            return stored
    raise AttributeError(f"nothing that {PACKAGE} stores is called {name!r}")


def defining_module(function: Any) -> str:
    """Module in which a function was written, as its code knows it."""
    original = getattr(function, "original", function)
    return str(getattr(original, "__globals__", {}).get("__name__", original.__module__))


def is_job_function(value: Any) -> bool:
    """Whether a function, or the method of a Maker, can be found again by its stored name."""
    if not is_own(value) or "<" in value.__qualname__:
        return False
    first = value.__qualname__.partition(".")[0]
    return is_stored_kind(getattr(sys.modules.get(value.__module__), first, None))
