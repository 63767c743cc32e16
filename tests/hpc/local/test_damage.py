"""Damaged files of a study are found, named, moved aside and computed again; never used."""

import json
import random
import sqlite3
from operator import add, mul

import pytest
from jobflow import Flow, job
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.local.recovery import heal_store
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.sqlite_store import DAMAGED, SqliteStore
from magnetoionics.hpc.local.store import open_store
from magnetoionics.hpc.study_folder.files import read_study, set_bad_results_aside
from magnetoionics.hpc.study_folder.status import folder_status
from magnetoionics.hpc.study_folder.study_run import rebuild_report, run_study


def chain(length=12):
    jobs = [job(add)(0, 1)]
    for n in range(1, length):
        jobs.append(job(add)(jobs[-1].output, n))
    return jobs


def computed(folder, length=12):
    jobs = chain(length)
    store = open_store(folder)
    summary = LocalRunner(store).run(Flow(jobs))
    assert summary.finished
    outputs = [store.get_output(j.uuid) for j in jobs]
    store.close()
    return summary, outputs


def path_of(folder):
    return folder / "store" / "jobs.sqlite"


def test_damaged_document_is_moved_aside_and_computed_again(tmp_path):
    _, right = computed(tmp_path)
    with sqlite3.connect(path_of(tmp_path)) as db:
        (uuid, body) = db.execute("SELECT uuid, body FROM documents WHERE name = 'add' LIMIT 1 OFFSET 3").fetchone()
        db.execute("UPDATE documents SET body = ? WHERE uuid = ?", (body[:-4] + b"abcd", uuid))
    summary, again = computed(tmp_path)
    assert again == right
    assert len(summary.damaged) == 1
    assert uuid in summary.damaged[0]
    (kept,) = (tmp_path / "store" / DAMAGED).iterdir()
    assert kept.read_bytes() == body[:-4] + b"abcd"
    assert summary.reused == 11


def test_truncated_store_is_moved_aside_and_what_is_readable_saved(tmp_path):
    summary, right = computed(tmp_path, 200)
    path = path_of(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    (note,) = heal_store(tmp_path)
    assert str(path) in note
    assert DAMAGED in note
    (aside,) = (tmp_path / "store" / DAMAGED).iterdir()
    assert (aside / "jobs.sqlite").stat().st_size == len(whole) // 2
    summary, again = computed(tmp_path, 200)
    assert again == right
    assert summary.jobs == 200
    assert heal_store(tmp_path) == []


@pytest.mark.parametrize("seed", range(12))
def test_random_bytes_are_never_believed(seed, tmp_path):
    """Whatever is overwritten, the outputs are right or the damage is named; nothing is silently wrong."""
    _, right = computed(tmp_path, 60)
    rng = random.Random(seed)
    path = path_of(tmp_path)
    content = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 8)):
        start = rng.randrange(len(content))
        content[start : start + 40] = rng.randbytes(len(content[start : start + 40]))
    path.write_bytes(bytes(content))
    heal_store(tmp_path)
    _, again = computed(tmp_path, 60)
    assert again == right


def test_file_that_is_no_database_is_replaced(tmp_path):
    (tmp_path / "store").mkdir()
    path_of(tmp_path).write_bytes(b"thesis, chapter 3\n" * 500)
    (note,) = heal_store(tmp_path)
    assert "not a database" in note
    assert computed(tmp_path)[0].jobs == 12


def test_healthy_new_and_missing_stores_are_left_alone(tmp_path):
    assert heal_store(tmp_path) == []
    open_store(tmp_path).close()
    assert heal_store(tmp_path) == []
    computed(tmp_path)
    before = path_of(tmp_path).read_bytes()
    assert heal_store(tmp_path) == []
    assert path_of(tmp_path).read_bytes() == before


def test_equal_outputs_of_other_jobs_are_not_mixed_up(tmp_path):
    store = open_store(tmp_path)
    a, b = job(add)(2, 2), job(mul)(2, 2)
    LocalRunner(store).run(Flow([a, b]))
    with sqlite3.connect(path_of(tmp_path)) as db:
        rows = dict(db.execute("SELECT name, body FROM documents WHERE name IN ('add', 'mul')").fetchall())
        db.execute("UPDATE documents SET body = ? WHERE name = 'add'", (rows["mul"],))
    store.close()
    store = open_store(tmp_path)
    summary = LocalRunner(store).run(Flow([c := job(add)(2, 2)]))
    assert summary.damaged, "a row that holds another job's document is damage"
    assert store.get_output(c.uuid) == 4


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return run_study("cofe2o4", quick=True, output=tmp_path_factory.mktemp("damage") / "cfo")


def test_truncated_results_are_named_and_written_again_from_the_store(study, monkeypatch):
    path = study / "results.json"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(UserError, match="damaged"):
        read_study(study)
    (note,) = set_bad_results_aside(study)
    assert "written again" in note
    path.write_bytes(whole[: len(whole) // 3])

    def refuse(*args, **kwargs):
        raise AssertionError("computed again")

    monkeypatch.setattr("magnetoionics.calculators.rigid_ion.RigidIonCalculator.calculate", refuse)
    run_study("cofe2o4", quick=True, output=study)
    again = json.loads(path.read_bytes())
    assert again.pop("timings")
    first = json.loads(whole)
    first.pop("timings")
    assert again == first


def test_damaged_outputs_are_rebuilt_by_report(study):
    before = {p.name: p.stat().st_size for p in (study / "bands").iterdir()}
    (study / "report.html").write_text("<html>torn")
    for band in (study / "bands").iterdir():
        band.write_text("3\n")
    rebuild_report(study)
    assert (study / "report.html").read_text().rstrip().endswith("</html>")
    assert {p.name: p.stat().st_size for p in (study / "bands").iterdir()} == before


def test_status_of_a_damaged_store_says_so(study, tmp_path):
    (tmp_path / "store").mkdir()
    path_of(tmp_path).write_bytes(b"x" * 4000)
    with pytest.raises(UserError, match="damaged"):
        folder_status(tmp_path)


def test_name_of_damaged_result_stays_in_its_folder(tmp_path):
    """The uuid comes from the damaged file itself."""
    store = SqliteStore(str(tmp_path / "store.sqlite"))
    store.connect()
    evil = "../../../evil"
    with sqlite3.connect(store.path) as db:
        db.execute("INSERT INTO documents VALUES (?, 1, 'x', ?)", (evil, b"not zlib"))
    kept = store.set_aside(evil, 1)
    assert kept.resolve().parent == (tmp_path / DAMAGED).resolve()
    assert store.count() == 0
