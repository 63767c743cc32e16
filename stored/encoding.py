"""How monty's encoder writes documents and job functions of this package: by their stored names."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

from monty.json import MontyDecoder, MontyEncoder, TypeHandler, register
from pydantic import BaseModel

from . import SCHEMA_VERSION
from . import __name__ as STORED
from .resolve import is_job_function, is_own


class _ByName(TypeHandler):
    """What is decoded by importing the stored name, so that a process without these handlers can do it too."""

    def decoder_keys(self) -> list[tuple[str, str]]:
        """None."""
        return []

    def sanitize(self, obj: Any, recurse: Callable[[Any], Any], **_: Any) -> Any:
        """The same with plain values inside."""
        return recurse(self.encode(obj))


class Documents(_ByName):
    """Results: pydantic models of this package."""

    def matches(self, obj: Any) -> bool:
        """Whether it is one."""
        return isinstance(obj, BaseModel) and is_own(type(obj))

    def encode(self, obj: Any) -> dict[str, Any]:
        """Its fields with name and version."""
        head = {"@module": STORED, "@class": type(obj).__name__, "schema_version": SCHEMA_VERSION}
        return {**head, **obj.model_dump()}


class Structures(TypeHandler):
    """pymatgen's structures: decoded as `Structure.from_dict` does, which makes every site twice and each alone."""

    module = "pymatgen.core.structure"
    class_name = "Structure"

    def matches(self, obj: Any) -> bool:
        """Nothing: pymatgen writes them."""
        return False

    def decode(self, d: dict[str, Any]) -> Any:
        """The structure; sites of one species share its composition."""
        from pymatgen.core import Lattice, PeriodicSite, Structure

        sites, lattice = d["sites"], Lattice.from_dict(d["lattice"])
        keys = list(sites[0].get("properties") or {}) if sites else []
        if not sites or any(list(site.get("properties") or {}) != keys for site in sites):
            return Structure.from_dict(d)
        known: dict[str, Any] = {}
        kinds = [repr(site["species"]) for site in sites]
        for kind, site in zip(kinds, sites, strict=True):
            if kind not in known:
                known[kind] = PeriodicSite.from_dict({**site, "properties": None}, lattice)
        value = MontyDecoder().process_decoded
        return Structure(
            lattice,
            [known[kind].species for kind in kinds],
            [site["abc"] for site in sites],
            charge=d.get("charge"),
            site_properties={key: [value(site["properties"][key]) for site in sites] for key in keys},
            labels=[site.get("label") or known[kind].species_string for kind, site in zip(kinds, sites, strict=True)],
            properties=d.get("properties"),
        )


class Functions(_ByName):
    """Job functions, the methods of Makers that make jobs, and classes of documents."""

    def matches(self, obj: Any) -> bool:
        """Whether it is one."""
        return isinstance(obj, FunctionType | MethodType | type) and is_job_function(obj)

    def encode(self, obj: Any) -> dict[str, Any]:
        """Its name, and the Maker that it is bound to."""
        owner = getattr(obj, "__self__", None)
        bound = None if owner is None else MontyEncoder().default(owner)
        return {"@module": STORED, "@callable": obj.__qualname__, "@bound": bound}


_REGISTERED = [Documents(), Functions(), Structures()]
for _handler in _REGISTERED:
    register(_handler)
