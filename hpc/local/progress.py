"""A progress bar per stage, fed by the runner's events."""

from __future__ import annotations

from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column

from ..terminal import Console
from .runner import JobEvent, stage_of

if TYPE_CHECKING:
    from jobflow import Flow
    from rich.progress import TaskID


class StageProgress:
    """Context manager that shows one bar per stage of a flow.

    Parameters
    ----------
    flow
        The flow about to run; its jobs are counted by stage.
    console
        Where to draw; stderr by default, so that piped output stays clean.
    """

    def __init__(self, flow: Flow, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(),
            # What is running may be cut, what a stage is called may not.
            TextColumn("{task.fields[title]:<22}", table_column=Column(min_width=22, no_wrap=True)),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=self._console,
            disable=self._console.quiet,
        )
        self._not_done: Counter[str] = Counter()
        counts = Counter(stage_of(job) for job, _ in flow.iterflow())
        self._tasks: dict[str, TaskID] = {
            stage: self._progress.add_task("waiting", total=n, title=stage, start=False) for stage, n in counts.items()
        }

    def __enter__(self) -> StageProgress:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def on_event(self, event: JobEvent) -> None:
        """Draw one event of the runner."""
        if event.stage not in self._tasks:
            self._tasks[event.stage] = self._progress.add_task("", total=0, title=event.stage)
        task = self._tasks[event.stage]
        if event.state == "running":
            self._progress.start_task(task)
            self._progress.update(task, description=event.name)
            return
        if event.state != "done":
            self._not_done[event.stage] += 1
        lacking = self._not_done[event.stage]
        # Why is said whole when the study is written.
        self._progress.update(task, advance=1, description=f"[red]{lacking} not done" if lacking else "")
        if self._progress.tasks[task].finished:
            self._progress.stop_task(task)
