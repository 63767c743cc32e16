"""Writes a file whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

# What a study's folder holds, with the eight characters that tempfile adds.
_LEFTOVER = re.compile(r"\.(?:results\.json|report\.html|SHA256SUMS|[\w.-]+\.(?:svg|png|extxyz))\.[a-z0-9_]{8}")


def remove_leftovers(folder: Path) -> None:
    """Take away the temporary neighbours that a writer left when it was killed or its machine went down."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if _LEFTOVER.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            path.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file through a temporary neighbour, so that a reader never sees half of it; text as UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a full disk does not say where
        raise
