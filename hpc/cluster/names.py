"""Names of jobs that a shell may see.

The submission scripts of shell and batch workers `echo` the job's name without quotes: parentheses end such a script
with a syntax error, and a name from somebody's file could be a command. In the queue a job therefore has a plain name;
its own is kept in the metadata and comes back with its output.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_PLAIN = re.compile(r"[^A-Za-z0-9 _.:+-]+")


def plain_name(name: str) -> str:
    """A name of letters, digits, blanks and ``_.:+-`` only."""
    return _PLAIN.sub("_", name).strip() or "job"


def make_plain(job: dict[str, Any]) -> None:
    """Give a serialised job its plain name, and keep its own in the metadata."""
    name = str(job["name"])
    if plain_name(name) != name:
        job["metadata"] = {**(job.get("metadata") or {}), "name": name}
        job["name"] = plain_name(name)


def own_name(name: str, metadata: dict[str, Any] | None) -> str:
    """The name that a job was made with."""
    return str((metadata or {}).get("name", name))


def jobs_within(value: Any) -> Iterator[dict[str, Any]]:
    """Serialised jobs of a serialised flow."""
    if not isinstance(value, dict):
        return
    if value.get("@class") == "Job":
        yield value
    for part in value.get("jobs") or []:
        yield from jobs_within(part)
