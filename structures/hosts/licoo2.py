"""Lithium cobalt oxide, LiCoO2: layered; Li moves in its planes; low-spin Co3+ has no moment."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..host_definition import HopKind
from ..prototypes.crystal import CrystalSite, anion_hop, crystal_host

HOST = crystal_host(
    key="licoo2",
    title="lithium cobalt oxide",
    formula="LiCoO2",
    space_group="R-3m",
    lattice=Lattice.hexagonal(2.816, 14.054),
    sites=(
        CrystalSite("Li", "Li", 1, (0, 0, 0.5)),
        CrystalSite("Co", "M", 3, (0, 0, 0), "low"),
        CrystalSite("O", "O", -2, (0, 0, 0.2605)),
    ),
    order="layered",
    moment_per_formula_muB=0.0,
    anions_per_formula=2,
    gap_eV=2.7,
    vacancies=(("Li", "Li"), ("Co", "M"), ("O", "O")),
    hops=(HopKind("Li", "Li", "Li", "Li", 3.1), anion_hop("O", 3.1)),
    references=("CoO", "Co3O4", "Li2O"),
    measured=("a", "positions", "gap"),
    sources={
        "a": "2.816 and 14.054 A, general literature, no original paper was consulted",
        "positions": "z(O) 0.2605, general literature, no original paper was consulted",
        "gap": "2.7 eV, photoemission, general literature, after van Elp et al., 10.1103/PhysRevB.44.6090",
        "U": "Materials Project value, fitted for PBE: Co 3.32 eV",
        "moment": "0 of low-spin d6",
    },
)
