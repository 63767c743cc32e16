"""Damaged files of a study are found, named, moved aside and computed again; never used."""

import errno
import json
import random
import shutil
import sqlite3
import subprocess
from operator import add, mul

import pytest
from jobflow import Flow, job
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.local.recovery import heal_store
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.sqlite_documents import DAMAGED
from magnetoionics.hpc.local.sqlite_store import SqliteStore
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
def study(own_study):
    return own_study


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


def test_checksums_are_those_of_coreutils(study):
    """A witness of its own: sha256sum reads the list and agrees."""
    rebuild_report(study)
    names = {line.split("  ")[1] for line in (study / "SHA256SUMS").read_text().splitlines()}
    assert {"results.json", "report.html", "bands/hop-1.extxyz", "figures/band.svg"} <= names
    done = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=study, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("seed", range(33))
def test_altered_results_are_never_believed(study, seed, tmp_path):
    """One byte, one digit or a block: whatever still is JSON is not taken for what was written."""
    rng = random.Random(seed)
    shutil.copy(study / "SHA256SUMS", tmp_path)
    content = bytearray((study / "results.json").read_bytes())
    digits = [k for k, c in enumerate(content) if chr(c).isdigit()]
    if seed % 3 == 0:
        place = rng.choice(digits)
        content[place] = ord(str((int(chr(content[place])) + rng.randint(1, 9)) % 10))
    elif seed % 3 == 1:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    else:
        start = rng.randrange(len(content) - 200)
        content[start : start + 60] = content[start + 100 : start + 160]
    (tmp_path / "results.json").write_bytes(bytes(content))
    with pytest.raises(UserError, match=r"not what was written"):
        read_study(tmp_path)


@pytest.mark.parametrize("name", ["report.html", "bands/hop-1.extxyz", "figures/band.svg", "results.json"])
def test_verify_names_what_was_altered(study, name, tmp_path, capsys):
    shutil.copytree(study, tmp_path / "copy")
    folder = tmp_path / "copy"
    assert main(["status", str(folder), "--verify"]) == 0
    assert "0 altered" in " ".join(capsys.readouterr().out.split())
    with (folder / name).open("a") as stream:
        stream.write(" ")
    assert main(["status", str(folder), "--verify"]) == 1
    said = "".join(capsys.readouterr().out.split())
    assert f"{name}isdamaged:itisnotwhatwaswritten" in said
    assert "1altered" in said


def test_a_missing_list_is_no_proof(study, tmp_path, capsys):
    """What of a study of today has lost its list may have been altered; one of an earlier version never had any."""
    folder = tmp_path / "copy"
    shutil.copytree(study, folder)
    (folder / "SHA256SUMS").unlink()
    assert main(["status", str(folder), "--verify"]) == 1
    assert "nothing tells whether results.json is what was written" in " ".join(capsys.readouterr().out.split())
    written = json.loads((folder / "results.json").read_text())
    (folder / "results.json").write_text(json.dumps(written | {"schema_version": 3}))
    assert main(["status", str(folder), "--verify"]) == 0
    (folder / "results.json").write_text("[1]")
    assert main(["status", str(folder), "--verify"]) == 1


def test_a_figure_that_fails_costs_that_figure(study, monkeypatch, capsys):
    def fail(*args, **kwargs):
        raise ValueError("no such thing")

    monkeypatch.setattr("magnetoionics.analysis.plots.study.plot_retention", fail)
    rebuild_report(study)
    assert "figure retention is not drawn: ValueError, no such thing" in " ".join(capsys.readouterr().err.split())
    assert not (study / "figures" / "retention.svg").exists(), "one of an earlier report shows other numbers"
    assert "The figure retention could not be drawn" in (study / "report.html").read_text()
    assert "figures/retention.svg" not in (study / "SHA256SUMS").read_text()
    assert read_study(study).migration


def test_figures_of_an_earlier_report_go_unless_somebody_changed_them(study, monkeypatch):
    rebuild_report(study, png=True)
    assert (study / "figures" / "band.png").is_file()
    (study / "figures" / "retention.svg").write_text("mine")
    original = "magnetoionics.analysis.plots.study.study_figures"
    import magnetoionics.analysis.plots.study as module

    whole = module.study_figures
    without = {"band", "retention"}
    monkeypatch.setattr(original, lambda s: {k: v for k, v in whole(s).items() if k not in without})
    rebuild_report(study)
    names = {p.name for p in (study / "figures").iterdir()}
    assert not names & {"band.svg", "band.png"}
    assert (study / "figures" / "retention.svg").read_text() == "mine"
    (study / "figures" / "retention.svg").unlink()


def test_full_disk_is_one_line_and_the_same_command_goes_on(study, monkeypatch):
    """The numbers come first: they are there though there was no room for the report."""
    from magnetoionics.hpc.study_folder import files

    whole, written = files.write_whole, []

    def write(path, content):
        if path.name == "report.html":
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path.name)
        whole(path, content)

    (study / "report.html").unlink()
    with monkeypatch.context() as patched:
        patched.setattr(files, "write_whole", write)
        with pytest.raises(UserError, match=r"cannot be written \(No space left on device\).*what is computed is kept"):
            rebuild_report(study)
    assert written[0] == "results.json"
    assert not list(study.rglob(".*"))
    assert read_study(study).migration

    def refuse(*args, **kwargs):
        raise AssertionError("computed again")

    monkeypatch.setattr("magnetoionics.calculators.rigid_ion.RigidIonCalculator.calculate", refuse)
    run_study("cofe2o4", quick=True, output=study)
    assert (study / "report.html").is_file()
