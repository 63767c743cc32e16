"""Hematite, alpha-Fe2O3: corundum, antiferromagnetic + - - + along c."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..cells.magnetic_orders import hematite
from ..host_definition import HopKind
from ..prototypes.crystal import CrystalSite, anion_hop, crystal_host

LATTICE_A = 5.038
LATTICE_C_A = 13.772
IRON_Z = 0.3553
OXYGEN_X = 0.3059

HOST = crystal_host(
    key="alpha_fe2o3",
    title="hematite",
    formula="Fe2O3",
    space_group="R-3c",
    lattice=Lattice.hexagonal(LATTICE_A, LATTICE_C_A),
    sites=(CrystalSite("Fe", "M", 3, (0, 0, IRON_Z)), CrystalSite("O", "O", -2, (OXYGEN_X, 0, 0.25))),
    order="R-3c",
    pattern=hematite,
    moment_per_formula_muB=0.0,
    anions_per_formula=3,
    gap_eV=2.1,
    vacancies=(("Fe", "M"), ("O", "O")),
    hops=(anion_hop("O", 3.1), HopKind("Fe", "M", "Fe", "M", 3.4)),
    references=("FeO", "Fe3O4", "Fe2O3"),
    measured=("a", "positions", "order", "gap", "T_N"),
    sources={
        "a": "5.038 and 13.772 A, X-ray, Blake et al., American Mineralogist 51, 123 (1966)",
        "positions": "z(Fe) 0.3553, x(O) 0.3059, same refinement",
        "order": "+ - - + along c by neutrons, Shull et al., 10.1103/PhysRev.83.333; canting left out",
        "gap": "2.1 eV, optical; 2.0 to 2.7 eV are quoted, Wang et al., 10.1103/PhysRevB.73.195107",
        "U": "Materials Project value, fitted for PBE: Fe 5.3 eV",
        "T_N": "955 K, general literature, no original paper was consulted; 960 K by Samuelsen and Shirane, "
        "10.1002/pssb.19700420125; Morin transition at about 260 K",
        "moment": "5 muB by Hund's first rule; 4.9 measured, as Wang et al. quote it",
    },
)
