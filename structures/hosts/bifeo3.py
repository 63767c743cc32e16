"""Bismuth ferrite, BiFeO3: polar perovskite R3c, antiferromagnetic of type G."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..cells.magnetic_orders import layers_along_c
from ..crystal import CrystalSite, anion_hop, crystal_host

HOST = crystal_host(
    key="bifeo3",
    title="bismuth ferrite",
    formula="BiFeO3",
    space_group="R3c",
    lattice=Lattice.hexagonal(5.5787, 13.8688),
    sites=(
        CrystalSite("Bi", "A", 3, (0, 0, 0)),
        CrystalSite("Fe", "B", 3, (0, 0, 0.2208)),
        CrystalSite("O", "O", -2, (0.443, 0.018, 0.952)),
    ),
    order="R3c",
    pattern=layers_along_c(6, 0.2208),
    moment_per_formula_muB=0.0,
    anions_per_formula=3,
    gap_eV=2.7,
    vacancies=(("O", "O"), ("Bi", "A"), ("Fe", "B")),
    hops=(anion_hop("O", 3.2),),
    references=("FeO", "Fe2O3", "Fe3O4"),
    measured=("a", "positions", "order", "gap", "T_N"),
    sources={
        "a": "5.5787 and 13.8688 A, single crystal, Kubel and Schmid, 10.1107/S0108768190006887",
        "positions": "same refinement, rounded",
        "order": "type G; the cycloid of 62 nm is left out, Sosnowska et al., 10.1088/0022-3719/15/23/020",
        "gap": "2.7 eV, optical",
        "U": "Materials Project value, fitted for PBE: Fe 5.3 eV",
        "T_N": "643 K",
        "moment": "5 muB by Hund's first rule; 3.8 to 4.3 by neutrons",
    },
)
