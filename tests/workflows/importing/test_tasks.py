"""Task documents that emmet writes of real folders give what the folders themselves give."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from magnetoionics.workflows.importing.study import read_places
from magnetoionics.workflows.importing.tree import find_places
from magnetoionics.workflows.vasp.finished.reader import read_run

FOLDER = "vasp/collection/b_dftu/mgmn2o4_6.3.2/static_2_afm"


@pytest.fixture(scope="module")
def task(real: Path) -> dict:
    tasks = pytest.importorskip("emmet.core.tasks", reason="emmet writes the document")
    return json.loads(tasks.TaskDoc.from_directory(real / FOLDER).model_dump_json())


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
