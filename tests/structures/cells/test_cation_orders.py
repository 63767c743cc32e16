"""Cation orders: counts by Burnside's lemma, space groups, seeds, inversion degree, short-range order."""

import numpy as np
import pytest
from magnetoionics.structures.cells import sqs
from magnetoionics.structures.cells.cation_order import (
    decorated,
    random_spinel,
    sites_on,
    spinel_cell,
)
from magnetoionics.structures.cells.sqs import MissingLibraryError, short_range_order, sqs_spinel
from magnetoionics.structures.cells.supercell import supercell
from magnetoionics.structures.host import get_host
from magnetoionics.structures.spins import set_collinear_moments, total_moment, total_valence
from magnetoionics.structures.symmetry import space_group_symbol

NEEL = {"A": -1, "B": 1}


@pytest.fixture(scope="module")
def cube():
    return spinel_cell(8.392, 0.381)


@pytest.mark.parametrize("inversion", [0.0, 0.25, 0.75, 1.0])
def test_moment_follows_the_inversion_degree(cube, inversion):
    """Neel: 3 + 4 (1 - i) muB per formula unit of cobalt ferrite."""
    cell = set_collinear_moments(random_spinel(cube, "Co", "Fe", inversion, seed=1), NEEL)
    assert total_moment(cell) / 8 == pytest.approx(3 + 4 * (1 - inversion))
    assert total_valence(cell) == 0
    on_a = [s for s in cell if s.properties["sublattice"] == "A"]
    assert sum(s.specie.symbol == "Fe" for s in on_a) == inversion * len(on_a)


def test_a_seed_names_one_order(cube):
    cells = [random_spinel(cube, "Co", "Fe", 1.0, seed) for seed in (5, 5, 6)]
    assert cells[0] == cells[1]
    assert cells[0] != cells[2]


def test_impossible_requests_are_refused(cube):
    with pytest.raises(ValueError, match=r"nearest possible: 0\.75"):
        random_spinel(cube, "Co", "Fe", 0.76, seed=0)
    with pytest.raises(ValueError, match="outside 0"):
        random_spinel(cube, "Co", "Fe", 1.2, seed=0)
    with pytest.raises(ValueError, match="no spinel cell of 42"):
        spinel_cell(8.392, 0.381, 42)
    with pytest.raises(ValueError, match="hold oxygen"):
        decorated(cube, "Co", "Fe", sites_on(cube, "O")[:8])
    with pytest.raises(ValueError, match="charge"):
        decorated(cube, "Co", "Fe", sites_on(cube, "B")[:7])


def test_parent_symmetry_survives_in_every_cell():
    for atoms in (14, 28, 56):
        assert space_group_symbol(spinel_cell(8.392, 0.381, atoms)) == "Fd-3m"


def test_short_range_order_of_imma_is_known():
    """Each Co has 4 Fe among its 6 nearest B neighbours: alpha = 1 - (4/6)/(1/2) = -1/3."""
    for order in ("Imma", "P4_122"):
        alpha = short_range_order(get_host("cofe2o4").structure(order), "B", "Co")
        assert alpha[0] == pytest.approx(-1 / 3)
    with pytest.raises(ValueError, match="no mixture"):
        short_range_order(get_host("cofe2o4").structure("Imma"), "A", "Co")


def test_quasirandom_order_is_more_random_than_random(cube):
    pytest.importorskip("sqsgenerator")
    parent = supercell(cube, (1, 1, 2))
    best = sqs_spinel(parent, "Co", "Fe", 1.0, seed=3)
    assert best == sqs_spinel(parent, "Co", "Fe", 1.0, seed=3)
    size = [abs(x) for x in short_range_order(best, "B", "Co")]
    drawn = [short_range_order(random_spinel(parent, "Co", "Fe", 1.0, seed), "B", "Co") for seed in range(20)]
    assert size[0] <= np.quantile(np.abs(np.array(drawn)[:, 0]), 0.25) + 1e-9
    assert total_valence(sqs_spinel(parent, "Co", "Fe", 0.75, seed=1)) == 0


def test_quasirandom_order_of_the_cube(cube):
    """Two of eight A sites: the cube has two shells of A by nearest images, not the three that are asked for."""
    pytest.importorskip("sqsgenerator")
    cell = sqs_spinel(cube, "Co", "Fe", 0.75, seed=1)
    assert sum(cell[i].specie.symbol == "Co" for i in sites_on(cell, "A")) == 2
    assert total_valence(cell) == 0


def test_missing_library_is_named(cube, monkeypatch):
    def refuse(name):
        raise ImportError(name)

    monkeypatch.setattr(sqs.importlib, "import_module", refuse)
    with pytest.raises(MissingLibraryError, match=r"pip install 'magnetoionics\[sqs\]'"):
        sqs_spinel(cube, "Co", "Fe", 1.0, seed=1)
