"""A campaign on this machine, without a project: one study after the other, small cells first, each in its folder."""

from __future__ import annotations

import json
import math
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import UserError
from ..study_options import FieldOptions, StudyOptions
from ..terminal import Console
from .campaign import Campaign, StudySpec, specs

EVERY_HOST, INSTALLED = "all", "installed"
LONGEST_s = 30 * 86400.0
# What a finished study was asked for; beside its results.
ASKED = "campaign.json"
# What became of each study when it was last asked for; beside their folders.
OUTCOMES = "outcomes.json"


@dataclass(frozen=True)
class StudyOutcome:
    """What became of one study.

    Attributes
    ----------
    spec
        Which.
    folder
        Where it is.
    said
        ``finished``, ``finished but for: ...``, ``was there``, ``refused: ...`` or ``not finished: ...``.
    seconds
        Of this call.
    """

    spec: StudySpec
    folder: Path
    said: str
    seconds: float = 0.0


def spelled_out(campaign: Campaign) -> Campaign:
    """The campaign with every host for ``all`` and every cheap engine that is there for ``installed``."""
    from ...structures.host import host_keys

    hosts = [key for name in campaign.hosts for key in (host_keys() if name == EVERY_HOST else [name])]
    engines = [e for name in campaign.engines for e in (_installed() if name == INSTALLED else [name])]
    return campaign.model_copy(update={"hosts": hosts, "engines": engines})


def _installed() -> list[str]:
    """Engines whose energies take seconds at most: the others are named if they are wanted."""
    from ...workflows.engine import UnknownEngineError, engine_names, get_engine

    engines = []
    for name in engine_names():
        try:
            engine = get_engine(name)
        except (UnknownEngineError, TypeError, ValueError):
            continue
        if engine.level_of_theory in ("local", "ML"):
            engines.append(name)
    return engines


def run_here(
    campaign: Campaign,
    folder: Path,
    *,
    jobs: int = 1,
    limit_s: float | None = None,
    console: Console | None = None,
) -> list[StudyOutcome]:
    """Run every study of a campaign that an engine can do, small cells first; what is finished stays.

    Parameters
    ----------
    campaign
        As read from its file.
    folder
        Gets a folder ``HOST-ORDER-ENGINE`` for each study, and `OUTCOMES`; each study takes equal calculations from
        the others of its engine.
    jobs
        Processes that compute at a time, of one study.
    limit_s
        Longest time for one study in this call; it goes on in the next.
    console
        Where to print a line for each; stderr by default.

    Raises
    ------
    UserError
        If the campaign asks for what a project is needed for, a number is out of range, the folder is a file, or two
        studies would share a folder.
    """
    if campaign.vacancies is not None or campaign.u_scan is not None:
        raise UserError("vacancies and u_scan of a campaign are for a project: leave them out, or give --project")
    if jobs < 1:
        raise UserError(f"{jobs} processes cannot compute anything; give --jobs 1 or more")
    if limit_s is not None and not 0 < limit_s <= LONGEST_s:
        raise UserError(f"a limit of {limit_s / 60:g} minutes must be above 0 and at most {LONGEST_s / 60:g}, a month")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; give a folder with --here")
    kept_outcomes(folder)
    planned = sorted(specs(spelled_out(campaign)), key=_size)
    _refuse_shared(map(_name, planned))
    console = console or Console(stderr=True)
    folder.mkdir(parents=True, exist_ok=True)
    out: list[StudyOutcome] = []
    for spec in planned:
        place = folder / _name(spec)
        begin = time.perf_counter()
        said = _one(spec, place, _finished_beside(folder, spec.engine, place), jobs, limit_s)
        study_outcome = StudyOutcome(spec, place, said, time.perf_counter() - begin)
        _keep(folder, study_outcome)
        console.print(f"{place.name}: {said}, {study_outcome.seconds:.0f} s", markup=False)
        out.append(study_outcome)
    return out


def kept_outcomes(folder: Path) -> dict[str, dict[str, str | float]]:
    """What became of each study by the name of its folder: what was ``said``, and the ``seconds`` of that call.

    Raises
    ------
    UserError
        If the file is something else.
    """
    path = folder / OUTCOMES
    if not path.is_file():
        return {}
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        kept = None
    if not isinstance(kept, dict):
        raise UserError(f"{path} holds no outcomes of a campaign; move it away, or give another folder with --here")
    return kept


def _keep(folder: Path, outcome: StudyOutcome) -> None:
    from ..study_folder.writing import write_whole

    if outcome.said == "was there":
        return
    kept = kept_outcomes(folder) | {outcome.folder.name: {"said": outcome.said, "seconds": round(outcome.seconds, 1)}}
    write_whole(folder / OUTCOMES, json.dumps(kept, indent=1, sort_keys=True) + "\n")


def _size(spec: StudySpec) -> tuple[int, int]:
    from ...structures.host import get_host

    atoms = len(get_host(spec.host).structure(spec.order))
    return -spec.priority, atoms * math.prod(StudyOptions().repeats(spec.host, spec.order, spec.quick))


def _name(spec: StudySpec) -> str:
    from ...structures.host import get_host

    words = [Path(spec.host).stem, spec.order or get_host(spec.host).orders[0], spec.engine]
    return "-".join("".join(c if c.isalnum() else "_" for c in word) for word in words)


def _refuse_shared(names: Iterable[str]) -> None:
    if twice := [name for name, n in Counter(names).items() if n > 1]:
        raise UserError(f"two studies of the campaign would share the folder {twice[0]}; rename one host file")


def _finished_beside(folder: Path, engine: str, own: Path) -> list[Path]:
    from ..study_folder.files import RESULTS

    ending = "-" + "".join(c if c.isalnum() else "_" for c in engine)
    return sorted(p for p in folder.iterdir() if p != own and p.name.endswith(ending) and (p / RESULTS).is_file())


def _one(spec: StudySpec, place: Path, beside: list[Path], jobs: int, limit_s: float | None) -> str:
    from ..study_folder.files import RESULTS
    from ..study_folder.writing import write_whole

    asked = json.dumps(spec.about(), sort_keys=True)
    if (place / RESULTS).is_file() and (place / ASKED).is_file():
        if (place / ASKED).read_text(encoding="utf-8") == asked:
            return "was there"
        return f"not finished: {place.name} holds a study that was asked otherwise; give another folder with --here"
    if reason := _why_not(spec):
        return f"refused: {reason}"
    said = _in_a_process(spec, place, beside, jobs, limit_s)
    if said.startswith("finished"):
        write_whole(place / ASKED, asked)
    return said


def _in_a_process(spec: StudySpec, place: Path, beside: list[Path], jobs: int, limit_s: float | None) -> str:
    """What became of a study in a process of its own, which ends with this call however that ends."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_compute, args=(spec, place, beside, jobs, send))
    process.start()
    send.close()
    try:
        if receive.poll(limit_s):
            return str(receive.recv())
        return f"not finished: more than {limit_s:g} s"
    except EOFError:
        return "not finished: its process ended"
    finally:
        process.terminate()
        process.join()


def _why_not(spec: StudySpec) -> str:
    """Why an engine cannot do a study at all, in one line; empty if it can."""
    from ...structures.host import get_host
    from ...workflows.engine import CannotDoError, UnknownEngineError, get_engine

    try:
        get_engine(spec.engine).check(get_host(spec.host).structure(spec.order))
    except (CannotDoError, UnknownEngineError) as error:
        return " ".join(str(error).split())
    return ""


def _compute(spec: StudySpec, place: Path, beside: list[Path], jobs: int, send: object) -> None:
    import io

    from ...analysis.study.validity import failures
    from ..study_folder.files import read_study
    from ..study_folder.study_run import run_study

    fields = FieldOptions()
    if sizes := dict.fromkeys(abs(f) for f in spec.fields_V_per_m or () if f):
        fields = replace(fields, sizes_V_per_m=",".join(map(repr, sizes)))
    try:
        run_study(
            spec.host,
            engine_name=spec.engine,
            order=spec.order,
            output=place,
            quick=spec.quick,
            stages=None if spec.stages is None else list(spec.stages),
            jobs=jobs,
            options=StudyOptions(fields),
            reuse=beside,
            console=Console(file=io.StringIO()),
        )
        missing = ", ".join(f.part for f in failures(read_study(place)))
        said = f"finished but for: {missing}" if missing else "finished"
    except UserError as error:
        said = f"not finished: {' '.join(str(error).split())}"
    send.send(said)  # type: ignore[attr-defined]
