"""Ordered cells of maghemite with lithium: iron on A, or moved to the octahedra 16c so that no tetrahedron is filled.

Three primitive cells of spinel are the smallest with whole ions: Fe16O24 with two of twelve octahedra 16d empty.
Lithium fills these first. The rest goes to 16c, or to 16c and the tetrahedra 8b, which share faces with cations, where
iron stays on A. Of each content the orders of the lowest energies of point charges are relaxed by a cheap engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
from magnetoionics.structures.cells.spinel import parent_spinel
from magnetoionics.structures.hosts.gamma_fe2o3 import LATTICE_A, OXYGEN_U
from numpy.typing import NDArray
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.core import Structure

# Lithium in eight Fe2O3, and how many of the six iron ions of A moved to 16c. With eight Li CHGNet keeps all on A in no
# order of none, one or two Li on 8b: lithium on the shared faces drives two or more of them out.
STARTS = {
    "magh": (0, 0),
    "magh4": (4, 0),
    "magh4some": (4, 2),
    "magh4moved": (4, 6),
    "magh8some": (8, 2),
    "magh8moved": (8, 6),
}
# What calculations of them are called where moved iron is parallel to that of B, and on the denser mesh.
ALONG, DENSER = "along", "k211"
TURNED = ("magh4moved", "magh8moved")
# The pair that is repeated on it.
REPEATED = ("magh", "magh8moved")
METAL = "limetal"
# Bcc Li at room temperature, general literature.
LITHIUM_A = 3.51
MOMENT_muB = 5.0
# Sense of each sublattice: by Neel on A and B, and on 16c, whose oxygens lie between it and 16d in line.
SENSES = {"A": -1.0, "B": 1.0, "C": -1.0}
# Of the three lattices with three primitive cells that with the shortest longest edge.
_EDGES = ((1, 0, 0), (0, 1, 1), (0, 0, 3))
_ELEMENTS = {"A": "Fe", "B": "Fe", "O": "O"}
_IRON, _ON_A = 16, 6
_TETRAHEDRON, _BOND_A = 4, 2.5
_CANDIDATES = 2
_SAME_eV = 1e-3
_BLOCK = 1000


def places() -> Structure:
    """Every place of three primitive cells as iron or oxygen: 8a (A), 16d (B), 16c (C), 8b (T) and O."""
    cell = parent_spinel(LATTICE_A, OXYGEN_U)
    for key, empty in (("B", "C"), ("A", "T")):
        for site in [s for s in cell if s.properties["sublattice"] == key]:
            # Half a cube apart along the diagonal lie the empty octahedra and tetrahedra.
            cell.append("Fe", (site.frac_coords + 0.5) % 1.0, properties={"sublattice": empty})
    for i, site in enumerate(cell):
        cell.replace(i, _ELEMENTS.get(site.properties["sublattice"], "Fe"), properties=site.properties)
    cell = cell.get_primitive_structure(use_site_props=True, tolerance=0.05)
    cell.make_supercell(_EDGES)
    return cell.get_reduced_structure("niggli")


def maghemite_cells(start: str) -> list[Structure]:
    """Candidates of one of `STARTS`, nothing relaxed: the lowest by point charges for each share of lithium on 8b."""
    lithium, moved = STARTS[start]
    cell = places()
    labels = np.array(cell.site_properties["sublattice"])
    energies = _unit_energies(cell)
    of = {key: np.flatnonzero(labels == key).tolist() for key in "ABCTO"}
    charged = np.zeros(len(cell))
    charged[of["O"]] = -2.0
    orders = []
    for empty in _lowest(energies, _vacant(charged, of), 1 if lithium else _CANDIDATES + 1):
        if not lithium:
            orders.append(empty)
            continue
        vacant = [i for i in of["B"] if empty[i] == 0.0]
        filled = _reduced(empty, of, lithium, moved)
        filled[vacant] = 1.0
        if moved:
            orders += _lowest(energies, _with_moved(filled, of, moved, lithium - len(vacant)), _CANDIDATES)
            continue
        for on_8b in range(min(lithium - len(vacant), len(of["T"])) + 1):
            orders += _lowest(energies, _with_lithium(filled, of, lithium - len(vacant) - on_8b, on_8b), 1)
    return [_cell(cell, labels, order) for order in orders]


def lithium() -> Structure:
    """Bcc Li, one atom, as measured."""
    return Structure(
        [
            [-LITHIUM_A / 2, LITHIUM_A / 2, LITHIUM_A / 2],
            [LITHIUM_A / 2, -LITHIUM_A / 2, LITHIUM_A / 2],
            [LITHIUM_A / 2, LITHIUM_A / 2, -LITHIUM_A / 2],
        ],
        ["Li"],
        [[0.0, 0.0, 0.0]],
        site_properties={"magmom": [0.0], "valence": [0.0], "sublattice": ["Li"]},
    )


def with_moved_along(cell: Structure) -> Structure:
    """Copy in which iron on 16c begins parallel to that on 16d."""
    out = cell.copy()
    for site in out:
        if site.properties["sublattice"] == "C":
            site.properties["magmom"] = abs(site.properties["magmom"])
    return out


def stayed(made: Structure, start: str) -> bool:
    """Whether all iron of A that should be there still has four oxygens."""
    iron = [s for s in made if s.specie.symbol == "Fe" and s.properties["sublattice"] == "A"]
    near = [sum(n.specie.symbol == "O" for n in made.get_neighbors(s, _BOND_A)) for s in iron]
    return near == [_TETRAHEDRON] * (_ON_A - STARTS[start][1])


def _unit_energies(cell: Structure) -> NDArray[np.float64]:
    """Energies of unit charges, eV, shape (n, n)."""
    charged = cell.copy()
    charged.add_oxidation_state_by_site([1.0] * len(cell))
    return np.asarray(EwaldSummation(charged).total_energy_matrix)


def _vacant(charged: NDArray[np.float64], of: dict[str, list[int]]) -> Iterable[NDArray[np.float64]]:
    """Charges of Fe16O24 with two of the octahedra 16d empty, every way."""
    filled = charged.copy()
    filled[of["A"] + of["B"]] = 3.0
    for empty in combinations(of["B"], len(of["A"]) + len(of["B"]) - _IRON):
        order = filled.copy()
        order[list(empty)] = 0.0
        yield order


def _reduced(order: NDArray[np.float64], of: dict[str, list[int]], lithium: int, moved: int) -> NDArray[np.float64]:
    """The electrons of lithium spread over all iron that ends in an octahedron."""
    out = order.copy()
    iron = [i for i in of["B"] if order[i] > 0.0]
    out[iron] = 3.0 - lithium / (len(iron) + moved)
    return out


def _with_moved(
    filled: NDArray[np.float64], of: dict[str, list[int]], moved: int, lithium: int
) -> Iterable[NDArray[np.float64]]:
    """So many iron ions of A and the rest of lithium on 16c, every way."""
    iron_e = filled[of["B"]].max()
    for left in combinations(of["A"], moved):
        for iron in combinations(of["C"], moved):
            rest = [i for i in of["C"] if i not in iron]
            for octahedra in combinations(rest, lithium):
                order = filled.copy()
                order[list(left)], order[list(iron)], order[list(octahedra)] = 0.0, iron_e, 1.0
                yield order


def _with_lithium(
    filled: NDArray[np.float64], of: dict[str, list[int]], on_16c: int, on_8b: int
) -> Iterable[NDArray[np.float64]]:
    """The rest of lithium on 16c and 8b, every way."""
    for octahedra in combinations(of["C"], on_16c):
        for tetrahedra in combinations(of["T"], on_8b):
            order = filled.copy()
            order[[*octahedra, *tetrahedra]] = 1.0
            yield order


def _lowest(
    energies: NDArray[np.float64], orders: Iterable[NDArray[np.float64]], count: int
) -> list[NDArray[np.float64]]:
    """So many orders of the lowest energies of point charges, one of each energy."""
    each = np.array(list(orders))
    blocks = [each[i : i + _BLOCK] for i in range(0, len(each), _BLOCK)]
    found = np.concatenate([np.einsum("ni,ij,nj->n", block, energies, block, optimize=True) for block in blocks])
    kept: list[int] = []
    for i in np.argsort(found, kind="stable"):
        if not kept or found[i] - found[kept[-1]] > _SAME_eV:
            kept.append(int(i))
        if len(kept) == count:
            break
    return [each[i] for i in kept]


def _cell(cell: Structure, labels: NDArray[np.str_], order: NDArray[np.float64]) -> Structure:
    """The cell with charges other than zero filled: 1 is lithium, all others iron or oxygen."""
    kept = np.flatnonzero(order)
    species = ["O" if order[i] < 0 else "Li" if order[i] == 1.0 else "Fe" for i in kept]
    return Structure(
        cell.lattice,
        species,
        cell.frac_coords[kept],
        site_properties={
            "sublattice": [str(labels[i]) for i in kept],
            "valence": [float(order[i]) for i in kept],
            "magmom": [
                SENSES[str(labels[i])] * MOMENT_muB if element == "Fe" else 0.0
                for i, element in zip(kept, species, strict=True)
            ],
        },
    )
