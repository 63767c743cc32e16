"""A user's ASE calculator: formal charges screened at a cutoff, and Born-Mayer repulsion of the oxygen."""

import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from scipy.special import erfc
from vesin import ase_neighbor_list

COULOMB_eV_A = 14.399645
CHARGES_e = {"Li": 1.0, "Co": 2.5, "Fe": 2.75, "O": -2.0}
# A in eV and rho in Angstrom of the pair with oxygen: of the kind of 10.1088/0022-3719/18/6/010, for these charges.
REPULSION = {
    "Li": (262.5, 0.3476),
    "Mg": (1428.5, 0.2945),
    "Co": (1300.0, 0.3050),
    "Fe": (1102.4, 0.3250),
    "O": (22764.0, 0.149),
}


class ScreenedIons(Calculator):
    """Damped shifted-force Coulomb sum (10.1063/1.2206581) and Born-Mayer terms, in an even background."""

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, cutoff_A=5.5, damping_per_A=0.3):
        super().__init__()
        self.cutoff, self.damping = cutoff_A, damping_per_A

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """Energy in eV, forces in eV/A, stress in eV/A3."""
        super().calculate(atoms, properties, system_changes)
        symbols = atoms.get_chemical_symbols()
        charges = np.array([CHARGES_e[s] for s in symbols])
        charges = charges - charges.mean()
        i, j, r, vectors = ase_neighbor_list("ijdD", atoms, self.cutoff)
        screened, slope = self._screened(r)
        edge, edge_slope = self._screened(np.array([self.cutoff]))
        product = COULOMB_eV_A * charges[i] * charges[j]
        pair = product * (screened - edge - edge_slope * (r - self.cutoff))
        force = product * (slope - edge_slope)
        oxygen = np.array([s == "O" for s in symbols])
        for element, (size, length) in REPULSION.items():
            own = np.array([s == element for s in symbols])
            here = own[i] & oxygen[j] | oxygen[i] & own[j]
            wall = size * np.exp(-r[here] / length)
            pair[here] += wall - size * np.exp(-self.cutoff / length)
            force[here] -= wall / length
        pulls = force[:, None] * vectors / r[:, None]
        forces = np.zeros((len(atoms), 3))
        np.add.at(forces, i, pulls)
        stress = 0.5 * np.einsum("pa,pb->ab", pulls, vectors) / atoms.get_volume()
        self.results = {"energy": float(pair.sum() / 2), "forces": forces, "stress": stress.flat[[0, 4, 8, 5, 2, 1]]}

    def _screened(self, r):
        """erfc(a r)/r and its derivative."""
        value = erfc(self.damping * r) / r
        gauss = 2 * self.damping / np.sqrt(np.pi) * np.exp(-((self.damping * r) ** 2)) / r
        return value, -value / r - gauss
