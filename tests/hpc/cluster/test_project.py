"""Projects and tables of resources, without a scheduler: what is written, what is refused, no secret shown."""

import dataclasses
import json
import stat
import subprocess

import pytest
import yaml
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.errors import UserError

pytest.importorskip("jobflow_remote")

from jobflow import Flow, Job, Response, job
from magnetoionics.hpc.cluster.job import clean
from magnetoionics.hpc.cluster.names import jobs_within
from magnetoionics.hpc.cluster.project import (
    ClusterSettings,
    Database,
    load_project,
    project_dict,
    write_project,
)
from magnetoionics.hpc.cluster.submit import job_costs, job_keys
from magnetoionics.hpc.cluster.table import (
    KINDS,
    ResourceTable,
    apply_table,
    default_table,
    read_table,
    write_table,
)
from magnetoionics.hpc.study_folder.study_run import build_flow
from magnetoionics.workflows.jobs.kinds import as_calculation

SLURM = ClusterSettings(name="demo", scheduler="slurm", work_dir="/scratch/demo", cores_per_node=64, queue="normal")


def key_of(flow):
    """Of a study: the keys of all its jobs."""
    return sorted(job_keys(job for job, _ in flow.iterflow()).values())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    from jobflow_remote import SETTINGS

    monkeypatch.setattr(SETTINGS, "projects_folder", str(tmp_path / "projects"))
    return tmp_path / "projects"


@pytest.mark.parametrize("scheduler", ["slurm", "pbs", "sge"])
@pytest.mark.parametrize("host", [None, "login.example.org"])
def test_every_worker_writes_a_script_with_its_resources(scheduler, host, folder):
    write_project(dataclasses.replace(SLURM, scheduler=scheduler, host=host))
    project = load_project("demo")
    from monty.json import MontyDecoder

    for name, worker in project.workers.items():
        assert "{}" in worker.execution_cmd
        assert worker.type == ("local" if host is None or name == "local" else "remote")
        if name == "local":
            continue
        resources = MontyDecoder().process_decoded(worker.resources)
        script = worker.get_scheduler_io().get_submission_script(["true"], resources)
        assert "normal" in script
        if name == "batch":
            # jobflow-remote decodes nothing here, and starts the batch with `jf`.
            assert "@class" not in worker.resources
            assert ("export PATH=" in (worker.pre_run or "")) is (host is None)
        assert "None" not in script
        if scheduler == "sge":
            assert "select=" not in script  # Grid Engine has no such resource
        if name == "neb":
            assert any(s in script for s in ("--nodes=4", "select=4:ncpus=60", "-pe mpi 240"))
        if name == "gpu":
            assert "gpu" in script
        assert any(limit in script for limit in ("24:00:00", "24:0:0", "1-0:0:0", "86400"))


def test_several_nodes_are_asked_for_in_a_band(folder):
    write_project(SLURM)
    from monty.json import MontyDecoder

    worker = load_project("demo").workers["neb"]
    script = worker.get_scheduler_io().get_submission_script(["true"], MontyDecoder().process_decoded(worker.resources))
    assert "#SBATCH --nodes=4" in script
    assert "#SBATCH --ntasks-per-node=60" in script


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scheduler": "lsf"}, "known: slurm"),
        ({"name": "../evil"}, "letters"),
        ({"work_dir": "scratch"}, "absolute"),
        ({"cores_per_node": 0}, "1 or more"),
        ({"walltime_s": -1}, "1 or more"),
        ({"poll_s": 0}, "above 0"),
    ],
)
def test_bad_settings_are_refused_and_nothing_is_written(change, said, folder):
    with pytest.raises(UserError, match=said):
        write_project(dataclasses.replace(SLURM, **change))
    assert not folder.exists()


def test_password_stays_in_a_file_of_the_owner(folder, monkeypatch, capsys):
    secret = "hunter2-very-secret"
    settings = dataclasses.replace(SLURM, database=Database(user="maria"))
    with pytest.raises(UserError, match="MAGNETOIONICS_DB_PASSWORD"):
        write_project(settings)
    monkeypatch.setenv("MAGNETOIONICS_DB_PASSWORD", secret)
    path, table = write_project(settings)
    assert secret in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret not in table.read_text()
    content = yaml.safe_load(path.read_text())
    content["queue"]["store"]["port"] = 1
    content["queue"]["store"]["nonsense"] = 1
    path.write_text(yaml.safe_dump(content))
    for command in (["cluster", "doctor", "demo"], ["submit", "cofe2o4", "--quick", "--project", "demo"]):
        assert main(command) != 0
    shown = capsys.readouterr()
    assert secret not in shown.out + shown.err


def test_whatever_can_be_run_can_be_submitted():
    import inspect

    from magnetoionics.hpc.campaigns.campaign import Campaign
    from magnetoionics.hpc.commands.run import run
    from magnetoionics.hpc.commands.submit import submit

    # Of this machine's runner and folder; several U are submitted as a campaign, which has `u_scan` of its own.
    here = {"jobs", "reuse", "overwrite", "u_scan"}
    assert "u_scan" in Campaign.model_fields
    assert set(inspect.signature(run).parameters) - here <= set(inspect.signature(submit).parameters)


def test_database_is_asked_as_the_jobs_will_ask_it():
    """The user is looked up in the store's own database unless `auth_source` names another."""
    from magnetoionics.hpc.cluster.controller import _address, _client_options

    store = Database(host="mongo", name="ferrites").store("jobs")
    assert "authSource" not in _client_options(store)
    store |= {"username": "maria", "password": "hunter2"}
    assert _client_options(store)["authSource"] == "ferrites"
    assert _client_options({**store, "auth_source": "admin"})["authSource"] == "admin"
    assert _client_options({**store, "mongoclient_kwargs": {"tls": True}})["tls"] is True
    assert _address(store) == "mongo:27017/ferrites"
    uri = "mongodb://maria:hunter2@one,two/admin?ssl=true"
    assert _client_options({"uri": uri, "database": "ferrites"})["host"] == uri
    for given in ({"uri": uri}, {"host": uri}):
        assert _address({**given, "database": "ferrites"}) == "one,two/ferrites"


def test_auth_source_reaches_the_project(folder, monkeypatch):
    monkeypatch.setenv("MAGNETOIONICS_DB_PASSWORD", "hunter2")
    words = ["cluster", "init", "demo", "--scheduler", "shell", "--work-dir", "/scratch", "--db-user", "maria"]
    assert main([*words, "--db-auth-source", "admin"]) == 0
    content = yaml.safe_load((folder / "demo.yaml").read_text())
    stores = [
        content["queue"]["store"],
        content["jobstore"]["docs_store"],
        content["jobstore"]["additional_stores"]["data"],
    ]
    assert {s["auth_source"] for s in stores} == {"admin"}
    from maggma.stores import GridFSStore

    # Both kinds of store take it.
    assert load_project("demo").queue.store["auth_source"] == "admin"
    assert isinstance(load_project("demo").get_jobstore().additional_stores["data"], GridFSStore)


def test_a_job_submitted_twice_is_computed_once(tmp_path):
    """As after a runner that was killed before it noted the scheduler's number; making a folder twice would fail."""
    import multiprocessing
    import os

    from jobflow import JobStore
    from jobflow_remote.jobs.data import IN_FILENAME, OUT_FILENAME
    from maggma.stores import JSONStore
    from magnetoionics.hpc.cluster.job import main as run_job
    from monty.serialization import dumpfn

    store = JobStore(JSONStore(str(tmp_path / "outputs.json"), read_only=False))
    dumpfn({"job": job(os.mkdir)("made"), "store": store}, tmp_path / IN_FILENAME)
    fork = multiprocessing.get_context("fork")
    twins = [fork.Process(target=run_job, args=(str(tmp_path),)) for _ in range(2)]
    for twin in twins:
        twin.start()
    for twin in twins:
        twin.join()

    def error():
        return json.loads((tmp_path / OUT_FILENAME).read_text())["error"]

    assert error() is None
    assert (tmp_path / "made").is_dir()
    run_job(str(tmp_path))
    assert error() is None
    # A rerun uploads its input again, and is computed again.
    (tmp_path / IN_FILENAME).touch()
    run_job(str(tmp_path))
    assert "FileExistsError" in error()


def test_project_is_not_overwritten(folder):
    path, _ = write_project(SLURM)
    path.write_text("name: mine\n")
    with pytest.raises(UserError, match="--overwrite"):
        write_project(SLURM)
    assert path.read_text() == "name: mine\n"


def test_unknown_project_names_the_known_ones(folder):
    write_project(SLURM)
    for name in ("other", "../demo", ""):
        with pytest.raises(UserError, match="known: demo"):
            load_project(name)


def test_table_survives_editing_and_says_what_is_wrong(tmp_path):
    path = tmp_path / "resources.yaml"
    table = default_table(SLURM)
    write_table(table, path)
    assert read_table(path) == table
    raw = yaml.safe_load(path.read_text())
    for change, said in (
        ({"kinds": {**raw["kinds"], "relax": {"worker": "cpu", "resources": {"cores": 3}}}}, "relax"),
        ({"kinds": {k: v for k, v in raw["kinds"].items() if k != "neb"}}, "no entry for neb"),
        ({"rules": [{"name": "V_O", "kind": "dft"}]}, "rules"),
        ({"colour": 1}, "colour"),
    ):
        path.write_text(yaml.safe_dump({**raw, **change}))
        with pytest.raises(UserError, match=said):
            read_table(path)
    path.write_text("kinds: !!python/object/apply:os.system ['true']")
    with pytest.raises(UserError, match="cannot be read"):
        read_table(path)


def test_jobs_of_a_study_get_the_right_kind():
    flow = build_flow("cofe2o4", "local", None, True)
    kinds = {c.name: c.kind for c in job_costs(flow, default_table(SLURM))}
    assert kinds["bulk Imma"] == "relax"
    assert kinds["V_Fe(B) relax"] == "relax"
    assert kinds["host supercell"] == "static"
    assert kinds["band"] == "neb"
    assert kinds["E(n) before"] == "spin-orbit"
    for small in ("supercell", "vacancy", "hop", "collect vacancies", "read migration", "study"):
        assert kinds[small] == "local"
    assert set(kinds.values()) < set(KINDS)


def test_core_hours_are_nodes_times_cores_times_limit():
    band = next(
        c for c in job_costs(build_flow("cofe2o4", "local", None, True), default_table(SLURM)) if c.kind == "neb"
    )
    assert (band.nodes, band.core_hours) == (4, 4 * 60 * 24)


def test_users_rule_comes_before_everything():
    plain = {**default_table(SLURM).model_dump(), "rules": [{"name": "V_O", "kind": "static"}]}
    table = ResourceTable.model_validate(plain)
    kinds = {c.name: c.kind for c in job_costs(build_flow("cofe2o4", "local", None, True), table)}
    assert kinds["V_O(1) relax"] == "static"
    assert kinds["V_Fe(B) relax"] == "relax"


@job
def spread():
    """A job that becomes others, as engines with several steps do; their names say nothing of what they are."""
    steps = [job(sum)([1, 2]) for _ in range(4)]
    for step, kind in zip(steps, ("relax", "static", "neb"), strict=False):
        as_calculation(step, kind).name = "band relax static"
    steps[3].name = "relax bulk neb, collected"
    return Response(replace=Flow(steps, output=[s.output for s in steps]))


@job
def spread_twice():
    first = spread()
    return Response(replace=Flow([first], output=first.output))


def as_run(made, folder):
    """What the job leaves in its folder on a cluster, cleaned as there."""
    from jobflow import JobStore
    from maggma.stores import MemoryStore

    store = JobStore(MemoryStore())
    store.connect()
    path = folder / "out.json"
    path.write_text(json.dumps({"response": {"replace": json.loads(made.run(store).replace.to_json())}, "error": None}))
    clean(path)
    return [Job.from_dict(d) for d in jobs_within(json.loads(path.read_text())["response"]["replace"])]


def test_table_reaches_jobs_made_while_running(tmp_path):
    first = spread_twice()
    apply_table(Flow([first]), default_table(SLURM), priority=7)
    assert first.config.manager_config["worker"] == "local"
    between = as_run(first, tmp_path)
    made = [j.config.manager_config for j in as_run(between[0], tmp_path)]
    assert [c["worker"] for c in made] == ["cpu", "cpu", "neb", "local", "local"]
    assert [c["resources"].nodes for c in made[:3]] == [1, 1, 4]
    assert {c["priority"] for c in made} == {7}


def test_a_users_rule_reaches_them_too(tmp_path):
    plain = {**default_table(SLURM).model_dump(), "rules": [{"name": "collected", "kind": "static"}]}
    first = spread()
    apply_table(Flow([first]), ResourceTable.model_validate(plain))
    made = [j.config.manager_config for j in as_run(first, tmp_path)]
    assert [c["worker"] for c in made] == ["cpu", "cpu", "neb", "cpu", "local"]


def test_key_of_a_study_knows_what_is_computed_and_not_the_run():
    first = key_of(build_flow("cofe2o4", "local", None, True))
    assert first == key_of(build_flow("cofe2o4", "local", None, True))
    assert first != key_of(build_flow("cofe2o4", "local", None, False))
    assert first != key_of(build_flow("cofe2o4", "local", "normal", True))


def test_project_has_all_workers():
    project = project_dict(SLURM)
    assert set(project["workers"]) == {"local", "cpu", "neb", "gpu", "batch"}
    assert project["workers"]["batch"]["batch"]["max_time"] < SLURM.walltime_s


@pytest.mark.parametrize("engine", ["local", "vasp"])
def test_dry_run_writes_inputs_and_costs_and_asks_no_database(engine, folder, tmp_path):
    name = engine
    if engine == "vasp":
        pytest.importorskip("atomate2")
        (tmp_path / "vasp.yaml").write_text("dft: {encut_eV: 550}\n", encoding="utf-8")
        name = f"vasp:{tmp_path / 'vasp.yaml'}"
    write_project(SLURM)
    words = ["submit", "cofe2o4", "--quick", "--engine", name, "--stages", "vacancies", "--project", "demo"]
    words += ["--output", str(tmp_path / "s"), "--dry-run"]
    for _ in range(2):
        assert main(words) == 0
    dry = tmp_path / "s" / "dry-run"
    rows = (dry / "jobs.csv").read_text().splitlines()
    assert rows[0].startswith("stage,job,kind,worker,nodes,core_hours")
    assert len(rows) - 1 == len(list(dry.glob("*/job.json")))
    assert any(dry.glob("*/structure.vasp"))
    assert (dry / "inputs").is_dir() is (engine == "vasp")
    written = [p.read_text() for p in dry.rglob("INCAR")]
    assert written == [] if engine == "local" else len(written) > 3
    assert all("ENCUT = 550" in text for text in written)


def test_names_are_plain_for_a_shell_and_come_back(tmp_path):
    """Shell and batch scripts echo the job's name without quotes."""
    from magnetoionics.hpc.cluster.names import make_plain, own_name, plain_name

    for evil in (
        "V_Fe(B) relax",
        "$(touch pwned)",
        "a; touch pwned",
        "`touch pwned`",
        "a\ntouch pwned",
        "a > pwned",
        "$HOME",
    ):
        name = plain_name(evil)
        script = tmp_path / "script"
        script.write_text(f"set -eu\necho {name.replace(' ', '_')}\n")
        said = subprocess.run(["bash", script], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        assert said == f"{name.replace(' ', '_')}\n"
        assert not (tmp_path / "pwned").exists()
        made = {"name": evil, "metadata": {"stage": "x"}}
        make_plain(made)
        assert made["metadata"]["stage"] == "x"
        assert own_name(made["name"], made["metadata"]) == evil
    inner = job(sum)([1, 2])
    inner.name = "E(n) [001]"
    path = tmp_path / "out.json"
    path.write_text(json.dumps({"response": {"replace": json.loads(Flow([Flow([inner])]).to_json())}, "error": None}))
    clean(path)
    (found,) = json.loads(path.read_text())["response"]["replace"]["jobs"][0]["jobs"]
    assert (found["name"], found["metadata"]["name"]) == ("E_n_ _001_", "E(n) [001]")
    assert default_table(SLURM).kind_of(Job.from_dict(found)) == default_table(SLURM).kind_of(inner)
