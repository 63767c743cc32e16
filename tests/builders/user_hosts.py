"""Cobalt ferrite as a user would write it, for the tests of host files."""

from typing import Any

from ase import Atoms
from pymatgen.core import Structure

ROLES: list[dict[str, Any]] = [
    {"element": "Fe", "coordination": 4, "sublattice": "A", "valence": 3},
    {"element": "Fe", "coordination": 6, "sublattice": "B", "valence": 3},
    {"element": "Co", "sublattice": "B", "valence": 2},
    {"element": "O", "sublattice": "O", "valence": -2},
]
CO_HOP = {"ion": "Co", "from_sublattice": "B", "vacancy_element": "Fe", "vacancy_sublattice": "B", "cutoff_A": 3.3}
ENTRIES: dict[str, Any] = {
    "formula": "CoFe2O4",
    "structures": {"measured": "mine.cif"},
    "roles": ROLES,
    "spin_sense": {"A": -1, "B": 1},
    "moment_per_formula_muB": 3.0,
    "anions_per_formula": 4,
    "vacancies": [["Fe", "B"]],
    "hops": [CO_HOP],
    "gap_eV": 1.5,
}


def bare_atoms(cell: Structure) -> Atoms:
    """Elements, places and cell alone: some of ase's writers stumble over anything more."""
    return Atoms([s.specie.symbol for s in cell], cell.cart_coords, cell=cell.lattice.matrix, pbc=True)
