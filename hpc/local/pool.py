"""Worker processes of a parallel run: each computes one job after another and returns what to write.

Only the runner writes to the store; a worker reads the inputs of its job there. A worker that dies
(killed for its memory, say) fails its job alone. A worker whose runner dies ends at once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .execution import Outcome, execute, to_plain
from .job_errors import reason_of
from .sqlite_store import SqliteStore

if TYPE_CHECKING:
    from jobflow import Job, JobStore


class _Worker:
    """A process with a pipe for work; its standard input is a life line that breaks with the runner.

    Started as a module and not by `multiprocessing`, which would import the caller's script again:
    notebooks and unguarded scripts have none that can be.
    """

    def __init__(self, path: str, threads: int) -> None:
        self.pipe, theirs = Pipe()
        number = theirs.fileno()
        self.process = subprocess.Popen(
            # -P: a file of the user's folder that is called like a module is not that module.
            [sys.executable, "-P", "-m", __name__, path, str(number), str(threads)],
            stdin=subprocess.PIPE,
            pass_fds=[number],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        theirs.close()
        self.busy: Any = None

    def stop(self) -> int:
        """End the process, and say how it ended."""
        self.pipe.close()
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            return self.process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class WorkerPool:
    """A fixed number of worker processes.

    Parameters
    ----------
    path
        The store's SQLite file.
    size
        Number of processes.
    """

    def __init__(self, path: str, size: int) -> None:
        self._path, self.size = str(Path(path).resolve()), size  # a job may change the folder
        self._threads = max(1, (os.cpu_count() or 1) // size)
        self._workers: list[_Worker] = []

    @property
    def running(self) -> int:
        """How many workers are computing."""
        return sum(w.busy is not None for w in self._workers)

    def start(self) -> _Worker:
        """Start one more worker, whose imports (about 1 s) then go on beside what the runner does meanwhile."""
        worker = _Worker(self._path, self._threads)
        self._workers.append(worker)
        return worker

    def submit(self, tag: Any, job: Job, key: str | None = None) -> None:
        """Give a job and its key to an idle worker, starting one if all are busy; `tag` comes back with its outcome."""
        worker = next((w for w in self._workers if w.busy is None), None) or self.start()
        worker.busy = tag
        with suppress(OSError):  # a dead one: `outcomes` finds out and says so
            worker.pipe.send((to_plain(job), key))

    def outcomes(self) -> Iterator[tuple[Any, Outcome]]:
        """Wait until at least one worker has something, and give all there is."""
        by_pipe = {w.pipe: w for w in self._workers if w.busy is not None}
        for pipe in wait(list(by_pipe)):
            worker = by_pipe[pipe]  # type: ignore[index]
            tag, worker.busy = worker.busy, None
            try:
                yield tag, _decode(worker.pipe.recv())
            except (EOFError, OSError):
                self._workers.remove(worker)
                code = worker.stop()
                yield tag, Outcome(error=f"its process died (exit code {code}; -9 often means too little memory)")

    def close(self) -> None:
        """End all workers, those that compute too."""
        for worker in self._workers:
            worker.stop()
        self._workers.clear()


def _decode(message: dict[str, Any]) -> Outcome:
    from monty.json import MontyDecoder

    # Sent by our own worker, whose job this process chose: not a file from outside.
    more = [MontyDecoder().process_decoded(m) for m in message["more"]]
    return Outcome(**{**message, "more": more})


def _work(path: str, number: int, threads: int) -> None:
    """Body of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_runner, daemon=True).start()

    from jobflow import Job
    from threadpoolctl import threadpool_limits

    from .study_store import StudyStore

    pipe: Connection[Any, Any] = Connection(number)
    store = StudyStore(SqliteStore(path))
    with threadpool_limits(limits=threads):
        while True:
            try:
                plain, key = pipe.recv()
            except EOFError:
                return
            pipe.send(_encode(_execute(Job, plain, store, key)))


def _execute(kind: type[Job], plain: dict[str, Any], store: JobStore, key: str | None) -> Outcome:
    try:
        job: Any = kind.from_dict(plain)
        return execute(job, store, key)
    except Exception as error:
        docs = store.docs_store
        folder = Path(docs.path).parent if isinstance(docs, SqliteStore) else None
        return Outcome(error=reason_of(error, str(plain.get("name")), folder))


def _encode(outcome: Outcome) -> dict[str, Any]:
    return {**vars(outcome), "more": [to_plain(m) for m in outcome.more]}


def _die_with_runner() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    _work(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
