"""The embedded engine ``local``: rigid ions for energies, a ligand field for E(n). Seconds on a laptop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jobflow import job
from numpy.typing import NDArray

from ...analysis.anisotropy import AnisotropyMap
from ...analysis.document import Provenance
from ...calculators.ligand_field import LigandFieldParameters, cobalt_energies, cobalt_sites
from ...calculators.potentials import potential
from ...calculators.rigid_ion import RigidIonCalculator, model_charges, spread_charge
from ...structures.spins import is_non_collinear
from ..ase_jobs import AseEngine, plain, versions
from ..atoms import to_atoms
from ..engine import CannotDoError, Capability
from ..oxide_references import fit_references

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator
    from jobflow import Job
    from pymatgen.core import Structure

_LEFT_OUT = (
    "electrons: rigid ions with fixed valences, no polarisation, no charge transfer",
    "a missing charge is spread evenly over the cations other than the mover",
)
_LEFT_OUT_SPIN_ORBIT = (
    "only Co2+ contributes: Fe3+ (S state) and ions oxidised beside the vacancy are left out",
    "ligand-field parameters are declared, not computed; magnitudes hold to an order",
)


@dataclass
class LocalEngine(AseEngine):
    """Rigid ions (Pedone et al., 10.1021/jp0611018) and a Co2+ ligand field.

    Attributes
    ----------
    potential_name
        A pair potential of `calculators.potentials`.
    accuracy
        Relative accuracy of the Ewald sums.
    ligand_field
        Parameters of the Co2+ model.
    """

    name: ClassVar[str] = "local"
    tier: ClassVar[str] = "local"
    summary: ClassVar[str] = "rigid-ion energies and a Co2+ ligand field: seconds on a laptop, indicative numbers"

    blas_threads: ClassVar[int | None] = 1

    potential_name: str = "pedone"
    accuracy: float = 1e-6
    ligand_field: LigandFieldParameters = field(default_factory=LigandFieldParameters)

    def cannot(self) -> dict[Capability, str]:
        """Nothing is missing; what each result leaves out is in its provenance."""
        return {}

    def check(self, structure: Structure) -> None:
        """Refuse species without a potential."""
        atoms = to_atoms(structure)
        try:
            self.charges(atoms, None)
        except ValueError as error:
            raise CannotDoError(f"engine local cannot describe this material: {error}") from error

    def cannot_with(self, structure: Structure) -> dict[Capability, str]:
        """No anisotropy without Co2+, the only ion of the ligand field, or with moments that are no common axis."""
        if is_non_collinear(structure):
            reason = "its ligand field turns all spins together along one axis, and these moments are vectors"
            return {**self.cannot(), "spin_orbit": reason}
        if cobalt_sites(to_atoms(structure)):
            return self.cannot()
        return {**self.cannot(), "spin_orbit": "its ligand field is for Co2+ only, and this material has none"}

    def provenance(self, left_out: Sequence[str] = ()) -> Provenance:
        """Provenance with the potential, the bounds and the package versions."""
        return Provenance(
            engine=self.name,
            tier="local",
            functional=f"rigid ion, {self.potential_name}",
            settings={k: plain(v) for k, v in self.settings().items()},
            versions=versions("magnetoionics", "ase", "pymatgen", "vesin"),
            left_out=[*_LEFT_OUT, *left_out],
        )

    def charges(self, atoms: Atoms, mover: int | None) -> NDArray[np.float64]:
        """Model charges of a neutral cell: what is missing is spread over the cations but the mover."""
        model = potential(self.potential_name)
        charges = model_charges(atoms.get_chemical_symbols(), atoms.arrays["valence"], model)
        keep = atoms.arrays["valence"] < 0
        if mover is not None:
            keep[mover] = True
        return np.asarray(spread_charge(charges, keep))

    def formal_charges(self, atoms: Atoms, mover: int | None) -> NDArray[np.float64]:
        """Formal charges: model charges divided by the potential's charge scale."""
        return self.charges(atoms, mover) / potential(self.potential_name).charge_scale

    def make_calculator(self, atoms: Atoms, mover: int | None) -> Calculator:
        """A rigid-ion calculator for a neutral cell."""
        return RigidIonCalculator(
            self.potential_name,
            valences=atoms.arrays["valence"],
            charges=self.charges(atoms, mover),
            accuracy=self.accuracy,
        )

    def dipole_charges(self, atoms: Atoms, mover: int | None) -> tuple[NDArray[np.float64], str]:
        """Formal charges, which are close to Born charges in these oxides."""
        note = "formal charges (z = 2 for Co2+); the missing charge is spread over the other cations"
        return self.formal_charges(atoms, mover), note

    def spin_orbit(
        self,
        structure: Structure,
        *,
        directions: Sequence[Sequence[float]],
        state: str,
        name: str,
        near: Sequence[float] | None = None,
    ) -> Job:
        """Ligand-field E(n), summed over the Co2+ ions of the cell."""
        made = ligand_field_map(self, structure, directions=directions, state=state)
        made.name = name
        return made

    def references(self, formulas: Sequence[str], *, name: str) -> Job:
        """Element energies fitted to the experimental enthalpies of these oxides."""
        made = fit_references(self, list(formulas))
        made.name = name
        return made


@job
def ligand_field_map(
    engine: LocalEngine, structure: Structure, *, directions: Sequence[Sequence[float]], state: str
) -> AnisotropyMap:
    """E(n) in meV per cell; outputs an `AnisotropyMap`."""
    atoms = to_atoms(structure)
    vectors = np.asarray(directions, dtype=float)
    per_ion = cobalt_energies(atoms, engine.formal_charges(atoms, None), vectors, parameters=engine.ligand_field)
    total = 1000.0 * per_ion.sum(axis=0)
    return AnisotropyMap(
        state=state,
        directions=vectors.tolist(),
        energies_meV=[float(x) for x in total - total.min()],
        cell_volume_A3=float(structure.volume),
        formula_units=structure.composition["O"] / 4,
        ions=f"{len(per_ion)} Co2+",
        provenance=engine.provenance(_LEFT_OUT_SPIN_ORBIT),
    )


ENGINE = LocalEngine
