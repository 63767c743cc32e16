"""What a study's folder has done, is doing and could not do."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from ..local.run_log import JobRow, RunRow, read_run_log, run_log_file
from ..local.store import STORE_FILE, STORE_FOLDER, SUBMISSION_FILE
from .files import REPORT, RESULTS

if TYPE_CHECKING:
    from rich.console import Group

    from ..terminal import Console

_STYLE = {"done": "green", "running": "cyan", "failed": "red", "skipped": "yellow", "stopped": "red", "waiting": "dim"}
WATCH_S = 1.0


@dataclass(frozen=True)
class FolderStatus:
    """State of a study's folder: its last run, if it is known, its jobs, and one line on the whole."""

    folder: Path
    run: RunRow | None
    jobs: list[JobRow]
    summary: str

    @property
    def alive(self) -> bool:
        """Whether a runner is working on it."""
        return self.run is not None and self.run.alive


def folder_status(folder: Path) -> FolderStatus:
    """Read the state of a study's folder.

    Raises
    ------
    UserError
        If the folder holds no study.
    """
    finished = (folder / RESULTS).is_file()
    store = folder / STORE_FOLDER
    if (store / SUBMISSION_FILE).is_file() and not finished and run_log_file(store) is None:
        return FolderStatus(
            folder, None, [], f"submitted to a cluster; `magnetoionics fetch {folder}` says how far it is"
        )
    if not (store / STORE_FILE).is_file():
        if finished:
            return FolderStatus(folder, None, [], f"finished; {folder / REPORT}. It has no job store")
        raise UserError(f"{folder} holds no study; run one with `magnetoionics run HOST --output {folder}`")
    log = read_run_log(store)
    run, jobs = log if log is not None else (None, _jobs_of_store(store / STORE_FILE))
    return FolderStatus(folder, run, jobs, _summary(folder, run, jobs, finished))


def _jobs_of_store(path: Path) -> list[JobRow]:
    """Without a run log, what the store holds."""
    import sqlite3

    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as db:
            names = db.execute("SELECT name FROM documents WHERE name NOT IN ('key', 'timings') ORDER BY rowid")
            return [JobRow(str(name), "", "done") for (name,) in names.fetchall()]
    except sqlite3.DatabaseError as error:
        raise UserError(
            f"{path} is damaged ({error}); the next `magnetoionics run` moves it aside and saves what can be read"
        ) from error


def _summary(folder: Path, run: RunRow | None, jobs: list[JobRow], finished: bool) -> str:
    counts = Counter[str](j.state for j in jobs)
    tally = ", ".join(f"{counts[s]} {s}" for s in _STYLE if counts[s])
    if run is not None and run.alive:
        where = f"process {run.pid} on {run.machine}"
        return f"running ({where}, {run.workers} at a time): {tally}"
    if finished:
        return f"finished: {tally}; {_report(folder)}"
    if counts["failed"]:
        return f"failed: {tally}; what is done is kept, run the same command again after the cure"
    if run is not None and run.ended is None:
        return (
            f"interrupted: {tally}; process {run.pid} on {run.machine} is gone, "
            "run the same command again to go on from here"
        )
    return f"unfinished: {tally}; run the same command again to go on from here"


def _report(folder: Path) -> str:
    """Where the report is; one whose writing was cut off is written again from the store."""
    path = folder / REPORT
    return str(path) if path.is_file() else f"no {REPORT}, which `magnetoionics report {folder}` writes"


def status_table(status: FolderStatus) -> Group:
    """Table of the jobs with a line on the whole."""
    from rich.console import Group
    from rich.text import Text

    from ..terminal_table import TerminalTable

    table = TerminalTable("stage", "job", "state", "seconds", "why")
    now = time.time()
    for job in status.jobs:
        seconds = job.seconds(now)
        table.add_row(
            Text(job.stage),
            Text(job.name),
            Text(f"{job.state}, from before" if job.reused else job.state, style=_STYLE.get(job.state, "")),
            "" if seconds is None else f"{seconds:.1f}",
            # Text, so that brackets in a message are no markup.
            Text(" ".join(job.error.split())[:300]),
        )
    return Group(table, Text(status.summary)) if status.jobs else Group(Text(status.summary))


def show_status(folder: Path, *, watch: bool = False, console: Console | None = None) -> FolderStatus:
    """Print the table once, or redraw it until the run ends.

    Returns
    -------
    FolderStatus
        The last one shown.
    """
    from rich.live import Live

    from ..terminal import Console

    console = console or Console()
    status = folder_status(folder)
    if not (watch and status.alive):
        console.print(status_table(status))
        return status
    with Live(status_table(status), console=console, auto_refresh=False) as live:
        alive = True
        while alive:
            time.sleep(WATCH_S)
            status = folder_status(folder)
            alive = status.alive
            live.update(status_table(status), refresh=True)
    return status


def show_verified(folder: Path) -> bool:
    """Check what is written in a folder and the documents of its store, and say what is not as it was written.

    Returns
    -------
    bool
        Whether all is as it was written.

    Raises
    ------
    UserError
        If the folder holds no study.
    """
    from ..local.recovery import damaged_documents
    from ..terminal import Console
    from .integrity import SUMS, list_is_missing, verify

    console = Console()
    folder_status(folder)
    files, wrong = verify(folder)
    documents = 0
    if (folder / STORE_FOLDER / STORE_FILE).is_file():
        documents, damaged = damaged_documents(folder)
        wrong += damaged
    if missing := list_is_missing(folder):
        wrong.append(missing)
    for why in wrong:
        console.print(f"altered: {why}", style="red", markup=False)
    earlier = "" if missing else ": the study was written by an earlier version"
    known = f"{files} files as in {SUMS}" if files else f"no {SUMS}{earlier}"
    console.print(f"{folder}: {known}, {documents} documents in the store, {len(wrong)} altered", markup=False)
    return not wrong
