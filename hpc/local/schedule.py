"""Which job may run next: dependency order, and the jobs that a running job adds."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobflow import Flow, Job


@dataclass
class Node:
    """One job in the schedule.

    Attributes
    ----------
    place
        Position in serial order; the jobs that a job adds come right after it.
    owner
        The job that added this one.
    open_children
        Jobs added by this one that are not complete.
    waits
        Parents that are not complete.
    dependents
        Jobs that wait for this one.
    bad
        It failed, was skipped, or a job that it added failed.
    """

    job: Job
    place: tuple[int, ...]
    owner: Node | None = None
    open_children: int = 0
    waits: int = 0
    done: bool = False
    bad: bool = False
    children: list[Node] = field(default_factory=list)
    dependents: list[Node] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Unique in a run: a job and its replacement share the uuid."""
        return f"{self.job.uuid}:{self.job.index}"

    def __lt__(self, other: Node) -> bool:
        return self.place < other.place


class Schedule:
    """Ready jobs in serial order; a job is complete with all that it added."""

    def __init__(self) -> None:
        self._ready: list[Node] = []
        self._roots = 0
        self.open = 0

    def add(self, flow: Flow | Job, owner: Node | None = None) -> list[Node]:
        """Add a flow's jobs; with an owner, those that wait for the owner wait for them too.

        Returns
        -------
        list of Node
            In serial order.
        """
        from jobflow.core.flow import get_flow

        nodes: dict[str, Node] = {}
        checked = get_flow(flow, allow_external_references=owner is not None)
        for job, parents in checked.iterflow():
            number = self._roots if owner is None else len(owner.children)
            node = Node(job, (number,) if owner is None else (*owner.place, number), owner)
            if owner is None:
                self._roots += 1
            else:
                owner.children.append(node)
                owner.open_children += 1
            for parent in parents:
                nodes[parent].dependents.append(node)
                node.waits += 1
            nodes[job.uuid] = node
            self.open += 1
            if not node.waits:
                heapq.heappush(self._ready, node)
        return list(nodes.values())

    def take(self) -> Node | None:
        """The first ready job, if there is one."""
        return heapq.heappop(self._ready) if self._ready else None

    def put_back(self, node: Node) -> None:
        """A ready job that cannot run yet for another reason."""
        heapq.heappush(self._ready, node)

    def finish(self, node: Node, *, bad: bool = False) -> None:
        """A job has run (its added jobs are in the schedule already)."""
        node.done = True
        node.bad = node.bad or bad
        self.open -= 1
        self._settle(node)

    def _settle(self, node: Node) -> None:
        while node.done and not node.open_children:
            for waiting in node.dependents:
                waiting.waits -= 1
                waiting.bad = waiting.bad or node.bad
                if not waiting.waits:
                    heapq.heappush(self._ready, waiting)
            node.dependents.clear()
            if node.owner is None:
                return
            node.owner.open_children -= 1
            node.owner.bad = node.owner.bad or node.bad
            node = node.owner
