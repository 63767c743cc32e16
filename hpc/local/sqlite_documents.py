"""Documents of jobs in one SQLite file: indexed by job, written in transactions, checked on reading.

Nothing of maggma is needed to read or write them, whose import takes longer than reading a study;
`sqlite_store` is the store of it that jobflow asks for.

Why no store of maggma's own: JSONStore rewrites its file in place and was found empty after a killed
process; MontyStore survives, but decodes every document at every query, so that a study's time
goes into reading its own results. Here a query for one job reads that job alone. Documents are
zlib-compressed JSON, whose checksum tells a damaged one.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from monty.json import jsanitize

from ...stored import SCHEMA_VERSION
from ...structures.io.safe_json import check_classes
from ..errors import UserError
from .sqlite_errors import is_damage, unavailable

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    uuid TEXT NOT NULL, idx INTEGER NOT NULL, name TEXT, body BLOB NOT NULL, PRIMARY KEY (uuid, idx)
);
CREATE INDEX IF NOT EXISTS documents_name ON documents (name);
"""
DAMAGED = "damaged"
INDEXED = {"uuid": "uuid", "index": "idx", "name": "name"}


# uuid, index, name, compressed document
Row = tuple[str, int, str | None, bytes]


def encode(document: Mapping[str, Any]) -> Row:
    """A document as a row of the file."""
    text = json.dumps(document, separators=(",", ":"), default=partial(jsanitize, strict=False))
    return document["uuid"], document.get("index", 1), document.get("name"), zlib.compress(text.encode(), 1)


def decode(row: Row) -> dict[str, Any]:
    """The document of a row."""
    document: dict[str, Any] = json.loads(zlib.decompress(row[3]))
    return document


def may_hold(row: Row, word: str) -> bool:
    """Whether a word stands anywhere in the document of a row, or cannot be looked for because it is damaged."""
    try:
        return word.encode() in zlib.decompress(row[3])
    except zlib.error:
        return True


class DamagedStoreError(UserError, RuntimeError):
    """A stored document does not decode; the message names the file and the job, `row` is its uuid and index."""

    row: tuple[str, int] | None = None


class SqliteDocuments:
    """Job outputs in one SQLite file.

    Parameters
    ----------
    path
        The file; its folder must exist.
    read_only
        Whether nothing is written: to look into a store of another study.
    """

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        self.path = str(path)
        self.read_only = read_only
        self._connection: sqlite3.Connection | None = None
        self._held: list[Row] | None = None

    def connect(self, force_reset: bool = False) -> None:
        """Open the file, making it if it is not there.

        Raises
        ------
        DamagedStoreError
            If the file is no SQLite database.
        StoreUnavailableError
            If it may be one and cannot be opened.
        """
        if self._connection is not None and not force_reset:
            return
        self.close()
        try:
            self._connection = self._connected("?mode=ro") if self.read_only else self._connected()
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                raise DamagedStoreError(
                    f"{self.path} is no readable job store ({error}); the next `magnetoionics run` moves it aside"
                ) from error
            if self.read_only and self._is_at_rest():
                # Where nothing may be written, SQLite cannot make the files that its write-ahead log needs.
                with suppress(sqlite3.DatabaseError):
                    self._connection = self._connected("?immutable=1")
                    return
            raise unavailable(self.path, error, "read" if self.read_only else "written") from error

    def _connected(self, query: str = "") -> sqlite3.Connection:
        name = f"{Path(self.path).absolute().as_uri()}{query}" if query else self.path
        connection = sqlite3.connect(name, timeout=60, isolation_level=None, check_same_thread=False, uri=bool(query))
        try:
            if query:
                connection.execute("SELECT uuid FROM documents LIMIT 1").fetchall()
                return connection
            connection.execute("PRAGMA journal_mode=WAL")
            if not connection.execute("SELECT name FROM sqlite_master LIMIT 1").fetchall():
                connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            connection.executescript(_SCHEMA)
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    def _is_at_rest(self) -> bool:
        """Whether all that was written is in the file itself."""
        log = Path(f"{self.path}-wal")
        return Path(self.path).is_file() and (not log.exists() or log.stat().st_size == 0)

    def close(self) -> None:
        """Close the file; the last one to do so leaves one file that can be read where nothing may be written."""
        if self._connection is not None:
            if not self.read_only:
                with suppress(sqlite3.Error):  # another process has it open
                    self._connection.execute("PRAGMA busy_timeout=0")
                    self._connection.execute("PRAGMA journal_mode=DELETE")
            self._connection.close()
            self._connection = None

    @property
    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self.connect()
        assert self._connection is not None
        return self._connection

    def count(self, criteria: dict[str, Any] | None = None) -> int:
        """Number of documents that meet the criteria."""
        if not criteria:
            return int(self._open.execute("SELECT COUNT(*) FROM documents").fetchone()[0])
        return sum(1 for _ in self._matching(criteria))

    def query(
        self,
        criteria: dict[str, Any] | None = None,
        properties: dict[str, Any] | list[str] | None = None,
        sort: Mapping[str, Any] | None = None,
        skip: int = 0,
        limit: int = 0,
        **_: Any,
    ) -> Iterator[dict[str, Any]]:
        """Documents that meet MongoDB criteria; equalities of uuid, index and name use the index.

        Parameters
        ----------
        criteria
            MongoDB filter.
        properties
            Fields to return, dots for nested ones; all by default.
        sort
            Top-level fields with 1 or -1.
        skip, limit
            As in MongoDB; a limit of 0 is none.
        """
        asked = set(properties or ())
        if asked and asked <= set(INDEXED) and set(criteria or {}) <= set(INDEXED):
            columns: Any = self._columns(criteria or {})
        else:
            columns = self._matching(criteria or {})
        if sort:
            columns = list(columns)
            for field, order in reversed(list(sort.items())):
                descending = getattr(order, "value", order) == -1
                columns.sort(key=lambda d: (d.get(field) is not None, d.get(field)), reverse=descending)
        for position, document in enumerate(columns):
            if position < skip:
                continue
            if limit and position >= skip + limit:
                return
            yield project(document, properties)

    def query_one(
        self,
        criteria: dict[str, Any] | None = None,
        properties: dict[str, Any] | list[str] | None = None,
        sort: Mapping[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """First of the documents that meet the criteria; None if there is none."""
        return next(self.query(criteria, properties, sort), None)

    def by_key(self, key: str) -> dict[str, Any] | None:
        """Output document of the job that has a key (see `keys`); None if the store has none.

        Raises
        ------
        DamagedStoreError
            If it is there and does not decode.
        """
        pointer = self.query_one({"uuid": f"key-{key}"})
        if pointer is None:
            return None
        uuid, index = pointer["job"]
        row: dict[str, Any] | None = self.query_one({"uuid": uuid, "index": index})
        return row

    def rows(self) -> list[Row]:
        """All documents as they are stored, not decoded."""
        rows: list[Row] = self._open.execute("SELECT uuid, idx, name, body FROM documents").fetchall()
        return rows

    @property
    def is_of_version_1(self) -> bool:
        """Whether the file was begun before stores said which version of the schema they have."""
        return int(self._open.execute("PRAGMA user_version").fetchone()[0]) < SCHEMA_VERSION

    def update(self, docs: list[dict[str, Any]] | dict[str, Any], key: list[str] | str | None = None) -> None:
        """Insert or replace documents in one transaction."""
        rows = [encode(doc) for doc in (docs if isinstance(docs, list) else [docs])]
        if self._held is not None:
            self._held.extend(rows)
            return
        self.write_rows(rows)

    def write_rows(self, rows: Sequence[Row], remove: Sequence[tuple[str, int]] = ()) -> None:
        """Insert or replace encoded documents, and remove others, in one transaction.

        Raises
        ------
        StoreUnavailableError
            If the file cannot be written; it is then as it was.
        """
        try:
            with self._transaction() as connection:
                connection.executemany("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)", rows)
                connection.executemany("DELETE FROM documents WHERE uuid = ? AND idx = ?", remove)
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                raise
            raise unavailable(self.path, error, "written") from error

    @contextmanager
    def holding(self) -> Iterator[list[Row]]:
        """Within this context updates are collected in the returned list instead of written."""
        self._held = []
        try:
            yield self._held
        finally:
            self._held = None

    def remove_docs(self, criteria: dict[str, Any]) -> None:
        """Remove the documents that meet the criteria."""
        doomed = [(d["uuid"], d.get("index", 1)) for d in self._matching(criteria)]
        with self._transaction() as connection:
            connection.executemany("DELETE FROM documents WHERE uuid = ? AND idx = ?", doomed)

    def _transaction(self) -> sqlite3.Connection:
        connection = self._open
        connection.execute("BEGIN IMMEDIATE")
        return connection

    def last_row(self, uuid: str) -> Row | None:
        """A job's document of the highest index, as it is stored; None if there is none."""
        text = "SELECT uuid, idx, name, body FROM documents WHERE uuid = ? ORDER BY idx DESC LIMIT 1"
        row: Row | None = self._open.execute(text, (uuid,)).fetchone()
        return row

    def _columns(self, criteria: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """uuid, index and name of the documents that meet criteria of these; no document is read."""
        where, values, rest = _where(criteria)
        text = f"SELECT uuid, idx, name FROM documents{where} ORDER BY rowid"
        for row in self._open.execute(text, values).fetchall():
            fields = dict(zip(INDEXED, row, strict=True))
            if not rest or _meets(rest, fields):
                yield fields

    def _matching(self, criteria: dict[str, Any]) -> Iterator[dict[str, Any]]:
        where, values, rest = _where(criteria)
        text = f"SELECT uuid, idx, name, body FROM documents{where} ORDER BY rowid"
        for row in self._open.execute(text, values).fetchall():
            document = self.decoded(row)
            if not rest or _meets(rest, document):
                yield document

    def decoded(self, row: Row) -> dict[str, Any]:
        """The document of a row, checked.

        Raises
        ------
        DamagedStoreError
            If it does not decode, or is another job's.
        UnsafeFileError
            If it names a class that is no result.
        """
        try:
            document = decode(row)
            if (document.get("uuid"), document.get("index", 1)) != (row[0], row[1]):
                raise ValueError("it is another job's")
        except (zlib.error, ValueError, TypeError, AttributeError) as error:
            damage = DamagedStoreError(
                f"the result of job {row[0]} in {self.path} is damaged ({error}); "
                "the next `magnetoionics run` moves it aside and computes it again"
            )
            damage.row = row[0], row[1]
            raise damage from error
        check_classes(document, f"job {row[0]} in {self.path}")
        return document

    def set_aside(self, uuid: str, index: int) -> Path:
        """Move a damaged document out of the store, as it is; returns where it went."""
        folder = Path(self.path).parent / DAMAGED
        folder.mkdir(exist_ok=True)
        # Hashed, because the name comes from a file that is damaged.
        target = folder / f"{hashlib.sha256(f'{uuid}:{index}'.encode()).hexdigest()[:16]}.zlib"
        query = "SELECT body FROM documents WHERE uuid = ? AND idx = ?"
        for (body,) in self._open.execute(query, (uuid, index)).fetchall():
            target.write_bytes(body)
        self.write_rows([], remove=[(uuid, index)])
        return target


def _where(criteria: Mapping[str, Any]) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """SQL of the criteria that the columns answer, its values, and the other criteria."""
    quick = {k: v for k, v in criteria.items() if k in INDEXED and isinstance(v, str | int)}
    where = " AND ".join(f"{INDEXED[k]} = ?" for k in quick)
    rest = {k: v for k, v in criteria.items() if k not in quick}
    return f" WHERE {where}" if where else "", tuple(quick.values()), rest


def _meets(criteria: dict[str, Any], document: dict[str, Any]) -> bool:
    """Whether a document meets MongoDB criteria; fields that equal or hold a word need nothing else imported."""
    if all(isinstance(v, str) and not k.startswith("$") and "." not in k for k, v in criteria.items()):
        pairs = ((document.get(k), v) for k, v in criteria.items())
        return all(held == v or (isinstance(held, list) and v in held) for held, v in pairs)
    # maggma's own in-memory MongoDB, whatever that package is called in the installed version
    from maggma.stores import mongolike

    return bool(vars(mongolike)["mongomock"].filtering.filter_applies(criteria, document))


def project(document: dict[str, Any], properties: dict[str, Any] | list[str] | None) -> dict[str, Any]:
    """The fields of a document that were asked for, dots for nested ones; all without a list."""
    if not properties:
        return document
    out: dict[str, Any] = {}
    for path in properties:
        value: Any = document
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        place = out
        *parents, last = path.split(".")
        for part in parents:
            place = place.setdefault(part, {})
        if value is not None or last in document:
            place[last] = value
    return out
