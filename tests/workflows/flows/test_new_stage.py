"""An observable of every study is three files: those of docs/howto_observable.md, in a folder of their own."""

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
from magnetoionics.workflows.engine import get_engine
from magnetoionics.workflows.flows.plan import plan_stages
from magnetoionics.workflows.stage import stage_names, stages

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
    assert (folder / "figures" / "hop_polarisation.png").is_file()
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


def test_a_stored_document_that_no_file_defines_is_named():
    with pytest.raises(ValueError, match="no documents are called 'HopHardness'; is the file"):
        document_type("HopHardness")


def test_stages_are_in_order_and_come_after_what_they_need():
    known = [s.name for s in stages()]
    assert known[:3] == ["host", "vacancies", "competing phases"]
    assert len(set(known)) == len(known)
    for stage in stages():
        assert all(known.index(name) < known.index(stage.name) for name in stage.after)
        assert (stage.build.__doc__ or "").strip()
        assert stage.name == stage.name.lower()
