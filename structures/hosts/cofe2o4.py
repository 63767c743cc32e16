"""Cobalt ferrite, CoFe2O4: inverse spinel, Fe3+ on A (down), Co2+ and Fe3+ on B (up)."""

from __future__ import annotations

from ..prototypes.ferrite import inverse_ferrite

HOST = inverse_ferrite(
    key="cofe2o4",
    title="cobalt ferrite",
    divalent="Co",
    lattice_A=8.392,
    oxygen_u=0.381,
    references=("CoO", "Co3O4", "Fe2O3", "Fe3O4"),
    gap_eV=1.5,
    claims=("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10"),
    sources={
        "a": "8.392 A, room temperature X-ray value for CoFe2O4",
        "u": "0.381 in the -43m origin, neutron diffraction on CoFe2O4",
        "U": "Materials Project values, fitted for PBE: Co 3.32 eV, Fe 5.3 eV",
        "gap": "lower end of the optical range 1.5 to 2.0 eV",
    },
)
