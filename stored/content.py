"""What a number depends on, as plain values: no display, no file layout, nothing of how a calculation is run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from .base import Stored
from .renamed import old_field, old_value
from .resolve import is_own

# How a program is started, written, watched and parsed; the keys of atomate2's Makers and VASP's parallel set-up.
_HOW_IT_RUNS = frozenset(
    {
        "run_vasp_kwargs",
        "write_input_set_kwargs",
        "stop_children_kwargs",
        "task_document_kwargs",
        "write_additional_data",
        "NCORE",
        "NPAR",
        "KPAR",
        "NSIM",
        "LPLANE",
        "LSCALAPACK",
        "LSCALU",
        "NCSHMEM",
        "NCORE_IN_IMAGE1",
    }
)

# Names of fields and words in keys stay those of the version whose keys these are, however they are called today.
_OF_VERSION = 2

# Replaces a value before it is looked into; gives None for what it leaves alone.
Replace = Callable[[Any], Any]


def content(value: Any, replace: Replace = lambda value: None) -> Any:
    """Plain JSON values that differ exactly if the number that comes of them may.

    Parameters
    ----------
    value
        Arguments of a job: settings, engines, documents, structures, containers of them.
    replace
        Asked first at every value; what it gives in its place is taken, None goes on.

    Returns
    -------
    Any
        Of a `Stored` object its class, cache version, `Stored.identity` and fields, without its `Stored.run_only` and
        without those of `Stored.as_before` that are as they were; of a document its fields.

    Raises
    ------
    TypeError
        For something that has no plain values.
    """

    def plain(item: Any) -> Any:
        plain_item = replace(item)
        if plain_item is not None:
            return plain_item
        if item is None or isinstance(item, bool | int | str):
            return item
        if isinstance(item, float | np.generic):
            return item if isinstance(item, float) else plain(item.item())
        if isinstance(item, Mapping):
            plain_item = {
                str(k): plain(v) for k, v in item.items() if k not in _HOW_IT_RUNS and not str(k).startswith("@")
            }
            # What held nothing else is as if it were not there.
            return {k: v for k, v in plain_item.items() if v != {} or not item.get(k)}
        if isinstance(item, list | tuple):
            return [plain(v) for v in item]
        if isinstance(item, set | frozenset):
            return sorted((plain(v) for v in item), key=repr)
        if isinstance(item, np.ndarray):
            return plain(item.tolist())
        if isinstance(item, Enum):
            return plain(item.value)
        if isinstance(item, Path):
            return str(item)
        return {"class": type(item).__name__, **_object(item, plain)}

    return plain(value)


def _object(item: Any, plain: Callable[[Any], Any]) -> dict[str, Any]:
    if isinstance(item, Stored):
        return _settings(item, plain)
    if hasattr(item, "model_dump"):
        # A field that comes later is empty in what is older.
        values = {name: getattr(item, name) for name in type(item).model_fields}
        nonempty = {n: v for n, v in values.items() if not (v is None or v is False or v in ("", [], {}, ()))}
        return named_in_keys(type(item).__name__, {name: plain(v) for name, v in nonempty.items()})
    if isinstance(item, type) or (callable(item) and not hasattr(item, "as_dict")):
        return {"name": f"{item.__module__ if not is_own(item) else ''}.{item.__qualname__}"}
    if hasattr(item, "as_dict"):
        identity: dict[str, Any] = getattr(item, "identity", dict)()
        return {**plain(item.as_dict()), **({"identity": plain(identity)} if identity else {})}
    if is_dataclass(item):
        return {f.name: plain(getattr(item, f.name)) for f in fields(item)}
    raise TypeError(f"a {type(item).__name__} has no plain values; a key cannot be made of it")


def _settings(item: Stored, plain: Callable[[Any], Any]) -> dict[str, Any]:
    out: dict[str, Any] = {"cache_version": item.cache_version}
    if identity := item.identity():
        out["identity"] = plain(identity)
    settings: dict[str, Any] = {}
    for f in fields(item):  # type: ignore[arg-type]
        value = getattr(item, f.name)
        old = f.name in item.as_before and plain(value) == plain(item.as_before[f.name])
        if f.init and f.name not in item.run_only and f.name not in _HOW_IT_RUNS and not old:
            settings[f.name] = plain(value)
    return out | named_in_keys(type(item).__name__, settings)


def named_in_keys(owner: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values by field of a class, or by argument of a job function, under the names that keys have for them."""
    return {
        old_field(owner, name, _OF_VERSION): old_value(owner, name, value, _OF_VERSION)
        for name, value in values.items()
    }


def digest(value: Any) -> str:
    """64 hexadecimal digits of plain values."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
