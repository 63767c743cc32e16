"""Magnesium ferrite, MgFe2O4: inverse spinel without a net moment when fully inverse."""

from __future__ import annotations

from ..prototypes.ferrite import inverse_ferrite

HOST = inverse_ferrite(
    key="mgfe2o4",
    title="magnesium ferrite",
    divalent="Mg",
    lattice_A=8.389,
    oxygen_u=0.382,
    references=("MgO", "Fe2O3", "Fe3O4"),
    gap_eV=1.9,
    sources={
        "a": "8.389 A, general literature, room temperature; it varies by 0.01 A with the inversion degree",
        "u": "0.382 in the -43m origin, general literature; known to about 0.001, relax before use",
        "U": "Materials Project value, fitted for PBE: Fe 5.3 eV",
        "gap": "about 1.9 eV, optical, general literature; weakly known",
        "order": "real samples are inverse to about 0.9, which gives them about 1 muB per formula unit",
    },
)
