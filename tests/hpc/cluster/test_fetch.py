"""What is fetched goes through the memory one document at a time, however many there are."""

import gc
import tracemalloc
import weakref
from types import SimpleNamespace

import pytest
import services
from jobflow import JobStore
from jobflow.core.job import store_inputs
from maggma.stores import GridFSStore, MemoryStore, MongoStore
from magnetoionics.hpc.local.job_hashes import job_key
from magnetoionics.hpc.local.sqlite_store import SqliteStore

mongomock = pytest.importorskip("maggma.stores.mongolike").mongomock
fetch = pytest.importorskip("magnetoionics.hpc.cluster.fetch")


class Document(dict):
    """A dict that tells whether it is still held."""


class OneByOne(JobStore):
    """A store of outputs that refuses to be listed: every document must be gone before the next is given."""

    def __init__(self, documents):
        super().__init__(MemoryStore())
        self.connect()
        self.indexed = []
        if documents:
            self.docs_store.update(documents, key=["uuid", "index"])
        self.given = None

    def ensure_index(self, key, unique=False):
        self.indexed.append(key)
        return True

    def query(self, *args, **kwargs):
        for document in super().query(*args, **kwargs):
            gc.collect()
            assert self.given is None or self.given() is None, "the document before is still held"
            made = Document(document)
            self.given = weakref.ref(made)
            yield made
            del made


class OneJob:
    """The queue's collection, which gives one document whole; of several only what is small."""

    def __init__(self, documents):
        self.collection = mongomock.MongoClient().db.jobs
        self.collection.insert_many(documents)

    def find(self, query, fields):
        assert "job" not in fields, "the jobs are listed whole"
        return self.collection.find(query, fields)

    def find_one(self, *args):
        return self.collection.find_one(*args)


def document(uuid, index, value):
    return {"uuid": uuid, "index": index, "name": f"job {uuid}", "metadata": {}, "output": value}


@pytest.fixture
def study():
    """Two jobs of which the second was replaced, one that has failed, and one whose output is another study's."""
    first = store_inputs(1)
    last = store_inputs(first.output)
    failed = store_inputs(3)
    there = [(first, 1, "COMPLETED"), (last, 1, "COMPLETED"), (last, 2, "COMPLETED"), (failed, 1, "FAILED")]
    queue = [{"uuid": j.uuid, "index": i, "state": s, "job": j.as_dict()} for j, i, s in there]
    queue.append({"uuid": "theirs", "index": 1, "state": "COMPLETED", "job": {}})
    outputs = [document(j.uuid, i, f"{j.uuid} {i}") for j, i, _ in there]
    outputs += [document("theirs", 1, "old"), document("theirs", 2, "new")]
    controller = SimpleNamespace(jobs=OneJob(queue), jobstore=OneByOne(outputs))
    jobs = [{k: row[k] for k in ("uuid", "index", "state")} for row in queue[:-1]]
    shared = [fetch.Shared(uuid="mine", owner="theirs", key="k", name="bulk", stage="host")]
    return controller, fetch.RemoteStudy("flow", jobs, shared), (first, last, failed)


@pytest.fixture
def store(tmp_path):
    made = SqliteStore(str(tmp_path / "docs.sqlite"))
    made.connect()
    yield made
    made.close()


def test_outputs_are_copied_one_by_one(study, store):
    controller, remote, (first, last, _) = study
    assert fetch.copy_outputs(controller, remote, store) == 4
    assert controller.jobstore.indexed == ["uuid"]
    held = {(d["uuid"], d["index"]): d["output"] for d in store.query() if d["name"] != "key"}
    assert held == {
        (first.uuid, 1): f"{first.uuid} 1",
        (last.uuid, 1): f"{last.uuid} 1",
        (last.uuid, 2): f"{last.uuid} 2",
        ("mine", 1): "new",
    }
    assert store.query_one({"uuid": "mine"})["hosts"] == ["flow"]
    assert store.by_key(job_key(first, {}))["output"] == f"{first.uuid} 1"
    # A replaced job has no output of its own, one that failed none at all.
    assert store.count({"name": "key"}) == 2


def test_the_store_refuses_to_be_listed(study):
    controller, _, _ = study
    with pytest.raises(AssertionError, match="still held"):
        list(controller.jobstore.query({}, load=True))


def test_what_was_copied_before_the_connection_broke_stays(study, store):
    controller, remote, _ = study
    query, given = controller.jobstore.query, []

    def breaks(*args, **kwargs):
        given.append(args)
        if len(given) == 3:
            raise ConnectionError("gone")
        return query(*args, **kwargs)

    controller.jobstore.query = breaks
    with pytest.raises(ConnectionError):
        fetch.copy_outputs(controller, remote, store)
    assert store.count() == 2
    assert store.count({"name": "key"}) == 0
    del controller.jobstore.query
    assert fetch.copy_outputs(controller, remote, store) == 4


def test_keys_of_jobs_that_stand_before_their_parents(store):
    first = store_inputs(1)
    last = store_inputs(first.output)
    queue = [{"uuid": j.uuid, "index": 1, "state": "COMPLETED", "job": j.as_dict()} for j in (last, first)]
    outputs = [document(j.uuid, 1, j.uuid) for j in (first, last)]
    controller = SimpleNamespace(jobs=OneJob(queue), jobstore=OneByOne(outputs))
    jobs = [{k: row[k] for k in ("uuid", "index", "state")} for row in queue]
    assert fetch.copy_outputs(controller, fetch.RemoteStudy("flow", jobs), store) == 2
    first_key = job_key(first, {})
    assert store.by_key(job_key(last, {first.uuid: first_key}))["output"] == last.uuid


@pytest.mark.cluster
@pytest.mark.skipif(services.mongod_path() is None, reason="no mongod")
def test_a_real_database_is_never_held_whole(store, tmp_path):
    """Twelve outputs of 8 MB, a part of each in GridFS as jobflow keeps large data: the peak is that of a few."""
    size, number = 8 * 1024**2, 12
    mongo = services.Mongo(tmp_path / "mongo")
    try:
        there = {"database": "fetch", "host": "127.0.0.1", "port": mongo.port}
        data = GridFSStore(collection_name="data", key="blob_uuid", **there)
        jobstore = JobStore(MongoStore(collection_name="outputs", **there), additional_stores={"data": data})
        jobstore.connect()
        made = [store_inputs(n) for n in range(number)]
        for n, job in enumerate(made):
            text = {"text": chr(65 + n) * (size // 2), "kept outside": [chr(65 + n) * (size // 2)]}
            jobstore.update(document(job.uuid, 1, text), key=["uuid", "index"], save={"data": ["kept outside"]})
        queue = [{"uuid": j.uuid, "index": 1, "state": "COMPLETED", "job": j.as_dict()} for j in made]
        controller = SimpleNamespace(jobs=OneJob(queue), jobstore=jobstore)
        study = fetch.RemoteStudy("flow", [{k: row[k] for k in ("uuid", "index", "state")} for row in queue])
        tracemalloc.start()
        try:
            assert fetch.copy_outputs(controller, study, store) == number
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < number * size / 2
        indices = jobstore.docs_store._collection.index_information().values()
        assert any(i["key"][0][0] == "uuid" for i in indices)
        jobstore.close()
    finally:
        mongo.stop()
    for n, job in enumerate(made):
        output = store.query_one({"uuid": job.uuid})["output"]
        assert output == {"text": chr(65 + n) * (size // 2), "kept outside": [chr(65 + n) * (size // 2)]}
