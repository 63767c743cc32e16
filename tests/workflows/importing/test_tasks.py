"""Task documents that emmet writes of real folders give what the folders themselves give."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.importing.runs import import_runs
from magnetoionics.hpc.importing.task_stores import stored_tasks
from magnetoionics.workflows.importing.study import read_places
from magnetoionics.workflows.importing.tasks import run_of_task
from magnetoionics.workflows.importing.tree import find_places
from magnetoionics.workflows.vasp.finished.reader import read_run

FOLDER = "vasp/collection/b_dftu/mgmn2o4_6.3.2/static_2_afm"


@pytest.fixture(scope="module")
def task(real: Path) -> dict:
    tasks = pytest.importorskip("emmet.core.tasks", reason="emmet writes the document")
    made = json.loads(tasks.TaskDoc.from_directory(real / FOLDER).model_dump_json())
    # As it comes to another machine: where it ran is not there.
    made["dir_name"] = made["calcs_reversed"][0]["dir_name"] = "node7:/no/such/folder"
    return made


def test_a_store_of_tasks_is_read_as_its_folders(real: Path, tmp_path: Path, task: dict) -> None:
    store = tmp_path / "store.json"
    store.write_text(json.dumps([{"uuid": "a", "index": 1, "name": "static", "output": task}, {"output": 3}]))
    _, one = read_places(find_places([tmp_path]))
    run, folder = one.done, read_run(real / FOLDER)
    assert one.usable
    assert run.energy_eV == pytest.approx(folder.energy_eV, abs=1e-8)
    assert run.functional == folder.functional
    assert {el: u for el, u in run.hubbard_U_eV.items() if u} == {el: u for el, u in folder.hubbard_U_eV.items() if u}
    assert [(p.element, p.count, p.titel) for p in run.paw] == [(p.element, p.count, p.titel) for p in folder.paw]
    assert run.gap_eV == pytest.approx(folder.gap_eV, abs=1e-3)
    assert run.site_moments_muB == pytest.approx(folder.site_moments_muB, abs=1e-3)
    assert run.total_moment_muB == pytest.approx(folder.total_moment_muB, abs=1e-3)
    assert run.electronic_steps == folder.electronic_steps


def test_a_task_that_was_cut_off_is_not_used(tmp_path: Path, task: dict) -> None:
    cut = json.loads(json.dumps(task))
    cut["calcs_reversed"][0]["input"]["parameters"]["NELM"] = 20
    cut["calcs_reversed"][0]["input"]["incar"]["NELM"] = 20
    (tmp_path / "task.json").write_text(json.dumps(cut))
    _, one = read_places(find_places([tmp_path / "task.json"]))
    assert not one.usable
    assert "20 of at most 20 steps" in one.done.reasons[0]


def test_a_charge_that_cannot_be_known_is_not_taken_for_none(tmp_path: Path, task: dict) -> None:
    charged = json.loads(json.dumps(task))
    charged["calcs_reversed"][0]["input"]["incar"]["NELECT"] = 95
    (tmp_path / "task.json").write_text(json.dumps(charged))
    _, one = read_places(find_places([tmp_path / "task.json"]))
    assert not one.usable
    assert "its charge is unknown" in one.done.reasons[0]


def test_a_folder_that_is_still_there_is_read_for_its_task(real: Path, task: dict) -> None:
    """The document names where it ran; the files hold hashes and valences that it lacks."""
    placed = json.loads(json.dumps(task))
    placed["calcs_reversed"][0]["dir_name"] = f"node7:{real / FOLDER}"
    charged = json.loads(json.dumps(placed))
    charged["calcs_reversed"][0]["input"]["incar"]["NELECT"] = 95
    for one in (placed, charged):
        run = run_of_task(one)
        assert run.usable
        assert run.charge_e == 0.0
        assert run.paw[0].header_sha256
    assert run_of_task(task).paw[0].header_sha256 is None


@pytest.fixture
def made_store(task: dict):
    """Fills a store with a task and a document that is none."""
    pytest.importorskip("jobflow")

    def fill(store):
        outputs = {"a-1": ("static", task), "a-2": ("other", {"energy": 1.0})}
        store.connect()
        store.docs_store.update(
            [{"uuid": uuid, "index": 1, "name": name, "output": out} for uuid, (name, out) in outputs.items()],
            key=["uuid", "index"],
        )
        # The same job a second time: the last one counts.
        again = json.loads(json.dumps(task))
        again["calcs_reversed"][0]["output"]["ionic_steps"][-1]["e_0_energy"] = -1.5
        row = {"uuid": "a-1", "index": 2, "name": "static", "output": again}
        store.docs_store.update([row], key=["uuid", "index"])

    return fill


def test_tasks_come_from_a_study_folder(tmp_path: Path, made_store, task: dict) -> None:
    from magnetoionics.hpc.local.store import open_store

    made_store(open_store(tmp_path / "study"))
    ((name, found),) = stored_tasks(str(tmp_path / "study"))
    assert name.endswith("study: static (a-1)")
    assert run_of_task(found).energy_eV == -1.5
    study = import_runs(store=tmp_path / "study", host="MgMn2O4", output=tmp_path / "imported", quiet=True)
    (folder,) = study.observables["imported folders"].folders
    assert folder.used
    assert (tmp_path / "imported" / "report.html").is_file()


def test_a_store_that_is_none_is_refused_with_the_ways_in(tmp_path: Path) -> None:
    for source, words in ((tmp_path, "give its runs as PATHS"), ("no-such", "jobflow` stands for the store")):
        with pytest.raises(UserError, match=words):
            list(stored_tasks(str(source)))
    with pytest.raises(UserError, match="nothing to import"):
        import_runs([], quiet=True)
