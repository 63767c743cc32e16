"""Manganese ferrite, MnFe2O4: mostly normal spinel, Mn2+ on A (down), Fe3+ on B (up)."""

from __future__ import annotations

from dataclasses import replace

from ..host_definition import HopKind
from ..prototypes.ferrite import inverse_ferrite

_INVERSE = inverse_ferrite(
    key="mnfe2o4",
    title="manganese ferrite",
    divalent="Mn",
    lattice_A=8.511,
    oxygen_u=0.3846,
    references=("FeO", "Fe2O3", "Fe3O4"),
    gap_eV=1.0,
    hubbard_U_eV={"Mn": 3.9},
    sources={
        "a": "8.511 A, general literature, no original paper was consulted; 8.50 to 8.515 A are reported",
        "u": "0.3846 in the -43m origin, neutrons, abstract of Hastings and Corliss",
        "order": "81 % normal by neutrons, abstract of Hastings and Corliss: the normal order comes first, inverse "
        "ones beside it",
        "U": "Materials Project values, fitted for PBE: Mn 3.9 eV, Fe 5.3 eV",
        "gap": "about 1 eV, weakly known: a conductor by hopping at room temperature",
        "T_C": "573 K, general literature, no original paper was consulted",
    },
)
# Both ions have 5 muB: every distribution has the same moment.
HOST = replace(
    _INVERSE,
    orders=("normal", *(order for order in _INVERSE.orders if order != "normal")),
    vacancies=(("Fe", "B"), ("Mn", "A"), ("O", "O")),
    hops=(HopKind("Fe", "B", "Fe", "B", cutoff_A=3.3),),
    measured=("a", "u", "order", "T_C"),
)
