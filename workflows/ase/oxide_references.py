"""Element references for every ASE engine: its own oxides against measured enthalpies, no metal and no molecule.

Without oxygen its own fluorides, sulfides or nitrides, with the metals and N2 where no U stands between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobflow import job
from pymatgen.core import Composition, Structure

from ...analysis.results.calculation import require_valid
from ...analysis.thermodynamics.phases import load_experimental_phases
from ...analysis.thermodynamics.references import CompoundEnergy, SpeciesFit, fit_species_energies
from ...structures.cells.binary_oxides import reference_phase, reference_phases
from ...structures.cells.reference_salts import SALTS
from ...structures.competing_phases import competing_phase
from ..evaluation.checkpoint import Checkpoint, checkpoint
from .atoms import to_atoms
from .jobs import relax_cell

if TYPE_CHECKING:
    from .jobs import AseEngine


@job
def fit_references(engine: AseEngine, formulas: list[str], *, spins: bool = False) -> SpeciesFit:
    """Relax each oxide (or salt, see the module) and fit element energies to enthalpies; outputs a `SpeciesFit`.

    For an oxide only oxides enter, so an engine whose energies of metals and oxides must not be mixed is not asked to.

    Parameters
    ----------
    engine
        Computes every oxide, with the settings of the host.
    formulas
        Those without a known structure are left out.
    spins
        Start from the magnetic order of each oxide, and hold its moments.

    Raises
    ------
    InvalidResultError
        If an oxide lost its magnetic order.
    """
    known = [f for f in formulas if f in reference_phases()]
    elements = sorted({str(e) for f in known for e in Composition(f).elements})
    # Of metals and gases it is zero by definition; an oxide without a tabulated one has nothing to be fitted to.
    enthalpies = {f: 0.0 for f in known if len(Composition(f)) == 1}
    enthalpies |= {p.formula: p.formation_energy_eV for p in load_experimental_phases(elements)}
    known = [f for f in known if f in enthalpies]
    with engine.quiet(), checkpoint(engine, *known, spins) as record:
        compounds = {f: _compound(engine, f, enthalpies[f], spins, record) for f in known}
    missed = {f: failed for f, (_, failed) in compounds.items() if failed}
    return fit_species_energies([compound for compound, _ in compounds.values()], missed)


def _with_spins(formula: str) -> Structure:
    """The ordered start of a competing phase; salts bring their own."""
    return reference_phase(formula) if formula in SALTS else competing_phase(formula).build()


def _compound(
    engine: AseEngine, formula: str, enthalpy_eV: float, spins: bool, record: Checkpoint
) -> tuple[CompoundEnergy, str]:
    """The oxide's energy, and the checks that its relaxation failed."""
    atoms = to_atoms(_with_spins(formula) if spins else reference_phase(formula))
    atoms.calc = record.attach(engine.make_cell_calculator(atoms))
    engine.before_cell(atoms, record)
    relaxed = relax_cell(engine, atoms)
    energy = float(atoms.get_potential_energy())
    if spins:
        require_valid(engine.observe(atoms).checks, f"the reference oxide {formula}")
    units = len(atoms) / Composition(formula).num_atoms
    compound = CompoundEnergy(
        formula=formula,
        model_energy_eV=energy / units,
        formation_energy_eV=enthalpy_eV,
        provenance=engine.provenance(),
    )
    return compound, "" if relaxed.passed else f"{relaxed.name}: {relaxed.value:.2g} {relaxed.unit}"
