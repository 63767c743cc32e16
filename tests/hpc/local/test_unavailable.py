"""A sound store that cannot be reached now is left as it is; one that may only be read is read."""

import errno
import os
import shutil
import sqlite3
import tempfile
import threading
from operator import add
from pathlib import Path

import pytest
from jobflow import Flow, job
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.local import run_log
from magnetoionics.hpc.local.recovery import heal_store
from magnetoionics.hpc.local.run_log import FolderInUseError, RunLog
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.sqlite_documents import DAMAGED
from magnetoionics.hpc.local.sqlite_errors import StoreUnavailableError
from magnetoionics.hpc.local.sqlite_store import SqliteStore
from magnetoionics.hpc.local.store import open_store, read_store, stores_of
from magnetoionics.hpc.study_folder.writing import write_whole


@pytest.fixture
def folder():
    """A study's folder with one output, where any user may go: pytest's own folders are closed to others."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    store = open_store(made)
    assert LocalRunner(store).run(Flow([job(add)(2, 3)])).finished
    store.close()
    yield made
    for path in (made, *made.rglob("*")):
        path.chmod(0o755)
    shutil.rmtree(made)


def path_of(folder):
    return folder / "store" / "jobs.sqlite"


def as_somebody_else(function):
    """What a user without rights in a folder gets: permissions mean nothing to root."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            said = str(function())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return said


def outputs(store):
    return [d["output"] for d in store.query({"name": "add"})]


def test_a_finished_store_is_one_file_that_anybody_can_read(folder):
    assert [p.name for p in path_of(folder).parent.glob("jobs.sqlite*")] == ["jobs.sqlite"]
    for path in (path_of(folder), path_of(folder).parent, folder):
        path.chmod(path.stat().st_mode & 0o555)
    assert as_somebody_else(lambda: outputs(read_store(folder))) == "[5]"
    assert as_somebody_else(lambda: stores_of([folder])[0].count({"name": "add"})) == "1"


def test_one_whose_writer_was_killed_is_read_where_nothing_may_be_written(folder):
    """Its header still asks for a write-ahead log, which cannot be made there."""
    with sqlite3.connect(path_of(folder)) as db:
        db.execute("PRAGMA journal_mode=WAL")
    db.close()
    for path in (path_of(folder), path_of(folder).parent, folder):
        path.chmod(path.stat().st_mode & 0o555)
    assert as_somebody_else(lambda: outputs(read_store(folder))) == "[5]"


def test_forbidden_store_is_not_moved_aside(folder):
    path_of(folder).chmod(0)
    before = path_of(folder).stat()
    assert as_somebody_else(lambda: heal_store(folder)).startswith("StoreUnavailableError: ")
    assert "cannot be read" in as_somebody_else(lambda: heal_store(folder))
    assert "cannot be written" in as_somebody_else(lambda: open_store(folder))
    assert path_of(folder).stat().st_ino == before.st_ino
    assert not (folder / "store" / DAMAGED).exists()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_IOERR, "cannot be read"),
        (sqlite3.SQLITE_BUSY, "cannot be read"),
        (sqlite3.SQLITE_FULL, "has no room"),
        (sqlite3.SQLITE_CANTOPEN, "cannot be read"),
    ],
)
def test_transient_errors_move_nothing(folder, monkeypatch, code, words):
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    before = path_of(folder).read_bytes()

    def refuse(*args, **kwargs):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("magnetoionics.hpc.local.recovery.sqlite3.connect", refuse)
        with pytest.raises(StoreUnavailableError, match=words):
            heal_store(folder)
    assert path_of(folder).read_bytes() == before
    assert not (folder / "store" / DAMAGED).exists()


def test_full_disk_ends_in_one_line_and_what_was_written_stays(folder):
    store = open_store(folder)
    docs = store.docs_store
    assert isinstance(docs, SqliteStore)
    (pages,) = docs._open.execute("PRAGMA page_count").fetchone()
    docs._open.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreUnavailableError, match=r"jobs\.sqlite has no room .*nothing in it is lost"):
        docs.write_rows([("big", 1, "big", os.urandom(10**6))])
    assert outputs(store) == [5]
    docs.write_rows([("key-small", 1, "key", b"x")])
    store.close()


def test_two_runners_of_one_process_do_not_change_each_others_folder(folder, tmp_path):
    inside, leave = threading.Event(), threading.Event()

    def wait(number):
        inside.set()
        assert leave.wait(60)
        return number

    first = threading.Thread(target=lambda: LocalRunner(open_store(tmp_path)).run(Flow([job(wait)(1)])))
    first.start()
    assert inside.wait(60)
    try:
        with pytest.raises(FolderInUseError, match="in this Python process"):
            LocalRunner(open_store(folder)).run(Flow([job(add)(1, 1)]))
    finally:
        leave.set()
        first.join()
    assert LocalRunner(open_store(folder)).run(Flow([job(add)(1, 1)])).finished


@pytest.mark.parametrize("beats", [True, False])
def test_a_heartbeat_keeps_a_second_machine_out_where_locks_do_not_reach(tmp_path, monkeypatch, beats):
    """The lock is gone, as on a network folder; the clocks of the machines are an hour apart."""
    theirs = RunLog(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(run_log.socket, "gethostname", lambda: "node17")
        theirs.begin()
    theirs._unlock()
    theirs._stop.set()
    theirs._write("UPDATE run SET beat = beat - 3600 WHERE id = 1", [()])

    def pause(seconds):
        assert seconds > 2 * run_log.BEAT_S
        if beats:
            theirs._write("UPDATE run SET beat = beat + ? WHERE id = 1", [(seconds,)])

    monkeypatch.setattr(run_log.time, "sleep", pause)
    mine = RunLog(tmp_path)
    if beats:
        with pytest.raises(FolderInUseError, match="on node17"):
            mine.begin()
        with pytest.raises(FolderInUseError, match="on node17"):
            run_log.refuse_if_in_use(tmp_path)
    else:
        mine.begin()
        mine.finish()


@pytest.mark.parametrize(
    ("code", "need"), [(errno.EROFS, "see to its permissions"), (errno.ENOSPC, "free some megabytes"), (errno.EIO, "")]
)
def test_a_place_that_refuses_is_one_line_in_every_command(tmp_path, monkeypatch, capsys, code, need):
    def refused(*_, **__):
        raise OSError(code, os.strerror(code), str(tmp_path / "there" / ".claims.json.abcdefgh"))

    monkeypatch.setattr("tempfile.mkstemp", refused)
    assert main(["claims", "--all", "--output", str(tmp_path)]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert said[-1].startswith(f"magnetoionics: error: {tmp_path / 'there'} cannot be read or written (")
    assert need in said[-1]
    assert len(said) == 1


def test_other_errors_of_the_system_are_not_taken_for_a_place(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    monkeypatch.setattr("tempfile.mkstemp", broken)
    with pytest.raises(OSError, match="descriptor"):
        main(["claims", "--all", "--output", str(tmp_path)])


def test_a_full_disk_says_which_file_had_no_room(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fdopen", full)
    with pytest.raises(OSError, match="No space left") as raised:
        write_whole(tmp_path / "results.json", "x")
    assert raised.value.filename == str(tmp_path / "results.json")
    assert list(tmp_path.iterdir()) == []
