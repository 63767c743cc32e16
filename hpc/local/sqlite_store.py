"""The store of maggma that jobflow asks for, over the documents of a SQLite file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from maggma.core.store import Store

from .sqlite_documents import INDEXED, SqliteDocuments, project


class SqliteStore(SqliteDocuments, Store):
    """Job outputs in one SQLite file.

    Parameters
    ----------
    path
        The file; its folder must exist.
    read_only
        Whether nothing is written: to look into a store of another study.
    """

    def __init__(self, path: str, *, read_only: bool = False, **kwargs: Any) -> None:
        SqliteDocuments.__init__(self, path, read_only=read_only)
        kwargs.setdefault("key", "uuid")
        Store.__init__(self, **kwargs)

    @property
    def name(self) -> str:
        """The file's name."""
        return Path(self.path).name

    @property
    def _collection(self) -> None:
        raise NotImplementedError("a SQLite store has no MongoDB collection")

    def ensure_index(self, key: str, unique: bool = False) -> bool:
        """Whether a field is indexed: uuid, index and name are."""
        return key in INDEXED

    def groupby(
        self,
        keys: list[str] | str,
        criteria: dict[str, Any] | None = None,
        properties: dict[str, Any] | list[str] | None = None,
        sort: Mapping[str, Any] | None = None,
        skip: int = 0,
        limit: int = 0,
        **_: Any,
    ) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """Documents grouped by the values of top-level fields."""
        names = keys if isinstance(keys, list) else [keys]
        groups: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}
        for document in self.query(criteria, None, sort, skip, limit):
            group = {n: document.get(n) for n in names}
            label = json.dumps(group, sort_keys=True, default=str)
            groups.setdefault(label, (group, []))[1].append(project(document, properties))
        yield from groups.values()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SqliteStore) and self.path == other.path

    def __hash__(self) -> int:
        return hash((type(self), self.path))
