"""An observable of every study is three files: those of docs/howto_observable.md, in a folder of their own."""

import inspect
import json
import re
import sys

import magnetoionics
import magnetoionics.analysis.kinetics
import magnetoionics.analysis.plots
import magnetoionics.workflows.flows
import pytest
from magnetoionics.analysis.results.observables import document_type
from magnetoionics.analysis.study.documents import Study
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.commands import run as hpc_run
from magnetoionics.hpc.commands import submit as hpc_submit
from magnetoionics.hpc.errors import UserError
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.flows.plan import plan_stages
from magnetoionics.workflows.flows.study import MagnetoionicStudyMaker
from magnetoionics.workflows.stage import stage_names, stage_options, stages

PACKAGES = {
    "analysis/kinetics": magnetoionics.analysis.kinetics,
    "analysis/plots": magnetoionics.analysis.plots,
    "workflows/flows": magnetoionics.workflows.flows,
}


@pytest.fixture
def three_files(repository, tmp_path, monkeypatch):
    """The files that the page shows, where the package finds them; the checkout is not touched."""
    page = (repository / "docs" / "howto_observable.md").read_text(encoding="utf-8")
    text, *rest = re.split(r"```python\n(.*?)```", page, flags=re.DOTALL)
    shown = []
    for source, after in zip(rest[::2], rest[1::2], strict=True):
        if named := re.findall(r"`((?:analysis|workflows)/\w+/hop_polarisation\.py)`", text):
            shown.append((named[-1], source))
        text = after
    assert sorted(path for path, _ in shown) == sorted(f"{room}/hop_polarisation.py" for room in PACKAGES)
    for path, source in shown:
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(source)
    for room, package in PACKAGES.items():
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / room)])
    yield tmp_path
    for name in [m for m in sys.modules if m.endswith(".hop_polarisation")]:
        del sys.modules[name]


def test_three_files_are_an_observable_of_every_study(three_files, tmp_path):
    assert "hop polarisation" in stage_names()
    folder = tmp_path / "study"
    study = magnetoionics.run(
        "cofe2o4", quick=True, output=folder, stages=["migration", "hop_polarisation"], quiet=True
    )
    found = study.observables["hop polarisation"]
    hop = study.migration[0]
    results = json.loads((folder / "results.json").read_text())
    stored = results["observables"]["hop polarisation"]
    assert stored["document"] == "HopPolarisation"
    assert stored["value_uC_per_cm2"] == found.value_uC_per_cm2
    # A charge of about +2 carried over 2.9 A in a cell of 8.26^3 A^3.
    volume = study.host.structure.volume
    assert found.value_uC_per_cm2 == pytest.approx(1602.18 * hop.images[-1].dipole_along_hop_e_A / volume, rel=1e-5)
    assert 10 < found.value_uC_per_cm2 < 30
    frame = study.to_dataframe("hop_polarisation")
    assert frame["value_uC_per_cm2"].tolist() == [found.value_uC_per_cm2]
    (bar,) = study.plot("hop_polarisation").axes[0].patches
    assert bar.get_height() == found.value_uC_per_cm2
    assert (folder / "figures" / "hop_polarisation.svg").is_file()
    report = (folder / "report.html").read_text()
    assert "Hop polarisation" in report
    assert f"{found.value_uC_per_cm2:.6g}" in report
    assert "Polarisation that the hop leaves behind" in report
    again = Study.model_validate_json((folder / "results.json").read_text())
    assert again.observables == study.observables
    assert again.stages[-1].stage == "hop polarisation"


def test_it_is_left_out_with_the_reason_where_it_cannot_be_done(three_files):
    host = magnetoionics.get_host("cofe2o4")
    planned = {s.stage: s for s in plan_stages(get_engine("local"), host, "normal")}
    assert planned["hop polarisation"].reason == "it needs the stage migration, which is not done"
    assert plan_stages(get_engine("local"), host, "Imma")[-1].done


ONE_FILE = '''
"""A stage with an option of its own."""

from jobflow import job

from ...analysis.kinetics.hop_spread import HopSpread
from ..stage import Stage, StageOption


@job(name="asked")
def asked(said, provenance):
    return HopSpread(hops=[], absent=[str(said)], provenance=provenance)


class AskedStage(Stage):
    """Gives back what was said."""

    name = "asked"
    document = HopSpread
    options = (StageOption("asked_for_A", "Any length.", lambda said: 2 * float(said), 1.0),)

    def build(self, study):
        """One job."""
        return asked(study.option("asked_for_A"), study.engine.provenance())


STAGE = AskedStage()
'''


@pytest.fixture
def one_file(tmp_path, monkeypatch):
    """A stage of one file, where the package finds it."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "asked_stage.py").write_text(ONE_FILE)
    flows = magnetoionics.workflows.flows
    monkeypatch.setattr(flows, "__path__", [*flows.__path__, str(tmp_path / "flows")])
    yield
    sys.modules.pop("magnetoionics.workflows.flows.asked_stage", None)


@pytest.mark.parametrize(("said", "reaches"), [(None, "1.0"), ("3.5", "7.0")])
def test_an_option_in_a_stage_s_file_is_one_of_the_command_line_and_of_python(one_file, tmp_path, said, reaches):
    """Nothing but the stage's file names it."""
    words = ["run", "cofe2o4", "--quick", "--stages", "asked", "--output", str(tmp_path / "s")]
    assert main([*words, *(["--asked-for-A", said] if said else [])]) == 0
    assert magnetoionics.load(tmp_path / "s").observables["asked"].absent == [reaches]
    again = magnetoionics.run(
        "cofe2o4", quick=True, stages=["asked"], output=tmp_path / "s", overwrite=True, quiet=True, asked_for_A=said
    )
    assert again.observables["asked"].absent == [reaches]


def test_options_that_no_stage_takes_are_refused(one_file, tmp_path, capsys):
    with pytest.raises(UserError, match=r"no stage has an option 'colour'; options: asked_for_A, .*vibrating_A"):
        magnetoionics.run("cofe2o4", quick=True, output=tmp_path / "s", colour="red")
    with pytest.raises(UserError, match=r"--asked-for-A is for the stage asked, which this study does not compute"):
        magnetoionics.run("cofe2o4", quick=True, stages=["host"], output=tmp_path / "s", asked_for_A=2.0)
    with pytest.raises(UserError, match=r"--asked-for-A 'long': could not convert"):
        magnetoionics.run("cofe2o4", quick=True, stages=["asked"], output=tmp_path / "s", asked_for_A="long")
    assert not (tmp_path / "s").exists()


def test_options_of_stages_take_no_name_that_a_command_has():
    taken = {
        parameter
        for command in (hpc_run.run, hpc_submit.submit, magnetoionics.run)
        for parameter in inspect.signature(command).parameters
    }
    # The starts of vacancies were a keyword of `run` before stages had options.
    assert {name.lower() for name in stage_options()} & {name.lower() for name in taken} == {"starts"}


def test_jobs_of_a_study_are_of_the_kinds_that_its_stages_name():
    pytest.importorskip("phonopy", reason="modes of whole cells need phonopy")
    maker = MagnetoionicStudyMaker.quick(
        get_engine("local"), ["vacancies", "migration", "vibrations", "anisotropy", "defect vibrations"]
    )
    named = {stage.name: set(stage.kinds) for stage in stages()}
    for made, _ in maker.make("cofe2o4").iterflow():
        if made.metadata.get("role") == "calculation":
            assert made.metadata["kind"] in named[made.metadata["stage"]], made.name


def test_a_stored_document_that_no_file_defines_is_named():
    with pytest.raises(ValueError, match="no documents are called 'HopHardness'; is the file"):
        document_type("HopHardness")


def test_stages_are_in_order_and_come_after_what_they_need():
    known = [s.name for s in stages()]
    assert known[:4] == ["host", "vacancies", "point defects", "competing phases"]
    assert len(set(known)) == len(known)
    for stage in stages():
        assert all(known.index(name) < known.index(stage.name) for name in stage.after)
        assert (stage.build.__doc__ or "").strip()
        assert stage.name == stage.name.lower()
