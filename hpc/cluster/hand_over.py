"""The small job that lets other studies go on once a job that they share has ended; it runs beside the runner."""

from __future__ import annotations

from jobflow import job


@job
def hand_over(project_name: str, owner: str) -> int:
    """Release the jobs that wait for an output of another study.

    Parameters
    ----------
    project_name
        Project of jobflow-remote.
    owner
        uuid of the job that has the output.

    Returns
    -------
    int
        How many jobs went on.
    """
    from .controller import job_controller
    from .waiting import release

    with job_controller(project_name) as controller:
        return release(controller, [owner])
