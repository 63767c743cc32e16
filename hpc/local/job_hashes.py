"""Keys of calculations: what makes a job's number, and nothing of how it is run.

A key is the hash of the job function's stored name and cache version, of its arguments, and of the keys of the jobs
whose outputs it takes, so that the same inputs, engine and settings give the same key in every run and in every
version of this package. In it are the packages that compute for the engine with their versions, weights, and the
sources of a user's calculator (`Stored.identity`); not in it are names of Makers, commands, handlers and VASP's
parallel set-up (`stored.content`). Cache versions, of functions and of settings classes, are those of AiiDA: their
author raises them when the number changes.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ...stored.content import content, digest, named_in_keys
from ...stored.resolve import defining_module, is_job_function
from ...stored.sources import code_identity

if TYPE_CHECKING:
    from jobflow import Job

# Parameters whose text names a material, by whose definition the number is made.
_HOST_PARAMETER = "host_key"
# Packages whose job functions hand values on.
_ONLY_HAND_ON = ("jobflow", "builtins", "operator")
# What a host's definition says for people.
_WORDS = ("title", "claims", "sources", "measured", "build_cell")


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
    return digest(job_content(job, keys))


def job_content(job: Job, keys: Mapping[str, str]) -> dict[str, Any]:
    """What is hashed, to be looked at; parameters and errors as `job_key`."""
    from ...analysis.results.document import Provenance

    def replace(value: Any) -> Any:
        if isinstance(value, Provenance):
            # It describes what the other arguments made, this package's version included.
            return {"class": "Provenance"}
        uuid = _reference(value)
        if uuid is None:
            return None
        if uuid not in keys:
            raise UnknownInputError(uuid)
        attributes = value["attributes"] if isinstance(value, dict) else value.attributes
        return {"output of": keys[uuid], "attributes": [list(a) for a in attributes]}

    original = getattr(job.function, "original", job.function)
    owner = getattr(job.function, "__self__", None)
    return {
        "function": _function(job.function),
        "cache_version": getattr(original, "cache_version", 1),
        "owner": None if owner is None or isinstance(owner, ModuleType) else content(owner, replace),
        "arguments": named_in_keys(
            str(original.__name__) if is_job_function(job.function) else "",
            {name: _argument(name, value, replace) for name, value in _arguments(job).items()},
        ),
    }


def _reference(value: Any) -> str | None:
    """Uuid of the job whose output a value stands for."""
    from jobflow import OutputReference

    if isinstance(value, OutputReference):
        return str(value.uuid)
    if isinstance(value, dict) and value.get("@class") == "OutputReference":
        return str(value["uuid"])
    return None


def _function(function: Any) -> Any:
    """Stored name of one of our job functions; name and code of somebody else's."""
    original = getattr(function, "original", function)
    if is_job_function(function):
        return str(original.__qualname__)
    module = defining_module(original)
    name = f"{module}.{original.__qualname__}"
    if module.partition(".")[0] in _ONLY_HAND_ON:
        return name
    return {"name": name, "code": code_identity(module), "source": _source(original) if module == "__main__" else ""}


def _source(function: Any) -> str:
    """Source of a function in a script or notebook, which is no module that could be found."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return ""


def _arguments(job: Job) -> dict[str, Any]:
    """Arguments by the names of their parameters, however they were given."""
    original = getattr(job.function, "original", job.function)
    bound = hasattr(job.function, "__self__") and not isinstance(job.function.__self__, ModuleType)
    try:
        signature = inspect.signature(original)
        given = signature.bind(*((None,) if bound else ()), *job.function_args, **job.function_kwargs).arguments
    except (TypeError, ValueError):  # a builtin, or a call that will fail when it is run
        return {"args": list(job.function_args), "kwargs": dict(job.function_kwargs)}
    return dict(list(given.items())[1:]) if bound else dict(given)


def _argument(name: str, value: Any, replace: Any) -> Any:
    if name == _HOST_PARAMETER and isinstance(value, str):
        return _host(value)
    plain = content(value, replace)
    if isinstance(getattr(value, _HOST_PARAMETER, None), str):
        plain[_HOST_PARAMETER] = _host(getattr(value, _HOST_PARAMETER))
    return plain


def _host(key: str) -> Any:
    """Definition of a host that a name stands for; its cells come in as structures."""
    from ...structures.host import get_host

    host = get_host(key)
    said = {f.name: getattr(host, f.name) for f in fields(host) if f.init and f.name not in _WORDS}
    # A crystal's key is what it was before hosts had layers.
    return content({name: value for name, value in said.items() if name != "layers" or value})
