"""What draws, tabulates or describes a document, by the document's type: modules register it, documents ask.

Nothing below the plots and the report imports them. Their modules are discovered by the folder that they lie in, as
hosts and engines are; another folder joins in once it is appended to the ``__path__`` of that package.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Generic, TypeVar

Entry = TypeVar("Entry")

_ANALYSIS = __package__.rpartition(".")[0]


# Compiled loops register nothing, and numba takes long to import.
_COMPILED = "_kernel"


def discover(package: str) -> None:
    """Import every module of a package but compiled ones, those in folders that were appended to its ``__path__`` too.

    Parameters
    ----------
    package
        Full name.
    """
    place = importlib.import_module(package)
    for module in pkgutil.iter_modules(place.__path__):
        if not module.name.endswith(_COMPILED):
            importlib.import_module(f"{package}.{module.name}")


def discover_rooms() -> None:
    """Import every module of every room of `analysis`."""
    place = importlib.import_module(_ANALYSIS)
    for room in pkgutil.iter_modules(place.__path__):
        if room.ispkg:
            discover(f"{_ANALYSIS}.{room.name}")


class ByType(Generic[Entry]):
    """Entries by the type of document that they are for, and by name.

    Parameters
    ----------
    what
        What an entry is, for messages.
    room
        Package below `analysis` whose modules register entries; imported when the first one is asked for.
    """

    def __init__(self, what: str, room: str) -> None:
        self._what = what
        self._package = f"{_ANALYSIS}.{room}"
        self._entries: dict[type, dict[str, Entry]] = {}

    def register(self, kind: type, name: str, *, first: bool = False) -> Callable[[Entry], Entry]:
        """Decorator that adds an entry for a type and its subclasses; `first` puts it before the others of the type.

        Raises
        ------
        ValueError
            If there is another one of that name.
        """

        def add(entry: Entry) -> Entry:
            named = self._entries.get(kind, {})
            if name in named:
                raise ValueError(f"{kind.__name__} has a {self._what} {name!r} already")
            self._entries[kind] = {name: entry, **named} if first else {**named, name: entry}
            return entry

        return add

    def of(self, kind: type) -> dict[str, Entry]:
        """Entries for a type in the order in which they were registered, its own before those of its bases."""
        discover(self._package)
        entries: dict[str, Entry] = {}
        for base in kind.__mro__:
            for name, entry in self._entries.get(base, {}).items():
                entries.setdefault(name, entry)
        return entries

    def get(self, kind: type, name: str | None = None) -> Entry:
        """One entry for a type, the first without a name.

        Raises
        ------
        ValueError
            If there is none; the message lists those that there are.
        """
        entries = self.of(kind)
        chosen = next(iter(entries), None) if name is None else name
        if chosen is None or chosen not in entries:
            wanted = self._what if name is None else f"{self._what} {name!r}"
            raise ValueError(f"{kind.__name__} has no {wanted}; it has: {', '.join(entries) or 'none'}")
        return entries[chosen]
