"""Lithium ferrite, LiFe5O8 = 2 Li0.5Fe2.5O4: spinel with Li and Fe ordered 1:3 on B, P4_332.

The internal coordinates are solved from six published bond lengths, which fix them exactly: the
refinement's own coordinates were not at hand. `BOND_LENGTHS_A` keeps the input for the test.
"""

from __future__ import annotations

from pymatgen.core import Lattice, Structure

from ..elements import pbe_hubbard_U_eV
from ..host_definition import HopKind, Host
from ..space_groups import crystal

LATTICE_A = 8.3339
BOND_LENGTHS_A = {
    "Fe(A)-O, three": 1.8848,
    "Fe(A)-O, one": 1.9140,
    "Fe(B)-O, short pair": 1.9586,
    "Fe(B)-O, middle pair": 2.0152,
    "Fe(B)-O, long pair": 2.0652,
    "Li(B)-O, six": 2.1090,
}
_FE_8C = -0.0019513
_FE_12D_Y = 0.3678403
_O_8C = 0.3845481
_O_24E = (0.1166102, 0.1277671, 0.3838972)
_LI_4B = 0.625


def _build(order: str) -> Structure:
    coords = [[_FE_8C] * 3, [0.125, _FE_12D_Y, 0.25 - _FE_12D_Y], [_LI_4B] * 3, [_O_8C] * 3, list(_O_24E)]
    if order == "P4_132":
        coords = [[-x for x in position] for position in coords]
    # Dummy names keep the two kinds of Fe and of O apart until the roles are written down.
    cell = crystal(order, Lattice.cubic(LATTICE_A), ["He", "Ne", "Ar", "Kr", "Xe"], coords)
    role = {"He": ("Fe", "A", 3.0), "Ne": ("Fe", "B", 3.0), "Ar": ("Li", "B", 1.0)}
    roles = [role.get(site.specie.symbol, ("O", "O", -2.0)) for site in cell]
    properties = {"sublattice": [r[1] for r in roles], "valence": [r[2] for r in roles]}
    return Structure(
        cell.lattice, [r[0] for r in roles], cell.frac_coords, to_unit_cell=True, site_properties=properties
    )


HOST = Host(
    key="life5o8",
    title="lithium ferrite",
    formula="LiFe5O8",
    build_cell=_build,
    orders=("P4_332", "P4_132"),
    spin_sense={"A": -1, "B": 1},
    moment_per_formula_muB=5.0,
    anions_per_formula=8,
    cubic_parent=True,
    vacancies=(("Fe", "A"), ("Fe", "B"), ("Li", "B"), ("O", "O")),
    hops=(HopKind("Li", "B", "Fe", "B", cutoff_A=3.3), HopKind("Fe", "B", "Li", "B", cutoff_A=3.3)),
    references=("Li2O", "Fe2O3", "Fe3O4"),
    hubbard_U_eV=pbe_hubbard_U_eV("Fe"),
    gap_eV=1.9,
    claims=("C11", "C12"),
    sources={
        "a": "8.3339 A, single-crystal X-ray, Smolentsev et al., J. Struct. Chem. 49, 985 (2008), from the abstract",
        "coordinates": "solved from the six bond lengths of that abstract; they reproduce them to 1e-4 A",
        "orders": "P4_132 is the mirror image of P4_332 and has the same energy",
        "U": "Materials Project value, fitted for PBE: Fe 5.3 eV",
        "gap": "about 1.9 eV, optical, general literature; weakly known",
        "moment": "Neel's collinear model: 2.5 muB per Li0.5Fe2.5O4",
    },
)
