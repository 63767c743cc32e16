"""Damaged files of a study: found, named, moved aside with everything readable saved; never used."""

from __future__ import annotations

import sqlite3
import time
import zlib
from contextlib import closing
from pathlib import Path

from .sqlite_documents import DAMAGED, Row, SqliteDocuments, decode
from .sqlite_errors import is_damage, unavailable
from .store import STORE_FILE, STORE_FOLDER, refuse_links

# Beyond this the indices are not checked against the table: a wrong entry is found when it is read.
_FULL_CHECK_BYTES = 200 * 1024**2


def heal_store(folder: Path) -> list[str]:
    """Move a store aside that is no whole database, and save what can be read into a new one.

    Parameters
    ----------
    folder
        The study's folder.

    Returns
    -------
    list of str
        What was found and done, for the user; empty if all is well.

    Raises
    ------
    StoreUnavailableError
        If the store cannot be read now; it is left where it is.
    """
    refuse_links(folder)
    path = folder / STORE_FOLDER / STORE_FILE
    if not path.is_file():
        return []
    reason = _damage(path)
    if not reason:
        return []
    aside = damaged_folder(path.parent)
    for tail in ("", "-wal", "-shm"):
        part = Path(f"{path}{tail}")
        if part.exists():
            part.replace(aside / part.name)
    rows = _readable_rows(aside / path.name)
    if rows:
        fresh = SqliteDocuments(str(path))
        fresh.connect()
        fresh.write_rows(rows)
        fresh.close()
    return [f"{path} was damaged ({reason}): moved to {aside}, {len(rows)} documents saved, the rest is computed again"]


def damaged_documents(folder: Path) -> tuple[int, list[str]]:
    """Number of documents in a store, and which of them are not what was written; nothing is changed.

    Raises
    ------
    StoreUnavailableError
        If the store cannot be read now.
    """
    path = folder / STORE_FOLDER / STORE_FILE
    reason = _damage(path)
    if reason:
        return 0, [f"{path} is damaged ({reason})"]
    with closing(SqliteDocuments(str(path), read_only=True)) as store:
        store.connect()
        rows = store.rows()
    return len(rows), [f"the result of job {row[0]} in {path}" for row in rows if _name_if_whole(row) is None]


def damaged_folder(store: Path) -> Path:
    """A new folder in a store's, for what is damaged."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    number = 0
    while True:
        target = store / DAMAGED / (f"{stamp}-{number}" if number else stamp)
        try:
            target.mkdir(parents=True)
        except FileExistsError:
            number += 1
            continue
        return target


def _damage(path: Path) -> str:
    """What SQLite's own check says; empty if it is content."""
    try:
        with closing(sqlite3.connect(path, timeout=60)) as db:
            check = "integrity_check" if path.stat().st_size < _FULL_CHECK_BYTES else "quick_check"
            (first,) = db.execute(f"PRAGMA {check}(1)").fetchone()
            # The check looks at pages; this decodes the text in them.
            for _ in db.execute("SELECT uuid, idx, name FROM documents"):
                pass
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return str(error)
        if "no such table" in str(error):  # it is new
            return ""
        # A locked, full or forbidden one is sound: moved aside, all of it would be computed again.
        raise unavailable(path, error, "read") from error
    return "" if first == "ok" else str(first)


def _readable_rows(path: Path) -> list[Row]:
    """Rows whose document decodes, read from both ends of the table until a broken page."""
    rows: dict[tuple[str, int], Row] = {}
    for direction in ("ASC", "DESC"):
        try:
            with closing(sqlite3.connect(path, timeout=60)) as db:
                db.text_factory = lambda text: text.decode(errors="replace")
                query = f"SELECT uuid, idx, name, body FROM documents ORDER BY rowid {direction}"
                for row in db.execute(query):
                    if (name := _name_if_whole(row)) is not None:
                        rows[row[0], row[1]] = (row[0], row[1], name, row[3])
        except sqlite3.DatabaseError:
            continue
    return list(rows.values())


def _name_if_whole(row: Row) -> str | None:
    """Name in the row's document, if that decodes and is the row's own."""
    try:
        document = decode(row)
        own = (document.get("uuid"), document.get("index", 1)) == (row[0], row[1])
        return str(document.get("name")) if own else None
    except (zlib.error, ValueError, TypeError, AttributeError):
        return None
