"""Bismuth ferrite, BiFeO3: polar perovskite R3c, antiferromagnetic of type G."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..cells.magnetic_orders import layers_along_c
from ..prototypes.crystal import CrystalSite, anion_hop, crystal_host

HOST = crystal_host(
    key="bifeo3",
    title="bismuth ferrite",
    formula="BiFeO3",
    space_group="R3c",
    lattice=Lattice.hexagonal(5.57882, 13.86932),
    sites=(
        CrystalSite("Bi", "A", 3, (0, 0, 0)),
        CrystalSite("Fe", "B", 3, (0, 0, 0.22021)),
        CrystalSite("O", "O", -2, (0.4469, 0.0181, 0.95183)),
    ),
    order="R3c",
    pattern=layers_along_c(6, 0.22021),
    moment_per_formula_muB=0.0,
    anions_per_formula=3,
    gap_eV=2.7,
    vacancies=(("O", "O"), ("Bi", "A"), ("Fe", "B")),
    hops=(anion_hop("O", 3.2),),
    references=("FeO", "Fe2O3", "Fe3O4"),
    measured=("a", "positions", "order", "gap", "T_N"),
    sources={
        "a": "5.57882 and 13.86932 A, neutrons at 298 K, Palewicz et al., 10.1107/S0108768107023956",
        "positions": "same refinement",
        "order": "type G; the cycloid of 62 nm is left out, Sosnowska et al., J. Phys. C 15, 4835 (1982)",
        "gap": "2.74 eV by ellipsometry of films, Ihlefeld et al., 10.1063/1.2901160",
        "U": "Materials Project value, fitted for PBE: Fe 5.3 eV",
        "T_N": "643 K, general literature; about 640 K by Palewicz et al., 10.1107/S0108768107023956",
        "moment": "5 muB by Hund's first rule; 3.8 to 4.3 by neutrons, general literature, no original paper was "
        "consulted",
    },
)
