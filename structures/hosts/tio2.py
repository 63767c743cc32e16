"""Rutile, TiO2: no moment of its own; the textbook oxide of oxygen vacancies."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..prototypes.crystal import CrystalSite, anion_hop, crystal_host

LATTICE_A = 4.594
LATTICE_C_A = 2.959
OXYGEN_X = 0.305

HOST = crystal_host(
    key="tio2",
    title="rutile",
    formula="TiO2",
    space_group="P4_2/mnm",
    lattice=Lattice.tetragonal(LATTICE_A, LATTICE_C_A),
    sites=(CrystalSite("Ti", "M", 4, (0, 0, 0)), CrystalSite("O", "O", -2, (OXYGEN_X, OXYGEN_X, 0))),
    order="rutile",
    moment_per_formula_muB=0.0,
    anions_per_formula=2,
    gap_eV=3.0,
    vacancies=(("O", "O"), ("Ti", "M")),
    hops=(anion_hop("O", 3.0),),
    measured=("a", "positions", "gap"),
    sources={
        "a": "4.5937 and 2.9587 A, rounded, X-ray, Abrahams and Bernstein, 10.1063/1.1676569",
        "positions": "x(O) 0.3048, same refinement, rounded",
        "gap": "3.0 eV, optical, general literature, no original paper was consulted",
    },
)
