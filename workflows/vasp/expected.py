"""Expected costs of the jobs of a plan, and their table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..expected_cost import ExpectedCost
from .cost import LARGEST_FACTOR, TYPICAL_FACTOR, core_hours, job_size
from .order import block_order, in_order

if TYPE_CHECKING:
    from .plan import PlannedJob


def expected_costs(jobs: Iterable[PlannedJob], speed: float = 1.0) -> list[ExpectedCost]:
    """Size and expected core hours of every job that the study has.

    Parameters
    ----------
    jobs
        See `plan.plan`; previews of what the study leaves out are left out here, too.
    speed
        See `cost.core_hours`.
    """
    out = []
    for made in jobs:
        if not made.count:
            continue
        ordered = in_order(made.structure, block_order(made.structure))
        tags = made.maker.planned(ordered).user_incar_settings
        incar = {name: value for name, value in tags.items() if value is not None}
        settings = made.maker.settings
        size = job_size(ordered, incar, settings)
        out.append(
            ExpectedCost(
                name=made.folder,
                purpose=made.purpose,
                count=made.count,
                atoms=size.atoms,
                electrons=size.electrons,
                bands=size.bands,
                plane_waves=size.plane_waves,
                kpoints=size.kpoints,
                orbitals_GiB=size.orbitals_GiB,
                core_hours=core_hours(ordered, incar, settings, speed=speed),
            )
        )
    return out


def cost_lines(costs: Sequence[ExpectedCost]) -> list[str]:
    """The table in Markdown, with what its numbers are worth."""
    lines = [
        "## Expected cost",
        "",
        "Sizes are VASP's own rules; times are a model of public runs, of which two thirds lie within a factor of",
        f"{TYPICAL_FACTOR:g} and all within {LARGEST_FACTOR:g}, with steps that are known to a factor of two. An",
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
