"""Maghemite, gamma-Fe2O3: spinel Fe[Fe5/3 vac1/3]O4 with ordered octahedral vacancies.

One B site in four (the Li sites of LiFe5O8, P4_332) holds Fe to one third. The full order triples
the cube along one axis, P4_12_12 or its mirror image: going up, every third of these sites is
filled. The same order was the lowest found by R. Grau-Crespo et al., 10.1088/0953-8984/22/25/255401.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from pymatgen.core import Structure

from ..cells.spinel import parent_spinel
from ..elements import pbe_hubbard_U_eV
from ..host_definition import HopKind, Host
from ..symmetry import space_group_number

LATTICE_A = 8.347
OXYGEN_U = 0.381
_TRIPLE = 3
_CUBIC_PAIR = (212, 213)
_TETRAGONAL_PAIR = (92, 96)


def _one_in_four(cell: Structure) -> list[int]:
    """Four B sites of the cube, one per (001) layer, whose order has the space group P4_332 or P4_132."""
    b_sites = [i for i, s in enumerate(cell) if s.properties["sublattice"] == "B"]
    for rest in combinations(b_sites[1:], 3):
        chosen = [b_sites[0], *rest]
        if any(cell.get_distance(i, j) < 0.6 * cell.lattice.a for i, j in combinations(chosen, 2)):
            continue
        marked = cell.copy()
        for i in chosen:
            marked.replace(i, "Ar")
        if space_group_number(marked) in _CUBIC_PAIR:
            return chosen
    raise RuntimeError("the B sites of the cube have no 1:3 order of space group P4_332")


def _build(order: str) -> Structure:
    parent = parent_spinel(LATTICE_A, OXYGEN_U)
    chosen = set(_one_in_four(parent))
    parent.add_site_property("partial", [i in chosen for i in range(len(parent))])
    parent.make_supercell((1, 1, _TRIPLE), to_unit_cell=True)
    partial = [i for i, s in enumerate(parent) if s.properties["partial"]]
    upwards = sorted(partial, key=lambda i: float(parent[i].frac_coords[2]))
    for start in range(_TRIPLE):
        empty = set(upwards) - set(upwards[start::_TRIPLE])
        sites = [s for i, s in enumerate(parent) if i not in empty]
        labels = [str(s.properties["sublattice"]) for s in sites]
        built = Structure(
            parent.lattice,
            ["O" if label == "O" else "Fe" for label in labels],
            np.array([s.frac_coords for s in sites]),
            site_properties={"sublattice": labels, "valence": [-2.0 if label == "O" else 3.0 for label in labels]},
        )
        if space_group_number(built) in _TETRAGONAL_PAIR:
            return built
    raise RuntimeError(f"no arrangement of the vacancies has the space group of order {order}")


HOST = Host(
    key="gamma_fe2o3",
    title="maghemite",
    formula="Fe2O3",
    build_cell=_build,
    orders=("P4_12_12",),
    spin_sense={"A": -1, "B": 1},
    moment_per_formula_muB=2.5,
    anions_per_formula=3,
    cubic_parent=True,
    no_window="tabulated Fe2O3 is hematite; maghemite is metastable, and its own enthalpy is not in the table",
    vacancies=(("Fe", "A"), ("Fe", "B"), ("O", "O")),
    hops=(HopKind("Fe", "B", "Fe", "B", cutoff_A=3.3),),
    references=("FeO", "Fe3O4", "Fe2O3"),
    hubbard_U_eV=pbe_hubbard_U_eV("Fe"),
    gap_eV=2.0,
    claims=("C15",),
    sources={
        "a": "8.347 A, c = 3 a, general literature, room temperature; known well",
        "u": "0.381 in the -43m origin on ideal spinel positions, which ignore the vacancies: relax before use",
        "order": "lowest of the enumerated vacancy orders, Grau-Crespo et al., 10.1088/0953-8984/22/25/255401",
        "stability": "metastable against hematite: its formation energies have no stability window",
        "U": "Materials Project value, fitted for PBE: Fe 5.3 eV",
        "gap": "about 2.0 eV, optical, general literature",
        "moment": "Neel's collinear model: 2.5 muB per Fe2O3",
    },
)
