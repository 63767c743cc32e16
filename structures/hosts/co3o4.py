"""Cobalt(II,III) oxide, Co3O4: normal spinel, Co2+ on A antiferromagnetic, Co3+ on B without a moment."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..cells.magnetic_orders import diamond
from ..host_definition import HopKind
from ..prototypes.crystal import CrystalSite, anion_hop, crystal_host

LATTICE_A = 8.084
OXYGEN_U = 0.388

HOST = crystal_host(
    key="co3o4",
    title="cobalt(II,III) oxide",
    formula="Co3O4",
    space_group="Fd-3m",
    lattice=Lattice.cubic(LATTICE_A),
    sites=(
        CrystalSite("Co", "A", 2, (0, 0, 0)),
        CrystalSite("Co", "B", 3, (0.625, 0.625, 0.625), "low"),
        CrystalSite("O", "O", -2, (OXYGEN_U, OXYGEN_U, OXYGEN_U)),
    ),
    order="normal",
    pattern=diamond,
    moment_per_formula_muB=0.0,
    anions_per_formula=4,
    gap_eV=1.6,
    vacancies=(("Co", "A"), ("Co", "B"), ("O", "O")),
    hops=(HopKind("Co", "B", "Co", "B", 3.2), anion_hop("O", 3.0)),
    references=("CoO", "Co3O4"),
    measured=("a", "u", "order", "gap", "T_N"),
    sources={
        "a": "8.084 A: 8.0835 A by Knop et al. (X-ray and neutrons), 8.0821 A by Liu and Prewitt, 10.1007/BF00199669",
        "u": "0.388 in the -43m origin: 0.3877 by Liu and Prewitt, 0.389 by Knop et al.",
        "order": "A sites antiparallel by neutrons, Roth, J. Phys. Chem. Solids 25, 1 (1964)",
        "gap": "1.6 eV, van Elp et al., 10.1103/PhysRevB.44.6090; 0.7 eV to the first d-d excitations, general "
        "literature",
        "U": "Materials Project value, fitted for PBE: Co 3.32 eV",
        "T_N": "33 to 40 K: 33 K in Wang et al., 10.1103/PhysRevB.73.195107, 40 K in general literature",
        "moment": "3 muB of Co2+ by Hund's first rule (3.02 by neutrons, Roth), none of low-spin Co3+",
    },
)
