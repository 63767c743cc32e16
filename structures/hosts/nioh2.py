"""Nickel hydroxide, beta-Ni(OH)2: brucite type; protons move between the layers."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..host_definition import HopKind
from ..prototypes.crystal import CrystalSite, crystal_host

HOST = crystal_host(
    key="nioh2",
    title="nickel hydroxide",
    formula="Ni(OH)2",
    space_group="P-3m1",
    lattice=Lattice.hexagonal(3.126, 4.605),
    sites=(
        CrystalSite("Ni", "M", 2, (0, 0, 0)),
        CrystalSite("O", "O", -2, (1 / 3, 2 / 3, 0.240)),
        CrystalSite("H", "H", 1, (1 / 3, 2 / 3, 0.451)),
    ),
    order="brucite",
    moment_per_formula_muB=2.0,
    anions_per_formula=2,
    gap_eV=3.0,
    vacancies=(("H", "H"), ("O", "O"), ("Ni", "M")),
    hops=(HopKind("H", "H", "H", "H", 2.2),),
    references=("NiO",),
    measured=("a", "positions", "T_N"),
    sources={
        "a": "3.126 and 4.605 A, general literature, no original paper was consulted; 3.12 and 4.61 A by Ramesh et "
        "al., Acta Cryst. B 62, 530 (2006)",
        "positions": "of neutron work, general literature, no original paper was consulted; O-H 0.97 A",
        "order": "planes parallel within, antiparallel to each other below T_N: parallel here",
        "gap": "3.0 to 3.7 eV, weakly known",
        "U": "Materials Project value, fitted for PBE: Ni 6.2 eV",
        "T_N": "26 K, general literature, no original paper was consulted",
        "moment": "2 muB of d8 by Hund's first rule",
    },
)
