"""Stored names in a real MongoDB: written by jobflow's own runner, read by a process that imported nothing of ours."""

import json
import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("jobflow_remote", reason="clusters need jobflow-remote")

import services
from jobflow import Flow, JobStore, run_locally
from maggma.stores import MongoStore
from magnetoionics.stored import SCHEMA_VERSION
from magnetoionics.stored import __name__ as STORED
from magnetoionics.structures.host import get_host
from magnetoionics.workflows.engine import get_engine
from pymongo import MongoClient

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(services.mongod_path() is None, reason="no mongod"),
]
VERSION_1 = Path(__file__).parents[1] / "data" / "version-1" / "store" / "jobs.sqlite"
READ = """
import sys
from jobflow import JobStore, OutputReference
from maggma.stores import MongoStore
store = JobStore(MongoStore("names", "outputs", host="127.0.0.1", port=int(sys.argv[1])))
store.connect()
for uuid in sys.argv[2:]:
    found = OutputReference(uuid).resolve(store)
    print(type(found).__module__, type(found).__name__, repr(getattr(found, "energy_eV", "")))
"""


@pytest.fixture(scope="module")
def mongo(tmp_path_factory):
    made = services.Mongo(tmp_path_factory.mktemp("mongo"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def collection(mongo):
    with MongoClient("127.0.0.1", mongo.port) as client:
        yield client["names"]["outputs"]


def own_names(value):
    if isinstance(value, dict):
        if str(value.get("@module", "")).startswith("magnetoionics"):
            yield value["@module"], value["@class"], value.get("schema_version")
        for inside in value.values():
            yield from own_names(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from own_names(inside)


def read_elsewhere(mongo, *uuids):
    command = [sys.executable, "-c", READ, str(mongo.port), *uuids]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split() for line in done.stdout.splitlines()]


def test_jobflow_stores_names_and_reads_them(mongo, collection):
    engine = get_engine("local", max_steps=1)
    first = engine.relax(get_host("cofe2o4").structure("normal"), name="bulk", cell=True)
    second = engine.static(first.output.structure, name="static")
    store = JobStore(MongoStore("names", "outputs", host="127.0.0.1", port=mongo.port))
    done = run_locally(Flow([first, second]), store=store, ensure_success=True, log=False)
    documents = {d["uuid"]: d for d in collection.find({"uuid": {"$in": [first.uuid, second.uuid]}})}
    assert len(documents) == 2
    for document in documents.values():
        assert list(own_names(document)) == [(STORED, "Calculation", SCHEMA_VERSION)]
    (found,) = read_elsewhere(mongo, second.uuid)
    assert found[1:] == ["Calculation", repr(done[second.uuid][1].output.energy_eV)]


def test_outputs_of_version_1_are_read(mongo, collection):
    with closing(sqlite3.connect(f"file:{VERSION_1}?mode=ro", uri=True)) as db:
        bodies = [b for (b,) in db.execute("SELECT body FROM documents WHERE name NOT IN ('key', 'timings')")]
    documents = [json.loads(zlib.decompress(body)) for body in bodies]
    collection.insert_many(documents)
    named = [d for d in documents if str((d["output"] or {}).get("@module", "")).startswith("magnetoionics.")]
    assert len({d["output"]["@class"] for d in named}) > 7
    read = read_elsewhere(mongo, *(d["uuid"] for d in named))
    assert [kind for _, kind, *_ in read] == [d["output"]["@class"] for d in named]
    assert {module.split(".")[1] for module, *_ in read} == {"analysis", "structures"}
    assert [e for *_, e in read if "." in e] != []


def test_tasks_of_a_group_are_imported_from_their_mongodb(mongo, real, tmp_path):
    """A file describes the store as jobflow has it: documents in one collection, large parts in GridFS."""
    tasks = pytest.importorskip("emmet.core.tasks", reason="emmet writes the document")
    from magnetoionics.hpc.importing.runs import import_runs

    server = {"database": "group", "host": "127.0.0.1", "port": mongo.port}
    described = tmp_path / "store.yaml"
    spec = {
        "docs_store": {"type": "MongoStore", "collection_name": "outputs", **server},
        "additional_stores": {"data": {"type": "GridFSStore", "collection_name": "blobs", **server}},
    }
    described.write_text(json.dumps(spec))
    store = JobStore.from_file(str(described))
    store.connect()
    for name in ("static_1_fm", "static_2_afm"):
        task = tasks.TaskDoc.from_directory(real / "vasp/collection/b_dftu/mgmn2o4_6.3.2" / name)
        output = json.loads(task.model_dump_json())
        output["dir_name"] = output["calcs_reversed"][0]["dir_name"] = "node7:/no/such/folder"
        row = {"uuid": name, "index": 1, "name": name, "output": output}
        store.update([row], save={"data": ["calcs_reversed"]} if name == "static_2_afm" else {})
    study = import_runs(store=described, host="MgMn2O4", output=tmp_path / "imported", quiet=True)
    found = {f.folder.split(": ")[1].split()[0]: f.used for f in study.observables["imported folders"].folders}
    assert found == {"static_1_fm": False, "static_2_afm": True}
