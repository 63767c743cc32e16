"""Hydrogens of hydroxides that a CIF has in its formula alone, against where neutrons find them."""

import pytest
from magnetoionics.structures.cells.missing_hydrogens import with_hydrogens_of_hydroxides
from magnetoionics.structures.drafting.files import draft_from_file
from magnetoionics.structures.io.host_entries import HostFileError
from magnetoionics.structures.io.untrusted_input import ReadingNote
from pymatgen.core import Composition, Lattice, Structure

# Theophrastite as COD has it.
PLACES = [[0] * 3, [1 / 3, 2 / 3, 0.24]]
NICKEL = Structure.from_spacegroup("P-3m1", Lattice.hexagonal(3.117, 4.595), ["Ni", "O"], PLACES)


def test_theophrastite_has_its_hydrogens_along_c():
    """O-H of brucites is parallel to c and points away from the layer (neutrons, general literature)."""
    full, words = with_hydrogens_of_hydroxides(NICKEL, Composition("H2NiO2"))
    assert full.composition == Composition("NiO2H2")
    for site in (s for s in full if s.specie.symbol == "H"):
        oxygen = min(full.get_neighbors(site, 1.2), key=lambda n: n.nn_distance)
        arm = site.coords - oxygen.coords
        assert arm == pytest.approx([0, 0, arm[2]], abs=1e-6)
        assert 0.94 < abs(arm[2]) < 1.0
        # Layers of Ni at z = 0: hydrogen is nearer to the middle between them than its oxygen.
        assert abs(site.frac_coords[2] % 1 - 0.5) < abs(oxygen.frac_coords[2] % 1 - 0.5)
    assert "2 hydrogens" in words


def test_goethite_has_them_on_the_oxygen_with_fewer_bonds():
    """Neutrons put H on O2, at (-0.38, -0.08, 1/4) of Pbnm (Szytula et al., Phys. Status Solidi 26, 429 (1968))."""
    places = [[0.146, 0.25, -0.045], [-0.199, 0.25, 0.288], [-0.053, 0.25, -0.198]]
    goethite = Structure.from_spacegroup("Pnma", Lattice.orthorhombic(9.937, 3.015, 4.587), ["Fe", "O", "O"], places)
    full, _ = with_hydrogens_of_hydroxides(goethite, Composition("FeHO2"))
    hydrogens = [s.frac_coords for s in full if s.specie.symbol == "H"]
    assert len(hydrogens) == 4
    off = [full.lattice.get_distance_and_image(place, [-0.08, 0.25, -0.38])[0] for place in hydrogens]
    assert min(off) < 0.35


def test_water_and_other_formulas_are_left_alone():
    assert with_hydrogens_of_hydroxides(NICKEL, Composition("H4NiO2")) is None
    assert with_hydrogens_of_hydroxides(NICKEL, Composition("H2NiO3")) is None
    assert with_hydrogens_of_hydroxides(NICKEL, Composition("NiO2")) is None
    # Half of the oxygens of NiO2.H2O would be alike to those without hydrogen.
    assert with_hydrogens_of_hydroxides(NICKEL, Composition("HNiO2")) is None


def test_a_file_without_them_is_drafted_and_said(tmp_path):
    text = NICKEL.to(fmt="cif")
    formula = next(line for line in text.splitlines() if "_chemical_formula_sum" in line)
    (tmp_path / "theophrastite.cif").write_text(text.replace(formula, "_chemical_formula_sum   'H2 Ni O2'"))
    with pytest.warns(ReadingNote, match="2 hydrogens of its formula"):
        made = draft_from_file(tmp_path / "theophrastite.cif")
    valences = {r["element"]: r["valence"] for r in made.entries["roles"]}
    assert valences == {"Ni": 2, "H": 1, "O": -2}
    (tmp_path / "water.cif").write_text(text.replace(formula, "_chemical_formula_sum   'H4 Ni O2'"))
    with pytest.raises(HostFileError, match="its formula has hydrogen and its atoms have none"):
        draft_from_file(tmp_path / "water.cif")
