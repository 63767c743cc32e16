"""Reference oxides with their own magnetic order, relaxed with the settings of the study; no metal, no O2 molecule.

Energies of metals need another treatment of U and those of O2 another correction: element energies fitted to
oxides alone never mix them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jobflow import Flow, job
from pymatgen.core import Composition

from ...analysis.results.calculation import Calculation, require_valid
from ...analysis.thermodynamics.phases import load_experimental_phases
from ...analysis.thermodynamics.references import CompoundEnergy, SpeciesFit, fit_species_energies
from ...structures.competing_phases import competing_phase
from .jobs import MagneticRelaxMaker, calculation_flow
from .settings import VaspSettings


def references_flow(formulas: Sequence[str], *, name: str, settings: VaspSettings, fields: dict[str, Any]) -> Flow:
    """Relax every oxide and fit the elements' energies.

    Parameters
    ----------
    formulas
        Oxides with a measured enthalpy of formation.
    name
        Of the flow.
    settings
        Those of the study: energies of other settings do not compare.
    fields
        Of the Makers, see `jobs.common_fields`.
    """
    maker = MagneticRelaxMaker(settings=settings, cell=True, **fields)
    relaxed = [calculation_flow(maker, competing_phase(f).build(), f"{name}: {f}", settings) for f in formulas]
    fit = fit_vasp_references(list(formulas), [flow.output for flow in relaxed])
    fit.name = name
    return Flow([*relaxed, fit], output=fit.output, name=name)


@job(name="fit references")
def fit_vasp_references(formulas: list[str], relaxed: list[Calculation]) -> SpeciesFit:
    """Element energies from oxides of one set of settings; outputs a `SpeciesFit`.

    Raises
    ------
    InvalidResultError
        If an oxide failed a guard.
    ValueError
        If the energies come from different functionals or U.
    """
    elements = sorted({str(e) for f in formulas for e in Composition(f).elements})
    enthalpies = {p.formula: p.formation_energy_eV for p in load_experimental_phases(elements)}
    compounds = []
    for formula, calculation in zip(formulas, relaxed, strict=True):
        require_valid(calculation.checks, calculation.name)
        units = len(calculation.structure) / Composition(formula).num_atoms
        compounds.append(
            CompoundEnergy(
                formula=formula,
                model_energy_eV=calculation.energy_eV / units,
                formation_energy_eV=enthalpies[formula],
                provenance=calculation.provenance,
            )
        )
    missed = {
        f: ", ".join(c.name for c in m.checks if c.passed is False) for f, m in zip(formulas, relaxed, strict=True)
    }
    return fit_species_energies(compounds, {formula: failed for formula, failed in missed.items() if failed})
