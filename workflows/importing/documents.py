"""Finished runs as the documents of an engine: calculations, charged cells, phases, tensors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pymatgen.core import Element, Structure

from ...analysis.defects.charge_corrections import SitePotentials
from ...analysis.defects.charged_cells import ChargedCell, DielectricResult
from ...analysis.results.calculation import Calculation
from ...analysis.results.document import Provenance
from ...analysis.thermodynamics.computed_phases import ComputedPhases
from ...analysis.thermodynamics.energy_corrections import ComputedEnergy
from ...analysis.thermodynamics.phases import DATA_SETS_KEY
from ..vasp.finished.document import VaspRun
from .consistency import cutoff_eV, hubbard_by_element
from .run_folder import RunFolder

INTERSTITIAL = "interstitial"
LEFT_OUT = (
    "what the runs themselves left out: their cutoff, mesh, convergence and magnetic starts are those of their authors",
)


def provenance_of(run_folder: RunFolder, hubbard_U_eV: Mapping[str, float]) -> Provenance:
    """Where an imported number comes from.

    Parameters
    ----------
    run_folder
        A folder with a run.
    hubbard_U_eV
        U of the whole set: energies are compared only within one.
    """
    run = run_folder.done
    settings = {
        "folder": run_folder.place.name,
        "encut_eV": cutoff_eV(run),
        "kpoint_mesh": run.kpoint_mesh,
        DATA_SETS_KEY: run.data_sets,
        "charge_e": run.charge_e,
    }
    return Provenance(
        engine="vasp",
        level_of_theory="VASP",
        functional=run.functional,
        hubbard_U_eV=dict(hubbard_U_eV),
        settings={k: v for k, v in settings.items() if v is not None},
        versions={"vasp": run.version} if run.version else {},
        left_out=list(LEFT_OUT),
    )


def common_hubbard(runs: list[VaspRun]) -> dict[str, float]:
    """U by element over runs that were found to be consistent; zeros left out."""
    table: dict[str, float] = {}
    for run in runs:
        table.update({el: u for el, u in hubbard_by_element(run).items() if u})
    return dict(sorted(table.items()))


def calculation_of(
    run_folder: RunFolder, structure: Structure, name: str, hubbard_U_eV: Mapping[str, float]
) -> Calculation:
    """A run as a calculation.

    Parameters
    ----------
    run_folder
        A folder whose run has an energy.
    structure
        Its last configuration with roles and moments.
    name
        Of the calculation.
    hubbard_U_eV
        See `provenance_of`.
    """
    run = run_folder.done
    moments = run.site_moments_muB
    # A run without spin polarisation has no moment.
    total = run.total_moment_muB if run.total_moment_muB is not None else float(np.sum(moments or [0.0]))
    return Calculation(
        name=name,
        structure=structure,
        energy_eV=run_folder.energy_eV,
        max_force_eV_per_A=run.max_force_eV_per_A,
        force_calls=run.ionic_steps,
        total_moment_muB=total,
        site_moments_muB=moments,
        orbital_moments_muB=run.orbital_moments_muB,
        gap_eV=run.gap_eV,
        checks=run.checks,
        provenance=provenance_of(run_folder, hubbard_U_eV),
    )


def defect_structure(run: RunFolder, perfect: Structure) -> Structure:
    """A defect's cell with the roles of the host's sites that its ions sit on.

    Parameters
    ----------
    run
        A run with its difference from the perfect cell.
    perfect
        That cell with roles.
    """
    assert run.difference is not None
    cell = run.structure
    out = Structure(cell.lattice, [Element(s.specie.symbol) for s in cell], cell.frac_coords)
    added = _added_valences(run, perfect)
    names, valences = [], []
    for site, host_site in zip(out, run.difference.same_site, strict=True):
        if host_site is None:
            names.append(INTERSTITIAL)
            valences.append(added.get(site.specie.symbol, 0.0))
        else:
            names.append(str(perfect[host_site].properties["sublattice"]))
            valences.append(float(perfect[host_site].properties["valence"]))
    out.add_site_property("sublattice", names)
    out.add_site_property("valence", valences)
    moments = run.done.site_moments_muB
    out.add_site_property("magmom", [float(m) for m in moments or [0.0] * len(out)])
    return out


def _added_valences(run: RunFolder, perfect: Structure) -> dict[str, float]:
    host = {s.specie.symbol: float(s.properties["valence"]) for s in perfect}
    added = {c.added for c in run.difference.changes if c.added} if run.difference else set()
    out = dict(host)
    for element in added - set(host):
        common = Element(element).common_oxidation_states
        out[str(element)] = float(common[0]) if common else 0.0
    return out


def charged_cell_of(run_folder: RunFolder, calculation: Calculation, charge: int) -> ChargedCell:
    """A run with its potentials and band edges."""
    run = run_folder.done
    potentials = None
    if run.electron_potentials_eV is not None and len(run.electron_potentials_eV) == len(calculation.structure):
        potentials = SitePotentials(
            structure=calculation.structure, potentials_V=[-float(x) for x in run.electron_potentials_eV]
        )
    return ChargedCell(
        calculation=calculation,
        charge=charge,
        site_potentials=potentials,
        vbm_eV=run.vbm_eV,
        cbm_eV=run.cbm_eV,
    )


def dielectric_of(run_folder: RunFolder, hubbard_U_eV: Mapping[str, float]) -> DielectricResult:
    """Static tensor of a linear-response run; without its ionic part only the electrons screen."""
    run = run_folder.done
    assert run.dielectric_electronic is not None
    return DielectricResult(
        name=run_folder.place.name,
        electronic=run.dielectric_electronic,
        ionic=run.dielectric_ionic or [[0.0] * 3 for _ in range(3)],
        checks=run.checks,
        provenance=provenance_of(run_folder, hubbard_U_eV),
    )


def phases_of(used: list[RunFolder], left_out: list[RunFolder], hubbard_U_eV: Mapping[str, float]) -> ComputedPhases:
    """Energies per formula unit of the phases in use, and why the others are not."""
    energies = []
    for f in used:
        formula, units = f.structure.composition.get_reduced_formula_and_factor()
        energies.append(
            ComputedEnergy(
                formula=formula,
                energy_eV=f.energy_eV / units,
                total_moment_muB=None if f.done.total_moment_muB is None else f.done.total_moment_muB / units,
                oxide_type=_oxide_type(f.structure),
                provenance=provenance_of(f, hubbard_U_eV),
            )
        )
    known = {e.formula for e in energies}
    reasons = {}
    for f in left_out:
        formula = f.structure.composition.reduced_formula
        if formula not in known:
            reasons[formula] = "; ".join([*f.done.reasons, *f.refused])
    return ComputedPhases(energies=energies, left_out=reasons)


def _oxide_type(structure: Structure) -> str:
    from pymatgen.analysis.structure_analyzer import oxide_type

    if len(structure.composition) < 2 or "O" not in structure.composition:
        return "oxide"
    oxide = str(oxide_type(structure))
    return oxide if oxide in ("peroxide", "superoxide") else "oxide"
