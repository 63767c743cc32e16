"""A gap between metals: how fast a current decays in the oxide, and how the metals' electrons are polarised."""

from __future__ import annotations

from typing import Any

import numpy as np
from magnetoionics.analysis.device.complex_bands import decay_constant_per_A, hopping_blocks
from magnetoionics.structures.cells.binary_oxides import wurtzite
from magnetoionics.structures.hosts.zn095co005o import LATTICE_A, LATTICE_C_A, OXYGEN_U
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure

FloatArray = NDArray[np.float64]
# Edges (Angstrom) at room temperature and moments to start from (muB), general literature.
METALS: dict[str, tuple[Structure, float]] = {
    "Fe": (Structure(Lattice(1.4330 * (np.ones((3, 3)) - 2 * np.eye(3))), ["Fe"], [[0, 0, 0]]), 2.3),
    "Co": (Structure(Lattice.hexagonal(2.507, 4.069), ["Co"] * 2, [[1 / 3, 2 / 3, 1 / 4], [2 / 3, 1 / 3, 3 / 4]]), 1.7),
    "Ni": (Structure(Lattice(1.7620 * (np.ones((3, 3)) - np.eye(3))), ["Ni"], [[0, 0, 0]]), 0.7),
}
# The denser mesh says what the other is worth.
MESHES = (16, 24)
# U (eV) on d of Zn and p of O: none, on Zn alone as for its d levels, and a pair in use for the measured gap
# (10.1021/ja1101932).
ZINC_OXIDE_U_eV: dict[str, dict[str, float]] = {"": {}, "u10": {"Zn": 10.0}, "u12": {"Zn": 12.0, "O": 6.5}}
# Along the c axis, where the cell is longest: blocks of the third neighbour are nothing.
POINTS = 7
SHARES_OF_GAP = tuple(float(x) for x in np.linspace(0.1, 0.9, 9).round(1))


def metal(element: str) -> Structure:
    """Primitive cell of one of `METALS`."""
    structure, moment = METALS[element]
    cell = structure.copy()
    cell.add_site_property("magmom", [moment] * len(cell))
    return cell


def zinc_oxide() -> Structure:
    """Wurtzite ZnO as measured."""
    cell = wurtzite("Zn", LATTICE_A, LATTICE_C_A, OXYGEN_U)
    cell.add_site_property("magmom", [0.0] * len(cell))
    return cell


def density_of_states(calculator: Any, atoms: int) -> dict[str, float | list[float]]:
    """States at the Fermi level of both spins, 1/(eV atom), by linear tetrahedra."""
    curves = calculator.dos()
    return {
        f"states_{name}_per_eV": float(curves.raw_dos(np.array([0.0]), spin=spin, width=0.0)[0]) / atoms
        for spin, name in enumerate(("up", "down"))
    }


def decay(calculator: Any, period_A: float) -> dict[str, float | list[float]]:
    """Gap and slowest decay at `SHARES_OF_GAP` above the valence edge, k = 0 across; in atomic orbitals."""
    from gpaw.lcao.tools import get_lcao_hamiltonian

    mesh = np.arange(POINTS) - POINTS // 2
    fixed = calculator.fixed_density(kpts=[[0.0, 0.0, k / POINTS] for k in mesh], symmetry="off", txt=None)
    hamiltonian, overlap = get_lcao_hamiltonian(fixed)
    fractions = fixed.get_ibz_k_points()[:, 2]
    levels = np.array([fixed.get_eigenvalues(kpt=k) for k in range(POINTS)])
    filled = round(fixed.get_number_of_electrons()) // 2
    valence, conduction = float(levels[:, filled - 1].max()), float(levels[:, filled].min())
    # The eigenvalues are those of H and S, unless they have another zero of energy.
    blocks, overlaps = hopping_blocks(hamiltonian[0], fractions), hopping_blocks(overlap, fractions)
    kappas = [
        decay_constant_per_A(blocks, overlaps, period_A, valence + share * (conduction - valence))
        for share in SHARES_OF_GAP
    ]
    return {"gap_eV": conduction - valence, "shares_of_gap": list(SHARES_OF_GAP), "decay_per_A": kappas}
