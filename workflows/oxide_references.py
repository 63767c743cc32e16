"""Element references for every ASE engine: its own oxides against measured enthalpies, no metal and no molecule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobflow import job
from pymatgen.core import Composition

from ..analysis.phases import load_experimental_phases
from ..analysis.references import CompoundEnergy, SpeciesFit, fit_species_energies
from ..structures.competing import competing_phase
from ..structures.oxides import reference_phase, reference_phases
from .ase_jobs import relax_cell
from .atoms import to_atoms

if TYPE_CHECKING:
    from .ase_jobs import AseEngine


@job
def fit_references(engine: AseEngine, formulas: list[str], *, spins: bool = False) -> SpeciesFit:
    """Relax each oxide and fit element energies to enthalpies; outputs a `SpeciesFit`.

    Only oxides enter, so an engine whose energies of metals and oxides must not be mixed is not asked to.

    Parameters
    ----------
    engine
        Computes every oxide, with the settings of the host.
    formulas
        Those without a known structure are left out.
    spins
        Start from the magnetic order of each oxide.
    """
    known = [f for f in formulas if f in reference_phases()]
    elements = sorted({str(e) for f in known for e in Composition(f).elements})
    enthalpies = {p.formula: p.formation_energy_eV for p in load_experimental_phases(elements)}
    return fit_species_energies([_compound(engine, f, enthalpies[f], spins) for f in known])


def _compound(engine: AseEngine, formula: str, enthalpy_eV: float, spins: bool) -> CompoundEnergy:
    atoms = to_atoms(competing_phase(formula).build() if spins else reference_phase(formula))
    atoms.calc = engine.make_calculator(atoms, None)
    with engine.quiet():
        engine.before_cell(atoms)
        relax_cell(engine, atoms)
    units = len(atoms) / Composition(formula).num_atoms
    return CompoundEnergy(
        formula=formula,
        model_energy_eV=float(atoms.get_potential_energy()) / units,
        formation_energy_eV=enthalpy_eV,
        provenance=engine.provenance(),
    )
