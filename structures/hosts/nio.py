"""Nickel oxide, NiO: rock salt, antiferromagnetic along (111) (type II)."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..cells.magnetic_orders import along_111
from ..host_definition import HopKind
from ..prototypes.crystal import CrystalSite, anion_hop, crystal_host

LATTICE_A = 4.177

HOST = crystal_host(
    key="nio",
    title="nickel oxide",
    formula="NiO",
    space_group="Fm-3m",
    lattice=Lattice.cubic(LATTICE_A),
    sites=(CrystalSite("Ni", "M", 2, (0, 0, 0)), CrystalSite("O", "O", -2, (0.5, 0.5, 0.5))),
    order="AFM-II",
    repeats=(2, 2, 2),
    pattern=along_111,
    moment_per_formula_muB=0.0,
    anions_per_formula=1,
    gap_eV=4.0,
    vacancies=(("Ni", "M"), ("O", "O")),
    hops=(HopKind("Ni", "M", "Ni", "M", 3.2), anion_hop("O", 3.2)),
    references=("NiO",),
    measured=("a", "order", "gap", "T_N"),
    sources={
        "a": "4.177 A at room temperature, general literature, no original paper was consulted (4.168 to 4.18 A are "
        "reported); the rhombohedral distortion below T_N (0.1 degrees) is left out",
        "order": "type II by neutrons, Roth, 10.1103/PhysRev.110.1333",
        "gap": "4.3 eV by photoemission, Sawatzky and Allen, 10.1103/PhysRevLett.53.2339; 4.0 eV is quoted too",
        "U": "Materials Project value, fitted for PBE: Ni 6.2 eV",
        "T_N": "523 K, 10.1103/PhysRevB.6.3447",
        "moment": "2 muB of d8 by Hund's first rule; 1.64 to 1.90 muB measured, as Wang et al. quote it, "
        "10.1103/PhysRevB.73.195107",
    },
)
