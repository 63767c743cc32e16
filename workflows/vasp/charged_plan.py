"""The VASP jobs of the charged stage, one entry for each defect and charge with the number of its starts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...structures.cells.supercell import supercell
from ...structures.defects.kind import built_defect
from ..flows.building import Repeats, as_repeats
from ..flows.charged_defects import ChargedVacanciesMaker
from .charged import POTENTIALS, DielectricTensorMaker
from .jobs import MagneticRelaxMaker, MagneticStaticMaker
from .plan import PlannedJob, folder_name

if TYPE_CHECKING:
    from ...structures.host import Host


def charged_jobs(maker: ChargedVacanciesMaker, host: Host, order: str | None, repeats: Repeats) -> list[PlannedJob]:
    """Jobs of the charged stage; starts that win and are tried on other charges come on top of them.

    Parameters
    ----------
    maker
        Of the stage, with its engine, starts and budget.
    host, order, repeats
        As `plan.plan`.
    """
    settings = maker.engine.dft  # type: ignore[attr-defined]
    ordered = host.structure(order)
    big = supercell(ordered, as_repeats(repeats))
    potentials = MagneticStaticMaker(settings=settings, extra=dict(POTENTIALS))
    relax = MagneticRelaxMaker(settings=settings)
    dense = MagneticStaticMaker(settings=maker.engine.with_dense_mesh().dft)  # type: ignore[attr-defined]
    jobs = [
        PlannedJob("charged_dielectric", "static dielectric tensor", ordered, DielectricTensorMaker(settings=settings)),
        PlannedJob("charged_host", "perfect supercell with potentials", big, potentials),
        PlannedJob("charged_dense", "levels of the ordered cell on a dense mesh", ordered, dense),
    ]
    placed, _ = maker.placed_defects(host.key, order)
    for one in placed:
        cell = built_defect(big, one)
        starts = maker.starts_of(cell, has_neutral=True)
        for charge in dict.fromkeys(start.charge_e for start in starts):
            charged = cell.copy()
            charged.set_charge(charge)
            what = f"{one.label} with charge {charge:+d}"
            folder = folder_name(f"charged_{one.label}_{charge:+d}")
            job = PlannedJob(f"{folder}_relax", f"relax {what} from each start", charged, relax)
            count = sum(start.charge_e == charge for start in starts)
            jobs += [
                replace(job, count=count),
                replace(job, folder=folder, purpose=f"potentials of {what}", maker=potentials, count=count),
            ]
    return jobs
