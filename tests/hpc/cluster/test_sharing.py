"""Jobs that a project has computed under the keys of version 1 are not submitted again."""

from types import SimpleNamespace

import pytest
from magnetoionics.hpc.local.old_keys import old_job_key
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine

mongomock = pytest.importorskip("maggma.stores.mongolike").mongomock
sharing = pytest.importorskip("magnetoionics.hpc.cluster.sharing")


def two_jobs():
    engine = get_engine("local")
    first = engine.relax(get_host("cofe2o4").structure("normal"), name="bulk", cell=True)
    return [(first, []), (engine.static(first.output.structure, name="static"), [first.uuid])]


def controller(key, state="COMPLETED", ase="3.29.0", uuid="theirs"):
    """As a project's database holds one job and its output."""
    jobs = mongomock.MongoClient().db.jobs
    jobs.insert_one({"uuid": uuid, "index": 1, "state": state, "job": {"metadata": {"key": key}}})
    output = {"uuid": uuid, "completed_at": "2026-11-29T12:00:00", "output": {"provenance": {"versions": {"ase": ase}}}}
    return SimpleNamespace(jobs=jobs, jobstore=SimpleNamespace(query=lambda *given, **more: [output]))


@pytest.fixture(autouse=True)
def _versions(monkeypatch):
    monkeypatch.setattr("magnetoionics.workflows.ase.jobs.installed_versions", lambda *names: {"ase": "3.29.0"})


def owners(make):
    plan = two_jobs()
    first = plan[0][0]
    keys = {job.uuid: f"new {n}" for n, (job, _) in enumerate(plan)}
    found = sharing.find_owners(make(old_job_key(first, {})), plan, keys)
    return {("first" if uuid == first.uuid else "last"): owner.uuid for uuid, owner in found.items()}


def test_a_finished_job_of_version_1_stands_for_an_equal_one():
    assert owners(controller) == {"first": "theirs"}


@pytest.mark.parametrize("other", [{"state": "RUNNING"}, {"state": "FAILED"}, {"ase": "3.28.0"}], ids=str)
def test_another_does_not(other):
    assert owners(lambda key: controller(key, **other)) == {}
    assert owners(lambda key: controller("another key")) == {}


def test_a_job_with_the_key_of_today_comes_first():
    assert owners(lambda key: controller("new 0", uuid="newer")) == {"first": "newer"}
