"""Keys of calculations: what a job computes, whatever its name in this run.

A key is the hash of the job's function, its arguments and the keys of the jobs whose outputs it
takes, so that the same inputs, engine and settings give the same key in every run. The
package's version is part of it: another version may compute something else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobflow import Job


class UnknownInputError(KeyError):
    """A job takes the output of a job that has no key in this run."""


def job_key(job: Job, keys: Mapping[str, str]) -> str:
    """Key of a job.

    Parameters
    ----------
    job
        Job with unresolved references.
    keys
        Keys of the jobs that it refers to, by uuid.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    UnknownInputError
        If a referenced job has no key.
    """
    from monty.json import jsanitize

    from ... import __version__

    function = getattr(job.function, "original", job.function)
    owner = getattr(job.function, "__self__", None)
    content = {
        "version": __version__,
        "function": f"{function.__module__}.{function.__qualname__}",
        "owner": None if isinstance(owner, ModuleType) else jsanitize(owner, strict=True),
        "arguments": jsanitize([list(job.function_args), dict(job.function_kwargs)], strict=True),
    }
    text = json.dumps(_without_names(content, keys), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _without_names(value: Any, keys: Mapping[str, str]) -> Any:
    """The same with every reference to an output named by its key instead of its uuid."""
    if isinstance(value, dict):
        if value.get("@class") == "OutputReference":
            uuid = value["uuid"]
            if uuid not in keys:
                raise UnknownInputError(uuid)
            return {"output of": keys[uuid], "attributes": value.get("attributes")}
        return {k: _without_names(v, keys) for k, v in value.items() if k != "@version"}
    if isinstance(value, list):
        return [_without_names(v, keys) for v in value]
    return value
