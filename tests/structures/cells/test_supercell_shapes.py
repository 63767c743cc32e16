"""Supercells: sublattice counts known from number theory, distances of images, properties kept."""

import numpy as np
import pytest
from magnetoionics.structures.cells.binary_oxides import reference_phase
from magnetoionics.structures.cells.supercell import (
    _hermite_forms,
    general_supercell,
    image_distance_A,
    matrix_for_image_distance,
    most_distant_images,
    repeats_for_images,
)
from magnetoionics.structures.host import get_host
from magnetoionics.structures.spins import total_moment
from pymatgen.core import Lattice


@pytest.fixture(scope="module")
def cfo():
    return get_host("cofe2o4").structure()


def test_every_sublattice_is_tried_once():
    """Number of sublattices of index n in three dimensions (OEIS A001001)."""
    counts = [len({tuple(form.ravel()) for form in _hermite_forms(n)}) for n in range(1, 11)]
    assert counts == [1, 7, 13, 35, 31, 91, 57, 155, 130, 217]


def test_four_cubes_make_a_cell_with_images_sqrt3_apart(cfo):
    """Index 4 of the primitive cubic lattice: the bcc sublattice 2a is best, shortest vector sqrt(3) a."""
    matrix = most_distant_images(cfo, 4)
    big = general_supercell(cfo, matrix)
    assert len(big) == 224
    assert image_distance_A(big.lattice) == pytest.approx(np.sqrt(3) * 8.392)
    assert total_moment(big) == pytest.approx(4 * total_moment(cfo))
    assert np.linalg.det(matrix) == pytest.approx(4)


def test_eight_cubes_stay_a_cube(cfo):
    assert most_distant_images(cfo, 8).tolist() == (2 * np.eye(3, dtype=int)).tolist()


def test_distance_is_kept_with_fewer_atoms_than_by_repeats():
    zinc_oxide = reference_phase("ZnO")
    matrix = matrix_for_image_distance(zinc_oxide, 10.0)
    big = general_supercell(zinc_oxide, matrix)
    assert image_distance_A(big.lattice) >= 10.0
    # repeats would need 4 x 4 x 2 = 32 cells
    assert len(big) / 4 <= 20
    with pytest.raises(ValueError, match="more than 3 cells"):
        matrix_for_image_distance(zinc_oxide, 10.0, max_cells=3)


def test_repeats_are_the_fewest_that_keep_images_apart(cfo):
    """A rhombohedral cell of fcc reaches a distance with fewer repeats than its faces suggest."""
    assert repeats_for_images(cfo, 8.39) == (1, 1, 1)
    assert repeats_for_images(cfo, 8.40) == (2, 2, 2)
    long = cfo.copy()
    long.make_supercell((1, 1, 3))
    assert repeats_for_images(long, 16.0) == (2, 2, 1)
    primitive = cfo.get_primitive_structure()
    for distance in (6.0, 10.0, 14.0):
        n = repeats_for_images(primitive, distance)
        assert image_distance_A(Lattice(np.diag(n) @ primitive.lattice.matrix)) >= distance
        fewer = [(*n[:i], n[i] - 1, *n[i + 1 :]) for i in range(3) if n[i] > 1]
        cells = [Lattice(np.diag(m) @ primitive.lattice.matrix) for m in fewer]
        assert all(image_distance_A(c) < distance for c in cells)
    with pytest.raises(ValueError, match="positive"):
        repeats_for_images(cfo, 0.0)


@pytest.mark.parametrize("matrix", [np.zeros((3, 3)), -np.eye(3), [[1, 0.5, 0], [0, 1, 0], [0, 0, 1]]])
def test_matrices_that_make_no_cell_are_refused(cfo, matrix):
    with pytest.raises(ValueError, match="matrix"):
        general_supercell(cfo, matrix)
