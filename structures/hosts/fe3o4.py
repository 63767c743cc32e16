"""Magnetite, Fe3O4: inverse spinel, Fe2+ and Fe3+ ordered on B by hand, 4 muB per formula unit.

The real charge order below the Verwey transition is larger and monoclinic; the orders offered here
are the two simple ones of the 56-atom cube.
"""

from __future__ import annotations

from ..prototypes.ferrite import inverse_ferrite

HOST = inverse_ferrite(
    key="fe3o4",
    title="magnetite",
    divalent="Fe",
    lattice_A=8.394,
    oxygen_u=0.3799,
    references=("FeO", "Fe2O3"),
    gap_eV=0.14,
    sources={
        "a": "8.394 A, general literature, room temperature; known well",
        "u": "0.3799 in the -43m origin, general literature; known to about 0.0005",
        "U": "Materials Project value, fitted for PBE: Fe 5.3 eV",
        "gap": "about 0.14 eV in the charge-ordered low-temperature phase; a conductor at room temperature",
    },
)
