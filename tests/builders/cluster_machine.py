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


# Nothing here takes as long: whoever waits longer waits for what never comes.
HUNG_SECONDS = 900.0


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

    def start_runner(self, seconds=HUNG_SECONDS):
        log = (self.cluster.folder / f"{self.name}-runner.log").open("ab")
        command = [sys.executable, "-W", "ignore", "-c", RUNNER, self.name, str(seconds)]
        return subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"})

    def kill(self, runner):
        """Kill -9 of a runner; what it held locked at that moment is open again."""
        from magnetoionics.hpc.cluster.controller import job_controller

        runner.kill()
        runner.wait()
        with job_controller(self.name) as controller:
            controller.unlock_jobs()
            controller.unlock_flows()

    def jobs(self, **query):
        from magnetoionics.hpc.cluster.controller import job_controller

        with job_controller(self.name) as controller:
            return list(controller.jobs.find(query))

    def states(self):
        return {j["job"]["name"]: (j["state"], j["lock_id"], j["remote"].get("error")) for j in self.jobs()}

    def last_words(self):
        log = self.cluster.folder / f"{self.name}-runner.log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else "never started"

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


def wait_until(condition, project):
    """What `condition` gives once it is true; a machine under load may take its time."""
    deadline = time.monotonic() + HUNG_SECONDS
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.3)
    raise AssertionError(f"it never happened; jobs: {project.states()}, runner: {project.last_words()}")


def finish(project):
    """Run to the end, curing what killed runners left."""
    deadline = time.monotonic() + HUNG_SECONDS
    while time.monotonic() < deadline:
        runner = project.start_runner(60.0)
        runner.wait()
        if {j["state"] for j in project.jobs()} == {"COMPLETED"}:
            return
        project.doctor("--fix", "--stale-minutes", "0.02")
    raise AssertionError((project.states(), project.last_words()))


def single(project, made):
    """Submit one job as a study of its own."""
    from jobflow import Flow
    from magnetoionics.hpc.cluster.controller import job_controller
    from magnetoionics.hpc.cluster.submit import project_table, submit_flow

    with job_controller(project.name) as controller:
        return submit_flow(Flow([made]), controller, project_table(project.name), about={})
