"""A whole study on a real Slurm with a real MongoDB: killed runners, walltime, a database away, workers over ssh."""

import json
import os
import subprocess
import sys
import time

import pytest
import services
import yaml
from cluster_machine import finish, running_cluster, single, wait_until
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.local.runner import LocalRunner

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(bool(services.missing()), reason=services.missing() or "present"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with running_cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


def results(folder):
    content = json.loads((folder / "results.json").read_text())
    content.pop("timings")
    return content


def test_whole_study_with_killed_runners_and_a_database_that_goes_away(cluster, tmp_path, capsys):
    """Two partitions; the runner is killed ten times, the database once; the study is submitted twice."""
    local = tmp_path / "local"
    assert main(["run", "cofe2o4", "--quick", "--output", str(local)]) == 0
    project = cluster.project("study")
    executions = tmp_path / "executions"
    project.edit(lambda c: [e.update(pre_run=f"pwd >> {executions}") for e in c["exec_config"].values()])
    project.edit_table(lambda t: t["rules"].append({"name": "E(n)", "kind": "ml"}))
    project.edit_table(lambda t: t["kinds"]["ml"]["resources"].pop("gpus_per_job"))
    assert project.doctor() == 0
    folder = tmp_path / "remote"
    submit = ["submit", "cofe2o4", "--quick", "--project", "study", "--output", str(folder)]
    assert main(submit) == 0
    count = len(project.jobs())
    assert main(submit) == 0
    assert "nothing was added" in capsys.readouterr().out
    assert len(project.jobs()) == count
    assert main(["fetch", str(folder)]) == 1
    assert not (folder / "results.json").exists()

    for kill, pause in enumerate((0.0, 0.7, 0.2, 1.1, 0.4, 0.9, 0.1, 1.4, 0.6, 0.3), start=1):
        kill_at_work(project, pause)
        if kill == 4:
            cluster.mongo.kill()
            assert main(["fetch", str(folder)]) == 2
            assert "does not answer" in capsys.readouterr().err
            assert project.doctor() == 1
            cluster.mongo.start()
    # Locks of the killed runners would stall the flow for good: nothing else opens them.
    project.doctor("--fix", "--stale-minutes", "0.02")
    finish(project)
    started = executions.read_text().split()
    assert len(set(started)) == count
    # A runner killed before its note submits once more; that start computes nothing (see test_cluster_project).
    assert len(started) <= count + 10
    assert main(["fetch", str(folder), "--project", "study"]) == 0
    assert results(folder) == results(local)
    jobs = project.jobs()
    assert len(jobs) == count
    assert {j["state"] for j in jobs} == {"COMPLETED"}
    assert {j["worker"] for j in jobs} == {"local", "cpu", "neb", "gpu"}
    assert count == len({(d["uuid"], d["index"]) for d in outputs(project)}) == len(outputs(project))
    # What was fetched is a local study like any other.
    (folder / "results.json").unlink()
    assert main(["run", "cofe2o4", "--quick", "--output", str(folder)]) == 0
    assert f"{count} of them computed before" in capsys.readouterr().err
    assert results(folder) == results(local)


def kill_at_work(project, pause):
    """Kill -9 of a runner that has changed the state of a job; locks that would hold it up are opened."""

    def states():
        return {(j["uuid"], j["index"]): j["state"] for j in project.jobs()}

    before = states()
    assert set(before.values()) != {"COMPLETED"}, "nothing is left to kill the runner in"
    runner = project.start_runner()
    for _ in range(4):
        deadline = time.monotonic() + 20
        while states() == before and time.monotonic() < deadline:
            time.sleep(0.2)
        if states() != before:
            break
        project.doctor("--fix", "--stale-minutes", "0.1")
    assert states() != before, "no runner gets on"
    time.sleep(pause)
    assert runner.poll() is None
    runner.kill()
    runner.wait()


def outputs(project):
    from magnetoionics.hpc.cluster.controller import job_controller

    with job_controller(project.name) as controller:
        return list(controller.jobstore.query({}, properties=["uuid", "index"]))


def in_the_queue():
    return subprocess.run(["squeue", "-h"], check=True, capture_output=True, text=True).stdout.split()


def test_job_beyond_its_walltime_goes_on_from_its_last_step(cluster, capsys, monkeypatch):
    """A slowed relaxation that needs more than the limit, and a database that is away meanwhile."""
    project = cluster.project("walltime")
    slow = cluster.folder / "slow"
    slow.mkdir()
    (slow / "slow_engine.py").write_text(SLOW_ENGINE)
    (slow / "sitecustomize.py").write_text("")
    log = cluster.folder / "evaluations.log"
    file = cluster.folder / "projects" / "walltime.yaml"
    content = yaml.safe_load(file.read_text())
    path = os.pathsep.join([str(slow), os.environ.get("PYTHONPATH", "")])
    content["exec_config"]["default"]["export"] |= {"PYTHONPATH": path, "SLOW_LOG": str(log)}
    file.write_text(yaml.safe_dump(content))
    monkeypatch.syspath_prepend(str(slow))
    import slow_engine
    from magnetoionics.structures.host import get_host

    # Slurm counts whole minutes; this limit ends the job after 60 s and a few of grace.
    project.edit_table(lambda t: t["kinds"]["relax"]["resources"].update(time_limit=60))
    single(project, slow_engine.SlowEngine().relax(get_host("cofe2o4").structure("normal"), name="bulk", cell=True))
    for kills in range(10):
        runner = project.start_runner()
        if not kills:
            # The job needs no database: while that is away it computes, and is ended for its time.
            wait_until(lambda: project.jobs(state="RUNNING"), project)
            cluster.mongo.kill()
            wait_until(lambda: not in_the_queue(), project)
            cluster.mongo.start()
            # jobflow-remote's runner goes on by itself, but waits two minutes after an error.
            project.kill(runner)
            runner = project.start_runner()
        wait_until(lambda: project.jobs(state={"$in": ["FAILED", "COMPLETED"]}), project)
        project.kill(runner)
        (job,) = project.jobs()
        if job["state"] == "COMPLETED":
            break
        capsys.readouterr()
        assert project.doctor() == 1
        assert "for its time" in " ".join(capsys.readouterr().out.split())
        assert project.doctor("--fix") == 0
    assert job["state"] == "COMPLETED"
    assert kills >= 1
    asked = log.read_text().split()
    (output,) = outputs_full(project)
    # At most the evaluation in flight is lost at every kill.
    assert output["output"]["force_calls"] <= len(asked) <= output["output"]["force_calls"] + kills


def test_studies_share_equal_jobs_that_run_or_have_run(cluster, tmp_path, capsys):
    """One bulk cell for three studies: two submitted at once, the third when it has ended; fetched, each is whole."""
    from jobflow import Flow
    from jobflow.core.job import store_inputs
    from magnetoionics.hpc.cluster.controller import job_controller
    from magnetoionics.hpc.cluster.fetch import copy_outputs, remote_study
    from magnetoionics.hpc.cluster.submit import project_table, submit_flow
    from magnetoionics.hpc.local.store import open_store
    from magnetoionics.structures.host import get_host
    from magnetoionics.workflows.engine import get_engine
    from magnetoionics.workflows.flows.building import build_supercell

    def study(size):
        bulk = get_engine("local").relax(get_host("cofe2o4").structure(), name="bulk", cell=True)
        cell = build_supercell(bulk.output, (1, 1, size))
        last = store_inputs(cell.output)
        cell.name, last.name = f"times {size}", f"last {size}"
        return Flow([bulk, cell, last])

    project = cluster.project("sharing")

    def submit(size):
        with job_controller("sharing") as controller:
            return submit_flow(study(size), controller, project_table("sharing"), about={})

    first, second = submit(1), submit(2)
    assert (first.shared, second.shared) == (0, 1)
    assert {j["job"]["name"]: j["state"] for j in project.jobs(**{"job.metadata.study": second.key})} == {
        "times 2": "PAUSED",
        "last 2": "WAITING",
    }
    assert not submit(2).is_new
    finish(project)
    third = submit(3)
    assert third.shared == 1
    mine = {"job.metadata.study": third.key}
    assert {j["state"] for j in project.jobs(**mine)} == {"READY", "WAITING"}
    # As if its `hand over` had failed.
    (bulk,) = project.jobs(**{"job.name": "bulk"})
    paused = {"state": "PAUSED", "job.metadata.waits_for": [bulk["uuid"]]}
    with job_controller("sharing") as controller:
        controller.jobs.update_one({**mine, "state": "READY"}, {"$set": paused})
    assert project.doctor("--fix") == 0
    assert "another study, which is there" in " ".join(capsys.readouterr().out.split())
    assert {j["state"] for j in project.jobs(**mine)} == {"READY", "WAITING"}
    finish(project)
    names = [j["job"]["name"] for j in project.jobs()]
    assert sorted(names) == ["bulk", "hand over", "last 1", "last 2", "last 3", "times 1", "times 2", "times 3"]
    energies = set()
    for number, done in enumerate((first, second, third)):
        store = open_store(tmp_path / str(number))
        with job_controller("sharing") as controller:
            assert copy_outputs(controller, remote_study(controller, done.flow), store.docs_store) == 3
        bulk = store.query_one({"name": "bulk", "hosts": done.flow}, load=True)
        energies.add(bulk["output"]["energy_eV"])
        # A local run takes all of it over.
        summary = LocalRunner(store).run(study(number + 1))
        assert summary.reused == summary.jobs == 3
    assert len(energies) == 1


def outputs_full(project):
    from magnetoionics.hpc.cluster.controller import job_controller

    with job_controller(project.name) as controller:
        return list(controller.jobstore.query({}, load=True))


@pytest.fixture
def sshd(cluster):
    if services._which("sshd") is None:
        pytest.skip("no sshd (apt-get install openssh-server)")
    wanted = {k: os.environ[k] for k in ("PYTHONPATH", "SLURM_CONF") if k in os.environ}
    server = services.Sshd(cluster.folder / "sshd", wanted)
    yield server
    server.stop()


def test_workers_over_ssh_one_by_one_and_in_batches(cluster, sshd):
    """A login node by ssh in front of Slurm: the doctor is content, a relaxation and two batched jobs come back."""
    from jobflow import Flow
    from magnetoionics.hpc.cluster.controller import job_controller
    from magnetoionics.hpc.cluster.submit import project_table, submit_flow
    from magnetoionics.structures.host import get_host
    from magnetoionics.workflows.engine import get_engine

    project = cluster.project("ssh", "--host", "127.0.0.1", "--user", "root", "--python", sys.executable)
    file = cluster.folder / "projects" / "ssh.yaml"
    content = yaml.safe_load(file.read_text())
    for worker in content["workers"].values():
        if worker["type"] == "remote":
            worker |= {"port": sshd.port, "key_filename": str(sshd.key)}
    content["workers"]["batch"]["batch"] |= {"max_wait": 5, "max_jobs_per_batch": 2}
    file.write_text(yaml.safe_dump(content))
    project.edit_table(lambda t: t["kinds"]["static"].update(worker="batch"))
    # Fabric reads the standard input, which pytest holds.
    words = [sys.executable, "-W", "ignore", "-c", "from magnetoionics.hpc.cli import entry; entry()"]
    checked = subprocess.run(
        [*words, "cluster", "doctor", "ssh"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    engine, cell = get_engine("local"), get_host("cofe2o4").structure("normal")
    bulk = engine.relax(cell, name="bulk", cell=True)
    # Parentheses: a batch job's script echoes its name.
    statics = [engine.static(bulk.output.structure, name=f"static of {n}(B)") for n in ("Fe", "Co")]
    with job_controller("ssh") as controller:
        submit_flow(Flow([bulk, *statics]), controller, project_table("ssh"), about={})
    finish(project)
    assert sorted((j["worker"], j["job"]["name"]) for j in project.jobs()) == [
        ("batch", "static of Co_B_"),
        ("batch", "static of Fe_B_"),
        ("cpu", "bulk"),
    ]
    found = {d["name"]: d["output"]["energy_eV"] for d in outputs_full(project)}
    assert found["static of Fe_B_"] == found["static of Co_B_"] == pytest.approx(found["bulk"], abs=1e-8)


SLOW_ENGINE = '''
import os, time
from dataclasses import dataclass
from magnetoionics.workflows.engines.local import LocalEngine


@dataclass
class SlowEngine(LocalEngine):
    """The local engine, with a pause and a line in a log for every evaluation."""

    def make_calculator(self, atoms, mover):
        made = super().make_calculator(atoms, mover)
        calculate = made.calculate

        def slow(atoms=None, properties=("energy",), system_changes=()):
            time.sleep(12.0)
            with open(os.environ["SLOW_LOG"], "a") as log:
                log.write(f"{atoms.positions.sum():.14f}/{atoms.cell.array.sum():.14f}\\n")
            return calculate(atoms, properties, system_changes)

        made.calculate = slow
        return made
'''


def test_campaign_is_submitted_once_with_priorities_and_a_cap(cluster, tmp_path, capsys):
    """Only submitted: what a project does with its jobs is tested above."""
    from magnetoionics.hpc.campaigns.campaign import StudySpec, submit_campaign
    from magnetoionics.hpc.cluster.controller import job_controller
    from magnetoionics.hpc.cluster.submit import project_table

    project = cluster.project("campaign")
    file = tmp_path / "campaign.yaml"
    content = {"name": "orders", "hosts": ["cofe2o4"], "orders": "all", "quick": True, "stages": ["vacancies"]}
    file.write_text(json.dumps({**content, "priority": 4, "max_queued": 1}))
    words = ["campaign", str(file), "--project", "campaign"]
    assert main(words) == 0
    assert "1 studies submitted, 0 were there, 2 wait" in capsys.readouterr().out
    count = len(project.jobs())
    assert {j["priority"] for j in project.jobs()} == {4}
    assert main(words) == 0
    assert "0 studies submitted, 1 were there, 2 wait" in capsys.readouterr().out
    assert len(project.jobs()) == count, "the cap holds"
    file.write_text(json.dumps({**content, "max_queued": 1000}))
    assert main(words) == 0
    assert "2 studies submitted, 1 were there, 0 wait" in capsys.readouterr().out
    assert main([*words, "--status"]) == 0
    assert "0 of 3 studies finished" in capsys.readouterr().out
    assert main([*words, "--fetch", str(tmp_path / "results")]) == 0
    with job_controller("campaign") as controller:
        loop = (StudySpec("cofe2o4", quick=True, fields_V_per_m=(0.0, f)) for f in (1e7, 2e7))
        bad = [StudySpec("unobtainium")]
        done = submit_campaign("loop", [*loop, *bad], controller, project_table("campaign"))
    assert (len(done.submitted), list(done.refused)) == (2, ["unobtainium local"])
