"""Nickel ferrite, NiFe2O4: inverse spinel, 2 muB per formula unit."""

from __future__ import annotations

from ..prototypes.ferrite import inverse_ferrite

HOST = inverse_ferrite(
    key="nife2o4",
    title="nickel ferrite",
    divalent="Ni",
    lattice_A=8.339,
    oxygen_u=0.3823,
    references=("NiO", "Fe2O3", "Fe3O4"),
    gap_eV=1.5,
    sources={
        "a": "8.339 A, general literature, room temperature; known well",
        "u": "0.3823 in the -43m origin, general literature; known to about 0.001, relax before use",
        "U": "Materials Project values, fitted for PBE: Ni 6.2 eV, Fe 5.3 eV",
        "gap": "lower end of the optical range 1.5 to 2.3 eV; general literature, weakly known",
    },
)
