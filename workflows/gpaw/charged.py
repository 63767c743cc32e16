"""Charged cells by GPAW: energy in a homogeneous background, band edges, potentials at the ions and on planes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from jobflow import job
from pymatgen.core import Structure

from ...analysis.defects.charge_corrections import PlanarPotential, SitePotentials
from ...analysis.defects.charged_cells import ChargedCell, counted_states
from ..ase.atoms import to_atoms
from ..ase.jobs import calculation, relax_structure
from ..jobs.outputs import function_of
from .calculator import GpawCalculator
from .observe import edges_eV, levels_eV, occupations
from .settings import GpawSettings, image_charge_note

if TYPE_CHECKING:
    from ..ase.jobs import AseEngine


@job
def charged_cell(engine: AseEngine, structure: Structure, charge: int, *, relax: bool, name: str) -> ChargedCell:
    """Relax the ions if asked, then a single point with potentials; outputs a `ChargedCell`."""
    settings = cast(GpawSettings, vars(engine)["dft"])
    charged = cast("AseEngine", replace(cast(Any, engine), dft=replace(settings, charge=float(charge))))
    checks = []
    if relax:
        relaxed = function_of(relax_structure)(charged, structure, name=f"{name} relax", cell=False, mover=None)
        structure, checks = relaxed.structure, relaxed.checks
    atoms = to_atoms(structure)
    atoms.calc = charged.make_calculator(atoms, None)
    with charged.quiet():
        done = calculation(charged, atoms, structure, name, 1, None)
        live = cast(GpawCalculator, atoms.calc).converged(atoms)
        # GPAW gives the potential energy of an electron.
        at_ions = -np.asarray(live.get_atomic_electrostatic_potentials(), dtype=float)
        local = np.asarray(live.get_electrostatic_potential(), dtype=float)
    highest, lowest = edges_eV(live)
    levels, shares = levels_eV(live)
    energies, states = counted_states(levels, shares)
    filled = counted_states(levels, shares * occupations(live))[1]
    source = done.provenance.model_copy(
        update={"left_out": [note for note in done.provenance.left_out if note != image_charge_note(charge)]}
    )
    names = {c.name for c in done.checks}
    return ChargedCell(
        calculation=done.model_copy(
            update={"checks": [*done.checks, *(c for c in checks if c.name not in names)], "provenance": source}
        ),
        charge=charge,
        site_potentials=SitePotentials(structure=done.structure, potentials_V=[float(x) for x in at_ions]),
        planes=PlanarPotential(
            lattice_A=structure.lattice.matrix.tolist(),
            averages_eV=[
                [float(x) for x in local.mean(axis=tuple(a for a in range(3) if a != axis))] for axis in range(3)
            ],
        ),
        vbm_eV=highest,
        cbm_eV=lowest,
        dos_energies_eV=energies,
        dos_states_per_eV=states,
        dos_filled_per_eV=filled,
    )
