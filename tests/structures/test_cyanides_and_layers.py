"""Prussian blues and metals between the layers of dichalcogenides: valences, spins, and a host of them."""

import pytest
from magnetoionics.structures.checks.geometry import StructureError
from magnetoionics.structures.drafting.cyanides import cyanide_valences
from magnetoionics.structures.drafting.draft import draft_host
from magnetoionics.structures.drafting.files import drafted_reference
from magnetoionics.structures.drafting.redox import in_dichalcogenide
from pymatgen.core import Composition, Lattice, Structure


def prussian_blue(metals, a=10.2, alkali=None, group="F-43m"):
    """Cubic M'[M(CN)6], C on the second metal, from textbook bond lengths (Fe-C 1.92, C-N 1.15 A)."""
    species, coords = [*metals, "C", "N"], [[0.5] * 3, [0, 0, 0], [1.92 / a, 0, 0], [3.07 / a, 0, 0]]
    if alkali:
        species, coords = [*species, alkali], [*coords, [0.25] * 3]
    return Structure.from_spacegroup(group, Lattice.cubic(a), species, coords)


@pytest.mark.parametrize(
    ("metals", "alkali", "group", "moment", "valences"),
    [
        # Robin and Day: Fe2+ of S = 0 in carbon, Fe3+ of S = 5/2 in nitrogen.
        (("Fe", "Fe"), "K", "F-43m", 5, {("Fe", "Fe"): 3, ("Fe", "FeC"): 2}),
        (("Mn", "Fe"), "Na", "Fm-3m", 5, {("Mn", "Mn"): 2, ("Fe", "FeC"): 2}),
        (("Ni", "Fe"), "K", "Fm-3m", 2, {("Ni", "Ni"): 2, ("Fe", "FeC"): 2}),
        (("Fe", "Fe"), None, "Fm-3m", 6, {("Fe", "M"): 3, ("Fe", "FeC"): 3}),
    ],
)
def test_prussian_blue_and_its_analogues(metals, alkali, group, moment, valences, tmp_path):
    cell = prussian_blue(metals, alkali=alkali, group=group)
    made = draft_host(cell, "x.cif")
    found = {(r["element"], r["sublattice"]): r["valence"] for r in made.entries["roles"]}
    assert {kind: found[kind] for kind in valences} == valences
    assert made.entries["moment_per_formula_muB"] == pytest.approx(moment if group == "F-43m" or alkali else moment / 2)
    assert made.entries["gap_eV"] > 0
    cell.to(filename=str(tmp_path / "pb.cif"))
    assert drafted_reference(tmp_path / "pb.cif").host().structure().composition == cell.composition


def test_carbon_and_nitrogen_farther_apart_are_no_cyanide():
    """At 1.27 A they are doubly bonded."""
    cell = prussian_blue(("Fe", "Fe"))
    assert cyanide_valences(cell) is not None
    cell.scale_lattice(cell.volume * (1.27 / 1.15) ** 3)
    assert cyanide_valences(cell) is None


@pytest.mark.parametrize(("metal", "left"), [("Mn", 10 / 3), ("Fe", 10 / 3), ("Cr", None)])
def test_ions_between_layers_of_nbs2_are_divalent(metal, left):
    """Mn2+ and Fe2+ by neutrons in M(1/3)NbS2; Cr is 3+ there."""
    made = in_dichalcogenide(Composition(f"{metal}Nb3S6").get_el_amt_dict())
    assert (None if made is None else made["Nb"]) == (None if left is None else pytest.approx(left))
    assert made is None or made[metal] == 2
    assert in_dichalcogenide({"Fe": 1.0, "Nb": 1.0, "S": 4.0}) is None


def test_hexacyanochromate_is_trivalent_and_vanadium_takes_the_rest():
    """V2+ and Cr3+ of KV[Cr(CN)6], ferrimagnetic at 376 K (Holmes and Girolami 1999), and V3+ where K is missing."""
    for alkali, valence in (("K", 2), (None, 3)):
        made = draft_host(prussian_blue(("V", "Cr"), alkali=alkali, group="F-43m" if alkali else "Fm-3m"), "x.cif")
        of = {r["element"]: r["valence"] for r in made.entries["roles"]}
        assert (of["V"], of["Cr"]) == (valence, 3)


def test_a_cyanide_that_no_valences_make_neutral_says_what_its_metals_would_give():
    cell = prussian_blue(("Zn", "Cr"), group="Fm-3m")
    with pytest.raises(
        StructureError, match=r"Zn and Cr would have to give 24 electrons in the cell; ions in its cavities"
    ):
        draft_host(cell, "x.cif")
