"""Trees of many origins: every folder ends in one line that says what it is, and none breaks the import."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import shutil
from pathlib import Path

import magnetoionics
import numpy as np
import pytest
from magnetoionics.hpc.importing.runs import import_runs
from magnetoionics.hpc.study_folder.study_run import rebuild_report
from magnetoionics.workflows.importing.consistency import unlike_cells
from magnetoionics.workflows.importing.study import IMPORT_STAGE, import_with_bands, no_ground_state
from magnetoionics.workflows.importing.tree import find_places
from magnetoionics.workflows.vasp.finished.document import VaspRun
from magnetoionics.workflows.vasp.finished.electrons import functional_of
from magnetoionics.workflows.vasp.finished.reader import read_run


@pytest.fixture(scope="module")
def gaas(real: Path) -> Path:
    return real / "vasp/collection/f_defects/gaas_study_5.2.2"


@pytest.fixture(scope="module")
def tree(real: Path, gaas: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GaAs study, a V2O5 study, a magnetic spinel, and whatever else lies about on a disk."""
    top = tmp_path_factory.mktemp("mixed")
    for name in ("perfect_sp", "defect_group1_q=p0_sp", "defect_group1_q=n1_sp"):
        shutil.copytree(gaas / name, top / "gaas" / name)
    shutil.copytree(real / "vasp/collection/b_dftu/mgmn2o4_6.3.2/static_2_afm", top / "spinel")
    for name in ("bulk", "v_O"):
        (top / "v2o5" / name).mkdir(parents=True)
        shutil.copy(real / f"vasp/v2o5_{name}_6.4.1.xml.gz", top / "v2o5" / name / "vasprun.xml.gz")
    xml = gzip.decompress((gaas / "perfect_sp/vasprun.xml.gz").read_bytes())
    contents = {
        "bz2/vasprun.xml.bz2": bz2.compress(xml),
        "xz/vasprun.xml.xz": lzma.compress(xml, preset=0),
        "not gzipped/vasprun.xml.gz": xml,
        "a [red]name\nof two lines/vasprun.xml": xml,
        "empty xml/vasprun.xml": b"",
        "empty outcar/OUTCAR": b"",
        "no xml/vasprun.xml": b"Segmentation fault",
        "noise/OUTCAR": bytes(np.random.default_rng(1).integers(0, 256, 5000, dtype=np.uint8)),
        "cut/vasprun.xml": xml[: len(xml) // 2],
        "cut gzip/vasprun.xml.gz": gzip.compress(xml)[: len(gzip.compress(xml)) // 2],
        "infinite/vasprun.xml": xml.replace(b'<i name="e_0_energy">', b'<i name="e_0_energy"> nan </i><i name="x">'),
        "json/list.json": b'[{"calcs_reversed": 3, "orig_inputs": 1}]',
        "json/task.json": b'{"calcs_reversed": [{"input": {}}], "orig_inputs": 1}',
        "json/entry.json": b'{"@class": "DefectEntry", "@module": "os"',
        "neb/out/01/OUTCAR": b"",
    }
    for name, content in contents.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (top / "a folder/vasprun.xml").mkdir(parents=True)
    (top / "dangling").mkdir()
    for name in ("vasprun.xml", "OUTCAR", "tasks.json"):
        (top / "dangling" / name).symlink_to("nowhere")
    (top / "round").symlink_to(top)
    (top / "elsewhere").symlink_to(gaas)
    os.mkfifo(top / "dangling" / "pipe.json")
    return top


@pytest.fixture(scope="module")
def imported(tree: Path, tmp_path_factory: pytest.TempPathFactory):
    return import_runs(tree, output=tmp_path_factory.mktemp("out") / "study", quiet=True), tree


def lines(study) -> dict[str, str]:
    return {f.folder: "; ".join(f.reasons) for f in study.observables[IMPORT_STAGE].folders}


def test_one_reason_for_each_folder(imported) -> None:
    study, _ = imported
    found = lines(study)
    assert study.host.formula == "GaAs"
    assert [s for s in found if s.startswith("gaas/") and found[s]] == []
    assert found["empty xml"] == "finished: vasprun.xml is empty"
    assert found["empty outcar"] == "finished: OUTCAR is empty"
    assert found["no xml"].startswith("finished: vasprun.xml cannot be read")
    assert found["noise"].endswith("no output of a VASP run")
    assert "cut off" in found["cut"]
    assert "cut off" in found["cut gzip"]
    assert found["dangling"].startswith("cannot be read")
    assert found["json/list.json"].startswith("cannot be read: TypeError")
    assert found["json/task.json"].startswith("cannot be read: KeyError")
    assert found["json/entry.json"].startswith("cannot be read")
    assert "not followed" in found["elsewhere"]
    assert "a folder" not in found
    assert not [name for name in found if name.startswith("round")]
    for name in ("bz2", "xz", "not gzipped", "a [red]name\nof two lines"):
        assert found[name].startswith("another run of the perfect cell")


def test_other_hosts_are_told_how_to_come_in(imported) -> None:
    """A defect of another host is no competing phase of this one, and neither is a compound of other elements."""
    study, _ = imported
    found = lines(study)
    assert found["v2o5/v_O"].endswith("import it by itself with --host V2O5")
    assert found["v2o5/v_O"].startswith("a defect in the cell of v2o5/bulk")
    assert found["spinel"] == "shares no element with GaAs: import it by itself with --host MgMn2O4"


def test_report_comes_from_what_was_kept(imported, tmp_path: Path) -> None:
    """An import has a store as a study has: report, load and assumptions start from it."""
    _, tree = imported
    folder = tmp_path / "study"
    made = import_runs([tree / "gaas"], output=folder, dielectric=12.9, quiet=True)
    (folder / "results.json").unlink()
    (folder / "report.html").unlink()
    rebuild_report(folder)
    again = magnetoionics.load(folder)
    assert (folder / "report.html").is_file()
    assert {f.folder for f in again.observables[IMPORT_STAGE].folders if f.used} == {
        "perfect_sp",
        "defect_group1_q=p0_sp",
        "defect_group1_q=n1_sp",
    }
    dumped = [s.model_dump(mode="json", exclude={"timings"}) for s in (made, again)]
    assert dumped[0] == dumped[1]


def test_a_closed_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("open", "closed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "OUTCAR").write_text("vasp.6.3.0")
    scan = os.scandir

    def refuse(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    problems = {p.name: p.problem for p in find_places([tmp_path])}
    assert problems == {"open": "", "closed": "may not be read: Permission denied"}


def test_spin_orbit_and_k_points_are_compared_without_vasprun() -> None:
    """OUTCAR alone tells of spin-orbit coupling and of the number of irreducible points."""
    spinors = VaspRun(folder="bulk", spin_orbit=True, kpoints=8)
    gamma = VaspRun(folder="defect", kpoint_mesh=[1, 1, 1], kpoints=1)
    assert [d.kind for d in unlike_cells(spinors, gamma)] == ["LSORBIT", "KPOINTS"]
    assert unlike_cells(VaspRun(folder="a", kpoints=8), VaspRun(folder="b", kpoint_mesh=[2, 2, 2], kpoints=8)) == []
    assert [d.kind for d in unlike_cells(VaspRun(folder="a", kpoints=1), VaspRun(folder="b", kpoint_mesh=[5, 5, 5]))]


def test_runs_without_a_ground_state_have_no_energy_to_subtract() -> None:
    static = VaspRun(folder="a", incar={"ICHARG": 11})
    assert "fixed density" in no_ground_state(static)[0]
    assert "band" in no_ground_state(VaspRun(folder="a", kind="band image"))[0]
    assert no_ground_state(VaspRun(folder="a", incar={"ICHARG": 1})) == []


def test_functional_without_a_tag_is_that_of_the_data_sets() -> None:
    assert functional_of({}, {}, "PAW Ti_pv 07Sep2000") == "LDA"
    assert functional_of({}, {"GGA": "--"}, "PAW_PBE Ti_pv 07Sep2000") == "PBE"
    assert functional_of({"GGA": "PS"}, {}, "PAW Ti_pv 07Sep2000") == "PBEsol"


def test_a_phase_may_have_u_on_an_element_that_the_host_lacks(tree: Path) -> None:
    """U of Mn in the spinel beside V2O5 is no U of the host, and the phase bounds none of its potentials."""
    study, _ = import_with_bands([tree / "v2o5", tree / "spinel"], formula="V2O5")
    found = lines(study)
    assert found["spinel"] == "holds Mg, Mn, which the host does not: it bounds no potential of the host"
    assert [s.stage for s in study.stages if s.done and s.stage == "vacancies"] == ["vacancies"]


def test_an_energy_that_overflowed_is_none(tmp_path: Path, gaas: Path) -> None:
    """VASP prints stars for a number that does not fit; the second energy beside it is no result."""
    text = gzip.decompress((gaas / "perfect_sp/vasprun.xml.gz").read_bytes()).decode()
    text = re.sub(r'(<i name="e_fr_energy">)[^<]*', r"\1 ************* ", text)
    (tmp_path / "vasprun.xml").write_text(text)
    run = read_run(tmp_path)
    assert run.energy_eV is None
    assert not run.usable
    assert any("there is no energy" in reason for reason in run.reasons)
