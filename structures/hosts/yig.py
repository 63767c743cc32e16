"""Yttrium iron garnet, Y3Fe5O12: Fe3+ on a against Fe3+ on d."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..prototypes.crystal import CrystalSite, anion_hop, crystal_host

LATTICE_A = 12.376

HOST = crystal_host(
    key="yig",
    title="yttrium iron garnet",
    formula="Y3Fe5O12",
    space_group="Ia-3d",
    lattice=Lattice.cubic(LATTICE_A),
    sites=(
        CrystalSite("Y", "c", 3, (0.125, 0, 0.25)),
        CrystalSite("Fe", "a", 3, (0, 0, 0)),
        CrystalSite("Fe", "d", 3, (0.375, 0, 0.25)),
        CrystalSite("O", "O", -2, (-0.0274, 0.0572, 0.1495)),
    ),
    order="garnet",
    primitive=True,
    spin_sense={"a": -1, "d": 1},
    moment_per_formula_muB=5.0,
    anions_per_formula=12,
    gap_eV=2.85,
    vacancies=(("O", "O"), ("Fe", "a"), ("Fe", "d"), ("Y", "c")),
    hops=(anion_hop("O", 2.9),),
    references=("FeO", "Fe2O3", "Fe3O4"),
    measured=("a", "positions", "order", "moment", "gap", "T_C"),
    sources={
        "a": "12.376 A, single crystal, Geller and Gilleo, 10.1016/0022-3697(57)90044-6",
        "positions": "O at -0.0274, 0.0572, 0.1495, same refinement",
        "order": "Neel's: a against d, Geller and Gilleo, 10.1016/0022-3697(57)90044-6",
        "moment": "5 muB per formula unit: three Fe on d less two on a",
        "gap": "2.85 eV, optical, general literature, no original paper was consulted",
        "U": "Materials Project value, fitted for PBE: Fe 5.3 eV",
        "T_C": "560 K, Cherepanov et al., 10.1016/0370-1573(93)90107-O; 550 to 570 K are quoted",
    },
)
