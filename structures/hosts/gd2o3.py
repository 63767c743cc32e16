"""Cubic gadolinia, Gd2O3: bixbyite; 7 muB of Gd3+, spins parallel as in a field."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..prototypes.crystal import CrystalSite, anion_hop, crystal_host

LATTICE_A = 10.813

HOST = crystal_host(
    key="gd2o3",
    title="cubic gadolinia",
    formula="Gd2O3",
    space_group="Ia-3",
    lattice=Lattice.cubic(LATTICE_A),
    sites=(
        CrystalSite("Gd", "M", 3, (0.25, 0.25, 0.25)),
        CrystalSite("Gd", "M", 3, (-0.0314, 0, 0.25)),
        CrystalSite("O", "O", -2, (0.391, 0.152, 0.380)),
    ),
    order="bixbyite",
    primitive=True,
    moment_per_formula_muB=14.0,
    anions_per_formula=3,
    gap_eV=5.4,
    vacancies=(("O", "O"), ("Gd", "M")),
    hops=(anion_hop("O", 3.2),),
    measured=("a", "gap"),
    sources={
        "a": "10.813 A, room temperature, general literature, no original paper was consulted; 10.79 and 10.81 A "
        "by Zachariasen (1927, 1928)",
        "positions": "of bixbyites, rounded to 0.001; relax before use",
        "moment": "7 muB of 4f7 by Hund's first rule; a paramagnet, its spins are taken as parallel",
        "gap": "5.4 eV, optical, general literature, no original paper was consulted",
    },
)
