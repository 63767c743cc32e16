"""Size corrections of vacancies whose charge an ASE engine spreads over the cell."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

import numpy as np
from jobflow import job
from numpy.typing import NDArray

from ...analysis.defects.size_correction import SizeCorrection, size_correction
from ...analysis.results.calculation import Calculation, require_valid
from ...calculators.spread_charge import sharing_excess_eV, spread_interaction_eV, static_permittivity
from ...structures.cells.supercell import supercell
from ...structures.defects.vacancies import same_site_in
from .atoms import to_atoms

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator


class SmearingEngine(Protocol):
    """What a correction needs of an engine that smears a missing charge over the cell."""

    charge_mode: str

    def bare_charges(self, atoms: Atoms) -> NDArray[np.float64]:
        """Charges of the ions as they are, nothing spread."""

    def make_calculator(self, atoms: Atoms, mover: int | None) -> Calculator:
        """Calculator of a cell."""

    def quiet(self) -> AbstractContextManager[object]:
        """Where calculations run."""


@job(name="size corrections")
def correct_for_size(
    engine: SmearingEngine, bulk: Calculation, repeats: tuple[int, int, int], sites: Sequence[int]
) -> list[SizeCorrection]:
    """One correction per site of the relaxed ordered cell, in the order given.

    Raises
    ------
    InvalidResultError
        If the host failed a guard.
    """
    require_valid(bulk.checks, bulk.name)
    with engine.quiet():
        atoms = to_atoms(bulk.structure)
        atoms.calc = engine.make_calculator(atoms, None)
        charges = engine.bare_charges(atoms)
        permittivity = static_permittivity(atoms, charges).tolist()
        cations = np.flatnonzero(atoms.arrays["valence"] > 0)
        big = supercell(bulk.structure, (repeats[0], repeats[1], repeats[2]))
        all_cations = np.flatnonzero(np.array(big.site_properties["valence"]) > 0)
        lattice = big.lattice.matrix
        size_corrections = []
        for site in sites:
            charge = float(charges[site])
            if engine.charge_mode == "background":
                size_corrections.append(size_correction(charge, lattice.tolist(), permittivity))
                continue
            index = same_site_in(big, bulk.structure, site)
            carriers = all_cations[all_cations != index]
            size_corrections.append(
                size_correction(
                    charge,
                    lattice.tolist(),
                    permittivity,
                    interaction_eV=spread_interaction_eV(lattice, big.cart_coords, index, charge, carriers),
                    excess_eV=sharing_excess_eV(
                        atoms.cell.array, atoms.positions, charges, site, cations, len(carriers)
                    ),
                )
            )
    return size_corrections
