"""Runs a study into a folder, and rebuilds its report from the store."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..collecting import seldom_collecting
from ..errors import StudyFailedError, UserError
from ..local.recovery import heal_store
from ..local.run_log import refuse_if_in_use
from ..local.store import STORE_FOLDER, refuse_links, stores_of
from ..study_options import StudyOptions
from ..terminal import Console
from .asked import keep_draft, resolved_engine
from .files import (
    REPORT,
    band_stems,
    check_output_folder,
    read_study,
    set_bad_results_aside,
    with_band_files,
    write_study,
)
from .going_on import is_same_result, keep_stages, kept_study
from .stored_study import BAND_JOB, STUDY_JOB, load_study, save_timings, stored_output

if TYPE_CHECKING:
    from jobflow import JobStore

    from ...analysis.device.assumptions import Assumptions
    from ...analysis.results.calculation import Band
    from ...analysis.study.documents import Study
    from ...structures.host import HostKey
    from ...workflows.engine import Engine
    from ..local.runner import RunSummary

# Stands for the flow of a study that no flow made.
KEPT = "kept"


@seldom_collecting()
def run_study(
    host: HostKey,
    *,
    engine_name: str | Engine = "local",
    order: str | None = None,
    output: Path | None = None,
    quick: bool = False,
    overwrite: bool = False,
    stages: Sequence[str] | None = None,
    starts: str | None = None,
    jobs: int = 1,
    assumptions: Assumptions | None = None,
    options: StudyOptions | None = None,
    reuse: Sequence[Path] = (),
    console: Console | None = None,
) -> Path:
    """Compute a study and write it.

    Parameters
    ----------
    host, engine_name, order
        Names, or a `Host` and an `Engine`; unknown ones are refused before anything is computed.
    output
        Folder; ``HOST-study`` in the current one by default.
    quick
        Smaller cells and fewer directions.
    overwrite
        Replace a study that the folder holds.
    stages
        Some of `workflows.flows.plan.REQUESTABLE`; all that can be done by default.
    starts
        Kinds of start of each vacancy, see `structures.defects.initial_states.start_kinds`; the cell as built by
        default.
    jobs
        Processes that compute at a time.
    assumptions
        Frozen reference, pulse and film; nothing frozen by default.
    options
        Fields, vibrating ions, a cheaper engine for the path.
    reuse
        Folders of other studies: what they have computed is taken from there.
    console
        Where to report; stderr by default.

    Returns
    -------
    Path
        The study's folder.

    Raises
    ------
    UserError
        For bad input, or if a calculation failed.
    """
    console = console or Console(stderr=True)
    begin = time.perf_counter()
    engine_name = resolved_engine(host, engine_name, order, stages, console)
    folder = output or default_folder(host)
    if jobs < 1:
        raise UserError(f"{jobs} processes cannot compute anything; give --jobs 1 or more")
    refuse_links(folder)
    refuse_if_in_use(folder / STORE_FOLDER)
    notes = set_bad_results_aside(folder)
    check_output_folder(folder, overwrite=overwrite, goes_on=True)
    others = stores_of(reuse)
    said = (options or StudyOptions()).said_of_cells(host, order, quick)
    # From here on everything is in the jobs: a host's files are not read again.
    previous = None if overwrite else kept_study(folder)
    flow = _build_flow(
        host, engine_name, order, quick, stages, starts, assumptions, options, kept=previous, folder=folder
    )
    if said:
        console.print(said, style="dim", markup=False)
    if overwrite:
        _remove_study(folder)

    from ..local.progress import StageProgress
    from ..local.runner import LocalRunner
    from ..local.store import open_store

    for note in [*notes, *heal_store(folder)]:
        console.print(f"damage: {note}", style="yellow", markup=False)
    with closing(open_store(folder)) as store:
        with StageProgress(flow, console) as progress:
            summary = LocalRunner(store, progress.on_event, jobs=jobs, others=others).run(flow)
        for note in summary.damaged:
            console.print(f"damage: {note}", style="yellow", markup=False)
        keep_draft(host, folder, console)
        if STUDY_JOB in summary.failed:
            name, reason = next((n, r) for n, r in summary.failed.items() if r != "an input failed")
            raise StudyFailedError(f"{name} failed: {reason}{_way_out(reason)}; what finished is kept in {folder}")
        if previous is not None and summary.reused == summary.jobs and _is_kept(store, flow.uuid, previous):
            # What was taken over belongs to this flow from now on; `report` looks there.
            save_timings(store, previous.timings, flow.uuid, summary.failed_by_stage)
            console.print(f"done, nothing to do: {folder / REPORT} ({_jobs(summary)})", style="bold", markup=False)
            return folder
        seconds = {**summary.seconds_by_stage, "total": time.perf_counter() - begin}
        study = finish_study(store, seconds, flow.uuid, folder, summary.failed_by_stage, console)
    print_failures(study, console)
    console.print(
        f"{folder / REPORT}  ({_jobs(summary)}, {time.perf_counter() - begin:.1f} s)", style="bold", markup=False
    )
    return folder


def _is_kept(store: JobStore, flow_uuid: str, study: Study) -> bool:
    """Whether a flow whose jobs were all there came to the study that is written already."""
    from ...analysis.study.documents import Study

    result = stored_output(store.docs_store, flow_uuid, Study, STUDY_JOB)
    return result is not None and is_same_result(study, result)


def print_failures(study: Study, console: Console) -> bool:
    """Say which parts of a study are no result, and why; returns whether there are any."""
    from ...analysis.study.validity import failures

    failed = failures(study)
    for failure in failed:
        console.print(f"no result: {failure.in_words.replace(': no result:', ':', 1)}", style="red", markup=False)
    return bool(failed)


def has_failures(folder: Path) -> bool:
    """Whether some part of a written study is no result."""
    from ...analysis.study.validity import failures

    return bool(failures(read_study(folder)))


def default_folder(host: HostKey) -> Path:
    """``HOST-study`` in the current folder, by the name of the material or of the host file without its ending."""
    from ...structures.host import get_host, is_host_file, is_structure_file

    words = str(host) if isinstance(host, str | Path) else get_host(host).key
    is_file = is_host_file(words) or is_structure_file(words)
    name = Path(words.strip()).stem if is_file else words.strip().lower().replace(":", "-")
    return Path(f"{name}-study")


def finish_study(
    store: JobStore,
    seconds: dict[str, float],
    flow_uuid: str,
    folder: Path,
    failed: Mapping[str, Sequence[str]] | None = None,
    console: Console | None = None,
) -> Study:
    """Write results, figures, bands and report of a flow whose jobs are all in the store; returns the study.

    Parameters
    ----------
    store
        The folder's store.
    seconds
        Wall seconds by stage.
    flow_uuid
        Which of the flows in the store is the study.
    folder
        The study's folder.
    failed
        Jobs that failed and why, by stage.
    console
        Where figures that could not be drawn are named; stderr by default.
    """
    save_timings(store, seconds, flow_uuid, failed or {})
    study, bands = load_study(store.docs_store)
    _tell_not_drawn(write_study(study, bands, folder), console)
    return study


def keep_study(study: Study, migration_bands: Sequence[Band], folder: Path) -> None:
    """Write a study that no flow made: the store that `report` and assumptions start from, then all the rest.

    Parameters
    ----------
    study
        The finished study.
    migration_bands
        Of its migrations, in their order.
    folder
        The study's folder; what its store held is replaced.
    """
    from monty.json import jsanitize

    from ..local.store import open_store

    bands = dict(zip(band_stems(study), migration_bands, strict=True))
    study = with_band_files(study, bands)
    _remove_study(folder)
    store = open_store(folder)
    documents = {STUDY_JOB: study, **{f"{BAND_JOB} {stem}": band for stem, band in bands.items()}}
    store.docs_store.update(
        [
            {
                "uuid": f"kept-{name}",
                "index": 1,
                "name": name,
                "hosts": [KEPT],
                "metadata": {},
                "output": jsanitize(document, strict=True, enum_values=True),
            }
            for name, document in documents.items()
        ]
    )
    save_timings(store, {}, KEPT, {})
    store.close()
    _tell_not_drawn(write_study(study, bands, folder), None)


def _tell_not_drawn(lines: Sequence[str], console: Console | None) -> None:
    for line in lines:
        (console or Console(stderr=True)).print(line, style="yellow", markup=False)


def _jobs(summary: RunSummary) -> str:
    before = f", {summary.reused} of them computed before" if summary.reused else ""
    return f"{summary.jobs} jobs{before}" + (f" ({summary.borrowed} in other studies)" if summary.borrowed else "")


@seldom_collecting()
def rebuild_report(
    folder: Path,
    console: Console | None = None,
    assumptions: Assumptions | None = None,
    *,
    png: bool = False,
    further: bool = False,
) -> None:
    """Write results, figures, bands and report again from the store; computes nothing.

    Parameters
    ----------
    folder
        Of a study.
    console
        Where to report; stderr by default.
    assumptions
        Frozen reference, pulse and film; those that the study ran with by default.
    png, further
        Whether each figure is written as PNG too, and whether further figures are drawn, see `write_study`.

    Raises
    ------
    UserError
        If the folder has no store with a finished study, or the assumptions do not fit it.
    """
    study, bands = study_under(folder, assumptions)
    told = console or Console(stderr=True)
    _tell_not_drawn(write_study(study, bands, folder, png=png, further=further), told)
    print_failures(study, told)
    told.print(f"{folder / REPORT}", style="bold", markup=False)


def study_under(folder: Path, assumptions: Assumptions | None) -> tuple[Study, dict[str, Band]]:
    """The study of a folder's store and its bands, under other assumptions if some are given; writes nothing.

    Raises
    ------
    UserError
        As `rebuild_report`.
    """
    from ...analysis.builder.post_processing import HopEnds, engine_couplings, with_assumptions
    from ..local.store import has_store, read_store

    if not has_store(folder):
        raise UserError(f"{folder} holds no job store; run a study with `magnetoionics run HOST --output {folder}`")
    with closing(read_store(folder)) as store:
        study, bands = load_study(store)
    if assumptions is None:
        return study, bands
    if study.assumptions is not None and not assumptions.enthalpies:
        # The window was made with them; only a new run makes another.
        assumptions = assumptions.model_copy(update={"enthalpies": study.assumptions.enthalpies})
    band = next(iter(bands.values()), None)
    ends = None
    if band is not None:
        couplings = engine_couplings(study, assumptions.reference)
        ends = HopEnds(band.images[0].structure, band.images[-1].structure, band.mover, couplings, band.end_moments_muB)
    try:
        return with_assumptions(study, ends, assumptions), bands
    except ValueError as error:
        raise UserError(f"{folder} does not take these assumptions: {error}") from error


def build_flow(
    host: HostKey,
    engine_name: str | Engine,
    order: str | None = None,
    quick: bool = False,
    stages: Sequence[str] | None = None,
    starts: str | None = None,
    options: StudyOptions | None = None,
    assumptions: Assumptions | None = None,
) -> Any:
    """Flow of a study, with every name checked; arguments as for `run_study`.

    Raises
    ------
    UserError
        For bad input.
    """
    engine_name = resolved_engine(host, engine_name, order, stages)
    return _build_flow(host, engine_name, order, quick, stages, starts, assumptions, options)


def _build_flow(
    host: HostKey,
    engine_name: str | Engine,
    order: str | None,
    quick: bool,
    stages: Sequence[str] | None,
    starts: str | None,
    assumptions: Assumptions | None = None,
    options: StudyOptions | None = None,
    *,
    kept: Study | None = None,
    folder: Path | None = None,
) -> Any:
    from ...workflows.flows.study import MagnetoionicStudyMaker

    options = options or StudyOptions()
    maker = MagnetoionicStudyMaker.quick if quick else MagnetoionicStudyMaker.full
    try:
        magnetoionic_study_maker = options.applied(maker(options.engine(engine_name), stages)).with_options(
            starts=starts
        )
        magnetoionic_study_maker.repeats = options.repeats(host, order, quick)
        if assumptions is not None:
            magnetoionic_study_maker.assumptions = assumptions
        if kept is not None and folder is not None:
            keep_stages(magnetoionic_study_maker, host, order, kept, folder)
        return magnetoionic_study_maker.make(host, order)
    except ValueError as error:
        raise UserError(f"this study cannot run: {error}") from error


def _way_out(reason: str) -> str:
    """What a user can do about a host whose magnetic state is not the one that was stated."""
    if "another magnetic state" not in reason:
        return ""
    return "; if that is the state that you mean, say it in the host file: `spin` of the role, 0 for none"


def _remove_study(folder: Path) -> None:
    """Take away only what a study writes; files of other origin stay."""
    import shutil

    from .files import BANDS, FIGURES, RESULTS
    from .integrity import SUMS

    refuse_if_in_use(folder / STORE_FOLDER)
    for name in (STORE_FOLDER, FIGURES, BANDS):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (SUMS, RESULTS, REPORT):
        (folder / name).unlink(missing_ok=True)
