"""Crystals with partially occupied sites become ordered cells of the same composition, no atom on top of another."""

import numpy as np
import pytest
from magnetoionics.structures.cells.partial_occupancy import ordered_cell
from magnetoionics.structures.checks.geometry import StructureError, check_no_overlap
from magnetoionics.structures.host import get_host
from pymatgen.core import Composition, Lattice, Structure

MANGANITE = Structure.from_spacegroup(
    "Pm-3m",
    Lattice.cubic(3.87),
    [{"La": 0.67, "Sr": 0.33}, "Mn", "O"],
    [[0, 0, 0], [0.5] * 3, [0.5, 0.5, 0]],
)
HALF = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.2), [{"Ni": 0.5, "Mg": 0.5}, "O"], [[0, 0, 0], [0.5] * 3])


def shares(structure):
    return {str(el): n for el, n in structure.composition.fractional_composition.items()}


@pytest.mark.parametrize("method", ["auto", "sqs", "random"])
def test_mixed_sites_keep_the_composition(method):
    made = ordered_cell(MANGANITE, method)
    assert made.structure.is_ordered
    assert made.structure.composition.reduced_composition.almost_equals(Composition("La2SrMn3O9"))
    assert len(made.structure) == 15
    assert "La 0.67/Sr 0.33" in made.in_words
    assert "met to 0.0033" in made.in_words


def test_the_same_seed_gives_the_same_cell():
    one, same, other = (ordered_cell(HALF, "random", seed, cells=4).structure for seed in (3, 3, 4))
    assert one == same
    assert one != other


def test_half_of_an_fcc_sublattice_is_near_random():
    """Two of four cations of the cube: each has of its twelve neighbours a third of its own kind at best."""
    cell = ordered_cell(HALF, "sqs", cells=8).structure
    nickel = [s for s in cell if s.specie.symbol == "Ni"]
    assert len(nickel) == 16
    own = np.mean(
        [
            np.mean([n.specie.symbol == "Ni" for n in cell.get_neighbors(s, 3.2) if n.specie.symbol != "O"])
            for s in nickel
        ]
    )
    assert own == pytest.approx(0.5, abs=0.06)


def test_empty_places_stay_empty():
    deficient = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.3), [{"Fe": 0.75}, "O"], [[0, 0, 0], [0.5] * 3])
    made = ordered_cell(deficient)
    assert made.method == "enumerated"
    assert shares(made.structure) == pytest.approx({"Fe": 3 / 7, "O": 4 / 7})


def test_split_sites_are_filled_once():
    """Two places 0.5 A apart, each half occupied: one of the two is filled, never both."""
    split = Structure(
        Lattice.cubic(6.0),
        [{"Li": 0.5}, {"Li": 0.5}, {"Li": 0.5}, {"Li": 0.5}, "O"],
        [[0.1, 0, 0], [0.1833, 0, 0], [0.6, 0.5, 0], [0.6833, 0.5, 0], [0.5, 0.5, 0.5]],
    )
    made = ordered_cell(split)
    check_no_overlap(made.structure)
    assert (made.structure.composition["Li"], made.structure.composition["O"]) == (4, 2)
    with pytest.raises(StructureError, match=r"occupancies are met to 0\.5 only"):
        ordered_cell(split, cells=1)


def test_what_cannot_be_is_refused():
    with pytest.raises(StructureError, match="methods: auto, enumerated"):
        ordered_cell(HALF, "best")
    with pytest.raises(StructureError, match="nothing to order"):
        ordered_cell(ordered_cell(HALF).structure)
    with pytest.raises(StructureError, match="more than 3000"):
        ordered_cell(HALF, "enumerated", cells=8)


def test_a_host_is_drafted_from_a_disordered_file(tmp_path):
    MANGANITE.to(filename=str(tmp_path / "lsmo.cif"))
    with pytest.warns(UserWarning, match="ordered: partially occupied sites"):
        host = get_host(str(tmp_path / "lsmo.cif"))
    assert host.moment_per_formula(host.structure()) == pytest.approx(11, abs=1e-3)
