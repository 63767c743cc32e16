"""A study as the store of its folder holds it: its own job's output, its bands, its timings and what failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from .files import band_stems, with_band_files

if TYPE_CHECKING:
    from jobflow import JobStore
    from maggma.core import Store

    from ...analysis.results.calculation import Band
    from ...analysis.study.documents import StageResult, Study
    from ..local.sqlite_documents import SqliteDocuments

STUDY_JOB = "study"
# What it was called before.
OLD_STUDY_JOB = "assemble study"
BAND_JOB = "band"
TIMINGS_KEY = "magnetoionics-timings"


def save_timings(
    store: JobStore, seconds: dict[str, float], flow_uuid: str, failed: Mapping[str, Sequence[str]]
) -> None:
    """Timings, what failed, and which of the flows that the store may hold is the study."""
    rounded = {k: round(v, 3) for k, v in seconds.items()}
    document = {"uuid": TIMINGS_KEY, "index": 1, "name": "timings", "output": rounded, "study": flow_uuid}
    store.docs_store.update({**document, "failed": {stage: list(reasons) for stage, reasons in failed.items()}})


def _decoded(output: Any, name: str, kind: type[Any]) -> Any:
    """The document in a job's output, whatever else a store from somebody may hold there."""
    from monty.json import MontyDecoder

    try:
        decoded = MontyDecoder().process_decoded(output)
    except Exception as error:  # pymatgen and pydantic fail on nonsense in many ways
        decoded, reason = None, f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    else:
        reason = f"it is a {type(decoded).__name__}"
    if not isinstance(decoded, kind):
        raise UserError(
            f"the output of {name!r} in the job store is no {kind.__name__} ({reason}); "
            "`magnetoionics run --overwrite` computes it again"
        )
    return decoded


def _with_reasons(stage: StageResult, jobs: object) -> StageResult:
    """A stage with what the runner knows of its failed jobs, which the study's own job cannot."""
    from ...analysis.builder.attempts import NOTHING_CAME

    if not isinstance(jobs, list) or not jobs:
        return stage
    said = [stage.reason] if stage.reason and stage.reason != NOTHING_CAME else []
    return stage.model_copy(update={"failed": True, "reason": "; ".join([*said, *(str(j) for j in jobs)])})


def stored_output(store: Store | SqliteDocuments, flow: object, kind: type[Any], *names: str) -> Any:
    """The document of the first of these jobs that a flow of the store has; None if it has none of them."""
    for name in names:
        criteria = {"name": name, **({"hosts": flow} if isinstance(flow, str) else {})}
        document = store.query_one(criteria, properties=["output"])
        if document is not None:
            return _decoded(document.get("output"), name, kind)
    return None


def load_study(store: Store | SqliteDocuments) -> tuple[Study, dict[str, Band]]:
    """The whole study with its timings, and its bands by file stem.

    Raises
    ------
    UserError
        If the store has no finished study.
    """
    from ...analysis.results.calculation import Band
    from ...analysis.study.documents import Study

    timings = store.query_one({"uuid": TIMINGS_KEY}) or {}
    flow = timings.get("study")
    study = stored_output(store, flow, Study, STUDY_JOB, OLD_STUDY_JOB)
    if study is None:
        raise UserError("the job store holds no finished study; run it again")
    seconds = timings.get("output") or {}
    if not isinstance(seconds, dict) or not all(isinstance(s, int | float) for s in seconds.values()):
        raise UserError(
            "the timings in the job store are no seconds by stage; `magnetoionics run --overwrite` renews it"
        )
    study.timings = seconds
    failed = timings.get("failed") or {}
    study.stages = [_with_reasons(stage, failed.get(stage.stage)) for stage in study.stages]
    bands = {}
    for stem in band_stems(study):
        # A flow has one band; an import keeps one for each hop.
        band = stored_output(store, flow, Band, f"{BAND_JOB} {stem}", BAND_JOB)
        if band is not None:
            bands[stem] = band
    return with_band_files(study, bands), bands
