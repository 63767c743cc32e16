"""Names under which documents, settings and job functions are stored; they outlive the files that hold the code.

What goes into a store says ``{"@module": "magnetoionics.stored", "@class": "Band", "schema_version": 4, ...}`` and
not in which file `Band` is today. A reader, also one that has imported nothing of this package (a runner of
jobflow-remote, say), imports this module and asks it for ``Band``; the file is found by the sources themselves, so
that moving one needs no edit here. Names that were stored once are known for ever: `old_names` holds the modules of
version 1, `renamed` the new names of classes, functions and fields.
"""

from __future__ import annotations

from typing import Any

# Of everything that is written now; `renamed.CHANGES` says how to read what was written before.
SCHEMA_VERSION = 4
PACKAGE = __name__.rpartition(".")[0]


def __getattr__(name: str) -> Any:
    from .resolve import stored_object

    if name.startswith("_"):
        raise AttributeError(name)
    return stored_object(name)
