"""A user's ASE calculator of fluorides: `screened_ions` with fluorine in the place of oxygen."""

from ase.calculators.calculator import all_changes
from screened_ions import ScreenedIons


class ScreenedFluorides(ScreenedIons):
    """The same forces between the same kinds of ions; only which element is the anion differs."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """Energy in eV, forces in eV/A, stress in eV/A3."""
        as_oxide = atoms.copy()
        as_oxide.set_chemical_symbols(["O" if s == "F" else s for s in atoms.get_chemical_symbols()])
        super().calculate(as_oxide, properties, system_changes)
        self.atoms = atoms.copy()
