"""Checksums of what a study leaves in its folder, in the format of ``sha256sum``, which checks them too."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

SUMS = "SHA256SUMS"
# The version of the schema since which every written results.json has its list.
LISTED_SINCE = 4
# As many bytes as a line of a name and a hash takes, for many files.
_LARGEST_BYTES = 10**6


def file_sum(path: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sums_of(folder: Path, names: list[str]) -> str:
    """Content of the list for files of a folder, named relative to it."""
    return "".join(f"{file_sum(folder / name)}  {name}\n" for name in sorted(names))


def read_sums(folder: Path) -> dict[str, str]:
    """Checksums by file, relative to the folder; empty if it has no list (earlier versions wrote none).

    Raises
    ------
    ValueError
        If the list itself is not readable.
    """
    path = folder / SUMS
    if not path.is_file():
        return {}
    if path.stat().st_size > _LARGEST_BYTES:
        raise ValueError(f"{path} is no list of checksums: it has more than {_LARGEST_BYTES} bytes")
    sums: dict[str, str] = {}
    for line in path.read_bytes().decode("utf-8", "replace").splitlines():
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or set(digest) - set("0123456789abcdef") or not _is_inside(name):
            raise ValueError(f"{path} is damaged: {line[:80]!r} is no line of a checksum and a file of this folder")
        sums[name] = digest
    return sums


def written_before(folder: Path) -> set[str]:
    """Files of the list that are what was written then; what somebody has changed since is left out."""
    try:
        return {name for name in read_sums(folder) if not altered(folder, name)}
    except ValueError:
        return set()


def _is_inside(name: str) -> bool:
    path = Path(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts


def altered(folder: Path, name: str) -> str:
    """Why a file is not what was written, in words; empty if it is, or if nothing is known of it."""
    try:
        known = read_sums(folder).get(name)
    except ValueError as error:
        return str(error)
    if known is None:
        return ""
    if not (folder / name).is_file():
        return f"{folder / name} is missing"
    return (
        ""
        if file_sum(folder / name) == known
        else f"{folder / name} is damaged: it is not what was written (its checksum differs)"
    )


def list_is_missing(folder: Path) -> str:
    """Why nothing tells whether results.json is what was written, in words; empty if it has its list.

    Versions of the schema before `LISTED_SINCE` may have none.
    """
    results = folder / "results.json"
    if (folder / SUMS).is_file() or not results.is_file():
        return ""
    try:
        version = json.loads(results.read_bytes()).get("schema_version", 1)
    except (ValueError, RecursionError, AttributeError):
        return f"{results} cannot be read, and {folder / SUMS} is missing"
    if not isinstance(version, int) or version < LISTED_SINCE:
        return ""
    return f"{folder / SUMS} is missing: nothing tells whether {results.name} is what was written"


def verify(folder: Path) -> tuple[int, list[str]]:
    """Check all files of the list.

    Returns
    -------
    tuple of int and list of str
        How many files were checked, and what is wrong.
    """
    try:
        known = read_sums(folder)
    except ValueError as error:
        return 0, [str(error)]
    return len(known), [why for name in known if (why := altered(folder, name))]
