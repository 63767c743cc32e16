"""Base of settings, sites, engines and Makers: MSONable, stored by name."""

from __future__ import annotations

from typing import Any, Self

from monty.json import MontyDecoder, MSONable

from . import SCHEMA_VERSION
from . import __name__ as STORED
from .renamed import upgraded
from .resolve import is_own


class Stored(MSONable):
    """An object whose JSON carries a stored name and the version of its fields instead of a module.

    A subclass outside this package keeps its own module's name.
    """

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as `MSONable.as_dict` gives them."""
        made: dict[str, Any] = super().as_dict()
        if is_own(type(self)):
            del made["@version"]
            made |= {"@module": STORED, "schema_version": SCHEMA_VERSION}
        return made

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Self:
        """The object of plain values, of this version or an older one."""
        content = {name: value for name, value in d.items() if not name.startswith("@")}
        content = upgraded(cls.__name__, content, int(content.pop("schema_version", 1)))
        return cls(**{name: MontyDecoder().process_decoded(value) for name, value in content.items()})
