"""La2/3Sr1/3MnO3: pseudocubic perovskite, ferromagnetic metal with Mn of mean valence 10/3."""

from __future__ import annotations

from pymatgen.core import Lattice

from ..prototypes.crystal import CrystalSite, anion_hop, crystal_host

LATTICE_A = 3.876

HOST = crystal_host(
    key="lsmo",
    title="lanthanum strontium manganite",
    formula="La2SrMn3O9",
    space_group="Pm-3m",
    lattice=Lattice.cubic(LATTICE_A),
    sites=(
        CrystalSite("La", "A", 3, (0, 0, 0)),
        CrystalSite("Mn", "B", 10 / 3, (0.5, 0.5, 0.5), 11 / 3),
        CrystalSite("O", "O", -2, (0.5, 0.5, 0)),
    ),
    order="layers",
    repeats=(1, 1, 3),
    replaced={0: ("Sr", 2.0)},
    moment_per_formula_muB=11.0,
    anions_per_formula=9,
    gap_eV=0.0,
    vacancies=(("O", "O"), ("Mn", "B"), ("Sr", "A"), ("La", "A")),
    hops=(anion_hop("O", 2.9),),
    measured=("a", "T_C"),
    sources={
        "a": "3.876 A, pseudocubic, room temperature, general literature, no original paper was consulted; the "
        "rhombohedral tilts are left out",
        "order": "one layer of Sr in three: an idealised order of a random A site",
        "moment": "11/3 muB per Mn, all spins parallel: mean of high-spin Mn3+ and Mn4+",
        "gap": "0: a metal, Urushibara et al., 10.1103/PhysRevB.51.14103",
        "T_C": "about 370 K, general literature, after Urushibara et al., 10.1103/PhysRevB.51.14103",
    },
)
