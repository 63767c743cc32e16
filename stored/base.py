"""Base of settings, sites, engines and Makers: MSONable, stored by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass
from typing import Any, ClassVar, Self

from monty.json import MontyDecoder, MSONable

from . import SCHEMA_VERSION
from . import __name__ as STORED
from .renamed import upgraded
from .resolve import is_own


class Stored(MSONable):
    """An object whose JSON carries a stored name and the version of its fields instead of a module.

    A subclass outside this package keeps its own module's name.

    Attributes
    ----------
    cache_version
        Raised by whoever changes this class's code so that the same fields give another number: what was computed
        before is then computed again.
    run_only
        Fields that say how something is run and change no number.
    as_before
        Fields that came after version 2, with the values that leave every number what it was without them.
    """

    cache_version: ClassVar[int] = 1
    run_only: ClassVar[frozenset[str]] = frozenset()
    as_before: ClassVar[Mapping[str, Any]] = {}

    def identity(self) -> dict[str, Any]:
        """What its numbers depend on beside its fields: versions of packages that compute, hashes of files."""
        return {}

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as `MSONable.as_dict` gives them."""
        content: dict[str, Any] = super().as_dict()
        if is_own(type(self)):
            del content["@version"]
            content |= {"@module": STORED, "schema_version": SCHEMA_VERSION}
        return content

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Self:
        """The object of plain values, of this version or an older one; what came later is `as_before`."""
        content = {name: value for name, value in d.items() if not name.startswith("@")}
        content = {**cls.as_before, **upgraded(cls.__name__, content, int(content.pop("schema_version", 1)))}
        known: dict[str, Field[Any]] = {f.name: f for f in fields(cls)} if is_dataclass(cls) else {}
        values = {name: MontyDecoder().process_decoded(value) for name, value in content.items()}
        # JSON knows no tuples.
        for name in values.keys() & known.keys():
            is_tuple = str(known[name].type).startswith("tuple") or isinstance(known[name].default, tuple)
            values[name] = tuple(values[name]) if is_tuple and isinstance(values[name], list) else values[name]
        return cls(**values)
