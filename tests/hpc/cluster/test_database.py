"""A database that is in use is never made anew, in a real MongoDB with jobflow-remote's own controller."""

import pytest

pytest.importorskip("jobflow_remote", reason="clusters need jobflow-remote")

import services
from jobflow import JobStore
from jobflow_remote.jobs.jobcontroller import JobController
from maggma.stores import MongoStore
from magnetoionics.hpc.cluster.controller import initialise
from magnetoionics.hpc.errors import UserError

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(services.mongod_path() is None, reason="no mongod"),
]


@pytest.fixture
def controller(tmp_path):
    mongo = services.Mongo(tmp_path)
    queue, outputs = (MongoStore("queue", name, host="127.0.0.1", port=mongo.port) for name in ("jobs", "outputs"))
    made = JobController(queue_store=queue, jobstore=JobStore(outputs))
    yield made
    made.close()
    mongo.stop()


def test_a_new_database_gets_its_counter_once(controller):
    initialise(controller)
    controller.auxiliary.update_one({"next_id": {"$exists": True}}, {"$set": {"next_id": 7}})
    initialise(controller)
    assert controller.auxiliary.find_one({"next_id": {"$exists": True}})["next_id"] == 7


@pytest.mark.parametrize("name", ["jobs", "flows"])
def test_one_without_its_counter_keeps_what_it_holds(controller, name):
    initialise(controller)
    getattr(controller, name).insert_one({"uuid": "kept"})
    controller.auxiliary.delete_one({"next_id": {"$exists": True}})
    with pytest.raises(UserError, match=r"1 jobs and 0 flows|0 jobs and 1 flows"):
        initialise(controller)
    assert getattr(controller, name).find_one({"uuid": "kept"}) is not None
