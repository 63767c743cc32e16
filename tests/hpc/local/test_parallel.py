"""Several processes at a time: the same outputs and keys as serially, and what dies fails alone."""

import json
import operator
import os
import time

import pytest
from jobflow import Flow, Response, job
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.local.execution import execute
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.store import open_store
from magnetoionics.hpc.study_folder.status import folder_status
from magnetoionics.hpc.study_folder.study_run import run_study


def diamond():
    first = job(operator.add)(1, 2)
    sides = [job(operator.mul)(first.output, n) for n in (3, 4, 5)]
    last = job(operator.add)(sides[0].output, sides[2].output)
    return [first, *sides, last]


def documents(store):
    return sorted(
        (d["uuid"], d.get("output")) for d in store.docs_store.query({"name": "key"}, properties=["uuid", "output"])
    )


def test_parallel_gives_the_outputs_and_keys_of_serial(tmp_path):
    outputs = []
    stores = []
    for n in (1, 2):
        jobs = diamond()
        store = open_store(tmp_path / str(n))
        assert LocalRunner(store, jobs=n).run(Flow(jobs)).finished
        outputs.append([store.get_output(j.uuid) for j in jobs])
        stores.append(documents(store))
    assert outputs[0] == outputs[1] == [3, 9, 12, 15, 24]
    assert stores[0] == stores[1]
    again = LocalRunner(open_store(tmp_path / "2"), jobs=2).run(Flow(diamond()))
    assert again.reused == 5


def test_a_chain_stays_in_one_process(tmp_path):
    """A process is started once and used again: starting one costs far more than handing a job over."""
    store = open_store(tmp_path)
    chain = [job(os.getpid)() for _ in range(4)]
    assert LocalRunner(store, jobs=2).run(Flow(chain, order="linear")).finished
    used = {store.get_output(j.uuid) for j in chain}
    assert len(used) == 1
    assert os.getpid() not in used


def test_two_jobs_run_at_the_same_time(tmp_path):
    store = open_store(tmp_path)
    LocalRunner(store, jobs=2).run(Flow([job(time.sleep)(3.0), job(time.sleep)(3.01)]))
    (a, b) = folder_status(tmp_path).jobs
    assert min(a.ended, b.ended) > max(a.begun, b.begun)


def test_equal_jobs_are_computed_once_and_both_have_the_output(tmp_path):
    for n in (1, 2):
        store = open_store(tmp_path / str(n))
        twins = [job(operator.add)(20, 1), job(operator.add)(20, 1)]
        sums = [job(operator.add)(t.output, k) for k, t in enumerate(twins)]
        summary = LocalRunner(store, jobs=n).run(Flow([*twins, *sums]))
        assert summary.finished
        assert summary.reused == 1
        assert [store.get_output(s.uuid) for s in sums] == [21, 22]


def test_dead_worker_fails_its_job_alone(tmp_path):
    store = open_store(tmp_path)
    killed = job(os._exit)(7)
    after = job(operator.add)(killed.output, 1)
    fine = [job(operator.add)(n, 1) for n in range(6)]
    summary = LocalRunner(store, jobs=2).run(Flow([killed, after, *fine]))
    assert "exit code 7" in summary.failed["_exit"]
    assert summary.jobs == 6
    assert [store.get_output(f.uuid) for f in fine] == [1, 2, 3, 4, 5, 6]


def test_bad_numbers_of_processes_are_refused(tmp_path):
    with pytest.raises(UserError, match="--jobs 1 or more"):
        LocalRunner(open_store(tmp_path), jobs=0)


@job
def fan_out(numbers):
    """Replace itself by one job per number and their sum."""
    jobs = [job(operator.add)(n, 100) for n in numbers]
    total = job(sum)([j.output for j in jobs])
    return Response(replace=Flow([*jobs, total], output=total.output))


def test_jobs_made_while_running_come_before_what_waits_for_them(tmp_path):
    """Serially here: a worker process cannot import a function of a test file."""
    store = open_store(tmp_path)
    spread = fan_out([1, 2, 3])
    after = job(operator.mul)(spread.output, 2)
    unrelated = job(operator.add)(5, 5)
    summary = LocalRunner(store).run(Flow([spread, after, unrelated]))
    assert summary.finished
    assert store.get_output(after.uuid) == 612
    assert [r.name for r in folder_status(tmp_path).jobs][3:] == ["add"] * 3 + ["sum", "store_inputs"]
    again = LocalRunner(store).run(Flow([(s := fan_out([1, 2, 3])), job(operator.mul)(s.output, 2)]))
    assert again.reused == 6  # all but the job that only makes others
    wrong = fan_out(["x"])
    bad = LocalRunner(store).run(Flow([wrong, job(operator.mul)(wrong.output, 2)]))
    assert bad.failed["mul"] == "an input failed"


def test_flow_of_a_worker_comes_back_whole(tmp_path):
    from magnetoionics.hpc.local.pool import _decode, _encode

    store = open_store(tmp_path)
    outcome = execute(fan_out([1, 2]), store)
    back = _decode(_encode(outcome))
    assert [j.name for j, _ in back.more[0].iterflow()] == [j.name for j, _ in outcome.more[0].iterflow()]
    assert back.rows == outcome.rows


@pytest.mark.slow
@pytest.mark.usefixtures("no_figures")
def test_whole_study_is_the_same_on_two_processes(quick_study, tmp_path):
    contents = []
    for folder in (quick_study, run_study("cofe2o4", quick=True, output=tmp_path / "2", jobs=2)):
        content = json.loads((folder / "results.json").read_text())
        content.pop("timings")
        contents.append(content)
    assert contents[0] == contents[1]
