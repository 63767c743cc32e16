"""Monoclinic hafnia, HfO2: oxygen in three- and fourfold coordination."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..host_definition import HopKind
from ..prototypes.crystal import CrystalSite, crystal_host

HOST = crystal_host(
    key="hfo2",
    title="monoclinic hafnia",
    formula="HfO2",
    space_group="P2_1/c",
    lattice=Lattice.monoclinic(5.1156, 5.1722, 5.2948, 99.18),
    sites=(
        CrystalSite("Hf", "M", 4, (0.276, 0.040, 0.208)),
        CrystalSite("O", "O3", -2, (0.074, 0.332, 0.347)),
        CrystalSite("O", "O4", -2, (0.449, 0.758, 0.480)),
    ),
    order="monoclinic",
    moment_per_formula_muB=0.0,
    anions_per_formula=2,
    gap_eV=5.7,
    vacancies=(("O", "O3"), ("O", "O4"), ("Hf", "M")),
    hops=(
        HopKind("O", "O3", "O", "O3", 3.0),
        HopKind("O", "O3", "O", "O4", 3.0),
        HopKind("O", "O4", "O", "O4", 3.0),
    ),
    measured=("a", "positions", "gap"),
    sources={
        "a": "5.1156, 5.1722, 5.2948 A, 99.18 degrees, X-ray at room temperature, Ruh and Corfield, "
        "J. Am. Ceram. Soc. 53, 126 (1970)",
        "positions": "Whittle et al. (2006), entry 1528988 of the Crystallography Open Database, rounded to 0.001; O "
        "within 0.11 A of Ruh and Corfield",
        "gap": "5.7 eV, optical, general literature, no original paper was consulted; 5.61 eV (direct) and 5.31 eV "
        "(indirect) of powder, 10.3103/S1062873822070279",
    },
)
