"""A host that was made in Python, as its content: a job carries that in place of functions."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any

from pymatgen.core import Structure

from ...stored.base import Stored
from ..host_definition import HopKind, Host
from ..layers import Layer

_BUILD, _HOPS, _LAYERS = "build_cell", "hops", "layers"


@dataclass(frozen=True)
class HostContent(Stored):
    """Everything that a `Host` says, and the cells that it builds.

    Attributes
    ----------
    said
        Fields of the host but the function that builds its cells.
    cells
        What that function gives for each order.
    """

    said: dict[str, Any]
    cells: dict[str, Structure]

    @classmethod
    def of(cls, host: Host) -> HostContent:
        """Content of a host; every order is built once.

        Raises
        ------
        ValueError, RuntimeError
            If an order cannot be built or is charged.
        """
        for order in host.orders:
            host.structure(order)
        said = {f.name: _plain(getattr(host, f.name)) for f in fields(host) if f.init and f.name != _BUILD}
        # A crystal's content is what it was before hosts had layers.
        if not host.layers:
            del said[_LAYERS]
        return cls(said, {order: host.build_cell(order) for order in host.orders})

    def host(self) -> Host:
        """The host; built once per content and process."""
        cells = {order: cell.as_dict() for order, cell in self.cells.items()}
        return _host_of(json.dumps({"said": self.said, "cells": cells}, sort_keys=True, default=_number))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def _number(value: Any) -> Any:
    """Numbers and arrays of NumPy, which a structure's properties may hold."""
    return value.tolist()


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in value.items()}
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


@functools.lru_cache(maxsize=32)
def _host_of(content: str) -> Host:
    made = json.loads(content)
    cells = {order: Structure.from_dict(cell) for order, cell in made["cells"].items()}
    said = {name: _tuples(value) for name, value in made["said"].items()}
    hops = tuple(HopKind(**hop) for hop in made["said"][_HOPS])
    layers = tuple(Layer(x["name"], x["role"], tuple(x["sublattices"])) for x in made["said"].get(_LAYERS, ()))
    return Host(**{**said, _HOPS: hops, _LAYERS: layers, _BUILD: lambda order: cells[order].copy()})
