"""Strontium ferrate, SrFeO3: cubic perovskite, a metal with helical order taken as parallel here."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..prototypes.crystal import CrystalSite, anion_hop, crystal_host

LATTICE_A = 3.850

HOST = crystal_host(
    key="srfeo3",
    title="strontium ferrate",
    formula="SrFeO3",
    space_group="Pm-3m",
    lattice=Lattice.cubic(LATTICE_A),
    sites=(
        CrystalSite("Sr", "A", 2, (0.5, 0.5, 0.5)),
        CrystalSite("Fe", "B", 4, (0, 0, 0)),
        CrystalSite("O", "O", -2, (0.5, 0, 0)),
    ),
    order="perovskite",
    repeats=(2, 2, 2),
    moment_per_formula_muB=4.0,
    anions_per_formula=3,
    gap_eV=0.0,
    vacancies=(("O", "O"), ("Fe", "B"), ("Sr", "A")),
    hops=(anion_hop("O", 2.9),),
    references=("FeO", "Fe2O3", "Fe3O4"),
    measured=("a", "T_N"),
    sources={
        "a": "3.850 A, room temperature, abstract of MacChesney et al., Electric and Magnetic Properties of the "
        "Strontium Ferrates",
        "order": "a helix, 10.1103/PhysRevB.84.054427, along [111] by general literature: parallel spins stand for it",
        "moment": "4 muB of Fe4+ by Hund's first rule; 3.1 at 4 K, quoted by Takano et al., J. Solid State Chem. 39, "
        "75 (1981)",
        "gap": "0: a metal, MacChesney et al.",
        "T_N": "134 K, quoted by Takano et al.; 130 K by MacChesney et al.",
    },
)
