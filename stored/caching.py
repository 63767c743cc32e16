"""Versions of what computes: of a job function, by its author; of installed packages and files, by what they are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def cache_version(number: int) -> Callable[[Function], Function]:
    """Version of a job function's result, below ``@job``; 1 without it.

    Its author raises it when the same arguments give another number: what was computed before is then computed again.
    Nothing else of this package's version is in a job's key.
    """

    def mark(function: Function) -> Function:
        function.cache_version = number  # type: ignore[attr-defined]
        return function

    return mark


def installed_versions(*packages: str) -> dict[str, str]:
    """Versions of those packages that are installed."""
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def file_digest(path: Path) -> str:
    """SHA-256 of a file, 16 hexadecimal digits; read again only if size or time of change differ."""
    state = path.stat()
    return _digest(path.resolve(), state.st_size, state.st_mtime_ns)


@cache
def _digest(path: Path, size: int, changed_ns: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]
