"""The doctor finds a missing VASP, launcher, POTCAR, GPAW or setup where the jobs run, and names the cure."""

import subprocess
import sys

import pytest
import yaml
from magnetoionics.hpc.errors import UserError

pytest.importorskip("jobflow_remote")

from magnetoionics.hpc.cluster.codes import ask, code_problems, environment_of, needed_codes
from magnetoionics.hpc.cluster.probe import gpaw_problems, missing_programs, potcar_problems
from magnetoionics.hpc.cluster.project import ClusterSettings, load_project, projects_folder, write_project
from magnetoionics.hpc.cluster.submit import project_table


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder on the path, and a maker of executables in it."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def make(*names):
        for name in names:
            (folder / name).write_text("#!/bin/sh\n")
            (folder / name).chmod(0o755)
        return folder

    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return make


def put_potcars(root, *symbols):
    place = root / "POT_GGA_PAW_PBE_54"
    place.mkdir(parents=True, exist_ok=True)
    for symbol in symbols:
        (place / f"POTCAR.{symbol}.gz").write_bytes(b"fake")
    return root


def test_launcher_and_vasp_are_both_looked_for(programs, monkeypatch):
    assert missing_programs("startmpi -n 64 vasp_std") == "startmpi, vasp_std"
    programs("startmpi")
    assert missing_programs("startmpi -n 64 vasp_std") == "vasp_std"
    programs("vasp_std")
    assert missing_programs("startmpi -n 64 vasp_std") == ""
    monkeypatch.setenv("RUNNER", "startmpi")
    assert missing_programs("$RUNNER vasp_std") == ""
    assert missing_programs("") == "an empty command"


def test_potcars_are_those_that_the_engine_asks_for(tmp_path, monkeypatch):
    from pymatgen.core import SETTINGS

    monkeypatch.delitem(SETTINGS, "PMG_VASP_PSP_DIR", raising=False)
    ((problem, cure),) = potcar_problems(["Fe", "O"])
    assert "not set" in problem
    assert "pmg config" in cure
    monkeypatch.setitem(SETTINGS, "PMG_VASP_PSP_DIR", str(tmp_path / "none"))
    assert "not there" in potcar_problems(["Fe"])[0][0]
    monkeypatch.setitem(SETTINGS, "PMG_VASP_PSP_DIR", str(put_potcars(tmp_path, "O", "Fe")))
    ((problem, _),) = potcar_problems(["Fe", "O"])
    assert "Fe_pv in" in problem
    put_potcars(tmp_path, "Fe_pv")
    assert potcar_problems(["Fe", "O"]) == []


def test_setups_of_gpaw(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "gpaw", raising=False)
    package = tmp_path / "fake" / "gpaw"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"setup_paths = [{str(tmp_path)!r}]\n")
    monkeypatch.syspath_prepend(str(tmp_path / "fake"))
    (tmp_path / "Fe.PBE.gz").write_bytes(b"fake")
    ((problem, cure),) = gpaw_problems(["Fe", "Co"])
    assert "setup of Co" in problem
    assert "gpaw-data" in cure
    (tmp_path / "Co.PBE").write_bytes(b"fake")
    assert gpaw_problems(["Fe", "Co"]) == []
    sys.modules.pop("gpaw")


def test_engines_come_from_the_studies_and_from_the_user():
    about = [{"engine": "vasp", "host": "life5o8"}, {"engine": "local", "host": "cofe2o4"}]
    assert needed_codes(about) == {"vasp": ["Fe", "Li", "O"]}
    assert needed_codes([{"engine": "vasp:mine.yaml", "host": "life5o8"}]) == {"vasp": ["Fe", "Li", "O"]}
    assert needed_codes([], ["gpaw"]) == {"gpaw": ["Co", "Fe", "O"]}
    assert needed_codes([{"engine": "vasp", "host": "/nowhere/mine.yaml"}]) == {"vasp": []}
    with pytest.raises(UserError, match="vasp, gpaw"):
        needed_codes([], ["quantum"])


def test_worker_is_asked_in_the_environment_of_its_jobs(programs, tmp_path, monkeypatch):
    """Through jobflow-remote's own host, with a fake VASP that only exec_config puts on the path."""
    pytest.importorskip("atomate2")
    from jobflow_remote import SETTINGS

    monkeypatch.setattr(SETTINGS, "projects_folder", str(tmp_path / "projects"))
    write_project(ClusterSettings(name="codes", scheduler="shell", work_dir=str(tmp_path / "work")))
    path = projects_folder() / "codes.yaml"
    content = yaml.safe_load(path.read_text())
    hidden = tmp_path / "module"
    hidden.mkdir()
    for name in ("startmpi", "vasp_std", "vasp_ncl"):
        (programs(name)).joinpath(name).rename(hidden / name)
    potcars = put_potcars(tmp_path / "psp", "Fe_pv", "O")

    def problems(**export):
        content["exec_config"]["default"]["export"] = export
        path.write_text(yaml.safe_dump(content))
        found = list(code_problems(load_project("codes"), project_table("codes"), {"vasp": ["Co", "Fe", "O"]}))
        assert {subject.rpartition(" worker ")[0] for subject, _, _ in found} <= {"vasp on"}
        return [problem for _, problem, _ in found], [cure for _, _, cure in found]

    commands = {"ATOMATE2_VASP_CMD": "'startmpi vasp_std'", "ATOMATE2_VASP_NCL_CMD": "'startmpi vasp_ncl'"}
    found, cures = problems(**commands, PMG_VASP_PSP_DIR=str(potcars))
    assert [f.split(",")[0] for f in found[:2]] == [
        f"VASP{x}_CMD is 'startmpi vasp_{y}'" for x, y in (("", "std"), ("_NCL", "ncl"))
    ]
    assert found[0].endswith("startmpi, vasp_std is not found")
    assert "POTCAR of Co" in found[2]
    assert all("exec_config" in c for c in cures[:2])
    put_potcars(potcars, "Co")
    found, _ = problems(**commands, PMG_VASP_PSP_DIR=str(potcars), PATH=f"{hidden}:$PATH")
    assert found == []
    found, cures = problems(**{"PATH": "/nowhere"}, **commands)
    assert any("VASP_CMD" in f for f in found)


def test_worker_that_does_not_answer_is_a_finding():
    class Silent:
        def execute(self, command):
            raise subprocess.TimeoutExpired("secret", 60)

    ((problem, _),) = ask(Silent(), "", "python", "vasp", ["Fe"])
    assert "TimeoutExpired" in problem
    assert "secret" not in problem


def test_environment_is_in_the_order_of_the_scripts():
    class Worker:
        pre_run = "source first"

    class Config:
        modules, export, pre_run = ["vasp"], {"A": 1}, "second"

    assert environment_of(Worker(), Config()).split("\n") == [
        "source first",
        "second",
        "export A=1",
        "module load vasp",
    ]
    assert environment_of(Worker(), None) == "source first"
