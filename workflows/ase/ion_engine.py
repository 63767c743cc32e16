"""ASE engines on whose ions a uniform field acts by effective charges: charges, work and neutral cells."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...calculators.field import UniformFieldCalculator
from ...calculators.rigid_ion import spread_charge
from ..band.ends import Mover, movers_of
from ..engine import CannotDoError
from .jobs import AseEngine
from .oxide_references import fit_references

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator
    from jobflow import Job
    from pymatgen.core import Structure


@dataclass
class IonEngine(AseEngine):
    """An ASE calculator without spin-orbit coupling, with charges for the work of a field.

    Attributes
    ----------
    born_charges
        Effective charge (e) by element for the work of a field; formal valences if None. What is missing for
        neutrality is spread over the cations but the mover.
    field_V_per_A
        Uniform internal field that acts on these charges, V/Angstrom; needs a fixed cell.
    """

    born_charges: dict[str, float] | None = None
    field_V_per_A: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @abstractmethod
    def bare_calculator(self) -> Calculator:
        """The calculator without a field."""

    def check(self, structure: Structure) -> None:
        """Refuse an element without a Born charge, where Born charges were given."""
        absent = sorted({s.specie.symbol for s in structure} - set(self.born_charges or ()))
        if self.born_charges is not None and absent:
            raise CannotDoError(f"born_charges has no entry for {', '.join(absent)}; give one per element")

    def charges(self, atoms: Atoms, mover: Mover | None) -> NDArray[np.float64]:
        """Charges on which a field acts, e, shape (n,), adding up to zero."""
        valence = np.asarray(atoms.arrays.get("valence", np.zeros(len(atoms))), dtype=float)
        given = self.born_charges
        bare = valence if given is None else np.array([given[s] for s in atoms.get_chemical_symbols()])
        if not bare.any():
            return bare
        keep = valence < 0
        if mover is not None:
            keep[movers_of(mover)] = True
        return np.asarray(spread_charge(bare, keep))

    def relax(self, structure: Structure, *, name: str, cell: bool = False, mover: int | None = None) -> Job:
        """See `Engine.relax`; a moving cell in a field is refused, for the stress lacks the field's part."""
        if cell and any(self.field_V_per_A):
            raise CannotDoError("the cell cannot relax in a field: relax it at field zero, then the ions in the field")
        return super().relax(structure, name=name, cell=cell, mover=mover)

    def make_calculator(self, atoms: Atoms, mover: Mover | None) -> Calculator:
        """The calculator, in the engine's field if there is one; the field's energy is zero at `atoms`."""
        bare = self.bare_calculator()
        if not any(self.field_V_per_A):
            return bare
        return UniformFieldCalculator(bare, self.field_V_per_A, self.charges(atoms, mover), atoms.positions)

    def dipole_charges(self, atoms: Atoms, mover: Mover | None) -> tuple[NDArray[np.float64], str]:
        """Formal or supplied Born charges."""
        what = "formal charges" if self.born_charges is None else "Born charges supplied by element"
        return self.charges(atoms, mover), f"{what}; the missing charge is spread over the cations but the mover"

    def spin_orbit(
        self,
        structure: Structure,
        *,
        directions: Sequence[Sequence[float]],
        state: str,
        name: str,
        near: Sequence[float] | None = None,
    ) -> Job:
        """Refused: see `cannot`."""
        self.require("spin_orbit")
        raise AssertionError("unreachable: require refuses")

    def references(self, formulas: Sequence[str], *, name: str) -> Job:
        """Element energies fitted to the experimental enthalpies of these oxides, never to a metal."""
        job = fit_references(self, list(formulas))
        job.name = name
        return job
