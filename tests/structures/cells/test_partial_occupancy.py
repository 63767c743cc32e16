"""Crystals with partially occupied sites become ordered cells of the same composition, no atom on top of another."""

import numpy as np
import pytest
from magnetoionics.structures.cells.partial_occupancy import (
    _all,
    _best_of,
    _by_species,
    _distinct_orders,
    _misfit,
    _random,
    _shell_pairs,
    _supercell,
    ordered_cell,
)
from magnetoionics.structures.checks.geometry import StructureError, check_no_overlap
from magnetoionics.structures.host import get_host
from magnetoionics.structures.symmetry import orbits
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


# Sodium over and between the metals of P2-NaxCoO2: 2b and 2d lie 1.65 A from each other in a layer.
def layers(share_over, share_between):
    return Structure.from_spacegroup(
        "P6_3/mmc",
        Lattice.hexagonal(2.84, 10.8),
        [{"Na": share_over}, {"Na": share_between}, "Co", "O"],
        [[0, 0, 0.25], [1 / 3, 2 / 3, 0.75], [0, 0, 0], [1 / 3, 2 / 3, 0.09]],
    )


@pytest.mark.parametrize("method", ["auto", "sqs", "random"])
def test_split_sites_are_not_filled_at_once(method):
    made = ordered_cell(layers(0.2, 0.6), method, cells=5)
    sodium = [i for i, site in enumerate(made.structure) if site.specie.symbol == "Na"]
    apart = made.structure.distance_matrix[np.ix_(sodium, sodium)]
    assert len(sodium) == 8
    assert apart[apart > 0].min() > 2.5
    assert "split" not in made.in_words


def test_split_sites_that_must_be_filled_at_once_are_said():
    """Three Na for each two places 1.65 A apart, and no empty layer to go to."""
    made = ordered_cell(layers(0.75, 0.75), cells=2)
    assert "split places, nearer than 2 A, filled at once" in made.in_words


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


def test_enumeration_meets_every_arrangement_once():
    """Of 4 places for 2 Ni, 1 Co and 1 empty one there are 4!/2! = 12."""
    orders = list(_distinct_orders(["Ni", "Ni", "Co", ""]))
    assert len(orders) == len(set(orders)) == 12
    assert all(sorted(order) == ["", "Co", "Ni", "Ni"] for order in orders)


def test_enumerated_needs_no_seed_and_no_random_order_is_nearer_to_random():
    enumerated = ordered_cell(HALF, "enumerated", cells=2)
    assert enumerated.method == "enumerated"
    assert "seed" not in enumerated.in_words
    assert ordered_cell(HALF, "enumerated", seed=5, cells=2).structure == enumerated.structure
    big, mixed, _ = _supercell(HALF, [g for g in orbits(_by_species(HALF)) if not HALF[g[0]].is_ordered], 2)
    shells = [_shell_pairs(big, m) for m in mixed]

    def misfit(names):
        return sum(_misfit(m, own, pairs) for m, own, pairs in zip(mixed, names, shells, strict=True))

    best = misfit(_best_of(big, mixed, _all(big, mixed)))
    tried = [misfit(names) for names in _random(big, mixed, 1, "sqs")]
    assert len(tried) == 200
    assert best <= min(tried) + 1e-9
    assert best < max(tried)


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
