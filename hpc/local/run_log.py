"""What a run is doing, beside the store: one row per job, and the runner's process with its heartbeat.

The run log is for people: losing it loses no result. It therefore does not wait for the disk, and
a damaged one is moved away and made anew. The lock beside it keeps two runners out of one folder;
the operating system drops it with the process that holds it.
"""

from __future__ import annotations

import errno
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from ..errors import UserError
from .sqlite_errors import is_damage, unavailable

RUN_LOG_FILE = "run-log.sqlite"
# What it was called before.
OLD_RUN_LOG_FILE = "journal.sqlite"
LOCK_FILE = "run.lock"
BEAT_S = 2.0
# A runner on another machine counts as gone when it has been silent for this long.
SILENT_S = 60.0

JobState = Literal["waiting", "running", "done", "failed", "skipped", "stopped"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
    id INTEGER PRIMARY KEY CHECK (id = 1), pid INTEGER, born TEXT, machine TEXT, jobs INTEGER,
    begun REAL, beat REAL, ended REAL
);
CREATE TABLE IF NOT EXISTS job (
    position INTEGER PRIMARY KEY, node TEXT UNIQUE, name TEXT, stage TEXT, state TEXT,
    begun REAL, ended REAL, reused INTEGER DEFAULT 0, error TEXT DEFAULT ''
);
"""


class FolderInUseError(UserError):
    """Another runner works in the folder."""


@dataclass(frozen=True)
class JobRow:
    """One job of the last run; times are seconds since the epoch."""

    name: str
    stage: str
    state: JobState
    begun: float | None = None
    ended: float | None = None
    reused: bool = False
    error: str = ""

    def seconds(self, now: float) -> float | None:
        """How long it took, or has been running."""
        if self.begun is None or self.state == "waiting":
            return None
        if self.ended is None and self.state != "running":
            return None
        return (self.ended if self.ended is not None else now) - self.begun


@dataclass(frozen=True)
class RunRow:
    """The last run of a folder."""

    pid: int
    machine: str
    workers: int
    begun: float
    beat: float
    ended: float | None
    alive: bool


def process_birth(pid: int) -> str:
    """Something that tells a process from a later one with the same number; empty if it is not running here."""
    try:
        # Field 22 of stat, counted after the command in parentheses, which may hold blanks.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        pass
    try:
        os.kill(pid, 0)
    except PermissionError:
        return "running"
    except OSError:
        return ""
    return "running"


class RunLog:
    """Writer of the run log; one per run, used by one process.

    Parameters
    ----------
    folder
        The store's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: IO[str] | None = None
        self._connection: sqlite3.Connection | None = None
        self._stop = threading.Event()
        self._beater: threading.Thread | None = None
        self._guard = threading.Lock()
        self._count = 0

    def begin(self, workers: int = 1) -> None:
        """Take the folder's lock and start a new account of the run.

        Raises
        ------
        FolderInUseError
            If another runner holds the lock, or is alive where locks do not reach (network folders).
        """
        self._lock = _take_lock(self.folder)
        try:
            _refuse_live_run(self.folder)
        except FolderInUseError:
            self._unlock()
            raise
        self._connection = _open(self.folder / RUN_LOG_FILE)
        now, pid = time.time(), os.getpid()
        with self._connection as db:
            db.execute("DELETE FROM run")
            db.execute("DELETE FROM job")
            db.execute(
                "INSERT INTO run VALUES (1, ?, ?, ?, ?, ?, ?, NULL)",
                (pid, process_birth(pid), socket.gethostname(), workers, now, now),
            )
        self._count = 0
        self._stop.clear()
        self._beater = threading.Thread(target=self._beat, daemon=True, name="heartbeat")
        self._beater.start()

    def add(self, jobs: Iterable[tuple[str, str, str]]) -> None:
        """Jobs that the run will do: node, name, stage."""
        rows: list[tuple[object, ...]] = []
        for node, name, stage in jobs:
            self._count += 1
            rows.append((self._count, node, name, stage))
        self._write(
            "INSERT OR REPLACE INTO job (position, node, name, stage, state) VALUES (?, ?, ?, ?, 'waiting')", rows
        )

    def started(self, node: str) -> None:
        """A job has started."""
        self._write("UPDATE job SET state = 'running', begun = ? WHERE node = ?", [(time.time(), node)])

    def ended(self, node: str, state: JobState, *, reused: bool = False, error: str = "") -> None:
        """A job has ended."""
        self._write(
            "UPDATE job SET state = ?, ended = ?, reused = ?, error = ? WHERE node = ?",
            [(state, time.time(), int(reused), error, node)],
        )

    def finish(self) -> None:
        """The run is over: stop the heartbeat and give the folder back."""
        self._stop.set()
        if self._beater is not None:
            self._beater.join()
        if self._connection is not None:
            self._write("UPDATE run SET ended = ? WHERE id = 1", [(time.time(),)])
            self._connection.close()
            self._connection = None
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _write(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        assert self._connection is not None
        # A full disk or a file that somebody holds must not end a calculation for its account's sake.
        with suppress(sqlite3.Error), self._guard, self._connection as db:
            db.executemany(statement, rows)

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_S):
            self._write("UPDATE run SET beat = ? WHERE id = 1", [(time.time(),)])


def run_log_file(folder: Path) -> Path | None:
    """The run log in a store's folder, under its name or its old one; None without one."""
    return next((p for p in (folder / RUN_LOG_FILE, folder / OLD_RUN_LOG_FILE) if p.is_file()), None)


def read_run_log(folder: Path) -> tuple[RunRow, list[JobRow]] | None:
    """The last run of a store's folder and its jobs; None without a readable run log.

    Jobs that were running when their runner died are ``stopped``.
    """
    path = run_log_file(folder)
    if path is None:
        return None
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        with connection as db:
            row = db.execute("SELECT pid, born, machine, jobs, begun, beat, ended FROM run").fetchone()
            rows = db.execute(
                "SELECT name, stage, state, begun, ended, reused, error FROM job ORDER BY position"
            ).fetchall()
        connection.close()
    except sqlite3.DatabaseError:
        return None
    if row is None:
        return None
    pid, born, machine, workers, begun, beat, ended = row
    alive = ended is None and _alive(pid, born, machine, beat)
    run = RunRow(pid, machine, workers, begun, beat, ended, alive)
    jobs = [JobRow(n, s, state, b, e, bool(reused), error) for n, s, state, b, e, reused, error in rows]
    if not alive:
        jobs = [
            JobRow(j.name, j.stage, "stopped", j.begun, None, j.reused, "the runner is gone")
            if j.state == "running"
            else j
            for j in jobs
        ]
    return run, jobs


def _alive(pid: int, born: str, machine: str, beat: float) -> bool:
    if machine == socket.gethostname():
        return bool(born) and process_birth(pid) == born
    return time.time() - beat < SILENT_S


def _open(path: Path) -> sqlite3.Connection:
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if not is_damage(error) and "no such column" not in str(error):
            raise unavailable(path, error, "written") from error
        for tail in ("", "-wal", "-shm"):
            Path(f"{path}{tail}").unlink(missing_ok=True)
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        connection.executescript(_SCHEMA)
        connection.execute("SELECT begun FROM run").fetchall()
        connection.execute("SELECT error FROM job LIMIT 1").fetchall()
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def refuse_if_in_use(folder: Path) -> None:
    """Refuse a store's folder that a runner works on, before anything in it is moved or removed.

    Raises
    ------
    FolderInUseError
        If another runner holds its lock, or is alive where locks do not reach.
    """
    if not (folder / LOCK_FILE).is_file():
        return
    lock = _take_lock(folder)
    try:
        _refuse_live_run(folder)
    finally:
        if lock is not None:
            lock.close()


def _refuse_live_run(folder: Path) -> None:
    """Refuse a folder whose run log has a live heartbeat: network folders often take a lock on one machine only.

    A runner of this machine holds the lock itself where there are locks. One of another machine is asked by its
    heartbeat twice, because the clocks of two machines may differ.
    """
    log = read_run_log(folder)
    if log is None or log[0].ended is not None:
        return
    run = log[0]
    here = run.machine == socket.gethostname()
    if here and (not run.alive or run.pid == os.getpid()):
        return
    if not here:
        time.sleep(2.5 * BEAT_S)
        again = read_run_log(folder)
        if again is None or again[0].ended is not None or again[0].beat == run.beat:
            return
    raise FolderInUseError(
        f"{folder.parent} is being computed by process {run.pid} on {run.machine}; watch it with "
        f"`magnetoionics status {folder.parent} --watch`"
    )


def _take_lock(folder: Path) -> IO[str] | None:
    try:
        import fcntl
    except ImportError:  # no such locks on Windows; SQLite's own keep the store whole
        return None
    handle = (folder / LOCK_FILE).open("a+", encoding="utf-8")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES):
            handle.close()
            return None  # a file system without locks
        handle.seek(0)
        who = handle.read().strip() or "another process"
        handle.close()
        raise FolderInUseError(
            f"{folder.parent} is being computed by {who}; watch it with `magnetoionics status {folder.parent} --watch`"
        ) from error
    handle.truncate(0)
    handle.write(f"process {os.getpid()} on {socket.gethostname()}")
    handle.flush()
    return handle
