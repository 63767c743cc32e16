"""What the commands `submit` and `fetch` do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from ..errors import UserError
from ..study_folder.files import DRY_RUN
from ..terminal import Console
from ..terminal_table import TerminalTable
from .ranks import check_band_ranks
from .submit import JobCost, Submission, project_table, recall, remember, submit_flow, write_dry_run

if TYPE_CHECKING:
    from ...analysis.device.assumptions import Assumptions
    from ..study_options import StudyOptions
    from .fetch import RemoteStudy
    from .table import ResourceTable


def submit_study(
    host: str,
    project_name: str,
    *,
    engine_name: str = "local",
    order: str | None = None,
    output: Path | None = None,
    quick: bool = False,
    stages: Sequence[str] | None = None,
    starts: str | None = None,
    options: StudyOptions | None = None,
    assumptions: Assumptions | None = None,
    priority: int = 0,
    dry_run: bool = False,
    console: Console | None = None,
) -> Submission | None:
    """Submit a study, or write what would be submitted; arguments as for `run_study`.

    Returns
    -------
    Submission or None
        None for a dry run.

    Raises
    ------
    UserError
        For bad input or a project that cannot be used.
    """
    from ..study_folder.files import check_output_folder
    from ..study_folder.study_run import build_flow, default_folder

    console = console or Console()
    flow = build_flow(host, engine_name, order, quick, stages, starts, options, assumptions)
    folder = output or default_folder(host)
    check_output_folder(folder, overwrite=True)
    table = project_table(project_name)
    if dry_run:
        distance = None if options is None else options.image_distance_A
        costs = write_dry_run(flow, table, folder)
        _write_engine_inputs(host, engine_name, order, quick, distance, folder / DRY_RUN / "inputs")
        console.print(cost_table(costs))
        _print_expected(host, engine_name, order, quick, distance, table, console)
        console.print(f"inputs in {folder}/dry-run; nothing was submitted", markup=False)
        return None
    from .controller import job_controller

    about: dict[str, Any] = {"host": host.strip(), "order": order, "engine": engine_name, "quick": quick}
    with job_controller(project_name) as controller:
        done = submit_flow(flow, controller, table, about=about, priority=priority)
    remember(folder, project_name, done, about)
    word = "this study had been submitted; nothing was added"
    if done.is_new:
        shared = f", {done.shared} more are shared with other studies" if done.shared else ""
        word = f"submitted: {len(done.costs)} jobs{shared}"
    console.print(f"{word} (study {done.key[:12]}, project {project_name})", markup=False)
    console.print(
        f"Keep the runner on: jf -p {project_name} runner start. Jobs whose time is up go on with: "
        f"magnetoionics cluster doctor {project_name} --fix --watch 10. Results: magnetoionics fetch {folder}",
        markup=False,
    )
    return done


def check_ranks_for(engine_name: str, project_name: str) -> None:
    """Refuse resources of a project that the images of an engine's bands cannot share.

    Raises
    ------
    UserError
        As `ranks.check_band_ranks`, or for an engine or a project that does not exist.
    """
    from ...workflows.engine import UnknownEngineError, get_engine

    try:
        engine = get_engine(engine_name)
    except UnknownEngineError as error:
        raise UserError(str(error)) from error
    images = getattr(getattr(engine, "path", None), "images_per_segment", None)
    check_band_ranks(project_table(project_name), images)


def _print_expected(
    host: str,
    engine_name: str,
    order: str | None,
    quick: bool,
    image_distance_A: float | None,
    table: ResourceTable,
    console: Console,
) -> None:
    """What the engine expects its jobs to cost, which is less than their time limits; nothing if it cannot say."""
    from ...workflows.engine import CannotDoError
    from ..printing.expected_cost import expected_table, study_costs

    try:
        costs = study_costs(host, engine_name=engine_name, order=order, quick=quick, image_distance_A=image_distance_A)
    except UserError as error:
        if not isinstance(error.__cause__, CannotDoError):
            raise
        return
    resources = table.kinds["relax"].resources
    cores = int(resources.get("processes_per_node") or 1) * int(resources.get("threads_per_process") or 1)
    console.print(expected_table(costs, cores))


def _write_engine_inputs(
    host: str, engine_name: str, order: str | None, quick: bool, image_distance_A: float | None, folder: Path
) -> None:
    """Files of the engine's code, where it reads any; those of an earlier dry run are replaced."""
    import shutil

    from ...workflows.engine import CannotDoError
    from ..input_files import write_inputs

    if folder.is_dir():
        shutil.rmtree(folder)
    try:
        write_inputs(
            host,
            engine_name=engine_name,
            order=order,
            output=folder,
            quick=quick,
            image_distance_A=image_distance_A,
        )
    except UserError as error:
        if not isinstance(error.__cause__, CannotDoError):
            raise


def cost_table(costs: list[JobCost]) -> TerminalTable:
    """Jobs, nodes and core hours; jobs that differ by a number only share a row. The last row is the sum."""
    groups: dict[tuple[str, str, str, str, int], list[JobCost]] = {}
    for c in costs:
        groups.setdefault((c.stage, re.sub(r"\d+", "#", c.name), c.kind, c.worker, c.nodes), []).append(c)
    table = TerminalTable("stage", "job", "jobs", "kind", "worker", "nodes", "core hours at most", show_footer=True)
    for (stage, pattern, kind, worker, nodes), alike in groups.items():
        name = alike[0].name if len(alike) == 1 else pattern
        hours = f"{sum(c.core_hours for c in alike):g}"
        table.add_row(Text(stage), Text(name), str(len(alike)), kind, worker, str(nodes), hours)
    table.columns[1].footer = "known beforehand; one by one in jobs.csv"
    table.columns[2].footer = str(len(costs))
    table.columns[6].footer = f"{sum(c.core_hours for c in costs):g}"
    return table


def fetch_folder(folder: Path, project_name: str | None = None) -> bool:
    """Fetch what the folder's study has finished; True if that is all of it.

    Raises
    ------
    UserError
        If the folder was not submitted, or to another project.
    """
    from ..study_folder.files import REPORT
    from .fetch import fetch_study

    console = Console()
    note = recall(folder)
    if project_name is not None and project_name != note["project"]:
        raise UserError(f"{folder} was submitted to project {note['project']}, not to {project_name}")
    study = fetch_study(note["project"], folder, note["flow"])
    for damage in study.damage:
        console.print(f"damage: {damage}", style="yellow", markup=False)
    if study.finished:
        console.print(f"finished: {len(study.jobs)} jobs; {folder / REPORT}", markup=False)
        return True
    console.print(f"not finished: {_tally(study.states)}", markup=False)
    for line in _failures(study):
        console.print(line, markup=False)
    if study.collected:
        console.print(f"written without what failed: {folder / REPORT}", markup=False)
    return False


def _tally(states: Counter[str]) -> str:
    return ", ".join(f"{n} {state}" for state, n in sorted(states.items()))


def _failures(study: RemoteStudy) -> list[str]:
    bad = [j for j in study.jobs if j["state"] in ("FAILED", "REMOTE_ERROR")]
    lines = [f"{j['job']['name']} (job {j['db_id']}): {j['state']}" for j in bad]
    return [*lines, "`magnetoionics cluster doctor` says why and how to cure it"] if lines else []
