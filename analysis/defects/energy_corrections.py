"""Energy corrections of defect cells: those of one published scheme, as host and references have them."""

from __future__ import annotations

from collections.abc import Sequence

from ..thermodynamics.energy_corrections import ComputedEnergy, apply_mp2020, require_consistent
from .defect_energies import VacancyFormation, composition_after


def mp2020_defects(defects: Sequence[VacancyFormation], host: ComputedEnergy) -> list[VacancyFormation]:
    """The same defects with MP2020 corrections of the defect cell and of the host in their energies.

    An iron vacancy changes by the correction of the missing iron; leave it out, and the corrected references put every
    formation energy off by eV.

    Parameters
    ----------
    defects
        Uncorrected.
    host
        The perfect cell that they are compared with; `formula` counts all its atoms, e.g. ``Co8Fe16O32``.

    Raises
    ------
    ValueError
        If host and defects differ in their settings, or the scheme does not cover them.
    """
    require_consistent([("the host", host.provenance), *((d.label, d.provenance) for d in defects)])
    out = []
    for d in defects:
        left = composition_after(host.composition, d.removed)
        cell = ComputedEnergy(
            formula="".join(f"{el}{n:g}" for el, n in left.items()),
            energy_eV=host.energy_eV + d.energy_difference_eV,
            oxide_type=host.oxide_type,
            provenance=d.provenance,
        )
        whole, defective = apply_mp2020([host, cell])
        change = {
            "energy_difference_eV": defective.energy_eV - whole.energy_eV,
            "provenance": defective.provenance,
        }
        out.append(d.model_copy(update=change))
    return out
