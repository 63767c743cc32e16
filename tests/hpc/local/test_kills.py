"""kill -9 at random moments of a local run, resumed each time: the same results, nothing computed twice."""

import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter

import pytest
from jobflow import Flow, job
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.store import open_store

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork: starting Python anew takes all the time")


def mark(x, n, log):
    """A cheap calculation that leaves a line when it is computed to its end, in one write."""
    time.sleep(0.004)
    value = x * 31 % 1000003 + n
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, f"{n}\n".encode())
    os.close(handle)
    return value


def make(log, length):
    """A chain with side branches and a sum of all."""
    jobs = [job(mark)(0, 0, log)]
    for n in range(1, length):
        jobs.append(job(mark)(jobs[-1].output, n, log))
        if n % 4 == 0:
            jobs.append(job(mark)(jobs[-2].output, 1000 + n, log))
    total = job(sum)([j.output for j in jobs])
    return Flow([*jobs, total]), total


def run(folder, log, length):
    flow, total = make(log, length)
    store = open_store(folder)
    summary = LocalRunner(store).run(flow)
    assert summary.finished, summary.failed
    return store.get_output(total.uuid), summary


def child(folder, log, length):
    run(folder, log, length)
    os._exit(0)


def lines(log):
    return log.read_bytes().count(b"\n")


def kill_at_random(folder, log, rng, length, most):
    """Start a run in a process of its own and kill it soon after up to `most` more jobs; False if it had ended before.

    The moment is counted in jobs, so that it falls within the run on a machine of any speed.
    """
    wanted = lines(log) + rng.randint(0, most)
    process = multiprocessing.get_context("fork").Process(target=child, args=(folder, str(log), length))
    process.start()
    while process.is_alive() and lines(log) < wanted:
        time.sleep(0.002)
    time.sleep(rng.uniform(0.0, 0.006))
    alive = process.is_alive()
    if alive:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return alive


@pytest.mark.parametrize(("kills", "length"), [(5, 60), pytest.param(50, 240, marks=pytest.mark.slow)])
def test_killed_run_ends_the_same_and_repeats_nothing_that_had_finished(kills, length, tmp_path):
    right, summary = run(tmp_path / "whole", str(tmp_path / "log"), length)
    assert summary.reused == 0
    needed = Counter((tmp_path / "log").read_text().split())
    assert set(needed.values()) == {1}

    rng = random.Random(kills)
    folder, log = tmp_path / "killed", tmp_path / "killed-log"
    log.touch()
    finished_before = 0
    for _ in range(kills):
        assert kill_at_random(folder, log, rng, length, most=length // kills // 2), "the run ended before it was killed"
        done = stored(folder)
        assert done >= finished_before, "a finished result was lost"
        finished_before = done
    total, summary = run(folder, str(log), length)
    ran = Counter(log.read_text().split())
    assert total == right
    assert set(ran) == set(needed)
    assert summary.reused >= finished_before
    # Lost at most: the one that had been computed, but was not written, at each kill.
    assert sum(ran.values()) - len(ran) <= kills
    assert stored(folder) == len(needed)
    sys.stderr.write(f"{kills} kills, {sum(ran.values()) - len(ran)} computed twice of {len(needed)}\n")


def stored(folder):
    if not (folder / "store" / "jobs.sqlite").exists():
        return 0
    store = open_store(folder)
    documents = store.docs_store.count({"name": "mark"})
    store.close()
    return documents


def test_output_and_key_are_written_in_one_transaction(tmp_path):
    """No kill can leave an output without its key: the document that is there is the document that is found."""
    rng = random.Random(7)
    log = tmp_path / "log"
    log.touch()
    for _ in range(8):
        assert kill_at_random(tmp_path, log, rng, length=60, most=5)
        store = open_store(tmp_path)
        keys = {tuple(d["job"]) for d in store.docs_store.query({"name": "key"})}
        outputs = {(d["uuid"], d["index"]) for d in store.docs_store.query({"name": {"$ne": "key"}})}
        store.close()
        assert keys == outputs
