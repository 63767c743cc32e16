"""The embedded job store of a study: MontyDB on SQLite, one folder, no server.

It was chosen over maggma's JSONStore because it survives a killed process: JSONStore rewrites
its file in place.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobflow import JobStore

STORE_FOLDER = "store"


def open_store(folder: Path) -> JobStore:
    """Connected job store inside a study's folder, made if it is not there.

    Parameters
    ----------
    folder
        The study's output folder.
    """
    from jobflow import JobStore
    from maggma.stores.mongolike import MontyStore

    path = folder / STORE_FOLDER
    path.mkdir(parents=True, exist_ok=True)
    store = JobStore(MontyStore("outputs", database_path=str(path), key="uuid"))
    store.connect()
    return store


def has_store(folder: Path) -> bool:
    """Whether a folder holds a job store with something in it."""
    path = folder / STORE_FOLDER
    return path.is_dir() and any(path.iterdir())
