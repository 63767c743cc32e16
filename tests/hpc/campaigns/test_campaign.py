"""Campaigns: which studies a file makes, and what is refused; submission is tested with the cluster."""

import json
import time
from types import SimpleNamespace

import pytest
import yaml
from magnetoionics.analysis.study.validity import Failure
from magnetoionics.hpc.campaigns import here
from magnetoionics.hpc.campaigns.actions import list_campaign
from magnetoionics.hpc.campaigns.campaign import Campaign, StudySpec, read_campaign, specs, study_flow
from magnetoionics.hpc.campaigns.here import run_here, spelled_out
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.cluster.submit import job_keys
from magnetoionics.hpc.errors import UserError
from magnetoionics.hpc.local.runner import LocalRunner
from magnetoionics.hpc.local.store import open_store
from magnetoionics.hpc.study_folder.study_run import finish_study
from magnetoionics.structures.host import get_host, host_keys
from magnetoionics.structures.io.files import write_structure
from user_hosts import ENTRIES


def key_of(flow):
    """Of a study: the keys of all its jobs."""
    return tuple(sorted(job_keys(job for job, _ in flow.iterflow()).values()))


def written(folder, **entries):
    path = folder / "campaign.yaml"
    path.write_text(json.dumps({"name": "test", "hosts": ["cofe2o4"], **entries}))
    return path


def test_every_combination_is_a_study(tmp_path):
    campaign = read_campaign(written(tmp_path, hosts=["cofe2o4", "nife2o4"], orders="all", priorities={"nife2o4": 3}))
    made = specs(campaign)
    orders = {host: get_host(host).orders for host in ("cofe2o4", "nife2o4")}
    assert [(s.host, s.order) for s in made] == [(h, o) for h in orders for o in orders[h]]
    assert {s.host: s.priority for s in made} == {"cofe2o4": 0, "nife2o4": 3}
    assert [s.order for s in specs(Campaign(name="x", hosts=["cofe2o4"]))] == [None]
    assert [s.order for s in specs(Campaign(name="x", hosts=["cofe2o4"], orders=["normal"]))] == ["normal"]
    assert len(specs(Campaign(name="x", hosts=["cofe2o4", "cofe2o4"]))) == 1
    assert list_campaign(written(tmp_path)) == 1


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"hosts": ["unobtainium"]}, "known hosts"),
        ({"hosts": []}, "hosts"),
        ({"name": "../x"}, "name"),
        ({"orders": ["Pnma"]}, "known: "),
        ({"max_queued": 0}, "max_queued"),
        ({"fields_V_per_m": [float("nan")]}, "finite"),
        ({"colour": "red"}, "colour"),
        ({"engines": ["local", 'ase:subprocess:Popen {"args": "true"}']}, "runs code"),
    ],
)
def test_bad_campaigns_are_refused(entries, said, tmp_path):
    with pytest.raises(UserError, match=said):
        specs(read_campaign(written(tmp_path, **entries)))


def test_bad_file_is_one_line(tmp_path, capsys):
    path = tmp_path / "c.yaml"
    path.write_text("a: [")
    assert main(["campaign", str(path), "--project", "nowhere"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_path_of_a_host_file_keeps_its_case(tmp_path):
    folder = tmp_path / "Hosts"
    folder.mkdir()
    write_structure(get_host("cofe2o4").structure(), folder / "mine.cif")
    (folder / "Mine.yaml").write_text(yaml.safe_dump(ENTRIES))
    (spec,) = specs(read_campaign(written(tmp_path, hosts=[str(folder / "Mine.yaml")], stages=["host"], quick=True)))
    assert list(study_flow(spec).iterflow())


def test_fields_and_vacancies_change_the_study():
    whole = study_flow(StudySpec("cofe2o4", quick=True))
    fields = study_flow(StudySpec("cofe2o4", quick=True, fields_V_per_m=(0.0, 1e8)))
    few = study_flow(StudySpec("cofe2o4", quick=True, vacancies=(("Fe", "B"),)))
    assert len({key_of(f) for f in (whole, fields, few)}) == 3
    relaxed = [j.name for j, _ in few.iterflow() if j.name.startswith("V_")]
    assert relaxed == ["V_Fe(B) relax"]
    with pytest.raises(UserError, match="Ni on B"):
        study_flow(StudySpec("cofe2o4", quick=True, vacancies=(("Ni", "B"),)))


@pytest.mark.usefixtures("no_figures")
def test_study_of_one_vacancy_is_finished_and_reported(tmp_path):
    flow = study_flow(StudySpec("cofe2o4", quick=True, stages=("vacancies",), vacancies=(("O", "O"),)))
    store = open_store(tmp_path)
    assert LocalRunner(store).run(flow).finished
    finish_study(store, {}, flow.uuid, tmp_path)
    results = json.loads((tmp_path / "results.json").read_text())
    assert {v["element"] for v in results["vacancies"]} == {"O"}


def test_every_host_and_every_installed_engine(tmp_path):
    whole = spelled_out(read_campaign(written(tmp_path, hosts=["all"], engines=["installed"])))
    assert set(whole.hosts) == set(host_keys())
    assert "local" in whole.engines
    assert not {"vasp", "gpaw", "auto", "ase"} & set(whole.engines)


def test_a_campaign_runs_here_and_goes_on(tmp_path, capsys, monkeypatch):
    """What an engine cannot do is said; what is finished stays, also beside a campaign that asks otherwise."""
    file = written(tmp_path, hosts=["tio2", "fe4n"], stages=["host"], quick=True)
    folder = tmp_path / "done"
    assert main(["campaign", str(file), "--here", str(folder)]) == 0
    assert "1 finished, 1 refused" in capsys.readouterr().out
    results = folder / "tio2-rutile-local" / "results.json"
    made = results.read_bytes()
    assert [p.name for p in folder.iterdir() if p.is_dir()] == ["tio2-rutile-local"]
    outcomes = here.kept_outcomes(folder)
    assert {name: outcome["said"][:8] for name, outcome in outcomes.items()} == {
        "tio2-rutile-local": "finished",
        "fe4n-antiperovskite-local": "refused:",
    }
    refused, kept = sorted(d.said for d in run_here(read_campaign(file), folder))
    assert "pedone" in refused
    assert kept == "was there"
    # What was there keeps the time that it took.
    assert here.kept_outcomes(folder)["tio2-rutile-local"] == outcomes["tio2-rutile-local"]
    full = read_campaign(file).model_copy(update={"hosts": ["tio2"], "quick": False})
    assert "asked otherwise" in run_here(full, folder)[0].said
    assert results.read_bytes() == made
    # A refusal is asked for anew: the engine may have been installed since.
    monkeypatch.setattr(here, "_why_not", lambda spec: "")
    monkeypatch.setattr(here, "_in_a_process", lambda spec, place, beside, *rest: f"not finished: {len(beside)} beside")
    again = read_campaign(file).model_copy(update={"hosts": ["fe4n"]})
    assert run_here(again, folder)[0].said == "not finished: 1 beside"


@pytest.mark.parametrize("text", ["no JSON", "[1]"])
def test_what_is_no_outcome_is_refused_before_a_study_is_computed(text, tmp_path, capsys):
    file = written(tmp_path, hosts=["tio2"], stages=["host"])
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / here.OUTCOMES).write_text(text)
    assert main(["campaign", str(file), "--here", str(tmp_path / "done")]) == 2
    assert "holds no outcomes of a campaign" in capsys.readouterr().err
    assert (tmp_path / "done" / here.OUTCOMES).read_text() == text
    assert len(list((tmp_path / "done").iterdir())) == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--jobs", "0"], "0 processes"),
        (["--limit", "nan"], "nan minutes must be above 0"),
        (["--limit", "-1"], "must be above 0"),
        (["--limit", "inf"], "inf minutes must be"),
        (["--project", "mine"], "--here takes no project"),
    ],
)
def test_a_campaign_here_refuses_before_it_writes(more, said, tmp_path, capsys):
    file = written(tmp_path, hosts=["tio2"], stages=["host"])
    assert main(["campaign", str(file), "--here", str(tmp_path / "done"), *more]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "done").exists()
    assert main(["campaign", str(file), "--here", str(file)]) == 2
    assert "is a file" in capsys.readouterr().err


def test_two_studies_never_share_a_folder(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_structure(get_host("tio2").structure(), tmp_path / name / "mine.cif")
    hosts = [str(tmp_path / name / "mine.cif") for name in ("a", "b")]
    with pytest.raises(UserError, match="share the folder mine-"):
        run_here(Campaign(name="two", hosts=hosts), tmp_path / "done")
    assert not (tmp_path / "done").exists()


def test_a_study_beyond_its_time_is_ended_and_one_with_a_failed_part_says_which(tmp_path, monkeypatch):
    spec = StudySpec(host="tio2", stages=("host",), quick=True)
    begin = time.perf_counter()
    assert here._in_a_process(spec, tmp_path / "slow", [], 1, 1e-3) == "not finished: more than 0.001 s"
    assert time.perf_counter() - begin < 20
    told = []
    monkeypatch.setattr("magnetoionics.analysis.study.validity.failures", lambda study: [Failure("hop A", ("bent",))])
    here._compute(spec, tmp_path / "tio2", [], 1, SimpleNamespace(send=told.append))
    assert told == ["finished but for: hop A"]


def test_what_needs_a_project_is_refused_here(tmp_path):
    with pytest.raises(UserError, match="are for a project"):
        run_here(read_campaign(written(tmp_path, vacancies=[["Fe", "B"]])), tmp_path)
    assert main(["campaign", str(written(tmp_path))]) == 2
