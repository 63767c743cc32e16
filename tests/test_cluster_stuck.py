"""What stops a project's jobs on a real Slurm with a real MongoDB, and the doctor's cure of it."""

import pytest
import services
import yaml
from cluster_machine import finish, running_cluster, single, wait_until

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
    runner = project.start_runner(60)
    wait_until(lambda: project.jobs(state="REMOTE_ERROR"), 60)
    runner.kill()
    runner.wait()
    capsys.readouterr()
    assert project.doctor("--fix") == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "'gold'" in said
    assert "cpu, gpu" in said
    project.edit_table(lambda t: t["kinds"]["relax"]["resources"].update(queue_name="cpu"))
    assert project.doctor("--fix") == 0
    finish(project, 60)
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
    runner = project.start_runner(120)
    wait_until(lambda: project.jobs(**{"state": "DOWNLOADED", "remote.step_attempts": 1, "lock_id": None}), 100)
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
    finish(project, 60)
