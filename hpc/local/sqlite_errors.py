"""What an error of SQLite says: the file is broken, or it cannot be reached now."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ..errors import UserError


class StoreUnavailableError(UserError, OSError):
    """A sound store cannot be read or written now: permissions, a full disk, a lock, the network."""


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file itself is broken, and not only that it cannot be reached or written now."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # raised by Python's module: a text that is no UTF-8
        return "decode" in str(error)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def unavailable(path: str | Path, error: sqlite3.Error, doing: str) -> StoreUnavailableError:
    """The error to raise when a store cannot be reached; `doing` is ``"read"`` or ``"written"``."""
    what = "has no room" if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL else f"cannot be {doing}"
    return StoreUnavailableError(
        f"{path} {what} ({error}); it is left as it is and nothing in it is lost: see to the disk's space, the "
        "permissions or whoever holds it, and give the same command again"
    )
