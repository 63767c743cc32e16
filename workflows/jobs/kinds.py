"""Kind and role of a job, in its metadata: what resources it needs, and whether it computes or only builds and reads.

An engine's methods mark what they make (see `Engine`); a flow that makes a job of its own which computes marks it with
`as_calculation`. A job without marks is a step: small, and run beside the runner.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

if TYPE_CHECKING:
    from jobflow import Flow, Job

Kind = Literal["relax", "static", "neb", "spin-orbit", "phonon", "ml", "local"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# Keys of the metadata.
KIND, ROLE = "kind", "role"
CALCULATION, STEP = "calculation", "step"
Made = TypeVar("Made", bound="Job | Flow")


def calculation_marks(kind: Kind) -> dict[str, str]:
    """Metadata of a job that computes."""
    return {KIND: kind, ROLE: CALCULATION}


def step_marks() -> dict[str, str]:
    """Metadata of a job that builds, reads or collects, or asks for jobs that compute."""
    return {KIND: "local", ROLE: STEP}


def as_calculation(made: Made, kind: Kind) -> Made:
    """Mark a job, or those jobs of a flow that have no marks yet, as calculations."""
    for job in _jobs(made):
        if KIND not in (job.metadata or {}):
            job.update_metadata(calculation_marks(kind), dynamic=False)
    return made


def as_step(job: Made) -> Made:
    """Mark a small job of an engine as a step, which the engine's method would otherwise mark as a calculation."""
    job.update_metadata(step_marks(), dynamic=False)
    return job


# Methods of an engine that make jobs, with what these compute.
KINDS_OF_METHODS: Mapping[str, Kind] = {
    "relax": "relax",
    "static": "static",
    "band": "neb",
    "spin_orbit": "spin-orbit",
    "orbital_state": "static",
    "references": "relax",
    "charged": "relax",
    "dielectric": "static",
    "polarisation": "static",
    "born_tensors": "static",
    "in_field": "relax",
}


def marking(method: Callable[..., Any], kind: Kind) -> Callable[..., Any]:
    """The method, whose jobs get marks where it has not marked them itself."""

    @functools.wraps(method)
    def marked(self: Any, *args: Any, **kwargs: Any) -> Any:
        job = method(self, *args, **kwargs)
        return job if self.marks_its_runs else as_calculation(job, self.kind_for(kind))

    return marked


def kind_in(metadata: Mapping[str, Any] | None) -> Kind:
    """Kind of a job from its metadata.

    Raises
    ------
    ValueError
        If it names a kind that does not exist.
    """
    kind = (metadata or {}).get(KIND, "local")
    if kind not in KINDS:
        raise ValueError(f"no kind of job is called {kind!r}; kinds: {', '.join(KINDS)}")
    return kind  # type: ignore[no-any-return]


def _jobs(job: Job | Flow) -> Iterator[Job]:
    inner = getattr(job, "jobs", None)
    if inner is None:
        yield job  # type: ignore[misc]
        return
    for part in inner:
        yield from _jobs(part)
