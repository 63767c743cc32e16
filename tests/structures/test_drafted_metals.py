"""Drafts of carbides, subnitrides, adsorbed oxygen, and what is no metal; known values are general literature."""

import numpy as np
import pytest
from magnetoionics.structures.checks.geometry import StructureError
from magnetoionics.structures.drafting.draft import draft_host
from magnetoionics.structures.drafting.valences import _by_elements
from pymatgen.core import Lattice, Structure


@pytest.mark.parametrize(("metal", "edge_A"), [("Ti", 4.328), ("Zr", 4.698), ("Hf", 4.639), ("Nb", 4.470)])
def test_carbides_of_d_metals_conduct(metal, edge_A):
    """Also those of 4+, whose shell is empty on paper; CaF2-type Be2C and antifluorite salts of s metals insulate."""
    carbide = Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge_A), [metal, "C"], [[0] * 3, [0.5] * 3])
    made = draft_host(carbide, "x.cif").entries
    assert made["gap_eV"] == 0
    assert made["moment_per_formula_muB"] == 0
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.34), ["C", "Be"], [[0] * 3, [0.25] * 3])
    assert draft_host(salt, "x.cif").entries["gap_eV"] > 0


def test_no_metal_atom_takes_electrons():
    """Zn as Zn- beside Hf4+ was the rest of a sum; neither it nor Zn+ has a moment."""
    subnitride = Structure.from_spacegroup(
        "P6_3mc",
        Lattice.hexagonal(3.25, 8.6),
        ["Hf", "N", "Zn"],
        [[0, 0, 0], [1 / 3, 2 / 3, 0.13], [1 / 3, 2 / 3, 0.38]],
    )
    made = draft_host(subnitride, "x.cif").entries
    assert {r["element"]: r["valence"] > 0 for r in made["roles"]} == {"Hf": True, "Zn": True, "N": False}
    assert sum(r["valence"] for r in made["roles"]) == pytest.approx(0)
    assert made["gap_eV"] == 0
    assert made["moment_per_formula_muB"] == 0


@pytest.mark.parametrize(
    ("symbols", "edge_A", "named"),
    [
        (["Si", "Si"], 5.43, "Si"),
        (["Si", "Ge"], 5.54, "Si and Ge"),
        (["O", "O"], 3.6, "O"),
        (["Te", "I"], 6.0, "Te and I"),
    ],
)
def test_what_holds_no_metal_is_no_metal(symbols, edge_A, named):
    cell = Structure(Lattice.cubic(edge_A), symbols, [[0] * 3, [0.25] * 3 if edge_A < 6 else [0.5] * 3])
    with pytest.raises(StructureError, match=f"holds {named} alone, and no metal"):
        draft_host(cell, "x.cif")


def test_oxygen_on_a_layer_of_iron_germanium_telluride():
    """Fe3GeTe2 is a metal with 1.5 to 2 muB per Fe; one oxygen atom on it makes no oxide of it."""
    bulk = Structure.from_spacegroup(
        "P6_3/mmc",
        Lattice.hexagonal(3.991, 16.33),
        ["Fe", "Fe", "Ge", "Te"],
        [[0, 0, 0.6718], [2 / 3, 1 / 3, 0.75], [1 / 3, 2 / 3, 0.75], [2 / 3, 1 / 3, 0.59]],
    )
    clean = draft_host(bulk, "x.cif").entries
    bulk.make_supercell((2, 2, 1))
    top = max((s for s in bulk if s.specie.symbol == "Fe"), key=lambda s: s.frac_coords[2])
    bulk.append("O", top.coords + np.array([0, 0, 1.75]), coords_are_cartesian=True)
    covered = draft_host(bulk, "x.cif").entries
    for made in (clean, covered):
        assert made["gap_eV"] == 0
        assert {r["spin"] for r in made["roles"] if r["element"] == "Fe"} == {2.2}
    assert {r["element"]: r["valence"] for r in covered["roles"]}["O"] == -2


def test_copper_in_squares_is_on_no_sublattice_of_a_spinel():
    """CuBi2O4 has the numbers of a spinel, four and six oxygen; its copper lies in squares of 1.94 A."""
    cell = Structure.from_spacegroup(
        "I4",
        Lattice.tetragonal(8.484, 5.813),
        ["Cu", "Cu", "Bi", "O", "O"],
        [[0, 0, 0.329], [0, 0, 0.824], [0.168, 0.668, 0], [0.098, 0.797, 0.346], [0.702, 0.399, 0.339]],
    )
    made = draft_host(cell, "x.cif")
    assert {r["element"]: r["sublattice"] for r in made.entries["roles"]} == {"Cu": "Cu", "Bi": "Bi", "O": "O"}
    spinel = Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(8.08), ["Co", "Al", "O"], [[0.0] * 3, [0.625] * 3, [0.389] * 3]
    )
    assert {r["sublattice"] for r in draft_host(spinel, "x.cif").entries["roles"]} == {"A", "B", "O"}


def test_p_metals_have_their_usual_valences():
    """Ge2Sb2Te5 is (GeTe)2(Sb2Te3), and gold has one valence less two in sulfides: Cs4Au6S5 is Cs+ Au+ S2-."""
    layers = Structure(
        Lattice.hexagonal(4.2, 17.2),
        ["Te", "Ge", "Te", "Sb", "Te", "Te", "Sb", "Te", "Ge"],
        [[(2 * n % 3) / 3, (n % 3) / 3, (n + 0.1 * (n > 4)) / 9.2] for n in range(9)],
    )
    valences = _by_elements(layers)[0]
    assert valences == {"Ge": 2.0, "Sb": 3.0, "Te": -2.0}
    gold = Structure(Lattice.cubic(20), ["Cs"] * 4 + ["Au"] * 6 + ["S"] * 5, [[n / 15, 0, 0] for n in range(15)])
    assert _by_elements(gold)[0] == {"Cs": 1.0, "Au": 1.0, "S": -2.0}
