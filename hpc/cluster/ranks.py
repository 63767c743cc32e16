"""MPI ranks of a band: its images share them equally, or VASP stops at the start."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..errors import UserError

if TYPE_CHECKING:
    from jobflow import Job

    from .table import KindSettings, ResourceTable

# Images of a segment in the three protocols: 1, 3 and 5 share a multiple of 15.
ANY_PROTOCOL = 15
USUAL = 3
# Cores of a node that may idle for the sake of an equal share.
LEAST_USED = 0.8


def shared_per_node(nodes: int, cores: int) -> int:
    """Processes on each node so that the images of any protocol, else of the usual one, share all ranks equally.

    Parameters
    ----------
    nodes, cores
        Of the job, and of one node.

    Returns
    -------
    int
        At most `cores`; `cores` itself if none near it can be shared.
    """
    for images in (ANY_PROTOCOL, USUAL):
        for processes in range(cores, 0, -1):
            if nodes * processes % images == 0:
                if processes >= LEAST_USED * cores:
                    return processes
                break
    return cores


def ranks_of_kind(entry: KindSettings) -> int | None:
    """MPI ranks that a job of a kind gets; None where its resources do not say."""
    resources = entry.resources
    if "model" in resources:
        # Grid Engine's parallel environment: its name and the number of slots.
        return int(str(resources["model"]).split()[-1])
    if "processes" in resources:
        return int(resources["processes"])
    return entry.nodes * int(resources["processes_per_node"]) if "processes_per_node" in resources else None


def images_of(jobs: Iterable[Job]) -> int | None:
    """Moving images of one segment of the bands that a study's engine will run; None for engines without such bands."""
    for job in jobs:
        values: list[Any] = [*job.function_args, *job.function_kwargs.values(), job.maker]
        values += list(vars(job.maker).values()) if hasattr(job.maker, "__dict__") else []
        for value in values:
            images = getattr(getattr(value, "path", None), "images_per_segment", None)
            # The output of another job answers to any name with a reference.
            if isinstance(images, int):
                return images
    return None


def check_band_ranks(table: ResourceTable, images: int | None) -> None:
    """Refuse resources of a band that its images cannot share.

    Parameters
    ----------
    table
        Of the project.
    images
        Of one segment; None checks nothing.

    Raises
    ------
    UserError
        With the ranks, the images, and the next number that goes.
    """
    entry = table.kinds["neb"]
    ranks = ranks_of_kind(entry)
    if images is None or ranks is None or ranks % images == 0:
        return
    per_node = int(entry.resources.get("processes_per_node") or ranks)
    fitting = next((n for n in range(per_node, 0, -1) if entry.nodes * n % images == 0), None)
    way = f"set processes_per_node of neb to {fitting}" if fitting else f"use a multiple of {images} ranks"
    raise UserError(f"a band of {images} images cannot share {ranks} ranks equally, and VASP stops: {way}")
