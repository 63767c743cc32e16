"""The SQLite job store: MongoDB criteria, transactions, damage."""

import json
import multiprocessing
import os
import signal
import sqlite3
import time
from operator import add

import numpy as np
import pytest
from jobflow import Flow, JobStore, job, run_locally
from maggma.stores import MemoryStore
from magnetoionics.hpc.local.sqlite_documents import DamagedStoreError
from magnetoionics.hpc.local.sqlite_store import SqliteStore
from magnetoionics.hpc.local.store import open_store
from magnetoionics.stored import encoding as _  # noqa: F401  registers how structures are decoded
from monty.json import MontyDecoder
from pymatgen.core import Lattice, Structure

DOCUMENTS = [
    {"uuid": "a", "index": 1, "name": "relax", "output": {"energy": -1.0}, "metadata": {"stage": "host"}},
    {"uuid": "a", "index": 2, "name": "relax", "output": {"energy": -1.5}, "metadata": {"stage": "host"}},
    {"uuid": "b", "index": 1, "name": "band", "output": {"energy": 0.7}, "metadata": {"stage": "migration"}},
]


@pytest.fixture
def store(tmp_path):
    made = SqliteStore(str(tmp_path / "jobs.sqlite"))
    made.connect()
    made.update(DOCUMENTS, key=["uuid", "index"])
    return made


@pytest.mark.parametrize(
    "criteria",
    [
        {},
        {"uuid": "a"},
        {"name": "band", "index": 1},
        {"metadata.stage": "host"},
        {"output.energy": {"$lt": -1.2}},
        {"uuid": {"$in": ["b", "c"]}},
        {"$or": [{"uuid": "b"}, {"index": 2}]},
    ],
)
def test_queries_agree_with_maggmas_memory_store(store, criteria):
    memory = MemoryStore()
    memory.connect()
    memory.update(DOCUMENTS, key=["uuid", "index"])
    for properties in (None, ["output"], ["uuid", "output.energy"], ["index"], ["uuid", "name"]):
        expected = [{k: v for k, v in d.items() if k != "_id"} for d in memory.query(criteria, properties)]
        assert list(store.query(criteria, properties)) == expected
    assert store.count(criteria) == memory.count(criteria)


def test_sort_skip_and_limit(store):
    assert [d["index"] for d in store.query({"uuid": "a"}, sort={"index": -1})] == [2, 1]
    assert [d["uuid"] for d in store.query(sort={"uuid": 1}, skip=2, limit=1)] == ["b"]
    assert len(list(store.query(limit=2))) == 2


def test_update_replaces_and_remove_removes(store):
    store.update({"uuid": "b", "index": 1, "name": "band", "output": 5})
    assert store.query_one({"uuid": "b"})["output"] == 5
    assert store.count() == 3
    store.remove_docs({"name": "relax"})
    assert [d["uuid"] for d in store.query()] == ["b"]


def test_groups(store):
    groups = {g["uuid"]: len(docs) for g, docs in store.groupby("uuid")}
    assert groups == {"a": 2, "b": 1}


def test_reopened_file_holds_the_same(store):
    store.close()
    again = SqliteStore(store.path)
    again.connect()
    assert list(again.query()) == DOCUMENTS
    assert again == SqliteStore.from_dict(again.as_dict())


def test_jobflow_runs_on_it(tmp_path):
    store = JobStore(SqliteStore(str(tmp_path / "jobs.sqlite")))
    first = job(add)(1, 2)
    second = job(add)(first.output, 10)
    run_locally(Flow([first, second]), store=store, log=False, ensure_success=True)
    assert store.get_output(second.uuid) == 13


def cell():
    species = [{"Fe3+": 0.5, "Co2+": 0.5}, "O2-", "Fe"]
    made = Structure(Lattice([[4, 0, 0], [0.1, 4, 0], [0, 0.3, 5]]), species, np.linspace(-0.3, 1.2, 9).reshape(3, 3))
    made.add_site_property("magmom", [1.5, 0.0, -4.0])
    made.add_site_property("where", [[1, 2], [3, 4], None])
    return made


def some_site_properties(made):
    made.append("O", [0.2, 0.2, 0.2], properties={"magmom": 1.0})
    return made


@pytest.mark.filterwarnings("ignore:Not all sites have property")
@pytest.mark.parametrize("change", [lambda c: c, lambda c: c.relabel_sites(), some_site_properties])
def test_structures_are_decoded_as_pymatgen_does(change):
    made = change(cell())
    made.set_charge(2)
    made.properties["note"] = "kept"
    stored = json.loads(json.dumps(made.as_dict()))
    ours, theirs = MontyDecoder().process_decoded(json.loads(json.dumps(stored))), Structure.from_dict(stored)
    assert ours.as_dict() == theirs.as_dict()
    assert np.array_equal(ours.frac_coords, theirs.frac_coords)
    assert list(ours.site_properties) == list(theirs.site_properties)


def test_each_job_is_given_an_output_of_its_own(tmp_path):
    store = open_store(tmp_path)
    first = job(cell)()
    run_locally(Flow([first]), store=store, log=False, ensure_success=True)
    one = store.get_output(first.uuid)
    assert isinstance(one, Structure)
    one.translate_sites([0], [0.1, 0, 0])
    assert store.get_output(first.uuid) == cell()
    document = store.query_one({"uuid": first.uuid})
    document["output"]["charge"] = 3
    store.docs_store.update(document)
    assert store.get_output(first.uuid).charge == 3


def test_an_output_that_points_to_another_is_given_whole(tmp_path):
    store = open_store(tmp_path)
    first = job(add)(1, 2)
    run_locally(Flow([first]), store=store, log=False, ensure_success=True)
    store.docs_store.update({"uuid": "points", "index": 1, "output": {"to": first.output.as_dict()}})
    assert store.get_output("points") == {"to": 3}


def test_damaged_document_is_named(store):
    with sqlite3.connect(store.path) as raw:
        (body,) = raw.execute("SELECT body FROM documents WHERE uuid = 'b'").fetchone()
        raw.execute("UPDATE documents SET body = ? WHERE uuid = 'b'", (body[:-6] + b"abcdef",))
    with pytest.raises(DamagedStoreError, match="job b"):
        list(store.query({"uuid": "b"}))
    assert store.query_one({"uuid": "a"})["name"] == "relax"


def test_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "jobs.sqlite"
    path.write_text("not a database, and long enough to be read as one" * 20)
    with pytest.raises(DamagedStoreError, match="no readable job store"):
        SqliteStore(str(path)).connect()


def write_for_ever(path):
    store = SqliteStore(path)
    store.connect()
    n = 0
    while True:
        store.update([{"uuid": f"{n}-{k}", "index": 1, "name": "x", "output": "y" * 2000} for k in range(5)])
        n += 1


def test_killed_writer_leaves_whole_transactions(tmp_path):
    path = str(tmp_path / "jobs.sqlite")
    context = multiprocessing.get_context("spawn")
    writer = context.Process(target=write_for_ever, args=(path,))
    writer.start()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if os.path.exists(path):
            probe = SqliteStore(path)
            probe.connect()
            if probe.count() > 50:
                break
        time.sleep(0.05)
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    store = SqliteStore(path)
    store.connect()
    documents = list(store.query())
    assert len(documents) > 50
    assert len(documents) % 5 == 0
