"""Cobalt ferrite, CoFe2O4: inverse spinel, Fe3+ on A (down), Co2+ and Fe3+ on B (up)."""

from __future__ import annotations

from pymatgen.core import Structure

from ..host import HopKind, Host
from ..spinel import ORDERS, SpinelOrder, inverse_spinel

LATTICE_A = 8.392
OXYGEN_U = 0.381


def _build(order: str) -> Structure:
    names: dict[str, SpinelOrder] = {name: name for name in ORDERS}
    return inverse_spinel(LATTICE_A, OXYGEN_U, "Co", "Fe", names[order])


HOST = Host(
    key="cofe2o4",
    title="cobalt ferrite",
    formula="CoFe2O4",
    build_cell=_build,
    orders=ORDERS,
    spin_sense={"A": -1, "B": 1},
    moment_per_formula_muB=3.0,
    anions_per_formula=4,
    vacancies=(("Fe", "A"), ("Fe", "B"), ("Co", "B"), ("O", "O")),
    hops=(HopKind("Co", "B", "Fe", "B", cutoff_A=3.3),),
    references=("CoO", "Co3O4", "Fe2O3", "Fe3O4"),
    hubbard_U_eV={"Co": 3.32, "Fe": 5.3},
    gap_eV=1.5,
    claims=("C1", "C4", "C5", "C6", "C7", "C8"),
    sources={
        "a": "8.392 A, room temperature X-ray value for CoFe2O4",
        "u": "0.381 in the -43m origin, neutron diffraction on CoFe2O4",
        "U": "Materials Project values, fitted for PBE: Co 3.32 eV, Fe 5.3 eV",
        "gap": "lower end of the optical range 1.5 to 2.0 eV",
        "moment": "Neel's collinear model, inverse distribution",
    },
)
