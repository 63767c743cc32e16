"""The compiled list of pairs against ASE's and vesin's lists."""

import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list
from magnetoionics.calculators.pairs import half_pairs, neighbour_vectors

CELLS = {
    "cube": np.diag([5.0, 5.0, 5.0]),
    "thin": np.diag([1.2, 9.0, 4.0]),
    "skew": np.array([[6.0, 0.0, 0.0], [4.5, 3.0, 0.0], [-2.0, 5.0, 4.0]]),
    "left-handed": np.array([[0.0, 5.0, 0.3], [6.0, 0.0, 0.0], [0.0, 0.4, 7.0]]),
}


def vectors(pairs, positions):
    """Every pair in both directions, as rows of indices and rounded vectors."""
    to_second = positions[pairs.second] + pairs.translations[pairs.image] - positions[pairs.first]
    rows = np.column_stack([pairs.first, pairs.second, to_second.round(6)])
    back = np.column_stack([pairs.second, pairs.first, -to_second.round(6)])
    return {tuple(row) for row in np.concatenate([rows, back]).tolist()}


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
@pytest.mark.parametrize("cutoff", [0.5, 3.1, 7.7])
def test_pairs_are_those_of_ase(cell, cutoff):
    # Places outside the cell, far ones too.
    positions = np.random.default_rng(1).uniform(-3, 4, (11, 3)) @ cell
    pairs = half_pairs(cell, positions, cutoff, compiled=True)
    i, j, d = neighbor_list("ijD", Atoms("H11", cell=cell, positions=positions, pbc=True), cutoff)
    expected = {tuple(row) for row in np.column_stack([i, j, d.round(6)]).tolist()}
    assert vectors(pairs, positions) == expected
    # Each once, and none twice.
    assert 2 * len(pairs.first) == len(i)
    assert (np.diff(pairs.first) >= 0).all()


def test_both_lists_are_one():
    positions = np.random.default_rng(2).uniform(-2, 2, (40, 3)) @ CELLS["skew"]
    ours, theirs = (half_pairs(CELLS["skew"], positions, 6.0, compiled=c) for c in (True, False))
    assert vectors(ours, positions) == vectors(theirs, positions)
    assert ours.rows.tolist() == theirs.rows.tolist()


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_vectors_from_both_sides_are_those_of_ase(cell):
    positions = np.random.default_rng(3).uniform(-3, 4, (9, 3)) @ cell
    i, j, d = neighbour_vectors(cell, positions, 4.2)
    expected = neighbor_list("ijD", Atoms("H9", cell=cell, positions=positions, pbc=True), 4.2)
    rows, theirs = (
        {tuple(r) for r in np.column_stack([a, b, v.round(6)]).tolist()} for a, b, v in ((i, j, d), expected)
    )
    assert rows == theirs
    assert len(i) == len(expected[0])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_step_into_nothing_is_refused(bad):
    with pytest.raises(ValueError, match="not a finite number"):
        half_pairs(CELLS["cube"], [[0.0, 0, 0], [bad, 1, 1]], 3.0, compiled=True)
