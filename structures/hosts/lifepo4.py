"""Lithium iron phosphate, LiFePO4: olivine; Li moves along b."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..cells.magnetic_orders import olivine
from ..host_definition import HopKind
from ..prototypes.crystal import CrystalSite, crystal_host

HOST = crystal_host(
    key="lifepo4",
    title="lithium iron phosphate",
    formula="LiFePO4",
    space_group="Pnma",
    lattice=Lattice.orthorhombic(10.332, 6.010, 4.692),
    sites=(
        CrystalSite("Li", "M1", 1, (0, 0, 0)),
        CrystalSite("Fe", "M2", 2, (0.2822, 0.25, 0.9747)),
        CrystalSite("P", "T", 5, (0.0948, 0.25, 0.4182)),
        CrystalSite("O", "O", -2, (0.0968, 0.25, 0.7428)),
        CrystalSite("O", "O", -2, (0.4571, 0.25, 0.2060)),
        CrystalSite("O", "O", -2, (0.1656, 0.0465, 0.2848)),
    ),
    order="olivine",
    pattern=olivine,
    moment_per_formula_muB=0.0,
    anions_per_formula=4,
    gap_eV=3.8,
    vacancies=(("Li", "M1"), ("Fe", "M2"), ("O", "O")),
    hops=(HopKind("Li", "M1", "Li", "M1", 3.2),),
    references=("FeO", "Fe2O3", "Fe3O4", "Li2O"),
    measured=("a", "positions", "order", "gap", "T_N"),
    sources={
        "a": "10.332, 6.010, 4.692 A, single crystal, Streltsov et al., 10.1107/S0108768192004701",
        "positions": "same refinement, rounded",
        "order": "neighbours through one O antiparallel, Rousse et al., 10.1021/cm0300462; between layers assumed",
        "gap": "3.8 to 4.0 eV, optical, Zhou et al., 10.1016/j.ssc.2004.07.055",
        "U": "Materials Project value, fitted for PBE: Fe 5.3 eV",
        "T_N": "50 K, Li et al., 10.1103/PhysRevB.73.024410",
        "moment": "4 muB by Hund's first rule; 4.2 by neutrons, general literature",
    },
)
