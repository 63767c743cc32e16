"""Keys as version 1 made them: a study that it began, or finished, hands over what it has computed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ...stored import PACKAGE
from ...stored import __name__ as STORED
from ...stored.base import Stored
from ...stored.old_fields import FIELDS
from ...stored.old_names import old_homes
from ...stored.renamed import old_field, old_value
from ...stored.resolve import is_own, stored_object

if TYPE_CHECKING:
    from jobflow import Job

# The only version of this package whose keys held its version.
_VERSION = "0.1.0"


class NoOldKeyError(ValueError):
    """Version 1 had no such job."""


def old_job_key(job: Job, keys: Mapping[str, str]) -> str | None:
    """Key that version 1 gave to a job.

    Parameters
    ----------
    job
        Job with unresolved references.
    keys
        Old keys of the jobs that it refers to, by uuid.

    Returns
    -------
    str or None
        None if version 1 had no such job, or one that it refers to.
    """
    from monty.json import jsanitize

    function = getattr(job.function, "original", job.function)
    owner = getattr(job.function, "__self__", None)
    try:
        content = {
            "version": _VERSION,
            "function": _function(function),
            "owner": None if isinstance(owner, ModuleType) else _old(jsanitize(owner, strict=True), keys),
            "arguments": _old(jsanitize([list(job.function_args), dict(job.function_kwargs)], strict=True), keys),
        }
    except NoOldKeyError:
        return None
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _function(function: Any) -> str:
    if not is_own(function):
        return f"{function.__module__}.{function.__qualname__}"
    first, _, rest = function.__qualname__.partition(".")
    if first not in old_homes() or getattr(function, "cache_version", 1) != 1:
        raise NoOldKeyError(first)
    module, name = old_homes()[first]
    return f"{PACKAGE}.{module}.{name}{f'.{rest}' if rest else ''}"


def _old(value: Any, keys: Mapping[str, str]) -> Any:
    """Plain values as version 1 wrote them, every reference by the key of its job."""
    if isinstance(value, list):
        return [_old(v, keys) for v in value]
    if not isinstance(value, dict):
        return value
    if value.get("@class") == "OutputReference":
        if value["uuid"] not in keys:
            raise NoOldKeyError(value["uuid"])
        return {"output of": keys[value["uuid"]], "attributes": value.get("attributes")}
    if value.get("@module") == STORED:
        value = _as_version_1(value)
    return {k: _old(v, keys) for k, v in value.items() if k != "@version"}


def _as_version_1(value: dict[str, Any]) -> dict[str, Any]:
    name = str(value.get("@class", value.get("@callable")))
    first, _, rest = name.partition(".")
    if first not in old_homes():
        raise NoOldKeyError(name)
    module, old = old_homes()[first]
    full = f"{old}.{rest}" if rest else old
    head = {"@module": f"{PACKAGE}.{module}"}
    if "@callable" in value:
        return {**head, "@callable": full, "@bound": value["@bound"]}
    kind = stored_object(name)
    # Documents were arguments of the last jobs only, which cost nothing.
    if not issubclass(kind, Stored) or kind.cache_version != 1:
        raise NoOldKeyError(name)
    known = FIELDS[full if full in FIELDS else name].split()
    made: dict[str, Any] = {**head, "@class": full}
    for field, content in value.items():
        if field.startswith("@") or field == "schema_version":
            continue
        was = old_field(name, field)
        if was in known:
            made[was] = old_value(name, field, content)
        elif field not in kind.run_only and not (field in kind.as_before and content == kind.as_before[field]):
            raise NoOldKeyError(f"{name}.{field}")
    if len(made) != len(known) + 2:
        raise NoOldKeyError(name)
    return made


def still_holds(document: Mapping[str, Any], job: Job) -> bool:
    """Whether an output of version 1 was made by the engine's packages that are installed now, and by the same sources.

    Its keys did not say so. Its documents name versions of packages; of a user's calculator they name the class, whose
    sources must be older than the output.

    Parameters
    ----------
    document
        Of the job store.
    job
        That would take it over.
    """
    output = document.get("output")
    provenance = output.get("provenance") if isinstance(output, dict) else None
    before = provenance.get("versions", {}) if isinstance(provenance, dict) else {}
    for engine in (v for v in [*job.function_args, *job.function_kwargs.values()] if isinstance(v, Stored)):
        identity = engine.identity()
        parts = [identity, *identity.get("code", ())]
        now = {name: version for part in parts for name, version in part.get("versions", {}).items()}
        if any(before.get(name, version) != version for name, version in now.items()):
            return False
        # Files of a user: their state then is not known.
        changed_s = getattr(engine, "sources_changed_s", float)()
        if "files" in identity or changed_s > _seconds(document.get("completed_at")):
            return False
    return True


def _seconds(completed_at: Any) -> float:
    from datetime import datetime

    try:
        return datetime.fromisoformat(str(completed_at)).timestamp()
    except ValueError:
        return 0.0
