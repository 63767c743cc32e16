"""The embedded job store of a study: one SQLite file, no server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobflow import JobStore

STORE_FOLDER = "store"
STORE_FILE = "jobs.sqlite"
# Where a submitted study is; see `cluster.submit`.
SUBMISSION_FILE = "submission.json"


def open_store(folder: Path) -> JobStore:
    """Connected job store inside a study's folder, made if it is not there.

    Parameters
    ----------
    folder
        The study's output folder.
    """
    from jobflow import JobStore

    from .sqlite_store import SqliteStore

    path = folder / STORE_FOLDER
    path.mkdir(parents=True, exist_ok=True)
    store = JobStore(SqliteStore(str(path / STORE_FILE)))
    store.connect()
    return store


def has_store(folder: Path) -> bool:
    """Whether a folder holds a job store with something in it."""
    return (folder / STORE_FOLDER / STORE_FILE).is_file()
