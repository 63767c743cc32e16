"""Iron nitride, gamma'-Fe4N: a ferromagnetic metal, N in the centres of an fcc lattice of Fe."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..prototypes.crystal import CrystalSite, anion_hop, crystal_host

LATTICE_A = 3.795

HOST = crystal_host(
    key="fe4n",
    title="iron nitride",
    formula="Fe4N",
    space_group="Pm-3m",
    lattice=Lattice.cubic(LATTICE_A),
    sites=(
        CrystalSite("Fe", "corner", 0, (0, 0, 0), 2.98),
        CrystalSite("Fe", "face", 1, (0.5, 0.5, 0), 2.01),
        CrystalSite("N", "N", -3, (0.5, 0.5, 0.5)),
    ),
    order="antiperovskite",
    moment_per_formula_muB=9.01,
    anions_per_formula=1,
    anion="N",
    gap_eV=0.0,
    vacancies=(("N", "N"), ("Fe", "corner"), ("Fe", "face")),
    hops=(anion_hop("N", 5.6),),
    references=("Fe", "N2", "Fe4N"),
    measured=("a", "moment", "T_C"),
    sources={
        "a": "3.795 A, general literature, no original paper was consulted; 3.79 A of the mineral roaldite",
        "moment": "2.98 muB on corners, 2.01 on faces by neutrons, general literature; 3 and 2 in Shirane et al., "
        "10.1103/PhysRev.126.49",
        "valence": "formal: N takes its electrons from the Fe of the faces",
        "gap": "0: a metal",
        "T_C": "767 K, general literature, no original paper was consulted; 716 K of films",
    },
)
