"""Structures as inputs of SIESTA, ABACUS and ABINIT, written for tests."""

from __future__ import annotations

from itertools import groupby

from pymatgen.core import Structure

BOHR_A = 0.529177210903


def _kinds(structure: Structure) -> list[str]:
    return sorted({site.specie.symbol for site in structure})


def _row(numbers) -> str:
    return " ".join(f"{x:.12f}" for x in numbers)


def _moments(structure: Structure) -> list[float]:
    return [float(m) for m in structure.site_properties.get("magmom", [0.0] * len(structure))]


def fdf_text(structure: Structure, form: str = "Fractional", unit: str = "Ang") -> str:
    """Of SIESTA, in one of its forms of coordinates and with the lattice constant in a unit."""
    kinds, size = _kinds(structure), {"Ang": 1.0, "Bohr": BOHR_A}[unit]
    scale = {"Fractional": None, "Ang": 1.0, "NotScaledCartesianBohr": BOHR_A, "ScaledCartesian": 2.0 * size}[form]
    places = structure.frac_coords if scale is None else structure.cart_coords / scale
    return "\n".join(
        [
            "# an input",
            f"NumberOfAtoms {len(structure)}",
            "%block Chemical_Species-Label",
            *(
                f" {n} {structure[[s.specie.symbol for s in structure].index(k)].specie.Z} {k}.psf"
                for n, k in enumerate(kinds, 1)
            ),
            "%endblock Chemical_Species-Label",
            f"LatticeConstant 2.0 {unit} ! half of the numbers below",
            "%block LatticeVectors",
            *(_row(v / (2.0 * size)) for v in structure.lattice.matrix),
            "%endblock LatticeVectors",
            f"Atomic.Coordinates_Format {form}",
            "%block AtomicCoordinatesAndAtomicSpecies",
            *(f"{_row(p)} {kinds.index(s.specie.symbol) + 1}" for p, s in zip(places, structure, strict=True)),
            "%endblock AtomicCoordinatesAndAtomicSpecies",
            "%block DM.InitSpin",
            *(f"{n} {m}" for n, m in enumerate(_moments(structure), 1) if m),
            "%endblock DM.InitSpin",
        ]
    )


def stru_text(structure: Structure, form: str = "Direct") -> str:
    """Of ABACUS, elements in turn as they come."""
    scale = {"Direct": None, "Cartesian": 2.0 * BOHR_A, "Cartesian_angstrom": 1.0}[form]
    places = structure.frac_coords if scale is None else structure.cart_coords / scale
    sites = list(zip(structure, places, _moments(structure), strict=True))
    out = ["ATOMIC_SPECIES", *(f"{k} 1.0 {k}.upf" for k in _kinds(structure)), "LATTICE_CONSTANT", "2.0 // bohr"]
    out += ["LATTICE_VECTORS", *(_row(v / (2.0 * BOHR_A)) for v in structure.lattice.matrix)]
    out += ["ATOMIC_POSITIONS", f"{form} # a comment"]
    for symbol, group in groupby(sites, key=lambda one: one[0].specie.symbol):
        rows = list(group)
        out += [symbol, "0.0", str(len(rows)), *(f"{_row(p)} 1 1 1 mag {m}" for _, p, m in rows)]
    return "\n".join(out)


def abinit_text(structure: Structure) -> str:
    """Of ABINIT, edges in bohr and moments along z."""
    kinds = _kinds(structure)
    numbers = [structure[[s.specie.symbol for s in structure].index(k)].specie.Z for k in kinds]
    return "\n".join(
        [
            f"natom {len(structure)} ntypat {len(kinds)} # an input",
            f"znucl {' '.join(map(str, numbers))}",
            "typat",
            *(str(kinds.index(s.specie.symbol) + 1) for s in structure),
            "acell 1.0 1.0 1.0 Angstrom",
            "rprim",
            *(_row(v) for v in structure.lattice.matrix),
            "xred",
            *(_row(p) for p in structure.frac_coords),
            "nsppol 2 spinat",
            *(f"0 0 {m}" for m in _moments(structure)),
        ]
    )
