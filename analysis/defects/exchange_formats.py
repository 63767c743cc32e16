"""Calculations of other programs as our documents: entries of pymatgen, its defects and doped, and files of VASP.

No engine of this package runs charged cells. Those who have them from atomate2's `FormationEnergyMaker`, doped or by
hand bring them in here; everything after (levels, Brouwer diagram, film compositions) is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...structures.competing_phases import competing_formulas
from ..results.document import Provenance
from ..thermodynamics.computed_phases import ComputedPhases
from ..thermodynamics.energy_corrections import ComputedEnergy
from .charge_corrections import PlanarPotential, SitePotentials
from .defect_energies import VacancyFormation

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

    Raises
    ------
    ValueError
        If an entry has no bulk entry or one of another size, a charged one has no correction or two for one error, the
        two cells of an entry say that they were run or corrected differently, or two sites or cells share a label.
    """
    out = []
    seen: dict[str, list[Any]] = {}
    for entry in entries:
        name = label(entry) if label is not None else str(entry.defect.name)
        if entry.bulk_entry is None:
            raise ValueError(f"{name}: the entry has no bulk entry, so its energy has nothing to be compared with")
        _refuse_unlike_cells(name, entry.sc_entry, entry.bulk_entry)
        charge = int(entry.charge_state)
        if charge and not entry.corrections:
            raise ValueError(
                f"{name} with q = {charge:+d} has no finite-size correction: correct the entry first, or add one made "
                "by charge_corrections to entry.corrections"
            )
        _refuse_second_correction(name, charge, entry.corrections)
        changes = {str(el): -int(n) for el, n in entry.defect.element_changes.items() if n}
        _refuse_other_size(name, changes, entry.sc_entry, entry.bulk_entry)
        _refuse_shared_label(name, entry, seen.setdefault(name, []))
        out.append(
            VacancyFormation(
                label=name,
                removed=changes,
                energy_difference_eV=float(entry.sc_entry.energy) - float(entry.bulk_entry.energy),
                charge=charge,
                vbm_eV=vbm_eV,
                correction_eV=float(sum(entry.corrections.values())),
                size_error_eV=_correction_error_eV(entry),
                note="; ".join(f"{k} {v:+.3f} eV" for k, v in entry.corrections.items()),
                provenance=provenance,
            )
        )
    return out


def _correction_error_eV(entry: Any) -> float:
    """Error of the corrections in use, where the library keeps one beside each."""
    metadata = getattr(entry, "corrections_metadata", None) or {}
    errors = [metadata.get(f"{name}_error") for name in entry.corrections]
    return float(np.linalg.norm([x for x in errors if isinstance(x, float | int)]))


# What the libraries call a correction for the images of one charge.
_FOR_IMAGES = {"eFNV": ("kumagai", "efnv"), "FNV": ("freysoldt", "fnv"), "point charge": ("madelung", "makov", "lany")}


def _refuse_second_correction(name: str, charge: int, corrections: Mapping[str, float]) -> None:
    """Refuse two corrections of the same error, e.g. Freysoldt's added to Kumagai's."""
    kinds: dict[str, str] = {}
    for key in corrections:
        kind = next((k for k, words in _FOR_IMAGES.items() if any(w in key.lower() for w in words)), None)
        if kind is not None:
            kinds[kind] = key
    if len(kinds) > 1:
        both = ", ".join(f"{key!r} ({corrections[key]:+.3f} eV)" for key in kinds.values())
        raise ValueError(
            f"{name} with q = {charge:+d} has corrections {both} for one and the same charge: they are alternatives, "
            "not parts. Keep one in entry.corrections"
        )


def _refuse_other_size(name: str, removed: Mapping[str, int], defect: Any, bulk: Any) -> None:
    """Refuse a bulk cell that is not the defect cell with its defect undone."""
    amounts = {str(el): float(n) for el, n in bulk.composition.items()}
    wanted = {str(el): float(n) for el, n in defect.composition.items()}
    for element, n in removed.items():
        wanted[element] = wanted.get(element, 0.0) + n
    if {k: v for k, v in wanted.items() if v} != amounts:
        whole = " ".join(f"{el}{n:g}" for el, n in sorted(wanted.items()) if n)
        raise ValueError(
            f"{name}: the bulk entry holds {bulk.composition.formula}, but the defect cell "
            f"({defect.composition.formula}) without its defect {whole}: give the bulk cell of the same size"
        )


def _refuse_shared_label(name: str, entry: Any, earlier: list[Any]) -> None:
    """Refuse two sites, or two cells of one charge, under one label: the lower one would hide the other."""
    advice = "give each its own name with label=, e.g. label=lambda entry: ..."
    for other in earlier:
        if int(other.charge_state) == int(entry.charge_state):
            raise ValueError(
                f"{name} with q = {int(entry.charge_state):+d} is given twice: keep the lower, or {advice}"
            )
        apart = other.defect.site.frac_coords - entry.defect.site.frac_coords
        same = other.defect.structure == entry.defect.structure and np.abs(apart - np.rint(apart)).max() < 1e-3
        if not same and other.defect != entry.defect:
            places = " and ".join(str(np.round(e.defect.site.frac_coords, 3).tolist()) for e in (other, entry))
            raise ValueError(f"{name} stands for two sites, {places}: {advice}")
    earlier.append(entry)


def _refuse_unlike_cells(name: str, defect: Any, bulk: Any) -> None:
    """Refuse a defect cell and a perfect one whose entries name different settings or corrections."""
    for key in ("run_type", "hubbards"):
        values = [e.parameters.get(key) for e in (defect, bulk)]
        # A vacancy may take the last ion of an element with it, and its U.
        values = [{k: v for k, v in x.items() if v} if isinstance(x, dict) else x for x in values]
        if None not in values and values[0] != values[1]:
            raise ValueError(f"{name}: {key} is {values[0]!r} in the defect cell and {values[1]!r} in the bulk cell")
    schemes = [sorted({a.name for a in e.energy_adjustments}) for e in (defect, bulk)]
    if bool(schemes[0]) != bool(schemes[1]):
        raise ValueError(
            f"{name}: the defect cell is corrected by {', '.join(schemes[0]) or 'nothing'}, the bulk cell by "
            f"{', '.join(schemes[1]) or 'nothing'}: correct both, or neither"
        )


def from_computed_entries(entries: Sequence[Any], *, engine: str = "vasp") -> ComputedPhases:
    """Competing phases from computed entries, e.g. of the Materials Project or of one's own runs.

    Corrections that the entries carry are taken off: the mode of `computed_phases.reference_set` puts one scheme on all
    of them, or none.

    Parameters
    ----------
    entries
        ``ComputedEntry`` or ``ComputedStructureEntry`` with ``run_type`` and ``hubbards`` among their parameters; of
        several with one composition the lowest is kept.
    engine
        Name of the program that ran them.

    Raises
    ------
    ValueError
        If an entry does not say how it was run, or two of them give one element different U.
    """
    from pymatgen.core import Composition

    table = _u_table(entries)
    elements = {str(el) for entry in entries for el in entry.composition.elements}
    known = {Composition(f).reduced_formula: f for f in competing_formulas(elements)}
    lowest: dict[str, tuple[float, Any]] = {}
    for entry in entries:
        reduced, units = entry.composition.get_reduced_formula_and_factor()
        formula = known.get(reduced, reduced)
        energy = float(entry.uncorrected_energy) / units
        if formula not in lowest or energy < lowest[formula][0]:
            lowest[formula] = (energy, entry)
    return ComputedPhases(
        energies=[
            ComputedEnergy(
                formula=formula,
                energy_eV=energy,
                oxide_type=_oxide_type(entry),
                provenance=_entry_provenance(entry, table, engine),
            )
            for formula, (energy, entry) in lowest.items()
        ]
    )


def _u_table(entries: Sequence[Any]) -> dict[str, float]:
    """U by element over all entries that have one."""
    table: dict[str, float] = {}
    for entry in entries:
        for element, value in (entry.parameters.get("hubbards") or {}).items():
            if value and table.setdefault(element, float(value)) != float(value):
                raise ValueError(
                    f"{entry.composition.reduced_formula} has U = {value} eV on {element}, another entry "
                    f"{table[element]} eV: recompute them with one U"
                )
    return table


def _entry_provenance(entry: Any, table: dict[str, float], engine: str) -> Provenance:
    """Functional and U of an entry; one without any of the elements with U goes with all that have it."""
    name = entry.composition.reduced_formula
    run = str(entry.parameters.get("run_type") or "")
    if not run:
        raise ValueError(f"{name}: the entry does not say its run_type, so nothing tells its functional")
    functional = run.upper().removesuffix("+U").replace("_U", "")
    own = {el: float(u) for el, u in (entry.parameters.get("hubbards") or {}).items() if u}
    wanted = {el: u for el, u in table.items() if el in {str(e) for e in entry.composition.elements}}
    return Provenance(
        engine=engine,
        level_of_theory="VASP",
        functional="PBE" if functional == "GGA" else functional,
        hubbard_U_eV=table if own == wanted else own,
        settings={"entry": str(entry.entry_id)},
    )


def _oxide_type(entry: Any) -> str:
    from pymatgen.analysis.structure_analyzer import oxide_type

    structure = getattr(entry, "structure", None)
    oxide = oxide_type(structure) if structure is not None else entry.data.get("oxide_type", "")
    if oxide in ("peroxide", "superoxide"):
        return str(oxide)
    return "peroxide" if entry.composition.reduced_formula == "Li2O2" else "oxide"


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
