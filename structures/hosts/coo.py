"""Cobalt monoxide, CoO: rock salt, antiferromagnetic along (111) (type II)."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..cells.magnetic_orders import along_111
from ..host_definition import HopKind
from ..prototypes.crystal import CrystalSite, anion_hop, crystal_host

LATTICE_A = 4.260

HOST = crystal_host(
    key="coo",
    title="cobalt monoxide",
    formula="CoO",
    space_group="Fm-3m",
    lattice=Lattice.cubic(LATTICE_A),
    sites=(CrystalSite("Co", "M", 2, (0, 0, 0)), CrystalSite("O", "O", -2, (0.5, 0.5, 0.5))),
    order="AFM-II",
    repeats=(2, 2, 2),
    pattern=along_111,
    moment_per_formula_muB=0.0,
    anions_per_formula=1,
    gap_eV=2.5,
    vacancies=(("Co", "M"), ("O", "O")),
    hops=(HopKind("Co", "M", "Co", "M", 3.2), anion_hop("O", 3.2)),
    references=("CoO", "Co3O4"),
    measured=("a", "order", "gap", "T_N"),
    sources={
        "a": "4.260 A at room temperature, general literature, no original paper was consulted; up to 4.267 A are "
        "reported; the monoclinic distortion below T_N is left out",
        "order": "type II by neutrons, Roth, 10.1103/PhysRev.110.1333",
        "gap": "2.5 eV by photoemission, van Elp et al., 10.1103/PhysRevB.44.6090; 2.4 eV is quoted too",
        "U": "Materials Project value, fitted for PBE: Co 3.32 eV",
        "T_N": "289 K, Tomiyasu and Itoh, 10.1143/JPSJ.75.084708",
        "moment": "3 muB of high-spin d7; the orbital part (about 1 muB) is left out",
    },
)
