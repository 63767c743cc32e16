"""Many studies in one call: hosts, orders, vacancies, fields and engines from a YAML file or a Python loop.

```yaml
name: ferrites            # letters, digits, - and _
hosts: [cofe2o4, nife2o4]  # [all]: every built-in one
engines: [local]           # [installed]: the rigid ions and the ML potentials that are there
orders: all               # or a list; the hosts' first ones by default
stages: [vacancies, migration]
vacancies: [[Fe, B]]      # only these; all that the hosts name by default
fields_V_per_m: [0, 1.0e8]
u_scan: [own, 3, Co=4+Fe=4]  # U in eV, each a study; the engine's own by default
quick: true
priority: 5               # larger is sooner
priorities: {cofe2o4: 20} # by host
max_queued: 200           # jobs of the campaign that may wait or run at a time
```
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ...structures.io.untrusted_input import read_yaml
from ..errors import UserError

if TYPE_CHECKING:
    from jobflow import Flow
    from jobflow_remote.jobs.jobcontroller import JobController

    from ..cluster.submit import Submission
    from ..cluster.table import ResourceTable

MOST_STUDIES = 100_000


class Campaign(BaseModel):
    """What a campaign's file says."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")
    hosts: list[str] = Field(min_length=1)
    engines: list[str] = Field(default=["local"], min_length=1)
    orders: Literal["all", "first"] | list[str] = "first"
    stages: list[str] | None = None
    vacancies: list[tuple[str, str]] | None = None
    fields_V_per_m: list[float] | None = None
    u_scan: list[str | float] | None = None
    quick: bool = False
    priority: int = 0
    priorities: dict[str, int] = Field(default_factory=dict)
    max_queued: int = Field(default=1000, ge=1)

    @field_validator("engines")
    @classmethod
    def _no_code(cls, value: list[str]) -> list[str]:
        for name in value:
            if name.strip().lower().startswith("ase:"):
                raise ValueError(
                    f"engine {name!r} runs code that a file may not name; give it in a Python loop of StudySpec"
                )
        return value

    @field_validator("fields_V_per_m")
    @classmethod
    def _finite(cls, value: list[float] | None) -> list[float] | None:
        if value is not None and not all(abs(f) <= 1e11 for f in value):
            raise ValueError("fields must be finite and at most 1e11 V/m")
        return value


@dataclass(frozen=True)
class StudySpec:
    """One study of a campaign."""

    host: str
    engine: str = "local"
    order: str | None = None
    stages: tuple[str, ...] | None = None
    vacancies: tuple[tuple[str, str], ...] | None = None
    fields_V_per_m: tuple[float, ...] | None = None
    quick: bool = False
    priority: int = 0
    hubbard_U: str | None = None

    def about(self) -> dict[str, Any]:
        """Plain values for the project's list of studies."""
        return {k: v for k, v in vars(self).items() if v is not None and k != "priority"}


@dataclass
class CampaignResult:
    """What became of a campaign's submission."""

    submitted: list[Submission] = field(default_factory=list)
    known: list[Submission] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    waiting: int = 0


def read_campaign(path: Path) -> Campaign:
    """A campaign from its file.

    Raises
    ------
    UserError
        With the entry and what is wrong with it.
    """
    try:
        return Campaign.model_validate(read_yaml(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(x) for x in first["loc"]) or "file"
        raise UserError(f"{path.name}: {where}: {first['msg']}") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"{path.name}: {error}") from error


def specs(campaign: Campaign) -> list[StudySpec]:
    """Every combination of a campaign.

    Raises
    ------
    UserError
        If a host or order is unknown, or there are more than `MOST_STUDIES`.
    """
    study_specs = []
    u_words = [None] if campaign.u_scan is None else [str(word) for word in campaign.u_scan]
    for host, engine in itertools.product(dict.fromkeys(campaign.hosts), dict.fromkeys(campaign.engines)):
        for order, u in itertools.product(_orders(campaign, host), dict.fromkeys(u_words)):
            study_specs.append(
                StudySpec(
                    host=host,
                    engine=engine,
                    order=order,
                    stages=None if campaign.stages is None else tuple(campaign.stages),
                    vacancies=None if campaign.vacancies is None else tuple(campaign.vacancies),
                    fields_V_per_m=None if campaign.fields_V_per_m is None else tuple(campaign.fields_V_per_m),
                    quick=campaign.quick,
                    priority=campaign.priorities.get(host, campaign.priority),
                    hubbard_U=u,
                )
            )
            if len(study_specs) > MOST_STUDIES:
                raise UserError(f"campaign {campaign.name} has more than {MOST_STUDIES} studies; split it")
    return study_specs


def _orders(campaign: Campaign, host: str) -> Iterator[str | None]:
    from ...structures.host import UnknownHostError, get_host

    try:
        known = get_host(host).orders
    except UnknownHostError as error:
        raise UserError(str(error)) from error
    if campaign.orders == "first":
        yield None
        return
    wanted = known if campaign.orders == "all" else tuple(campaign.orders)
    if not any(o in known for o in wanted):
        raise UserError(f"{host} has none of the orders {', '.join(wanted)}; known: {', '.join(known)}")
    yield from (o for o in wanted if o in known)


def study_flow(spec: StudySpec) -> Flow:
    """Flow of one study.

    Raises
    ------
    UserError
        If the study cannot run.
    """
    from dataclasses import replace

    from ...workflows.engine import get_engine
    from ...workflows.flows.study import MagnetoionicStudyMaker
    from ..study_folder.asked import check_names
    from ..study_options import StudyOptions
    from ..u_scan import engine_with_u

    check_names(spec.host, spec.engine, spec.order)
    make = MagnetoionicStudyMaker.quick if spec.quick else MagnetoionicStudyMaker.full
    try:
        engine = get_engine(spec.engine)
        if spec.hubbard_U is not None:
            engine = engine_with_u(engine, spec.host.strip(), spec.hubbard_U)
        maker = make(engine, None if spec.stages is None else list(spec.stages))
        changes: dict[str, Any] = {"repeats": StudyOptions().repeats(spec.host.strip(), spec.order, spec.quick)}
        if spec.fields_V_per_m is not None:
            changes["fields_V_per_m"] = spec.fields_V_per_m
        if spec.vacancies is not None:
            changes["vacancies"] = spec.vacancies
        flow: Flow = replace(maker, **changes).make(spec.host.strip(), spec.order)
    except ValueError as error:
        raise UserError(f"this study cannot run: {error}") from error
    return flow


def submit_campaign(
    name: str,
    studies: Iterable[StudySpec],
    controller: JobController,
    table: ResourceTable,
    *,
    max_queued: int = 1000,
) -> CampaignResult:
    """Submit studies with one controller; those submitted before are found, not doubled.

    Parameters
    ----------
    name
        Of the campaign.
    studies
        A list, or a generator of a Python loop; the larger priorities of a list go first.
    controller, table
        Of the project.
    max_queued
        Jobs of the campaign that may be open in the project; studies beyond wait for the next call.

    Returns
    -------
    CampaignResult
        A study that cannot run is refused with its reason, and the others go on.
    """
    from ..cluster.submit import Submission, submit_flow

    result = CampaignResult()
    left = max_queued - open_jobs(controller, name)
    there = {_text(s["about"]): s for s in _studies(controller, name)}
    ordered = sorted(studies, key=lambda s: -s.priority) if isinstance(studies, list) else studies
    for spec in ordered:
        if left <= 0:
            # Without building its flow: a study that is there does not wait.
            if (known := there.get(_text(spec.about()))) is not None:
                result.known.append(Submission(known["_id"], known["flow"], False))
            else:
                result.waiting += 1
            continue
        try:
            flow = study_flow(spec)
        except UserError as error:
            result.refused[_label(spec)] = str(error)
            continue
        done = submit_flow(flow, controller, table, about=spec.about(), priority=spec.priority, campaign=name)
        (result.submitted if done.is_new else result.known).append(done)
        if done.is_new:
            left -= len(done.costs)
    return result


def _text(about: dict[str, Any]) -> str:
    return json.dumps(about, sort_keys=True)


def _label(spec: StudySpec) -> str:
    more = (spec.fields_V_per_m, spec.vacancies, spec.stages)
    u = f"U {spec.hubbard_U}" if spec.hubbard_U else ""
    return " ".join(str(x) for x in (spec.host, spec.order or "", spec.engine, u, *map(list, filter(None, more))) if x)


def open_jobs(controller: JobController, name: str) -> int:
    """Jobs of a campaign that have not ended."""
    keys = [s["_id"] for s in _studies(controller, name)]
    ended = ["COMPLETED", "FAILED", "REMOTE_ERROR", "STOPPED", "USER_STOPPED"]
    query = {"job.metadata.study": {"$in": keys}, "state": {"$nin": ended}}
    return int(controller.jobs.count_documents(query)) if keys else 0


def _studies(controller: JobController, name: str) -> list[dict[str, Any]]:
    from ..cluster.controller import studies

    return list(studies(controller).find({"campaign": name}).sort("submitted", 1))


def campaign_status(controller: JobController, name: str) -> list[tuple[dict[str, Any], Counter[str]]]:
    """Every study of a campaign with its jobs by state.

    Raises
    ------
    UserError
        If the project has no such campaign.
    """
    known = _studies(controller, name)
    if not known:
        raise UserError(f"the project has no campaign {name!r}")
    flows = {s["flow"]: Counter[str]() for s in known}
    pipeline = [
        {"$match": {"job.metadata.study": {"$in": [s["_id"] for s in known]}}},
        {"$group": {"_id": {"study": "$job.metadata.study", "state": "$state"}, "n": {"$sum": 1}}},
    ]
    by_key = {s["_id"]: s["flow"] for s in known}
    for row in controller.jobs.aggregate(pipeline):
        flows[by_key[row["_id"]["study"]]][row["_id"]["state"]] += row["n"]
    return [(s, flows[s["flow"]]) for s in known]
