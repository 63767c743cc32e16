"""Task documents of atomate2 in a jobflow store: a study's, one that a file describes, a project's, or the user's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..local.store import STORE_FILE, STORE_FOLDER

if TYPE_CHECKING:
    from jobflow import JobStore

# Stands for the store that jobflow's own settings name.
OWN = "jobflow"
_TASKS: dict[str, Any] = {"output.calcs_reversed": {"$exists": True}}


def open_source(source: str) -> JobStore:
    """The store that a user names, connected.

    Parameters
    ----------
    source
        Folder of a study or its SQLite file; a file that describes a jobflow store (``docs_store``,
        ``additional_stores``); a project of jobflow-remote; or ``jobflow`` for the store of jobflow's settings.

    Raises
    ------
    UserError
        If it is none of these, or cannot be reached.
    """
    try:
        store = _named(source)
        store.connect()
        # A server is asked for the first time by a query.
        store.count({"uuid": ""})
    except UserError:
        raise
    except Exception as error:  # every kind of store fails in its own way
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"store {source} cannot be read ({type(error).__name__}: {reason})") from error
    return store


def _named(source: str) -> JobStore:
    from jobflow import SETTINGS, JobStore

    from ..local.sqlite_store import SqliteStore

    path = Path(source).expanduser()
    if source == OWN:
        store: JobStore = SETTINGS.JOB_STORE
        return store
    own = path / STORE_FOLDER / STORE_FILE if path.is_dir() else path
    if own.is_file() and own.suffix == Path(STORE_FILE).suffix:
        return JobStore(SqliteStore(str(own), read_only=True))
    if path.is_file():
        return JobStore.from_file(str(path))
    if path.exists():
        raise UserError(f"store {source} holds no {STORE_FOLDER}/{STORE_FILE}; give its runs as PATHS instead")
    from ..cluster.project import load_project

    try:
        found = load_project(source).get_jobstore()
    except UserError as error:
        raise UserError(
            f"store {source!r} is no study folder, no file and no project ({error}); `jobflow` stands for the store of "
            "jobflow's settings"
        ) from error
    if found is None:
        raise UserError(f"project {source} names no job store")
    return found


def stored_tasks(source: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every task document of a store, one at a time, with the name of its job; of a repeated job the last one.

    Parameters
    ----------
    source
        See `open_source`.

    Raises
    ------
    UserError
        As `open_source`, or if the store holds no task.
    """
    store = open_source(source)
    last: dict[str, tuple[int, str]] = {}
    for row in store.query(_TASKS, properties=["uuid", "index", "name"]):
        uuid, index = str(row["uuid"]), int(row.get("index") or 1)
        if index >= last.get(uuid, (0, ""))[0]:
            last[uuid] = (index, str(row.get("name") or "task"))
    if not last:
        raise UserError(f"store {source} holds no task document of atomate2 (output.calcs_reversed)")
    for uuid, (index, name) in last.items():
        document = store.query_one({"uuid": uuid, "index": index}, load=True)
        if document is not None:
            yield f"{source}: {name} ({uuid[:8]})", document["output"]
    store.close()
