"""Attacks on a run and on every kind of file that it leaves, counted: ``python tests/builders/attacks.py [--write]``.

A chain of jobs, each of which leaves a line when it computes, is run, hit and run again by the same command; a study's
files are hit and read. Every moment is counted in events, none in seconds. An attack is survived if the numbers at its
end are those of an undisturbed run, or if what was hit is refused in words. A job is lost if it had finished, its
record was not what was hit, and it is computed again; it is doubled if two runners compute it. A number is wrong if it
is believed and is not the undisturbed one. ``--write`` puts the counts into docs/attacks.md.
"""

from __future__ import annotations

import argparse
import errno
import os
import random
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

import numpy as np
from ase.build import bulk
from ase.calculators.emt import EMT
from jobflow import Flow, job
from magnetoionics.hpc.cli import entry
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.local.recovery import heal_store
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.sqlite_store import SqliteStore
from magnetoionics.hpc.local.store import open_store
from magnetoionics.hpc.study_folder import files
from magnetoionics.hpc.study_folder.files import read_study, set_bad_results_aside
from magnetoionics.hpc.study_folder.integrity import verify
from magnetoionics.hpc.study_folder.study_run import rebuild_report
from magnetoionics.workflows.evaluation.checkpoint import Checkpoint

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "attacks.md"
LENGTH = 14
Attack = Callable[[Path, random.Random], Counter[str]]


def mark(x: int, n: int, log: str) -> int:
    """A cheap calculation that leaves a line when it is computed."""
    with Path(log).open("a", encoding="utf-8") as stream:
        stream.write(f"{n}\n")
    return (x * 31 + n) % 1000003


def right() -> list[int]:
    values = [0]
    for n in range(LENGTH):
        values.append((values[-1] * 31 + n) % 1000003)
    return values[1:]


def run(folder: Path) -> tuple[list[Any], Counter[str]]:
    """Run the chain to its end; its outputs, and how often each job has been computed in all."""
    log = folder / "computed.log"
    jobs: list[Any] = []
    for n in range(LENGTH):
        jobs.append(job(mark)(jobs[-1].output if jobs else 0, n, str(log)))
    heal_store(folder)
    store = open_store(folder)
    try:
        summary = LocalRunner(store).run(Flow(jobs))
        if not summary.finished:
            raise UserError(f"failed: {summary.failed}")
        outputs = [store.get_output(j.uuid) for j in jobs]
    finally:
        store.close()
    return outputs, Counter(log.read_text(encoding="utf-8").split())


def corrupt(path: Path, rng: random.Random) -> None:
    """Flip bytes, cut off, or write a block over: at random, and so that something is another."""
    before = path.read_bytes()
    content = bytearray(before)
    while bytes(content) == before:
        how = rng.randrange(3)
        if how == 0:
            for _ in range(rng.randint(1, 8)):
                content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        elif how == 1:
            del content[rng.randrange(len(content)) :]
        else:
            start = rng.randrange(len(content))
            content[start : start + 40] = rng.randbytes(40)
    path.write_bytes(bytes(content))


def outcome(outputs: list[Any], again: int = 0) -> Counter[str]:
    wrong = sum(a != b for a, b in zip(outputs, right(), strict=True))
    return Counter(survived=int(not wrong and not again), lost=again, wrong=wrong)


def hit_store(folder: Path, rng: random.Random) -> Counter[str]:
    """The store itself; jobs whose records were hit may be computed again."""
    run(folder)
    corrupt(folder / "store" / "jobs.sqlite", rng)
    return outcome(run(folder)[0])


def hit_run_log(folder: Path, rng: random.Random) -> Counter[str]:
    """The log of the run and its lock; no record is hit."""
    run(folder)
    for path in (folder / "store").iterdir():
        if path.is_file() and path.name != "jobs.sqlite" and path.stat().st_size:
            corrupt(path, rng)
    outputs, computed = run(folder)
    return outcome(outputs, sum(n - 1 for n in computed.values()))


def run_killed(folder: Path, moment: int, before: bool) -> NoReturn:
    """Run the chain in this process until it is killed at a transaction."""
    write, seen = SqliteStore.write_rows, 0

    def counted(self: SqliteStore, *given: Any, **more: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == moment and before:
            os.kill(os.getpid(), signal.SIGKILL)
        write(self, *given, **more)
        if seen == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    SqliteStore.write_rows = counted  # type: ignore[method-assign]
    try:
        run(folder)
    finally:
        os._exit(0)


def kill(folder: Path, rng: random.Random) -> Counter[str]:
    """SIGKILL at counted transactions, before or after the write, again and again until the run ends."""
    kills = 0
    while True:
        child = os.fork()
        if child == 0:
            run_killed(folder, rng.randrange(2, 9), rng.random() < 0.5)
        rng.random(), rng.random()
        if os.waitpid(child, 0)[1] == 0 or kills > 4 * LENGTH:
            break
        kills += 1
    outputs, computed = run(folder)
    # The one in flight is computed again at each kill, and no other.
    return outcome(outputs, max(0, sum(n - 1 for n in computed.values()) - kills))


def two_runners(folder: Path, rng: random.Random) -> Counter[str]:
    """A second runner while the first is held at a counted transaction; in half of the tries locks do not reach."""
    moment, write, reach = rng.randrange(2, LENGTH), SqliteStore.write_rows, rng.random() < 0.5
    (here, held), (go_on, release) = os.pipe(), os.pipe()
    with nullcontext() if reach else patch("fcntl.flock", lambda *given: None):
        child = os.fork()
        if child == 0:
            seen = 0

            def waiting(self: SqliteStore, *given: Any, **more: Any) -> None:
                nonlocal seen
                seen += 1
                if seen == moment:
                    os.write(held, b"x")
                    os.read(go_on, 1)
                write(self, *given, **more)

            SqliteStore.write_rows = waiting  # type: ignore[method-assign]
            try:
                run(folder)
            finally:
                os._exit(0)
        os.read(here, 1)
        refused = 0
        try:
            run(folder)
        except UserError:
            refused = 1
        os.write(release, b"x")
        os.waitpid(child, 0)
    for end in (here, held, go_on, release):
        os.close(end)
    outputs, computed = run(folder)
    doubled = sum(n - 1 for n in computed.values())
    found = outcome(outputs)
    return Counter(survived=int(found["survived"] and refused and not doubled), doubled=doubled, wrong=found["wrong"])


def sqlite_error(folder: Path, rng: random.Random) -> Counter[str]:
    """A transaction that fails once: no room, I/O error, locked, read only."""
    said = ["database or disk is full", "disk I/O error", "database is locked", "attempt to write a readonly"]
    words = rng.choice(said)
    moment, begin, seen = rng.randrange(1, LENGTH), SqliteStore._transaction, 0

    def failing(self: SqliteStore) -> Any:
        nonlocal seen
        seen += 1
        if seen == moment:
            raise sqlite3.OperationalError(words)
        return begin(self)

    refused = 0
    with patch.object(SqliteStore, "_transaction", failing):
        try:
            run(folder)
        except UserError:
            refused = 1
    outputs, computed = run(folder)
    return outcome(outputs, max(0, sum(n - 1 for n in computed.values()) - refused))


def hit_checkpoint(folder: Path, rng: random.Random) -> Counter[str]:
    """The record of a relaxation: what is replayed is what was computed."""
    path = folder / "evaluations.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    atoms, exact = bulk("Cu", cubic=True), []
    record = Checkpoint(path)
    atoms.calc = record.attach(EMT())
    for n in range(8):
        atoms.positions[0, 0] = 0.01 * n
        exact.append(atoms.get_potential_energy())
    record.flush()
    corrupt(path, rng)
    again = Checkpoint(path)
    other = bulk("Cu", cubic=True)
    other.calc = again.attach(EMT())
    wrong = 0
    for n in range(8):
        other.positions[0, 0] = 0.01 * n
        wrong += not np.isclose(other.get_potential_energy(), exact[n], rtol=0, atol=1e-12)
    return Counter(survived=int(not wrong), wrong=wrong)


def study_of(folder: Path, finished: Path) -> Path:
    return Path(shutil.copytree(finished, folder / "study"))


def hit_results(finished: Path) -> Attack:
    """results.json, or the list of checksums itself."""
    exact = read_study(finished).model_dump(mode="json")

    def attack(folder: Path, rng: random.Random) -> Counter[str]:
        study = study_of(folder, finished)
        corrupt(study / rng.choice(["results.json", "results.json", "SHA256SUMS"]), rng)
        try:
            read = read_study(study).model_dump(mode="json")
        except UserError:
            return Counter(survived=int(bool(set_bad_results_aside(study)) or bool(verify(study)[1])))
        return Counter(survived=int(read == exact), wrong=int(read != exact))

    return attack


def hit_outputs(finished: Path) -> Attack:
    """Every file of a study but those that other attacks hit: named by ``status --verify``."""
    kinds = sorted(p for p in written(finished) if p.name not in ("results.json", "SHA256SUMS"))

    def attack(folder: Path, rng: random.Random) -> Counter[str]:
        study = study_of(folder, finished)
        path = study / rng.choice(kinds)
        corrupt(path, rng)
        named = [why for why in verify(study)[1] if path.name in why]
        return Counter(survived=int(len(named) == 1), wrong=int(not named))

    return attack


def written(study: Path) -> dict[Path, bytes]:
    """All files of a study but its store."""
    found = (p for p in study.rglob("*") if p.is_file() and "store" not in p.relative_to(study).parts)
    return {p.relative_to(study): p.read_bytes() for p in found}


def full_disk(finished: Path) -> Attack:
    """No room, no permission or an I/O error at some file of the report; the same command then writes the same."""
    exact = written(finished)
    write = files.write_whole

    def attack(folder: Path, rng: random.Random) -> Counter[str]:
        study = study_of(folder, finished)
        code, moment, seen = rng.choice([errno.ENOSPC, errno.EIO, errno.EACCES]), rng.randrange(1, 5), 0

        def failing(path: Path, content: str | bytes) -> None:
            nonlocal seen
            seen += 1
            if seen == moment:
                raise OSError(code, os.strerror(code))
            write(path, content)

        refused = 0
        with patch.object(files, "write_whole", failing):
            try:
                rebuild_report(study)
            except UserError:
                refused = 1
        rebuild_report(study)
        again = written(study)
        return Counter(survived=int(bool(refused) and again == exact), wrong=int(again != exact))

    return attack


def ended_while_writing(finished: Path) -> Attack:
    """TERM or KILL at a counted file of results, bands, figures and report; numbers stand there before any picture.

    A KILL leaves the neighbour of the file that was being written; the same command takes it away.
    """
    exact, replace = written(finished), Path.replace

    def attack(folder: Path, rng: random.Random) -> Counter[str]:
        study = study_of(folder, finished)
        for path in exact:
            (study / path).unlink()
        moment, how = rng.randrange(2, len(exact)), rng.choice([signal.SIGTERM, signal.SIGKILL])
        child = os.fork()
        if child == 0:
            seen = 0

            def ending(self: Path, target: Path) -> Path:
                nonlocal seen
                seen += 1
                if seen == moment:
                    os.kill(os.getpid(), how)
                return replace(self, target)

            Path.replace = ending  # type: ignore[method-assign,assignment]
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            sys.argv = ["magnetoionics", "report", str(study)]
            try:
                entry()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        left = written(study)
        whole = [p for p in left if p in exact]
        lost = int(Path("results.json") not in left)
        wrong = sum(left[p] != exact[p] for p in whole)
        tidy = how == signal.SIGKILL or len(left) == len(whole)
        rebuild_report(study)
        wrong += int(written(study) != exact)
        return Counter(
            survived=int(tidy and not wrong and not lost and len(whole) < len(exact)), lost=lost, wrong=wrong
        )

    return attack


def attacks(finished: Path | None) -> dict[str, tuple[Attack, int]]:
    """Attacks by what is hit, each with its tries."""
    made: dict[str, tuple[Attack, int]] = {
        "job store, random damage": (hit_store, 30),
        "run log and lock, random damage": (hit_run_log, 30),
        "checkpoint, random damage": (hit_checkpoint, 30),
        "kills at counted transactions": (kill, 8),
        "SQLite errors that pass": (sqlite_error, 12),
        "a second runner, with and without locks": (two_runners, 6),
    }
    if finished is not None:
        made["results.json and checksums, random damage"] = (hit_results(finished), 30)
        made["bands, figures, report, random damage"] = (hit_outputs(finished), 30)
        made["TERM and KILL at counted files of results and report"] = (ended_while_writing(finished), 6)
        made["full disk, I/O error, no permission while the report is written"] = (full_disk(finished), 4)
    return made


def count(attack: Attack, tries: int, seed: int = 0) -> Counter[str]:
    """Sum over tries, each in a folder of its own."""
    total: Counter[str] = Counter(tried=tries)
    for n in range(tries):
        with tempfile.TemporaryDirectory() as scratch:
            total.update(attack(Path(scratch), random.Random(1000 * seed + n)))
    return total


def finished_study(folder: Path) -> Path:
    """A study that is kept in the repository, with its report."""
    study = Path(shutil.copytree(ROOT / "tests" / "data" / "version-2", folder / "finished"))
    for packed in study.glob("*.gz"):
        packed.unlink()
    rebuild_report(study)
    return study


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="those whose name holds this; the page keeps the others")
    parser.add_argument("--write", action="store_true", help="Put the counts into docs/attacks.md.")
    given = parser.parse_args()
    columns = ("tried", "survived", "lost", "doubled", "wrong")
    rows = dict(re.findall(r"^\| ([^|]+) (\|(?: +\d+ \|){5})$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    table = ["| what is hit | " + " | ".join(columns) + " |", "|-|" + "-:|" * len(columns)]
    with tempfile.TemporaryDirectory() as folder:
        known = attacks(finished_study(Path(folder)))
        for name, (attack, tries) in known.items():
            if given.only not in name:
                continue
            counted = count(attack, tries)
            rows[name] = "| " + " | ".join(str(counted[c]) for c in columns) + " |"
            print(f"| {name} {rows[name]}", flush=True)
    table += [f"| {name} {rows[name]}" for name in known if name in rows]
    if given.write:
        head, rest = PAGE.read_text(encoding="utf-8").split("<!-- table -->\n", 1)
        tail = rest.split("<!-- end of table -->", 1)[1]
        block = "<!-- table -->\n\n" + "\n".join(table) + "\n\n<!-- end of table -->"
        PAGE.write_text(head + block + tail, encoding="utf-8")


if __name__ == "__main__":
    main()
