"""Strontium cobaltite, SrCoO3: cubic perovskite, ferromagnetic metal."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..prototypes.crystal import CrystalSite, anion_hop, crystal_host

LATTICE_A = 3.829

HOST = crystal_host(
    key="srcoo3",
    title="strontium cobaltite",
    formula="SrCoO3",
    space_group="Pm-3m",
    lattice=Lattice.cubic(LATTICE_A),
    sites=(
        CrystalSite("Sr", "A", 2, (0.5, 0.5, 0.5)),
        CrystalSite("Co", "B", 4, (0, 0, 0), 2.5),
        CrystalSite("O", "O", -2, (0.5, 0, 0)),
    ),
    order="perovskite",
    repeats=(2, 2, 2),
    moment_per_formula_muB=2.5,
    anions_per_formula=3,
    gap_eV=0.0,
    vacancies=(("O", "O"), ("Co", "B"), ("Sr", "A")),
    hops=(anion_hop("O", 2.9),),
    references=("CoO", "Co3O4"),
    measured=("a", "moment", "T_C"),
    sources={
        "a": "3.829 A, general literature, no original paper was consulted",
        "moment": "2.5 muB per formula unit, general literature: between low and high spin of Co4+; 1.5 to 3.0 muB are "
        "reported, as quoted in 10.1103/PhysRevB.92.094427",
        "gap": "0: a metal",
        "T_C": "305 K, the highest of 260 to 305 K quoted in 10.1103/PhysRevB.92.094427",
    },
)
