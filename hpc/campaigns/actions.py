"""What the command `campaign` does."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rich.text import Text

from ..terminal import Console
from ..terminal_table import TerminalTable
from .campaign import campaign_status, read_campaign, specs, submit_campaign
from .here import run_here, spelled_out


def list_campaign(file: Path) -> int:
    """Print the studies of a campaign's file; returns their number."""
    planned = specs(spelled_out(read_campaign(file)))
    table = TerminalTable("host", "order", "engine", "priority")
    for spec in planned[:200]:
        table.add_row(Text(spec.host), Text(spec.order or "first"), spec.engine, str(spec.priority))
    console = Console()
    console.print(table)
    console.print(f"{len(planned)} studies; nothing was submitted")
    return len(planned)


def run_campaign_here(file: Path, folder: Path, jobs: int, limit_minutes: float | None) -> bool:
    """Run a campaign on this machine, or go on with it; False if a study that an engine can do is not whole."""
    limit_s = None if limit_minutes is None else 60 * limit_minutes
    done = run_here(read_campaign(file), folder, jobs=jobs, limit_s=limit_s)
    counted = Counter(d.said.partition(":")[0] for d in done)
    Console().print(", ".join(f"{n} {what}" for what, n in counted.items()), markup=False)
    return not (counted["not finished"] or counted["finished but for"])


def start_campaign(file: Path, project: str) -> bool:
    """Submit a campaign, or go on with it; False if a study was refused."""
    from ..cluster.controller import job_controller
    from ..cluster.submit import project_table

    console = Console()
    campaign = spelled_out(read_campaign(file))
    planned = specs(campaign)
    table = project_table(project)
    with job_controller(project) as controller:
        done = submit_campaign(campaign.name, planned, controller, table, max_queued=campaign.max_queued)
    console.print(
        f"{len(done.submitted)} studies submitted, {len(done.known)} were there, {done.waiting} wait for a place "
        f"(max_queued {campaign.max_queued} jobs), {len(done.refused)} refused",
        markup=False,
    )
    for study, reason in done.refused.items():
        console.print(f"{study}: {reason}", markup=False, style="red")
    return not done.refused


def show_campaign(file: Path, project: str) -> None:
    """Print the submitted studies of a campaign with their jobs by state."""
    from ..cluster.controller import job_controller

    console = Console()
    name = read_campaign(file).name
    with job_controller(project) as controller:
        rows = campaign_status(controller, name)
    table = TerminalTable("host", "order", "engine", "done", "other jobs")
    finished = 0
    for study, states in rows:
        about, total = study["about"], sum(states.values())
        finished += states["COMPLETED"] == total
        other = ", ".join(f"{n} {s}" for s, n in sorted(states.items()) if s != "COMPLETED")
        done = f"{states['COMPLETED']}/{total}"
        table.add_row(Text(str(about["host"])), Text(str(about.get("order") or "first")), about["engine"], done, other)
    console.print(table)
    console.print(f"{finished} of {len(rows)} studies finished")


def fetch_campaign(file: Path, project: str, folder: Path) -> int:
    """Bring every finished study into ``folder/HOST-ORDER-ENGINE-KEY``; returns how many."""
    from ..cluster.controller import job_controller
    from ..cluster.fetch import fetch_study
    from ..study_folder.files import RESULTS

    console = Console()
    with job_controller(project) as controller:
        rows = campaign_status(controller, read_campaign(file).name)
    count = 0
    for study, states in rows:
        if set(states) != {"COMPLETED"}:
            continue
        about = study["about"]
        words = [about["host"], about.get("order") or "first", about["engine"], study["_id"][:8]]
        name = "-".join("".join(c if c.isalnum() else "_" for c in str(w)) for w in words)
        if not (folder / name / RESULTS).is_file():
            fetch_study(project, folder / name, study["flow"])
        count += 1
    console.print(f"{count} of {len(rows)} studies are in {folder}", markup=False)
    return count
