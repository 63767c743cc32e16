"""Cobalt nitride, CoN: rock-salt type, a metal without order."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..crystal import CrystalSite, anion_hop, crystal_host

LATTICE_A = 4.28

HOST = crystal_host(
    key="con",
    title="cobalt nitride",
    formula="CoN",
    space_group="Fm-3m",
    lattice=Lattice.cubic(LATTICE_A),
    sites=(CrystalSite("Co", "M", 3, (0, 0, 0), "low"), CrystalSite("N", "N", -3, (0.5, 0.5, 0.5))),
    order="rock_salt",
    repeats=(2, 2, 2),
    moment_per_formula_muB=0.0,
    anions_per_formula=1,
    anion="N",
    gap_eV=0.0,
    vacancies=(("N", "N"), ("Co", "M")),
    hops=(anion_hop("N", 3.2),),
    measured=("a",),
    sources={
        "a": "4.28 A, films of the rock-salt type, Suzuki et al., 10.1016/0925-8388(94)01561-4; zinc-blende "
        "films (4.27 A) are reported too",
        "moment": "none: no order is reported; low-spin Co3+",
        "gap": "0: a metal",
    },
)
