"""Expected costs of the jobs of a plan, and their table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..jobs.expected_cost import ExpectedCost
from .cost import LARGEST_FACTOR, TYPICAL_FACTOR, core_hours, job_size
from .order import block_order, in_order
from .parallel import gamma_suffices

if TYPE_CHECKING:
    from .plan import PlannedJob


def expected_costs(jobs: Iterable[PlannedJob], speed: float = 1.0, *, gamma_build: bool = False) -> list[ExpectedCost]:
    """Size and expected core hours of every job that the study has.

    Parameters
    ----------
    jobs
        See `plan.plan`; previews of what the study leaves out are left out here, too.
    speed
        See `cost.core_hours`.
    gamma_build
        Whether jobs with the Gamma point alone run on ``vasp_gam``.
    """
    out = []
    for job in jobs:
        if not job.count:
            continue
        ordered = in_order(job.structure, block_order(job.structure))
        tags = job.maker.planned(ordered).user_incar_settings
        incar = {name: value for name, value in tags.items() if value is not None}
        settings = job.maker.settings
        size = job_size(ordered, incar, settings)
        real = gamma_build and gamma_suffices(incar, settings.mesh(ordered))
        out.append(
            ExpectedCost(
                name=job.folder,
                purpose=job.purpose,
                count=job.count,
                atoms=size.atoms,
                electrons=size.electrons,
                bands=size.bands,
                plane_waves=size.plane_waves,
                kpoints=size.kpoints,
                orbitals_GiB=size.orbitals_GiB * (0.5 if real else 1.0),
                core_hours=core_hours(ordered, incar, settings, speed=speed, gamma_build=real),
            )
        )
    return out


def cost_lines(costs: Sequence[ExpectedCost]) -> list[str]:
    """The table in Markdown, with what its numbers are worth."""
    lines = [
        "## Expected cost",
        "",
        "Sizes are VASP's own rules; times are a model: of 82 public runs of 30 ions and more that it was not made",
        f"with, five in six lie within a factor of {TYPICAL_FACTOR:g} and six in seven within {LARGEST_FACTOR:g};",
        "smaller cells, and ranks with a band or less each, may be further off. Steps are known to a factor of two. An",
        "OUTCAR of your machine takes most of that away: `magnetoionics cost --outcar`.",
        "",
        "| jobs | of | atoms | electrons | bands | plane waves | k points | orbitals (GiB) | core hours each | all |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for c in costs:
        lines.append(
            f"| {c.count} | {c.name} | {c.atoms} | {c.electrons:g} | {c.bands} | {c.plane_waves} | {c.kpoints} | "
            f"{c.orbitals_GiB:.2f} | {c.core_hours:.3g} | {c.all_core_hours:.3g} |"
        )
    total = sum(c.all_core_hours for c in costs)
    return [*lines, "", f"In all {sum(c.count for c in costs)} jobs and {total:.3g} core hours."]
