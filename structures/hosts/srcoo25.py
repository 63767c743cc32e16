"""Brownmillerite, SrCoO2.5: octahedral and tetrahedral Co3+ in layers, antiferromagnetic of type G."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..cells.magnetic_orders import brownmillerite
from ..host_definition import HopKind
from ..prototypes.crystal import CrystalSite, crystal_host

HOST = crystal_host(
    key="srcoo25",
    title="brownmillerite strontium cobaltite",
    formula="Sr2Co2O5",
    space_group="Ima2",
    lattice=Lattice.orthorhombic(15.6486, 5.5667, 5.4639),
    sites=(
        CrystalSite("Sr", "A", 2, (0.112, 0.009, 0.5)),
        CrystalSite("Co", "B6", 3, (0, 0, 0)),
        CrystalSite("Co", "B4", 3, (0.25, 0.932, 0.964)),
        CrystalSite("O", "O_eq", -2, (0.993, 0.25, 0.25)),
        CrystalSite("O", "O_ap", -2, (0.141, 0.039, 0.018)),
        CrystalSite("O", "O_tet", -2, (0.25, 0.872, 0.619)),
    ),
    order="G",
    pattern=brownmillerite,
    moment_per_formula_muB=0.0,
    anions_per_formula=5,
    gap_eV=0.35,
    vacancies=(("O", "O_eq"), ("O", "O_ap"), ("O", "O_tet"), ("Co", "B6"), ("Co", "B4")),
    hops=(
        HopKind("O", "O_eq", "O", "O_eq", 3.0),
        HopKind("O", "O_ap", "O", "O_eq", 3.2),
        HopKind("O", "O_tet", "O", "O_ap", 3.2),
    ),
    references=("CoO", "Co3O4"),
    measured=("a", "order", "moment", "T_N"),
    sources={
        "a": "15.6486, 5.5667, 5.4639 A, neutrons at 4 K, Sullivan et al., J. Solid State Chem. 184, 649 (2011)",
        "positions": "that work finds the chains disordered (Imma) or alternating; here they are typical of "
        "brownmillerites, rounded, chains of tetrahedra all of one hand: relax before use",
        "order": "type G by neutrons, Sullivan et al., J. Solid State Chem. 184, 649 (2011)",
        "moment": "3.00(4) muB per Co by neutrons at 4 K, Sullivan et al.; the cell holds 4 by Hund's first rule",
        "gap": "about 0.35 eV, optical onset of films, general literature, no original paper was consulted; weakly "
        "known",
        "U": "Materials Project value, fitted for PBE: Co 3.32 eV",
        "T_N": "about 570 K, general literature, no original paper was consulted",
    },
)
