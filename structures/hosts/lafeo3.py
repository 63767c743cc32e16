"""Lanthanum orthoferrite, LaFeO3: distorted perovskite, antiferromagnetic of type G."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..cells.magnetic_orders import orthoferrite
from ..prototypes.crystal import CrystalSite, anion_hop, crystal_host

HOST = crystal_host(
    key="lafeo3",
    title="lanthanum orthoferrite",
    formula="LaFeO3",
    space_group="Pbnm",
    lattice=Lattice.orthorhombic(5.557, 5.565, 7.854),
    sites=(
        CrystalSite("La", "A", 3, (-0.0067, 0.0293, 0.25)),
        CrystalSite("Fe", "B", 3, (0.5, 0, 0)),
        CrystalSite("O", "O", -2, (0.075, 0.487, 0.25)),
        CrystalSite("O", "O", -2, (-0.281, 0.2815, 0.0390)),
    ),
    order="Pbnm",
    pattern=orthoferrite,
    moment_per_formula_muB=0.0,
    anions_per_formula=3,
    gap_eV=2.3,
    vacancies=(("O", "O"), ("Fe", "B"), ("La", "A")),
    hops=(anion_hop("O", 3.2),),
    references=("FeO", "Fe2O3", "Fe3O4"),
    measured=("a", "positions", "order", "gap", "T_N"),
    sources={
        "a": "5.557, 5.565, 7.854 A, general literature, no original paper was consulted; 5.552, 5.563, 7.843 A are "
        "reported too",
        "positions": "as the lattice; O within 0.14 A of another refinement: relax before use",
        "order": "type G by neutrons, general literature, no original paper was consulted; the canting is left out",
        "gap": "2.3 eV, optical, general literature, after Scafetta et al., 10.1088/0953-8984/26/50/505502",
        "U": "Materials Project value, fitted for PBE: Fe 5.3 eV",
        "T_N": "738 K, Park et al., 10.1088/1361-648X/aac06b",
        "moment": "5 muB by Hund's first rule; 4.6 by neutrons, general literature",
    },
)
