"""What stops a project's jobs on a real Slurm with a real MongoDB, and the doctor's cure of it."""

import pytest
import services
import yaml
from cluster_machine import finish, running_cluster, single, wait_until
from magnetoionics.hpc.cli import main
from magnetoionics.hpc.cluster.controller import DatabaseDownError

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(bool(services.missing()), reason=services.missing() or "present"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with running_cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


def test_bad_partition_is_named_and_cured_by_the_doctor(cluster, capsys):
    from magnetoionics.structures.host import get_host
    from magnetoionics.workflows.engine import get_engine

    project = cluster.project("partition")
    file = cluster.folder / "projects" / "partition.yaml"
    content = yaml.safe_load(file.read_text())
    content["runner"]["delta_retry"] = [0.2, 0.2, 0.2]
    file.write_text(yaml.safe_dump(content))
    project.edit_table(lambda t: t["kinds"]["relax"]["resources"].update(queue_name="gold"))
    single(project, get_engine("local").relax(get_host("cofe2o4").structure("normal"), name="bulk", cell=True))
    runner = project.start_runner()
    wait_until(lambda: project.jobs(state="REMOTE_ERROR"), project)
    project.kill(runner)
    capsys.readouterr()
    assert project.doctor("--fix") == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "'gold'" in said
    assert "cpu, gpu" in said
    project.edit_table(lambda t: t["kinds"]["relax"]["resources"].update(queue_name="cpu"))
    assert project.doctor("--fix") == 0
    finish(project)
    assert project.doctor() == 0


def test_jobs_put_off_by_a_flow_that_a_dead_runner_locked(cluster, capsys):
    """Every attempt at a locked flow makes its jobs wait longer, up to 20 minutes: the doctor ends the wait."""
    from datetime import UTC, datetime, timedelta

    from magnetoionics.hpc.cluster.controller import job_controller
    from magnetoionics.structures.host import get_host
    from magnetoionics.workflows.engine import get_engine

    project = cluster.project("postponed")
    file = cluster.folder / "projects" / "postponed.yaml"
    content = yaml.safe_load(file.read_text())
    content["runner"]["delta_retry"] = [900.0]
    file.write_text(yaml.safe_dump(content))
    single(project, get_engine("local").relax(get_host("cofe2o4").structure("normal"), name="bulk", cell=True))
    with job_controller("postponed") as controller:
        taken = {"lock_id": "dead", "lock_time": datetime.now(UTC) - timedelta(hours=1)}
        controller.flows.update_one({}, {"$set": taken})
    runner = project.start_runner()
    wait_until(lambda: project.jobs(**{"state": "DOWNLOADED", "remote.step_attempts": 1, "lock_id": None}), project)
    runner.kill()
    runner.wait()
    capsys.readouterr()
    assert project.doctor() == 1
    assert project.doctor("--fix") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "locked for more than" in said
    assert "not tried again for" in said
    assert "FlowLockedError" in said
    assert not project.jobs(**{"remote.step_attempts": 1})
    finish(project)


def test_database_that_asks_for_users(tmp_path, monkeypatch, capsys):
    """A user of the project's own database, one of `admin`, a connection string, and a wrong password."""
    from jobflow_remote import SETTINGS
    from magnetoionics.hpc.cluster.controller import job_controller
    from pymongo import MongoClient

    secret = "correct-horse-battery"
    mongo = services.Mongo(tmp_path / "mongo")
    try:
        with MongoClient("127.0.0.1", mongo.port) as client:
            sure = {"w": 1, "j": True}  # the server is killed next
            client["ferrites"].command("createUser", "maria", pwd=secret, roles=["dbOwner"], writeConcern=sure)
            client["admin"].command("createUser", "root", pwd=secret, roles=["root"], writeConcern=sure)
        mongo.kill()
        mongo.start("--auth")
        monkeypatch.setattr(SETTINGS, "projects_folder", str(tmp_path / "projects"))
        init = ["cluster", "init", "ferrites", "--scheduler", "shell", "--work-dir", str(tmp_path / "work")]
        init += ["--overwrite", "--db-host", "127.0.0.1", "--db-port", str(mongo.port), "--db-user"]
        monkeypatch.setenv("MAGNETOIONICS_DB_PASSWORD", secret)

        def asked():
            with job_controller("ferrites") as controller:
                return controller.jobs.count_documents({})

        assert main([*init, "maria"]) == 0
        assert asked() == 0
        assert main([*init, "root"]) == 0
        with pytest.raises(DatabaseDownError):
            asked()
        assert main([*init, "root", "--db-auth-source", "admin"]) == 0
        assert asked() == 0
        file = tmp_path / "projects" / "ferrites.yaml"
        content = yaml.safe_load(file.read_text())
        outputs = content["jobstore"]
        for store in (content["queue"]["store"], outputs["docs_store"], outputs["additional_stores"]["data"]):
            for name in ("host", "port", "username", "password", "auth_source"):
                del store[name]
            store["uri"] = f"mongodb://root:{secret}@127.0.0.1:{mongo.port}/?authSource=admin"
        file.write_text(yaml.safe_dump(content))
        assert asked() == 0
        file.write_text(file.read_text().replace(f"root:{secret}@", f"root:{secret}x@"))
        capsys.readouterr()
        assert main(["submit", "cofe2o4", "--quick", "--project", "ferrites", "--output", str(tmp_path / "s")]) == 2
        said = capsys.readouterr()
        assert f"127.0.0.1:{mongo.port}/ferrites" in said.err
        assert secret not in said.out + said.err
    finally:
        mongo.stop()


def test_job_that_dies_without_a_runner_is_named_and_watched_to_its_end(cluster, capsys):
    """Cancelled in Slurm while no runner is on: the doctor names it, and says where it was cancelled once it knows."""
    import subprocess

    from magnetoionics.hpc.cluster.controller import job_controller
    from magnetoionics.hpc.cluster.doctor import CONTINUED
    from magnetoionics.hpc.cluster.watch import watch
    from magnetoionics.structures.host import get_host
    from magnetoionics.workflows.engine import get_engine

    project = cluster.project("gone")
    single(project, get_engine("local").relax(get_host("cofe2o4").structure("normal"), name="bulk", cell=True))
    subprocess.run(["scontrol", "update", "PartitionName=cpu", "State=DOWN"], check=True)
    runner = project.start_runner()
    (job,) = wait_until(lambda: project.jobs(state="SUBMITTED"), project)
    project.kill(runner)
    capsys.readouterr()
    assert project.doctor() == 0, "it still waits in the queue"
    subprocess.run(["scancel", job["remote"]["process_id"]], check=True)
    subprocess.run(["scontrol", "update", "PartitionName=cpu", "State=UP"], check=True)
    wait_until(lambda: project.doctor() == 1, project)
    said = " ".join(capsys.readouterr().out.split())
    assert "no longer in the queue of worker cpu" in said
    assert "runner start" in said
    assert str(job["run_dir"]) in said.replace(" ", "")

    # Its time is up once, as Slurm would say it; beside a runner it is started again and comes to its end.
    with job_controller("gone") as controller:
        ended = {"state": "FAILED", "remote.queue_err": "slurmstepd: CANCELLED AT ... DUE TO TIME LIMIT"}
        controller.jobs.update_one({"db_id": job["db_id"]}, {"$set": ended})

    def work(seconds):
        assert seconds == 600
        runner = project.start_runner()
        wait_until(lambda: project.jobs(state="COMPLETED"), project)
        project.kill(runner)

    assert watch("gone", 10, wait=work)
    (job,) = project.jobs()
    assert (job["state"], job["job"]["metadata"][CONTINUED]) == ("COMPLETED", 1)
    assert main(["cluster", "doctor", "gone", "--watch", "10"]) == 2
