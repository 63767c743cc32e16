"""A submitted study of which a part failed: the rest is collected here, and nothing is computed for it."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from jobflow import Flow, JobStore, OnMissing, job
from maggma.stores import MemoryStore
from magnetoionics.hpc.local.store import open_store
from magnetoionics.workflows.jobs.kinds import calculation_marks

mongomock = pytest.importorskip("maggma.stores.mongolike").mongomock
pytest.importorskip("jobflow_remote")
from magnetoionics.hpc.cluster import controller as controller_module  # noqa: E402
from magnetoionics.hpc.cluster.fetch import fetch_study  # noqa: E402
from magnetoionics.hpc.cluster.partial import is_stuck  # noqa: E402
from magnetoionics.hpc.study_folder import stored_study, study_run  # noqa: E402

COMPUTED = []


@job
def computes(number):
    COMPUTED.append(number)
    return number


@job
def collect(numbers):
    return list(numbers)


@job
def strict(number):
    return number + 1


def submitted():
    """Two calculations of which one failed, a third that waits for it, and what collects all of them."""
    fails, works = computes(1), computes(2)
    fails.name = "relax V_Fe_B_"
    fails.update_metadata({"stage": "vacancies", "name": "relax V_Fe(B)"} | calculation_marks("relax"))
    works.update_metadata({"stage": "vacancies"} | calculation_marks("relax"))
    waits = computes(fails.output)
    waits.update_metadata({"stage": "vacancies"} | calculation_marks("relax"))
    needs = strict(fails.output)
    last = collect([fails.output, works.output, waits.output, needs.output])
    last.name = stored_study.STUDY_JOB
    last.config.on_missing_references = OnMissing.NONE
    return Flow([fails, works, waits, needs, last]), {
        fails: "FAILED", works: "COMPLETED", waits: "WAITING", needs: "WAITING", last: "WAITING",
    }  # fmt: skip


@pytest.fixture
def project(monkeypatch):
    flow, states = submitted()
    database = mongomock.MongoClient().db
    database.flows.insert_one({"uuid": flow.uuid, "jobs": [j.uuid for j in states]})
    for n, (made, state) in enumerate(states.items(), start=1):
        row = {"uuid": made.uuid, "index": 1, "db_id": str(n), "state": state, "job": made.as_dict(), "hosts": []}
        if state == "FAILED":
            row["error"] = "Traceback (most recent call last):\n  ...\nRuntimeError: SCF did not converge"
        database.jobs.insert_one(row)
    outputs = JobStore(MemoryStore())
    outputs.connect()
    (done,) = [j for j, s in states.items() if s == "COMPLETED"]
    outputs.docs_store.update(
        [{"uuid": done.uuid, "index": 1, "name": "computes", "metadata": {}, "output": 2, "hosts": [flow.uuid]}],
        key=["uuid", "index"],
    )
    outputs.ensure_index = lambda key, unique=False: True
    known = SimpleNamespace(flows=database.flows, jobs=database.jobs, jobstore=outputs, db=database)

    @contextmanager
    def opened(name):
        yield known

    monkeypatch.setattr(controller_module, "job_controller", opened)
    monkeypatch.setattr("magnetoionics.hpc.cluster.fetch.studies", lambda c: database.studies)
    written = []
    monkeypatch.setattr(study_run, "finish_study", lambda *args: written.append(args))
    return flow, database, written


def test_what_is_left_is_collected_and_written_with_the_reason(project, tmp_path):
    flow, database, written = project
    COMPUTED.clear()
    found = fetch_study("any", tmp_path, flow.uuid)
    assert (found.finished, found.collected) == (False, True)
    assert COMPUTED == []
    ((_, _, name, folder, failed),) = written
    assert (name, folder) == (flow.uuid, tmp_path)
    assert failed == {"vacancies": ["relax V_Fe(B): RuntimeError: SCF did not converge"]}
    store = open_store(tmp_path)
    (last,) = [j for j in flow.jobs if j.name == stored_study.STUDY_JOB]
    assert store.get_output(last.uuid, load=True) == [None, 2, None, None]
    assert store.query_one({"name": stored_study.STUDY_JOB, "hosts": flow.uuid}) is not None
    store.close()
    # The queue is as it was: once the failed part is cured, the study goes on there.
    assert database.jobs.count_documents({"state": "WAITING"}) == 3


def test_nothing_is_written_while_a_job_may_still_go_on(project, tmp_path):
    flow, database, written = project
    database.jobs.update_one({"state": "COMPLETED"}, {"$set": {"state": "RUNNING"}})
    assert fetch_study("any", tmp_path, flow.uuid).collected is False
    assert written == []


@pytest.mark.parametrize(
    ("states", "stuck"),
    [
        ({"COMPLETED", "FAILED", "WAITING"}, True),
        ({"COMPLETED", "REMOTE_ERROR"}, True),
        ({"COMPLETED", "FAILED", "READY"}, False),
        ({"FAILED", "PAUSED"}, False),
        ({"COMPLETED", "WAITING"}, False),
        ({"COMPLETED"}, False),
    ],
)
def test_a_study_is_stuck_where_something_failed_and_nothing_moves(states, stuck):
    assert is_stuck(states) is stuck
