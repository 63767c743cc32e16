"""Slurm and MongoDB on this machine, with projects of jobflow-remote and runners that can be killed."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import services
import yaml
from magnetoionics.hpc.cli import main

# A runner as users run it, in a process of its own, so that it can be killed.
RUNNER = """
import sys
from jobflow_remote.jobs.runner import Runner
Runner(project_name=sys.argv[1]).run_all_jobs(max_seconds=float(sys.argv[2]))
"""


class Cluster:
    """Slurm, MongoDB and a folder for projects."""

    def __init__(self, folder):
        self.folder = folder
        self.mongo = services.Mongo(folder / "mongo")
        try:
            self.slurm = services.Slurm(folder / "slurm")
        except BaseException:
            self.mongo.stop()
            raise
        self.environment = {**self.slurm.environment, "JFREMOTE_PROJECTS_FOLDER": str(folder / "projects")}

    def stop(self):
        self.slurm.stop()
        self.mongo.stop()

    def project(self, name, *more):
        words = ["cluster", "init", name, "--scheduler", "slurm", "--work-dir", str(self.folder / "work" / name)]
        words += ["--queue", "cpu", "--gpu-queue", "gpu", "--cores", "1", "--neb-nodes", "1", "--walltime-h", "0.05"]
        words += ["--poll", "0.3", "--db-port", str(self.mongo.port), *more]
        assert main(words) == 0
        return Project(self, name)


def edit(path, change):
    """Change a YAML file in place."""
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content))


class Project:
    """A project with its table, and runners that can be killed."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        self.table = cluster.folder / "projects" / name / "resources.yaml"

    def edit_table(self, change):
        edit(self.table, change)

    def edit(self, change):
        edit(self.cluster.folder / "projects" / f"{self.name}.yaml", change)

    def start_runner(self, seconds=200.0):
        log = (self.cluster.folder / f"{self.name}-runner.log").open("ab")
        command = [sys.executable, "-W", "ignore", "-c", RUNNER, self.name, str(seconds)]
        return subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"})

    def jobs(self, **query):
        from magnetoionics.hpc.cluster.controller import job_controller

        with job_controller(self.name) as controller:
            return list(controller.jobs.find(query))

    def doctor(self, *words):
        return main(["cluster", "doctor", self.name, *words])


@contextmanager
def running_cluster(folder):
    """The services, and an environment in which the commands find them."""
    made = Cluster(folder)
    patch = pytest.MonkeyPatch()
    for name, value in made.environment.items():
        patch.setenv(name, value)
    patch.setenv("COLUMNS", "250")
    from jobflow_remote import SETTINGS

    patch.setattr(SETTINGS, "projects_folder", made.environment["JFREMOTE_PROJECTS_FOLDER"])
    try:
        yield made
    finally:
        patch.undo()
        made.stop()


def wait_until(condition, seconds=120.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.3)
    raise AssertionError("it did not happen in time")


def finish(project, seconds=600.0):
    """Run to the end, curing what killed runners left."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        runner = project.start_runner(60.0)
        runner.wait()
        if {j["state"] for j in project.jobs()} == {"COMPLETED"}:
            return
        project.doctor("--fix", "--stale-minutes", "0.02")
    raise AssertionError({j["job"]["name"]: j["state"] for j in project.jobs()})


def single(project, made):
    """Submit one job as a study of its own."""
    from jobflow import Flow
    from magnetoionics.hpc.cluster.controller import job_controller
    from magnetoionics.hpc.cluster.submit import project_table, submit_flow

    with job_controller(project.name) as controller:
        return submit_flow(Flow([made]), controller, project_table(project.name), about={})
