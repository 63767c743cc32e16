"""Defect calculations of other programs as our documents: pymatgen-analysis-defects, doped, and files of VASP.

No engine of this package runs charged cells. Those who have them from atomate2's `FormationEnergyMaker`, doped or by
hand bring them in here; everything after (levels, Brouwer diagram, film compositions) is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .charge_corrections import PlanarPotential, SitePotentials
from .defects import VacancyFormation
from .document import Provenance

if TYPE_CHECKING:
    from pymatgen.core import Structure
    from pymatgen.io.vasp import Outcar, VolumetricData


def from_defect_entries(
    entries: Sequence[Any],
    vbm_eV: float,
    provenance: Provenance,
    *,
    label: Callable[[Any], str] | None = None,
) -> list[VacancyFormation]:
    """Defect entries of pymatgen-analysis-defects or doped as defects before any chemical potential.

    Parameters
    ----------
    entries
        ``DefectEntry`` objects with a bulk entry; their corrections are summed.
    vbm_eV
        Valence band maximum on the energy scale of the cells.
    provenance
        Functional and U of the cells: entries do not carry them in a form that can be compared.
    label
        Name of a defect from its entry; the library's own name of the defect by default. Charge states of one
        defect need one name.

    Returns
    -------
    list[VacancyFormation]

    Raises
    ------
    ValueError
        If an entry has no bulk entry, or a charged one has no correction.
    """
    out = []
    for entry in entries:
        name = label(entry) if label is not None else str(entry.defect.name)
        if entry.bulk_entry is None:
            raise ValueError(f"{name}: the entry has no bulk entry, so its energy has nothing to be compared with")
        charge = int(entry.charge_state)
        if charge and not entry.corrections:
            raise ValueError(
                f"{name} with q = {charge:+d} has no finite-size correction: correct the entry first, or add one made "
                "by charge_corrections to entry.corrections"
            )
        changes = {str(el): -int(n) for el, n in entry.defect.element_changes.items() if n}
        out.append(
            VacancyFormation(
                label=name,
                removed=changes,
                energy_difference_eV=float(entry.sc_entry.energy) - float(entry.bulk_entry.energy),
                charge=charge,
                vbm_eV=vbm_eV,
                correction_eV=float(sum(entry.corrections.values())),
                note="; ".join(f"{k} {v:+.3f} eV" for k, v in entry.corrections.items()),
                provenance=provenance,
            )
        )
    return out


def planar_potential(local: VolumetricData) -> PlanarPotential:
    """Planar averages of a LOCPOT that pymatgen has read.

    Parameters
    ----------
    local
        ``pymatgen.io.vasp.Locpot``; VASP needs LVHAR = True for it.
    """
    return PlanarPotential(
        lattice_A=local.structure.lattice.matrix.tolist(),
        averages_eV=[[float(x) for x in local.get_average_along_axis(axis)] for axis in range(3)],
    )


def site_potentials(structure: Structure, outcar: Outcar) -> SitePotentials:
    """Site potentials of an OUTCAR that pymatgen has read, with the sign of a positive charge.

    Parameters
    ----------
    structure
        The cell of the run, in the run's order.
    outcar
        ``pymatgen.io.vasp.Outcar``; VASP prints the potential felt by an electron.

    Raises
    ------
    ValueError
        If the file holds no site potentials.
    """
    values = outcar.electrostatic_potential
    if not values:
        raise ValueError("the OUTCAR holds no average electrostatic potentials at the ions; the run did not end well")
    return SitePotentials(structure=structure, potentials_V=[-float(x) for x in values])
