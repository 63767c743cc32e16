"""Cobalt nitride, CoN: zinc-blende type, a metal without order."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..prototypes.crystal import CrystalSite, anion_hop, crystal_host

LATTICE_A = 4.28

HOST = crystal_host(
    key="con",
    title="cobalt nitride",
    formula="CoN",
    space_group="F-43m",
    lattice=Lattice.cubic(LATTICE_A),
    sites=(CrystalSite("Co", "M", 3, (0, 0, 0), 0.0), CrystalSite("N", "N", -3, (0.25, 0.25, 0.25))),
    order="zinc_blende",
    repeats=(2, 2, 2),
    moment_per_formula_muB=0.0,
    anions_per_formula=1,
    anion="N",
    gap_eV=0.0,
    vacancies=(("N", "N"), ("Co", "M")),
    hops=(anion_hop("N", 3.2),),
    references=("Co", "N2"),
    measured=("a", "positions"),
    sources={
        "a": "4.28 A, films, general literature, no original paper was consulted",
        "positions": "tetrahedral Co by X-ray absorption, Gupta et al., 10.1007/s42452-019-1808-2, who rule out the "
        "rock-salt type of earlier reports",
        "moment": "none: a paramagnet by polarised neutrons, same work",
        "gap": "0: a metal, general literature",
    },
)
