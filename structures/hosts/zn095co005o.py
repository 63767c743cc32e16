"""Zn0.95Co0.05O: wurtzite with two Co among 40 cations, near or far apart, parallel or antiparallel."""

from __future__ import annotations

from pymatgen.core import Structure

from ..cells.binary_oxides import wurtzite
from ..cells.supercell import general_supercell, most_distant_images
from ..elements import pbe_hubbard_U_eV
from ..host_definition import HopKind, Host

LATTICE_A = 3.2495
LATTICE_C_A = 5.2069
OXYGEN_U = 0.382
_CELLS = 20
_ANTIPARALLEL = "-antiparallel"
# Sublattice of the second Co where its spin is against the first's; chemically it is a T site.
_REVERSED = "T_reversed"


def _build(order: str) -> Structure:
    cell = wurtzite("Zn", LATTICE_A, LATTICE_C_A, OXYGEN_U)
    big = general_supercell(cell, most_distant_images(cell, _CELLS))
    cations = [i for i, s in enumerate(big) if s.specie.symbol == "Zn"]
    first = cations[0]
    by_distance = sorted(cations[1:], key=lambda i: (round(float(big.get_distance(first, i)), 4), i))
    second = by_distance[0] if order.startswith("near") else by_distance[-1]
    species, labels, valences = [], [], []
    for i, site in enumerate(big):
        is_oxygen = site.specie.symbol == "O"
        species.append("Co" if i in (first, second) else site.specie.symbol)
        labels.append("O" if is_oxygen else "T")
        valences.append(-2.0 if is_oxygen else 2.0)
    if order.endswith(_ANTIPARALLEL):
        labels[second] = _REVERSED
    properties = {"sublattice": labels, "valence": valences}
    return Structure(big.lattice, species, big.frac_coords, site_properties=properties)


HOST = Host(
    key="zn095co005o",
    title="cobalt-doped zinc oxide",
    formula="Zn0.95Co0.05O",
    build_cell=_build,
    orders=("near", "far", f"near{_ANTIPARALLEL}", f"far{_ANTIPARALLEL}"),
    spin_sense={"T": 1, _REVERSED: -1},
    moment_per_formula_muB=0.15,
    moment_by_order_muB={f"near{_ANTIPARALLEL}": 0.0, f"far{_ANTIPARALLEL}": 0.0},
    anions_per_formula=1,
    vacancies=(("O", "O"), ("Zn", "T")),
    hops=(HopKind("O", "O", "O", "O", cutoff_A=3.4),),
    references=("ZnO", "CoO", "Co3O4"),
    hubbard_U_eV=pbe_hubbard_U_eV("Co"),
    gap_eV=3.3,
    claims=("C13",),
    sources={
        "a": "3.2495 and 5.2069 A of ZnO, general literature, room temperature; known well; Co changes them little",
        "u": "0.382, general literature; known to about 0.001",
        "cell": "20 wurtzite cells with images as far apart as that number allows (10.05 A)",
        "U": "Materials Project value, fitted for PBE: Co 3.32 eV; Zn without U, so the PBE gap is far too small",
        "gap": "3.3 eV of ZnO, optical, general literature",
        "moment": "3 muB per high-spin Co2+ on tetrahedra; parallel spins are the assumption of the review",
    },
)
