"""The embedded job store of a study: one SQLite file, no server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError

if TYPE_CHECKING:
    from jobflow import JobStore

    from .sqlite_documents import SqliteDocuments

STORE_FOLDER = "store"
STORE_FILE = "jobs.sqlite"
# Where a submitted study is; see `cluster.submit`.
SUBMISSION_FILE = "submission.json"


def refuse_links(folder: Path) -> None:
    """Refuse a study's folder that would have its files written somewhere else.

    Raises
    ------
    UserError
        If one of its entries, or of its store's, figures' or bands', is a link that leads out of it.
    """
    inside = folder.resolve()
    parts = ("", STORE_FOLDER, f"{STORE_FOLDER}/files", f"{STORE_FOLDER}/checkpoints", "figures", "bands", "dry-run")
    for place in (folder / part for part in parts):
        for entry in place.iterdir() if place.is_dir() else ():
            if entry.is_symlink() and not entry.resolve().is_relative_to(inside):
                raise UserError(
                    f"{entry} is a link that leads out of the study's folder, and would be written through; "
                    "put what it names there, or choose another folder"
                )


def open_store(folder: Path) -> JobStore:
    """Connected job store inside a study's folder, made if it is not there.

    Parameters
    ----------
    folder
        The study's output folder.

    Raises
    ------
    UserError
        As `refuse_links`.
    """
    from .sqlite_store import SqliteStore
    from .study_store import StudyStore

    refuse_links(folder)
    path = folder / STORE_FOLDER
    path.mkdir(parents=True, exist_ok=True)
    store = StudyStore(SqliteStore(str(path / STORE_FILE)))
    store.connect()
    return store


def read_store(folder: Path) -> SqliteDocuments:
    """Connected documents of a study's folder that nothing is written to: works where one may only read.

    Without jobflow, whose import takes longer than reading a study.

    Raises
    ------
    UserError
        As `refuse_links`, or if the store cannot be read.
    """
    from .sqlite_documents import SqliteDocuments

    refuse_links(folder)
    store = SqliteDocuments(str(folder / STORE_FOLDER / STORE_FILE), read_only=True)
    store.connect()
    return store


def stores_of(folders: Sequence[Path]) -> list[SqliteDocuments]:
    """Stores of other studies, to be read only.

    Raises
    ------
    UserError
        If a folder has none that can be read.
    """
    from .sqlite_documents import SqliteDocuments

    stores = []
    for folder in folders:
        path = folder / STORE_FOLDER / STORE_FILE
        if not path.is_file():
            raise UserError(f"--reuse {folder}: it holds no job store; name the folder of a study")
        stores.append(SqliteDocuments(str(path), read_only=True))
        stores[-1].connect()
    return stores


def has_store(folder: Path) -> bool:
    """Whether a folder holds a job store with something in it."""
    return (folder / STORE_FOLDER / STORE_FILE).is_file()
